// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title The registry of sealed medical images
/// @notice Records, for each sealed image, who sealed it and the SHA-256 of its bytes; says whether observed bytes are still
/// those; logs every verification; flags tampering; and says which wallets may be given the image's key.
/// @dev This file has no imports: forge compiles it and the Rust client reads the same text. Times are unix seconds.
///
/// EIP-712 domain: name `MedSeal`, version `1`, the chain id, this contract. The type strings stand at the structs. A signature is the 65 bytes
/// of a wallet (ECDSA, low s; asked first, so an EIP-7702 account keeps it) or up to 4096 bytes for the ERC-1271 check of a contract.
///
/// Roles, given and taken by OpenZeppelin's `AccessControlDefaultAdminRules` (one default admin, handed over in two steps with a delay of one
/// day): `VERIFIER_ROLE`, `ARBITER_ROLE` and `KGC_ROLE`, each the keccak256 of its name. No role changes a record.
///
/// Errors beside those below come from OpenZeppelin: `AccessControlUnauthorizedAccount(address,bytes32)` where a role is missing and
/// `InvalidAccountNonce(address,uint256)` with the nonce that would be right.
///
/// Audit head: every event below ends with `seq`, its number counted from 1, and `head`, the hash chain over all events up to it:
/// `head' = bytes26(keccak256(abi.encode(head, kind, seq, block.number, block.timestamp, keccak256(fields))))`, where `head` is the
/// head before, as bytes26, `kind` the event's topic 0 and `fields` the `abi.encode` of the event's other arguments in the order of its
/// declaration, indexed ones included. The first head is `bytes26(keccak256(abi.encode("MedSeal audit v1", chainid, this)))`.
/// Head and number lie in storage slot 0, for `eth_getProof`: from the lowest bit on 208 bits of head, 40 of number, 8 kept for a pause.
interface IImageRegistry {
    /// @notice What the life of a record has come to. A flag never blocks reading.
    enum RecordState {
        Absent,
        Registered,
        Flagged,
        Tampered
    }

    /// @notice What has become of a flag.
    enum FlagState {
        None,
        Open,
        Confirmed,
        Dismissed
    }

    /// @notice What a sender registers, and signs when somebody else is to submit it.
    /// @dev `Registration(address sender,bytes32 salt,bytes32 contentHash,bytes32 headerHash,uint64 size,bytes cid,bytes32 capsulesHash,bytes capsulesCid,uint64 deadline)`
    /// @param sender Wallet that sealed the image; the image id is bound to it.
    /// @param salt The sealed image's 32 random bytes; with the sender they make the image id.
    /// @param contentHash SHA-256 of the sealed image, every byte of it.
    /// @param headerHash SHA-256 of its magic, version, header length and header.
    /// @param size Its length in bytes.
    /// @param cid Its binary CID, 1 to 64 bytes.
    /// @param capsulesHash SHA-256 of the key capsules.
    /// @param capsulesCid Their binary CID, 1 to 64 bytes.
    /// @param deadline Last second in which a relayed signature acts, at most 7 days ahead. Not looked at when the sender submits itself.
    struct Registration {
        address sender;
        bytes32 salt;
        bytes32 contentHash;
        bytes32 headerHash;
        uint64 size;
        bytes cid;
        bytes32 capsulesHash;
        bytes capsulesCid;
        uint64 deadline;
    }

    /// @notice One look at the stored bytes of an image.
    /// @dev `Verification(bytes32 imageId,address verifier,bytes32 observedHash,uint64 observedAt,uint256 nonce,uint64 deadline)`
    /// @param imageId Which image.
    /// @param verifier Wallet that looked.
    /// @param observedHash SHA-256 of what the storage gave, not zero.
    /// @param observedAt When the verifier looked, at most 60 s after the block's time: clocks differ.
    /// @param nonce `nonces(verifier)` when the signature is relayed; not looked at when the verifier submits itself.
    /// @param deadline Last second in which a relayed signature acts, at most 7 days ahead. Not looked at when the verifier submits itself.
    struct Verification {
        bytes32 imageId;
        address verifier;
        bytes32 observedHash;
        uint64 observedAt;
        uint256 nonce;
        uint64 deadline;
    }

    /// @notice A record: two storage slots.
    struct Record {
        bytes32 contentHash;
        address sender;
        uint48 registeredAt;
        RecordState state;
        uint40 verifications;
    }

    /// @notice The access word of an (image, wallet).
    /// @param expiry Last second of access, inclusive; 0 is never.
    /// @param seq Raised by every grant and revoke.
    /// @param blockNumber Block of the last grant or revoke.
    struct Access {
        uint64 expiry;
        uint64 seq;
        uint64 blockNumber;
    }

    /// @notice The newest flag of an image. `id` counts the flags of this image from 1.
    struct Flag {
        uint40 id;
        FlagState state;
        address verifier;
        uint48 raisedAt;
    }

    /// @notice A key of a Key Generation Center.
    /// @param x25519 Public key to which capsules are sealed.
    /// @param receiptSigner Wallet of the KGC.
    /// @param epoch Counts this KGC's keys from 1.
    /// @param retired Whether new capsules must no longer use it.
    struct KgcKey {
        bytes32 x25519;
        address receiptSigner;
        uint32 epoch;
        bool retired;
    }

    error RecordConflict(bytes32 imageId);
    error UnknownImage(bytes32 imageId);
    error ZeroHash();
    error ZeroSize();
    error ZeroKey();
    error ZeroAddress();
    error CidLength(uint256 length);
    error SignatureExpired(uint64 deadline, uint256 blockTime);
    error DeadlineTooFar(uint64 deadline, uint256 latest);
    error InvalidSignature(address signer);
    error SignatureLength(uint256 length);
    error ObservedInFuture(uint64 observedAt, uint256 blockTime);
    error NotSender(bytes32 imageId, address caller);
    error ExpiryInPast(uint64 expiry, uint256 blockTime);
    error NoSuchFlag(bytes32 imageId, uint40 flagId);
    error FlagNotOpen(bytes32 imageId, uint40 flagId);
    error NotArbiter(bytes32 imageId, address caller);
    error EpochOutOfOrder(bytes32 kgcId, uint32 epoch, uint32 expected);
    error UnknownKgcKey(bytes32 kgcId, uint32 epoch);
    error AlreadyRetired(bytes32 kgcId, uint32 epoch);

    /// @notice An image was registered. `signature` is empty where the transaction itself is the sender's.
    /// @dev Holds every field of the `Registration` as submitted: a wallet's signature can be checked from the log alone. Where `signature` is
    /// empty, nobody looked at `deadline`.
    event Registered(
        bytes32 indexed imageId,
        address indexed sender,
        bytes32 salt,
        bytes32 contentHash,
        bytes32 headerHash,
        uint64 size,
        bytes cid,
        bytes32 capsulesHash,
        bytes capsulesCid,
        uint64 deadline,
        bytes signature,
        uint40 seq,
        bytes26 head
    );

    /// @notice An image was verified. `valid` is the contract's own judgement; `number` counts this image's entries from 1.
    /// @dev Holds every field of the `Verification` as submitted: a wallet's signature can be checked from the log alone. Where `signature` is
    /// empty, the transaction itself is the verifier's and nobody looked at `nonce` and `deadline`.
    event Verified(
        bytes32 indexed imageId,
        address indexed verifier,
        bool indexed valid,
        bytes32 observedHash,
        uint64 observedAt,
        uint256 nonce,
        uint64 deadline,
        uint40 number,
        bytes signature,
        uint40 seq,
        bytes26 head
    );

    /// @notice A verifier with `VERIFIER_ROLE` observed other bytes than were registered.
    event FlagRaised(
        bytes32 indexed imageId, uint40 indexed flagId, address indexed verifier, uint40 seq, bytes26 head
    );

    /// @notice An arbiter confirmed a flag: final.
    event FlagConfirmed(bytes32 indexed imageId, uint40 indexed flagId, address indexed by, uint40 seq, bytes26 head);

    /// @notice The sender or an arbiter dismissed a flag, visibly. The next invalid entry of a verifier raises a new one.
    event FlagDismissed(bytes32 indexed imageId, uint40 indexed flagId, address indexed by, uint40 seq, bytes26 head);

    /// @notice A wallet may be given the image's key until `expiry`, inclusive.
    event AccessGranted(
        bytes32 indexed imageId,
        address indexed wallet,
        address indexed by,
        uint64 expiry,
        uint64 accessSeq,
        uint40 seq,
        bytes26 head
    );

    /// @notice A wallet may no longer be given the image's key.
    event AccessRevoked(
        bytes32 indexed imageId, address indexed wallet, address indexed by, uint64 accessSeq, uint40 seq, bytes26 head
    );

    /// @notice A KGC's key of a new epoch.
    event KgcKeyPublished(
        bytes32 indexed kgcId, uint32 indexed epoch, bytes32 x25519, address receiptSigner, uint40 seq, bytes26 head
    );

    /// @notice A KGC's key must no longer be used for new capsules.
    event KgcKeyRetired(bytes32 indexed kgcId, uint32 indexed epoch, uint40 seq, bytes26 head);

    /// @notice A role was given (`granted`) or taken away.
    event RoleChanged(
        bytes32 indexed role, address indexed account, bool indexed granted, address by, uint40 seq, bytes26 head
    );

    /// @notice A wallet cancelled its outstanding verification signatures: all that name a nonce under `nonce`, its new one.
    event NonceInvalidated(address indexed wallet, uint256 nonce, uint40 seq, bytes26 head);

    /// @notice Records a sealed image, once and for ever.
    /// @dev The identical record again changes nothing and returns the id, before the signature is looked at: a front-run relayer loses nothing.
    /// The same id with another `contentHash` reverts with `RecordConflict`. Records are identical when their `contentHash` is: it fixes header hash, size
    /// and CID, and capsules are replaceable; the first event stands. Warning: a record proves who registered a hash and when, not that the image is genuine.
    /// @param registration What is recorded.
    /// @param signature Empty when the sender itself submits; else its EIP-712 signature: 65 bytes, or an ERC-1271 wallet's, up to 4096.
    /// An empty one from anybody else is refused, also where an ERC-1271 wallet would take it.
    /// @return imageId keccak256(abi.encode(chainid, this, sender, salt)).
    function register(Registration calldata registration, bytes calldata signature) external returns (bytes32 imageId);

    /// @notice Logs a verification. The contract itself decides whether it is valid; an invalid one by a `VERIFIER_ROLE` raises a flag unless one is open or confirmed.
    /// @param verification What was observed.
    /// @param signature Empty when the verifier itself submits; else its EIP-712 signature.
    /// @return valid Whether the observed hash is the registered one.
    function recordVerification(Verification calldata verification, bytes calldata signature)
        external
        returns (bool valid);

    /// @notice Whether `observedHash` is the registered hash. Reverts with `UnknownImage`.
    function verify(bytes32 imageId, bytes32 observedHash) external view returns (bool valid);

    /// @notice Confirms an open flag: the record stays `Tampered`. Only `ARBITER_ROLE`, else `NotArbiter`.
    function confirmFlag(bytes32 imageId, uint40 flagId) external;

    /// @notice Dismisses an open flag: the record is `Registered` again. Only the sender or `ARBITER_ROLE`, else `NotArbiter`.
    function dismissFlag(bytes32 imageId, uint40 flagId) external;

    /// @notice Lets `wallet` have the image's key until `expiry`, inclusive. Only the sender.
    /// @dev Replaces an earlier grant, also by an earlier expiry. Warning: a key once released cannot be taken back.
    function grant(bytes32 imageId, address wallet, uint64 expiry) external;

    /// @notice Ends `wallet`'s access; also before any grant, so that nothing older can be granted later. Only the sender.
    function revoke(bytes32 imageId, address wallet) external;

    /// @notice Publishes a KGC's key; `epoch` is one more than its last. Only `KGC_ROLE`, which speaks for every KGC.
    function publishKgcKey(bytes32 kgcId, uint32 epoch, bytes32 x25519, address receiptSigner) external;

    /// @notice Retires a KGC's key. Only `KGC_ROLE`.
    function retireKgcKey(bytes32 kgcId, uint32 epoch) external;

    /// @notice Cancels all of the caller's outstanding verification signatures: its nonce rises by 2^128 (3 becomes 2^128 + 3).
    function invalidateNonce() external;

    /// @notice The nonce that the wallet's next relayed verification must name. Each one that is logged raises it by one.
    function nonces(address wallet) external view returns (uint256 nonce);

    /// @notice The id that `sender` gets with `salt`, on this chain and in this contract.
    function imageIdOf(address sender, bytes32 salt) external view returns (bytes32 imageId);

    /// @notice The record of an image; all zero for an unknown one.
    function recordOf(bytes32 imageId) external view returns (Record memory record);

    /// @notice The newest flag of an image; all zero where there was none.
    function flagOf(bytes32 imageId) external view returns (Flag memory flag);

    /// @notice The access word; all zero where nothing was ever granted or revoked. Says nothing about the sender.
    function accessOf(bytes32 imageId, address wallet) external view returns (Access memory access);

    /// @notice Whether `wallet` may be given the key now: the sender always, another wallet while `block.timestamp <= expiry`. False for an unknown image.
    function isAuthorized(bytes32 imageId, address wallet) external view returns (bool authorized);

    /// @notice A KGC's key of one epoch. Reverts with `UnknownKgcKey`.
    function kgcKey(bytes32 kgcId, uint32 epoch) external view returns (KgcKey memory key);

    /// @notice A KGC's newest key, retired or not. Reverts with `UnknownKgcKey`.
    function currentKgcKey(bytes32 kgcId) external view returns (KgcKey memory key);

    /// @notice The audit head and the number of events so far.
    function audit() external view returns (bytes26 head, uint40 seq);

    /// @notice How many records there are.
    function recordCount() external view returns (uint256 count);
}

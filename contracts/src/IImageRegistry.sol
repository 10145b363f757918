// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title The registry of sealed medical images
/// @notice Records, for each sealed image, who sealed it and the SHA-256 of its bytes; says whether observed bytes are still
/// those; logs every verification; flags tampering; and says which wallets may be given the image's key.
/// @dev This file has no imports: forge compiles it and the Rust client reads the same text. Times are unix seconds. Long because it is the manual.
///
/// Who acts. Senders, verifiers, operators and arbiters act by a transaction of their own or by an EIP-712 signature that anybody may relay; whoever relays
/// first, the result is the same. `register`, `registerBatch`, `anchor` and `recordVerification` take both: an empty signature from the named wallet itself, or its
/// signature. The other acts have a second function, `..For`, for the signed form. Roles act by transactions alone: their holders run the network.
///
/// EIP-712 domain: name `MedSeal`, version `1`, the chain id, this contract (ERC-5267: `eip712Domain()`). The type strings stand at the structs. A signature is the
/// 65 bytes of a wallet (ECDSA, low s; asked first, so an EIP-7702 account keeps it) or up to 4096 bytes for the ERC-1271 check of a contract.
/// Each act ends at its `deadline`, inclusive, at most 7 days ahead, and happens once: a registration, a batch and an anchor because what they make is
/// made once; a verification by its nonce; a grant, a revocation, an operator and an update of capsules because they name the number that the next such act raises; a flag's
/// decision because a flag is decided once. So a signature held back never undoes what was done after it was made: a revocation
/// kills every grant of that image and wallet signed before it.
///
/// Roles, given and taken by OpenZeppelin's `AccessControlDefaultAdminRules` (one default admin, handed over in two steps with a delay of one
/// day): `VERIFIER_ROLE`, `ARBITER_ROLE`, `PAUSER_ROLE` and `KGC_ROLE`, each the keccak256 of its name. No role changes a record.
///
/// CIDs are binary, at most 64 bytes. An empty one stands for the CIDv1 (raw, sha2-256) of the hash beside it, the CID of every file of up to 1 MiB: the
/// bytes `01551220` and the hash. Anybody may spell it out.
///
/// Errors beside those below come from OpenZeppelin: `AccessControlUnauthorizedAccount(address,bytes32)` where a role is missing, and those of its admin rules.
///
/// Audit trail: every event below but `RegisteredInBatch` ends with `trail`, the word that storage slot 0 holds after it (for `eth_getProof`): from the lowest bit
/// on 208 bits of head, the hash chain over all events up to this one; 40 bits of number, counted from 1; 8 bits that are 1 since a pause was begun and not ended. With `before`, that word before
/// the event (the bits of a pause already as after it), `head = bytes26(keccak256(abi.encode(before, kind, block.number, block.timestamp, keccak256(fields))))`: `kind` is the event's topic 0, and `fields` holds
/// one word for each other argument in the order of its declaration, indexed ones included: its ABI encoding, or its keccak256 where it is `bytes`. The first head, with number 0,
/// is `bytes26(keccak256(abi.encode("MedSeal audit v1", chainid, this)))`. The items of a batch are covered by the hash in `BatchRegistered`, which follows them.
///
/// Paused (at most 7 days, then 7 days without), the registry takes no registrations, batches, anchors, materializations, grants, new operators and new capsules, from whomever.
/// It goes on reading, logging verifications, raising and deciding flags, revoking, removing operators, cancelling nonces, publishing and retiring KGC keys, anchoring logs and changing roles.
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
    /// @param cid Its binary CID; empty: raw, of `contentHash`.
    /// @param capsulesHash SHA-256 of the key capsules.
    /// @param capsulesCid Their binary CID; empty: raw, of `capsulesHash`.
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

    /// @notice One image of a batch: it and its capsules are files of one block (1 MiB at most), whose CIDs are their hashes.
    /// @dev `Item(bytes32 salt,bytes32 contentHash,bytes32 headerHash,bytes32 capsulesHash,uint64 size)`; fields as in `Registration`.
    struct Item {
        bytes32 salt;
        bytes32 contentHash;
        bytes32 headerHash;
        bytes32 capsulesHash;
        uint64 size;
    }

    /// @notice Up to 100 images of one sender under one signature.
    /// @dev `Batch(address sender,Item[] items,uint64 deadline)Item(bytes32 salt,bytes32 contentHash,bytes32 headerHash,bytes32 capsulesHash,uint64 size)`
    struct Batch {
        address sender;
        Item[] items;
        uint64 deadline;
    }

    /// @notice A Merkle root that stands for many images of one sender.
    /// @dev `Anchor(address sender,bytes32 root,uint32 count,bytes leavesCid,uint64 deadline)`
    /// @param sender Wallet that sealed the images.
    /// @param root Root of the tree over the leaves: sorted pairs, leaves hashed twice, as `@openzeppelin/merkle-tree` builds its standard tree.
    /// @param count How many leaves it has.
    /// @param leavesCid Binary CID of the list of leaves, 1 to 64 bytes. Warning: without that list a root is worth nothing.
    /// @param deadline Last second in which a relayed signature acts.
    struct Anchor {
        address sender;
        bytes32 root;
        uint32 count;
        bytes leavesCid;
        uint64 deadline;
    }

    /// @notice A leaf of an anchor: one image. The capsules are one block (1 MiB at most), their CID is raw, of `capsulesHash`.
    /// @dev Its hash is `keccak256(bytes.concat(keccak256(abi.encode(salt, contentHash, keccak256(cid), capsulesHash, headerHash, size))))`.
    struct Leaf {
        bytes32 salt;
        bytes32 contentHash;
        bytes cid;
        bytes32 capsulesHash;
        bytes32 headerHash;
        uint64 size;
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

    /// @notice What becomes of an open flag.
    /// @dev `FlagDecision(bytes32 imageId,uint40 flagId,bool confirmed,address by,uint64 deadline)`
    struct FlagDecision {
        bytes32 imageId;
        uint40 flagId;
        bool confirmed;
        address by;
        uint64 deadline;
    }

    /// @notice A grant by the sender or its operator `by`; `accessSeq` is that of the access word on which it acts.
    /// @dev `Grant(bytes32 imageId,address wallet,uint64 expiry,uint64 accessSeq,address by,uint64 deadline)`
    struct Grant {
        bytes32 imageId;
        address wallet;
        uint64 expiry;
        uint64 accessSeq;
        address by;
        uint64 deadline;
    }

    /// @notice The end of a wallet's access, by the sender or its operator `by`; `accessSeq` as in `Grant`.
    /// @dev `Revocation(bytes32 imageId,address wallet,uint64 accessSeq,address by,uint64 deadline)`
    struct Revocation {
        bytes32 imageId;
        address wallet;
        uint64 accessSeq;
        address by;
        uint64 deadline;
    }

    /// @notice Who may speak for a sender; `operatorSeq` is that of the word on which it acts.
    /// @dev `OperatorChange(address sender,address operator,bool allowed,uint64 operatorSeq,uint64 deadline)`
    struct OperatorChange {
        address sender;
        address operator;
        bool allowed;
        uint64 operatorSeq;
        uint64 deadline;
    }

    /// @notice New capsules of an image, by the sender or its operator `by`; `version` is that of the capsules which they replace.
    /// @dev `CapsulesUpdate(bytes32 imageId,uint64 version,bytes32 capsulesHash,bytes capsulesCid,address by,uint64 deadline)`
    struct CapsulesUpdate {
        bytes32 imageId;
        uint64 version;
        bytes32 capsulesHash;
        bytes capsulesCid;
        address by;
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

    /// @notice An anchor: one storage slot.
    struct AnchorRecord {
        uint32 count;
        uint48 anchoredAt;
    }

    /// @notice Whether a wallet may speak for a sender; `seq` is raised by every change.
    struct Operator {
        bool allowed;
        uint64 seq;
    }

    /// @notice The capsules that replaced those of the registration: their SHA-256 and how often they were replaced. Version 0 is as registered.
    struct Capsules {
        bytes32 hash;
        uint64 version;
    }

    /// @notice The newest anchored head of a KGC's log.
    struct LogHead {
        bytes32 head;
        uint64 seq;
        uint48 anchoredAt;
    }

    /// @notice A role that is given when the registry is made.
    struct RoleGrant {
        bytes32 role;
        address account;
    }

    /// @notice A step towards another default admin, or towards another delay of such a step.
    enum AdminPlan {
        TransferBegun,
        TransferCancelled,
        DelayChangeBegun,
        DelayChangeCancelled
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
    error ZeroCount();
    error ZeroKey();
    error ZeroAddress();
    error CidLength(uint256 length);
    error BatchLength(uint256 length);
    error NotOneBlock(uint64 size);
    error UnknownAnchor(address sender, bytes32 root);
    error AnchorConflict(address anchorer, bytes32 root);
    error ProofLength(uint256 length);
    error InvalidProof(bytes32 root, bytes32 leafHash);
    error SignatureExpired(uint64 deadline, uint256 blockTime);
    error DeadlineTooFar(uint64 deadline, uint256 latest);
    error InvalidSignature(address signer);
    error SignatureLength(uint256 length);
    error InvalidNonce(address wallet, uint256 named, uint256 current);
    error ObservedInFuture(uint64 observedAt, uint256 blockTime);
    error NotSender(bytes32 imageId, address caller);
    error ExpiryInPast(uint64 expiry, uint256 blockTime);
    error StaleAccess(bytes32 imageId, address wallet, uint64 named, uint64 current);
    error StaleOperator(address sender, address operator, uint64 named, uint64 current);
    error StaleCapsules(bytes32 imageId, uint64 named, uint64 current);
    error NoSuchFlag(bytes32 imageId, uint40 flagId);
    error FlagNotOpen(bytes32 imageId, uint40 flagId);
    error NotArbiter(bytes32 imageId, address caller);
    error EpochOutOfOrder(bytes32 kgcId, uint32 epoch, uint32 expected);
    error UnknownKgcKey(bytes32 kgcId, uint32 epoch);
    error AlreadyRetired(bytes32 kgcId, uint32 epoch);
    error NotPublisher(bytes32 kgcId, address caller, address publisher);
    error LogSeqNotRising(bytes32 logId, uint64 logSeq, uint64 last);
    error RegistryPaused(uint48 until);
    error NotPaused();
    error PausedLately(uint256 nextPause);
    error InvalidSuccessor(address successor);
    error AlreadySuperseded(address successor);

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
        bytes32 trail
    );

    /// @notice An image was registered as one of a batch. Has no number of its own: the next `BatchRegistered` covers it.
    event RegisteredInBatch(
        bytes32 indexed imageId,
        address indexed sender,
        bytes32 salt,
        bytes32 contentHash,
        bytes32 headerHash,
        bytes32 capsulesHash,
        uint64 size
    );

    /// @notice A batch was registered: those of its `count` items that were not recorded before, each with its `RegisteredInBatch` before this event.
    /// @dev Bit i of `skipped` says that item i was recorded already. `itemsHash` is what the signed `Batch` holds: the keccak256 of the items' EIP-712 struct hashes, one after
    /// the other. `recordedHash` is the same with zero in place of each skipped one: the `RegisteredInBatch` events give it. `signature` is empty where the
    /// transaction itself is the sender's.
    event BatchRegistered(
        address indexed sender,
        uint256 count,
        uint256 skipped,
        bytes32 itemsHash,
        bytes32 recordedHash,
        uint64 deadline,
        bytes signature,
        bytes32 trail
    );

    /// @notice A sender anchored a Merkle root. `signature` is empty where the transaction itself is the sender's.
    event Anchored(
        address indexed sender,
        bytes32 indexed root,
        uint32 count,
        bytes leavesCid,
        uint64 deadline,
        bytes signature,
        bytes32 trail
    );

    /// @notice A leaf of an anchor became a record, dated to the anchor.
    event Materialized(
        bytes32 indexed imageId,
        address indexed sender,
        bytes32 indexed root,
        bytes32 salt,
        bytes32 contentHash,
        bytes32 headerHash,
        uint64 size,
        bytes cid,
        bytes32 capsulesHash,
        bytes32 trail
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
        bytes32 trail
    );

    /// @notice A verifier with `VERIFIER_ROLE` observed other bytes than were registered.
    event FlagRaised(bytes32 indexed imageId, uint40 indexed flagId, address indexed verifier, bytes32 trail);

    /// @notice An arbiter confirmed a flag: final.
    event FlagConfirmed(bytes32 indexed imageId, uint40 indexed flagId, address indexed by, bytes32 trail);

    /// @notice The sender or an arbiter dismissed a flag, visibly. The next invalid entry of a verifier raises a new one.
    event FlagDismissed(bytes32 indexed imageId, uint40 indexed flagId, address indexed by, bytes32 trail);

    /// @notice A wallet may be given the image's key until `expiry`, inclusive.
    event AccessGranted(
        bytes32 indexed imageId,
        address indexed wallet,
        address indexed by,
        uint64 expiry,
        uint64 accessSeq,
        bytes32 trail
    );

    /// @notice A wallet may no longer be given the image's key.
    event AccessRevoked(
        bytes32 indexed imageId, address indexed wallet, address indexed by, uint64 accessSeq, bytes32 trail
    );

    /// @notice A wallet may, or may no longer, grant, revoke and update capsules for a sender.
    event OperatorSet(
        address indexed sender, address indexed operator, bool indexed allowed, uint64 operatorSeq, bytes32 trail
    );

    /// @notice An image has new capsules; `version` counts them from 1.
    event CapsulesUpdated(
        bytes32 indexed imageId,
        uint64 indexed version,
        address indexed by,
        bytes32 capsulesHash,
        bytes capsulesCid,
        bytes32 trail
    );

    /// @notice A KGC's key of a new epoch.
    event KgcKeyPublished(
        bytes32 indexed kgcId,
        uint32 indexed epoch,
        address indexed publisher,
        bytes32 x25519,
        address receiptSigner,
        bytes32 trail
    );

    /// @notice A KGC's key must no longer be used for new capsules.
    event KgcKeyRetired(bytes32 indexed kgcId, uint32 indexed epoch, address indexed publisher, bytes32 trail);

    /// @notice A KGC anchored the head of one of its logs.
    event LogAnchored(
        address indexed kgc, bytes32 indexed logId, uint64 indexed logSeq, bytes32 logHead, bytes32 trail
    );

    /// @notice A KGC anchored a set of capsules that it wrapped anew, one leaf for an image.
    event CapsulesAnchored(address indexed kgc, bytes32 indexed root, uint32 count, bytes leavesCid, bytes32 trail);

    /// @notice A role was given (`granted`) or taken away.
    event RoleChanged(bytes32 indexed role, address indexed account, bool indexed granted, address by, bytes32 trail);

    /// @notice The default admin planned, or cancelled, its own succession or another delay; `schedule` is when it takes effect. Fields that a plan has no use for are zero.
    event AdminPlanned(
        AdminPlan indexed plan, address indexed newAdmin, uint48 newDelay, uint48 schedule, address by, bytes32 trail
    );

    /// @notice A pause was begun: until `until`, inclusive, unless it is ended before.
    event Paused(address indexed by, uint48 until, bytes32 trail);

    /// @notice A pause was ended: before its time, or its mark was taken away afterwards.
    event Unpaused(address indexed by, bytes32 trail);

    /// @notice New images are registered in `successor`. Records, grants and capsules of this registry stay valid for ever.
    event Superseded(address indexed successor, address indexed by, bytes32 trail);

    /// @notice A wallet cancelled its outstanding verification signatures: all that name a nonce under `nonce`, its new one.
    event NonceInvalidated(address indexed wallet, uint256 nonce, bytes32 trail);

    /// @notice Records a sealed image, once and for ever.
    /// @dev The identical record again changes nothing and returns the id, before the signature is looked at: a front-run relayer loses nothing.
    /// The same id with another `contentHash` reverts with `RecordConflict`. Records are identical when their `contentHash` is: it fixes header hash, size
    /// and CID, and capsules are replaceable; the first event stands. Warning: a record proves who registered a hash and when, not that the image is genuine.
    /// @param registration What is recorded.
    /// @param signature Empty when the sender itself submits; else its EIP-712 signature: 65 bytes, or an ERC-1271 wallet's, up to 4096.
    /// An empty one from anybody else is refused, also where an ERC-1271 wallet would take it.
    /// @return imageId keccak256(abi.encode(chainid, this, sender, salt)).
    function register(Registration calldata registration, bytes calldata signature) external returns (bytes32 imageId);

    /// @notice Records up to 100 images of one sender. Those recorded already are skipped; where all are, nothing happens and the signature is not looked at.
    /// @dev All or nothing otherwise: one item in conflict (`RecordConflict`) or at fault reverts the batch. Larger files than one block: `register`.
    /// @param batch What is recorded.
    /// @param signature Empty when the sender itself submits; else its EIP-712 signature of the batch.
    /// @return recorded How many of them are new.
    function registerBatch(Batch calldata batch, bytes calldata signature) external returns (uint256 recorded);

    /// @notice Anchors a Merkle root for any number of images.
    /// @dev The same root with the same count again changes nothing, before the signature is looked at; with another count it reverts with `AnchorConflict`.
    /// An anchored image has no grants, capsules and verifications until its leaf is made a record with `materialize`. Who anchors should have read the list of leaves back first.
    function anchor(Anchor calldata anchor, bytes calldata signature) external;

    /// @notice Makes a leaf of `sender`'s anchor a record, as of the anchor's time. Anybody may: the record holds what the sender anchored.
    /// @dev A record that is there already stands: identical, nothing happens; else `RecordConflict`.
    /// @param proof Sibling hashes from the leaf up, at most 32.
    /// @return imageId As `imageIdOf(sender, leaf.salt)`.
    function materialize(address sender, bytes32 root, Leaf calldata leaf, bytes32[] calldata proof)
        external
        returns (bytes32 imageId);

    /// @notice Whether `leaf` is one of `sender`'s anchor, and no record of the same image says otherwise. Reverts with `UnknownAnchor`.
    function verifyLeaf(address sender, bytes32 root, Leaf calldata leaf, bytes32[] calldata proof)
        external
        view
        returns (bool valid);

    /// @notice An anchor; all zero for an unknown one.
    function anchorOf(address sender, bytes32 root) external view returns (AnchorRecord memory anchored);

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

    /// @notice `confirmFlag` or `dismissFlag` by a signature of `decision.by`.
    function decideFlagFor(FlagDecision calldata decision, bytes calldata signature) external;

    /// @notice Lets `wallet` have the image's key until `expiry`, inclusive. Only the sender or its operator, else `NotSender`.
    /// @dev Replaces an earlier grant, also by an earlier expiry. Warning: a key once released cannot be taken back.
    function grant(bytes32 imageId, address wallet, uint64 expiry) external;

    /// @notice `grant` by a signature of `grant.by`; `StaleAccess` where the access word has another `seq` than it names.
    function grantFor(Grant calldata grant, bytes calldata signature) external;

    /// @notice Ends `wallet`'s access; also before any grant, so that no grant signed earlier can act. Only the sender or its operator.
    function revoke(bytes32 imageId, address wallet) external;

    /// @notice `revoke` by a signature of `revocation.by`; `StaleAccess` as for `grantFor`.
    function revokeFor(Revocation calldata revocation, bytes calldata signature) external;

    /// @notice Lets `operator` grant, revoke and update capsules of all the caller's images, or no longer. Never lets it register.
    function setOperator(address operator, bool allowed) external;

    /// @notice `setOperator` by a signature of `change.sender`; `StaleOperator` where the word has another `seq` than it names.
    function setOperatorFor(OperatorChange calldata change, bytes calldata signature) external;

    /// @notice Replaces an image's capsules, so that readers and KGC keys change without touching the sealed image. Only the sender or its operator.
    /// @dev Warning: whoever opened the old capsules keeps the key.
    /// @param version That of the capsules which are replaced, 0 for those of the registration; `StaleCapsules` where others are there.
    /// @param capsulesHash SHA-256 of the new ones.
    /// @param capsulesCid Their binary CID; empty: raw, of `capsulesHash`.
    function updateCapsules(bytes32 imageId, uint64 version, bytes32 capsulesHash, bytes calldata capsulesCid) external;

    /// @notice `updateCapsules` by a signature of `update.by`.
    function updateCapsulesFor(CapsulesUpdate calldata update, bytes calldata signature) external;

    /// @notice Publishes a KGC's key; `epoch` is one more than its last. Only `KGC_ROLE`.
    /// @dev The keys of a KGC are one wallet's: that of the last publisher, as long as it has the role (`NotPublisher`). So no KGC can speak for another, and a lost
    /// wallet is replaced by taking its role away.
    function publishKgcKey(bytes32 kgcId, uint32 epoch, bytes32 x25519, address receiptSigner) external;

    /// @notice Retires a KGC's key. Only `KGC_ROLE`, and its publisher as for `publishKgcKey`.
    function retireKgcKey(bytes32 kgcId, uint32 epoch) external;

    /// @notice Anchors the head of one of the caller's logs; `logSeq` only rises. Only `KGC_ROLE`.
    function anchorLog(bytes32 logId, uint64 logSeq, bytes32 logHead) external;

    /// @notice Anchors a set of capsules that the caller wrapped anew, say under a new key: a Merkle root over (image id, SHA-256 of its capsules), once. Only `KGC_ROLE`.
    /// @dev Leaf: `keccak256(bytes.concat(keccak256(abi.encode(imageId, capsulesHash))))`. It replaces nothing: a record's capsules are the sender's to update.
    function anchorCapsules(bytes32 root, uint32 count, bytes calldata leavesCid) external;

    /// @notice Begins a pause of 7 days. Only `PAUSER_ROLE`; `PausedLately` within 7 days after the last pause.
    function pause() external;

    /// @notice Ends a pause. Only `PAUSER_ROLE`; `NotPaused` where none was begun since the last was ended.
    /// @dev One that ran out by itself is over all the same, but until this is called every act that a pause would stop costs 2,100 gas more.
    function unpause() external;

    /// @notice Points to the registry that follows this one, once. Only the default admin; `successor` must be another contract.
    function supersede(address successor) external;

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

    /// @notice Whether `wallet` speaks for `sender`; all zero where that was never said.
    function operatorOf(address sender, address wallet) external view returns (Operator memory operator);

    /// @notice The capsules that replaced those of the registration; all zero where none did.
    function capsulesOf(bytes32 imageId) external view returns (Capsules memory capsules);

    /// @notice A KGC's key of one epoch. Reverts with `UnknownKgcKey`.
    function kgcKey(bytes32 kgcId, uint32 epoch) external view returns (KgcKey memory key);

    /// @notice A KGC's newest key, retired or not. Reverts with `UnknownKgcKey`.
    function currentKgcKey(bytes32 kgcId) external view returns (KgcKey memory key);

    /// @notice The newest anchored head of one of `kgc`'s logs; all zero where there is none.
    function logHeadOf(address kgc, bytes32 logId) external view returns (LogHead memory logHead);

    /// @notice A set of capsules that `kgc` anchored; all zero for an unknown one.
    function capsulesAnchorOf(address kgc, bytes32 root) external view returns (AnchorRecord memory anchored);

    /// @notice The last second of the pause in force, or 0.
    function pausedUntil() external view returns (uint48 until);

    /// @notice The registry that follows this one, or zero.
    function supersededBy() external view returns (address successor);

    /// @notice The audit head and the number of numbered events so far.
    function audit() external view returns (bytes26 head, uint40 seq);
}

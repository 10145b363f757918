// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title The registry of sealed medical images
/// @notice Records, for each sealed image, who sealed it and the SHA-256 of its bytes; says whether observed bytes
/// are still those; logs every verification; flags tampering; and says which wallets may be given the image's key.
/// @dev This file has no imports: forge compiles it and the Rust client reads the same text. Times are unix seconds.
/// Long because it is the manual.
///
/// Glossary
/// - *sender*: the wallet that sealed an image. *Operator*: a wallet that a sender named to grant, revoke and replace
///   capsules for it. *Relayer*: whoever submits a transaction with another wallet's signature in it.
/// - *salt*: 32 random bytes of the sealed image. *Image id*: the hash of chain, registry, sender and salt.
/// - *record*: the entry of one image. *Anchor*: the Merkle root of many images that have no records yet. *Leaf*: one
///   of those images. *Materialize*: make a leaf a record.
/// - *capsules*: the file with the image's key, encrypted for each reader and for the KGC. *KGC*: Key Generation
///   Center, which releases keys to the wallets that this registry authorizes.
/// - *verification*: a log entry that says which hash a verifier observed. *Flag*: the mark that such an entry
///   raises.
/// - *access entry*: until when a wallet may be given an image's key; one for each (image, wallet). *Operator entry*:
///   one for each (sender, operator).
/// - *audit trail*: the hash chain over all events. *Head*: its newest hash.
///
/// Two ways to call. Senders, verifiers, operators and arbiters send a transaction of their own, or sign EIP-712
/// typed data that anybody may relay; whoever relays first, the result is the same. `register`, `registerBatch`,
/// `anchor` and `recordVerification` take both: an empty signature where the caller is the named wallet
/// (`msg.sender`: also a smart account's or an EIP-7702 account's call), or that wallet's signature. The others have
/// a second function, `..For`, for the signed form. Holders of roles send transactions, and verifiers and arbiters
/// may sign as well.
///
/// EIP-712 domain: name `MedSeal`, version `1`, the chain id, this contract (ERC-5267: `eip712Domain()`). The type
/// strings stand at the structs; a line break in one is a space. A signature is the 65 bytes of a wallet (ECDSA, low
/// s; asked first, so an EIP-7702 account keeps it) or up to 4096 bytes for the ERC-1271 check of a contract. Each
/// ends at its `deadline`, inclusive, at most 7 days ahead, and is used once: for a registration, a batch and an
/// anchor because what they make is made once; for a verification by its nonce; for a grant, a revocation, a change
/// of operators and an update of capsules because they name the number that the next such change replaces; for a
/// flag's decision because a flag is decided once.
///
/// Numbers that signatures name. `accessSeq`, `operatorSeq` and nonces rise by one with each use, so one can sign
/// several in a row. *A revocation, the removal of an operator and `invalidateNonce` draw the next number instead*:
/// its upper bits count such draws, the 64 bits below are taken from keccak256(abi.encode(blockhash(block.number -
/// 1), block.prevrandao, block.timestamp, the trail before)), the lowest ones are zero. Ids of flags are drawn in the
/// same way (32 bits). Nobody but the maker of a block knows such a number before the block, so no signature made
/// before a revocation is valid after it, whatever number it names (contracts/README.md says how exact that is). A
/// client reads the number at the newest block and signs for no later one.
///
/// Roles, given and taken by OpenZeppelin's `AccessControlDefaultAdminRules` (one default admin, handed over in two
/// steps with a delay of one day): `VERIFIER_ROLE`, `ARBITER_ROLE`, `PAUSER_ROLE` and `KGC_ROLE`, each the keccak256
/// of its name. No role changes a record.
///
/// CIDs are binary, at most 64 bytes. An empty one stands for the CIDv1 (raw, sha2-256) of the hash beside it, the
/// CID of every file of up to 1 MiB: the bytes `01551220` and the hash. Anybody may spell it out.
///
/// Errors beside those below come from OpenZeppelin: `AccessControlUnauthorizedAccount(address,bytes32)` where a role
/// is missing, and those of its admin rules.
///
/// Audit trail: every event below but `RegisteredInBatch` ends with `trail`, the word that storage slot 0 holds after
/// it (for `eth_getProof`): from the lowest bit on 208 bits of head, the hash chain over all events up to this one;
/// 40 bits of number, counted from 1; 8 bits that are 1 since a pause was begun and not ended. With `before`, that
/// word before the event (the bits of a pause already as after it), `head = bytes26(keccak256(abi.encode(before,
/// kind, block.number, block.timestamp, keccak256(fields))))`: `kind` is the event's topic 0, and `fields` holds one
/// word for each other argument in the order of its declaration, indexed ones included: its ABI encoding, or its
/// keccak256 where it is `bytes`. The first head, with number 0, is `bytes26(keccak256(abi.encode("MedSeal audit v1",
/// chainid, this)))`. The items of a batch are covered by the hash in `BatchRegistered`, which follows them.
///
/// Paused (at most 7 days at a stretch), the registry takes no registrations, batches, anchors, materializations,
/// grants, new operators and new capsules, from whomever. It goes on reading, logging verifications, raising and
/// deciding flags, revoking, removing operators, cancelling nonces, publishing and retiring KGC keys, anchoring logs
/// and changing roles.
///
/// For which chains: those on which `block.number` and `blockhash` are the block's own and blocks are made whether or
/// not somebody sends a transaction: Ethereum and private networks with its consensus. Not for rollups that answer
/// with their parent chain's number, and a chain that makes blocks on demand is for development.
interface IImageRegistry {
    /// @notice The state of a record. A flag never blocks reading.
    enum RecordState {
        Absent,
        Registered,
        Flagged,
        Tampered
    }

    /// @notice The state of a flag. `Dismissed` is an arbiter's judgement; `DismissedBySender` only says that the
    /// image's sender, which is the accused, did not agree, also where the sender is an arbiter.
    enum FlagState {
        None,
        Open,
        Confirmed,
        Dismissed,
        DismissedBySender
    }

    /// @notice What a sender registers, and signs when somebody else is to submit it.
    /// @dev EIP-712: `Registration(address sender,bytes32 salt,bytes32 contentHash,bytes32 headerHash,uint64
    /// size,bytes cid,bytes32 capsulesHash,bytes capsulesCid,uint64 deadline)`
    /// @param sender Wallet that sealed the image; the image id is bound to it.
    /// @param salt The sealed image's 32 random bytes; with the sender they make the image id.
    /// @param contentHash SHA-256 of the sealed image, every byte of it.
    /// @param headerHash SHA-256 of its magic, version, header length and header.
    /// @param size Its length in bytes.
    /// @param cid Its binary CID; empty: raw, of `contentHash`.
    /// @param capsulesHash SHA-256 of the key capsules.
    /// @param capsulesCid Their binary CID; empty: raw, of `capsulesHash`.
    /// @param deadline Last second in which a relayed signature is good, at most 7 days ahead. Not looked at, and
    /// logged as 0, where the caller is the sender.
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

    /// @notice One image of a batch: it and its capsules are files of one block (1 MiB at most), whose CIDs are their
    /// hashes. Fields as in `Registration`.
    /// @dev EIP-712: `Item(bytes32 salt,bytes32 contentHash,bytes32 headerHash,bytes32 capsulesHash,uint64 size)`
    struct Item {
        bytes32 salt;
        bytes32 contentHash;
        bytes32 headerHash;
        bytes32 capsulesHash;
        uint64 size;
    }

    /// @notice Up to 100 images of one sender under one signature.
    /// @dev EIP-712: `Batch(address sender,Item[] items,uint64 deadline)Item(bytes32 salt,bytes32 contentHash,bytes32
    /// headerHash,bytes32 capsulesHash,uint64 size)`
    struct Batch {
        address sender;
        Item[] items;
        uint64 deadline;
    }

    /// @notice A Merkle root that stands for many images of one sender.
    /// @dev EIP-712: `Anchor(address sender,bytes32 root,uint32 count,bytes leavesCid,uint64 deadline)`
    /// @param sender Wallet that sealed the images.
    /// @param root Root of the tree over the leaves: sorted pairs, leaves hashed twice, as
    /// `@openzeppelin/merkle-tree` builds its standard tree.
    /// @param count How many leaves it has. It bounds the length of a proof: a tree of one leaf proves that leaf
    /// alone.
    /// @param leavesCid Binary CID of the list of leaves, 1 to 64 bytes. Warning: without that list a root is worth
    /// nothing.
    /// @param deadline As in `Registration`.
    struct Anchor {
        address sender;
        bytes32 root;
        uint32 count;
        bytes leavesCid;
        uint64 deadline;
    }

    /// @notice A leaf of an anchor: one image. The capsules are one block (1 MiB at most), their CID is raw, of
    /// `capsulesHash`.
    /// @dev Its hash is `keccak256(bytes.concat(keccak256(abi.encode(salt, contentHash, keccak256(cid), capsulesHash,
    /// headerHash, size))))`.
    struct Leaf {
        bytes32 salt;
        bytes32 contentHash;
        bytes cid;
        bytes32 capsulesHash;
        bytes32 headerHash;
        uint64 size;
    }

    /// @notice One verification of the stored bytes of an image.
    /// @dev EIP-712: `Verification(bytes32 imageId,address verifier,bytes32 observedHash,uint64 observedAt,uint256
    /// nonce,uint64 deadline)`
    /// @param imageId Which image.
    /// @param verifier Wallet that verified.
    /// @param observedHash SHA-256 of what the storage gave, not zero.
    /// @param observedAt When the verifier read the bytes: not before the record and not after the block, with 60 s
    /// on either side, for clocks differ.
    /// @param nonce `nonces(verifier)` when the signature is relayed. Not looked at, and logged as 0, where the
    /// caller is the verifier and gives no signature.
    /// @param deadline As in `Registration`.
    struct Verification {
        bytes32 imageId;
        address verifier;
        bytes32 observedHash;
        uint64 observedAt;
        uint256 nonce;
        uint64 deadline;
    }

    /// @notice What becomes of an open flag.
    /// @dev EIP-712: `FlagDecision(bytes32 imageId,uint64 flagId,bool confirmed,address by,uint64 deadline)`
    struct FlagDecision {
        bytes32 imageId;
        uint64 flagId;
        bool confirmed;
        address by;
        uint64 deadline;
    }

    /// @notice A grant by the sender or its operator `by`.
    /// @dev EIP-712: `Grant(bytes32 imageId,address wallet,uint64 expiry,uint128 accessSeq,address by,uint128
    /// operatorSeq,uint64 deadline)`
    /// @param accessSeq `seq` of the access entry that it replaces.
    /// @param operatorSeq `seq` of the operator entry of `by`; not looked at where `by` is the sender.
    struct Grant {
        bytes32 imageId;
        address wallet;
        uint64 expiry;
        uint128 accessSeq;
        address by;
        uint128 operatorSeq;
        uint64 deadline;
    }

    /// @notice The end of a wallet's access, by the sender or its operator `by`; numbers as in `Grant`.
    /// @dev EIP-712: `Revocation(bytes32 imageId,address wallet,uint128 accessSeq,address by,uint128
    /// operatorSeq,uint64 deadline)`
    struct Revocation {
        bytes32 imageId;
        address wallet;
        uint128 accessSeq;
        address by;
        uint128 operatorSeq;
        uint64 deadline;
    }

    /// @notice Who may speak for a sender; `operatorSeq` is the `seq` of the operator entry that it replaces.
    /// @dev EIP-712: `OperatorChange(address sender,address operator,bool allowed,uint128 operatorSeq,uint64
    /// deadline)`
    struct OperatorChange {
        address sender;
        address operator;
        bool allowed;
        uint128 operatorSeq;
        uint64 deadline;
    }

    /// @notice New capsules of an image, by the sender or its operator `by`; `version` is that of the capsules which
    /// they replace, `operatorSeq` as in `Grant`.
    /// @dev EIP-712: `CapsulesUpdate(bytes32 imageId,uint64 version,bytes32 capsulesHash,bytes capsulesCid,address
    /// by,uint128 operatorSeq,uint64 deadline)`
    struct CapsulesUpdate {
        bytes32 imageId;
        uint64 version;
        bytes32 capsulesHash;
        bytes capsulesCid;
        address by;
        uint128 operatorSeq;
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

    /// @notice The operator entry of a (sender, wallet): whether the wallet may speak for the sender. `seq` rises by
    /// one when it is named and is drawn anew when it is removed.
    struct Operator {
        bool allowed;
        uint128 seq;
    }

    /// @notice The capsules that replaced those of the registration: their SHA-256, and how often they were replaced.
    /// Version 0 is as registered.
    struct Capsules {
        bytes32 hash;
        uint64 version;
    }

    /// @notice The newest anchored head of a KGC wallet's log.
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

    /// @notice The access entry of an (image, wallet): one storage slot.
    /// @param expiry Last second of access, inclusive; 0 is never.
    /// @param seq Rises by one with every grant and is drawn anew by every revocation.
    /// @param blockNumber Block of the last grant or revocation.
    struct Access {
        uint64 expiry;
        uint128 seq;
        uint64 blockNumber;
    }

    /// @notice The newest flag of an image: two storage slots.
    /// @param id Its upper 32 bits count the flags of this image from 1, the lower ones are drawn when it is raised.
    /// @param state What was decided.
    /// @param raisedAt Block time at which it was raised.
    /// @param verifiers How many verifiers observed other bytes while it was open, the one that raised it included.
    /// @param verifier The one that raised it.
    struct Flag {
        uint64 id;
        FlagState state;
        uint48 raisedAt;
        uint32 verifiers;
        address verifier;
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

    /// @notice The image id is recorded already, with another `contentHash`. A salt makes one image of a sender: seal
    /// again, which draws a new one.
    error RecordConflict(bytes32 imageId);

    /// @notice No record has this id in this registry. Check id and registry; `materialize` a leaf first.
    error UnknownImage(bytes32 imageId);

    /// @notice A hash, a root or a log head is zero. Fill it in.
    error ZeroHash();

    /// @notice The size of an image is zero. Fill it in.
    error ZeroSize();

    /// @notice An anchor has no leaves. Fill in how many.
    error ZeroCount();

    /// @notice The X25519 key is one of the points of small order (zero among them): everybody knows the secret it
    /// gives. Make a new key.
    error WeakKey(bytes32 x25519);

    /// @notice An address that must be a wallet is zero. Fill it in.
    error ZeroAddress();

    /// @notice A CID has more than 64 bytes, or none where one is needed. Use the binary CID, not its text.
    error CidLength(uint256 length);

    /// @notice A batch holds no image or more than 100. Split it.
    error BatchLength(uint256 length);

    /// @notice An item of a batch is larger than 1 MiB, so its CID does not follow from its hash. `register` it.
    error NotOneBlock(uint64 size);

    /// @notice This sender has not anchored this root. Check both.
    error UnknownAnchor(address sender, bytes32 root);

    /// @notice The root is anchored already: with another count or, for capsules, at all. Nothing is to be done: look
    /// at the anchor that is there.
    error AnchorConflict(address anchorer, bytes32 root);

    /// @notice The proof is longer than a tree of the anchor's count has levels. Make the proof from the anchored
    /// list.
    error ProofLength(uint256 length);

    /// @notice The proof does not lead from this leaf to the root. Check leaf, order of siblings and root.
    error InvalidProof(bytes32 root, bytes32 leafHash);

    /// @notice The deadline has passed. Sign again.
    error SignatureExpired(uint64 deadline, uint256 blockTime);

    /// @notice The deadline is more than 7 days ahead. Wait until `latest` reaches it, or sign a nearer one.
    error DeadlineTooFar(uint64 deadline, uint256 latest);

    /// @notice The signature is not `signer`'s over this typed data, or it is empty and the caller is not `signer`.
    /// Check domain, fields and wallet.
    error InvalidSignature(address signer);

    /// @notice A signature has more than 4096 bytes. Use a shorter one.
    error SignatureLength(uint256 length);

    /// @notice The verification names another nonce than the current one: it was used, cancelled or signed ahead.
    /// Sign again with `current`.
    error InvalidNonce(address wallet, uint256 named, uint256 current);

    /// @notice `observedAt` is more than 60 s before the record or after the block. Check the verifier's clock.
    error ObservedAtOutOfRange(uint64 observedAt, uint256 earliest, uint256 latest);

    /// @notice The caller or signer is neither the image's sender nor its operator. Have one of them do it.
    error NotSender(bytes32 imageId, address caller);

    /// @notice A grant would be over before it begins. Give a later expiry, or `revoke`.
    error ExpiryInPast(uint64 expiry, uint256 blockTime);

    /// @notice The signature names another number than the access entry has: a grant or a revocation came first. Look
    /// at the entry, and sign again with `current` if it is still wanted.
    error StaleAccess(bytes32 imageId, address wallet, uint128 named, uint128 current);

    /// @notice The signature names another number than the operator entry has: the operator was named or removed
    /// since. As for `StaleAccess`.
    error StaleOperator(address sender, address operator, uint128 named, uint128 current);

    /// @notice The capsules were replaced since. Look at those that are there, and name version `current`.
    error StaleCapsules(bytes32 imageId, uint64 named, uint64 current);

    /// @notice No flag of this image has this id, which cannot be known before the flag is raised. Read `flagOf`.
    error NoSuchFlag(bytes32 imageId, uint64 flagId);

    /// @notice The flag was decided, or another was raised since. Nothing is to be done: read `flagOf`.
    error FlagNotOpen(bytes32 imageId, uint64 flagId);

    /// @notice The caller or signer may not decide this flag: an arbiter confirms, an arbiter or the sender
    /// dismisses.
    error NotArbiter(bytes32 imageId, address caller);

    /// @notice The next key of this KGC has another epoch. Use `expected`.
    error EpochOutOfOrder(bytes32 kgcId, uint32 epoch, uint32 expected);

    /// @notice No key of this epoch was published. Check id and epoch.
    error UnknownKgcKey(bytes32 kgcId, uint32 epoch);

    /// @notice The key is retired. Nothing is to be done.
    error AlreadyRetired(bytes32 kgcId, uint32 epoch);

    /// @notice Another wallet with `KGC_ROLE` publishes the keys of this KGC. Use that one; where it is lost, the
    /// admin takes its role first.
    error NotPublisher(bytes32 kgcId, address caller, address publisher);

    /// @notice This wallet anchored entry `last` of this log already. Anchor a later one.
    error LogSeqNotRising(bytes32 logId, uint64 logSeq, uint64 last);

    /// @notice The registry is paused until `until`, inclusive, if no pauser ends it before. Try again then.
    error RegistryPaused(uint48 until);

    /// @notice No pause was begun since the last was ended. Nothing is to be done.
    error NotPaused();

    /// @notice Less than a day of pause is left to give. Pause from second `nextPause` on.
    error PausedLately(uint256 nextPause);

    /// @notice The successor is this contract, or no contract: an account without code, or with an EIP-7702
    /// delegation. Check the address.
    error InvalidSuccessor(address successor);

    /// @notice A successor was named, once for all. Nothing is to be done.
    error AlreadySuperseded(address successor);

    /// @notice An image was registered. `signature` is empty, and `deadline` 0, where the caller was the sender.
    /// @dev Holds every field of the signed `Registration`: a wallet's signature can be checked from the log alone.
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

    /// @notice An image was registered as one of a batch. Has no number of its own: the next `BatchRegistered` covers
    /// it.
    event RegisteredInBatch(
        bytes32 indexed imageId,
        address indexed sender,
        bytes32 salt,
        bytes32 contentHash,
        bytes32 headerHash,
        bytes32 capsulesHash,
        uint64 size
    );

    /// @notice A batch was registered: those of its `count` items that were not recorded before, each with its
    /// `RegisteredInBatch` before this event.
    /// @dev Bit i of `skipped` says that item i was recorded already. `itemsHash` is what the signed `Batch` holds:
    /// the keccak256 of the items' EIP-712 struct hashes, one after the other. `recordedHash` is the same with zero
    /// in place of each skipped one: the `RegisteredInBatch` events give it. `signature` is empty, and `deadline` 0,
    /// where the caller was the sender.
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

    /// @notice A sender anchored a Merkle root. `signature` is empty, and `deadline` 0, where the caller was the
    /// sender.
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

    /// @notice An image was verified. `valid` is the contract's own judgement; `number` counts this image's entries
    /// from 1.
    /// @dev Holds every field of the signed `Verification`: a wallet's signature can be checked from the log alone.
    /// Where the caller was the verifier and gave no signature, `signature` is empty, and `nonce` and `deadline` are
    /// 0.
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
    event FlagRaised(bytes32 indexed imageId, uint64 indexed flagId, address indexed verifier, bytes32 trail);

    /// @notice Another verifier with `VERIFIER_ROLE` observed other bytes, too, while the flag was open.
    event FlagJoined(bytes32 indexed imageId, uint64 indexed flagId, address indexed verifier, bytes32 trail);

    /// @notice An arbiter confirmed a flag: final.
    event FlagConfirmed(bytes32 indexed imageId, uint64 indexed flagId, address indexed by, bytes32 trail);

    /// @notice The sender or an arbiter dismissed a flag, visibly; where `by` is the sender, it is
    /// `DismissedBySender`. The next invalid verification of a `VERIFIER_ROLE` raises a new one.
    event FlagDismissed(bytes32 indexed imageId, uint64 indexed flagId, address indexed by, bytes32 trail);

    /// @notice A wallet may be given the image's key until `expiry`, inclusive.
    event AccessGranted(
        bytes32 indexed imageId,
        address indexed wallet,
        address indexed by,
        uint64 expiry,
        uint128 accessSeq,
        bytes32 trail
    );

    /// @notice A wallet may no longer be given the image's key. `accessSeq` was drawn: it ends all signatures made
    /// before.
    event AccessRevoked(
        bytes32 indexed imageId, address indexed wallet, address indexed by, uint128 accessSeq, bytes32 trail
    );

    /// @notice A wallet may, or may no longer, grant, revoke and update capsules for a sender. `operatorSeq` was
    /// drawn where it may no longer.
    event OperatorSet(
        address indexed sender, address indexed operator, bool indexed allowed, uint128 operatorSeq, bytes32 trail
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

    /// @notice A KGC's wallet anchored the head of one of its logs.
    event LogAnchored(
        address indexed kgc, bytes32 indexed logId, uint64 indexed logSeq, bytes32 logHead, bytes32 trail
    );

    /// @notice A KGC anchored a set of capsules that it wrapped anew, one leaf for an image.
    event CapsulesAnchored(address indexed kgc, bytes32 indexed root, uint32 count, bytes leavesCid, bytes32 trail);

    /// @notice A role was given (`granted`) or taken away.
    event RoleChanged(bytes32 indexed role, address indexed account, bool indexed granted, address by, bytes32 trail);

    /// @notice The default admin planned, or cancelled, its own succession or another delay; `schedule` is when it
    /// takes effect. Fields that a plan has no use for are zero.
    event AdminPlanned(
        AdminPlan indexed plan, address indexed newAdmin, uint48 newDelay, uint48 schedule, address by, bytes32 trail
    );

    /// @notice A pause was begun: until `until`, inclusive, unless it is ended before.
    event Paused(address indexed by, uint48 until, bytes32 trail);

    /// @notice A pause was ended: before its time, or its mark was taken away afterwards.
    event Unpaused(address indexed by, bytes32 trail);

    /// @notice New images are registered in `successor`. Records, grants and capsules of this registry stay valid for
    /// ever.
    event Superseded(address indexed successor, address indexed by, bytes32 trail);

    /// @notice A wallet cancelled its verification signatures. `nonce`, its new one, was drawn: it ends all made
    /// before.
    event NonceInvalidated(address indexed wallet, uint256 nonce, bytes32 trail);

    /// @notice Records a sealed image, once and for ever.
    /// @dev The identical record again changes nothing and returns the id, before the signature is looked at: a
    /// relayer that another overtook loses nothing. The same id with another `contentHash` reverts with
    /// `RecordConflict`. Records are identical when their `contentHash` is: it fixes header hash, size and CID.
    /// Warning: the first event's capsules stand, also where a stranger made the record from a leaf (`materialize`)
    /// with the capsules of that leaf: look at the event, and replace them with `updateCapsules`. Warning: a record
    /// proves who registered a hash and when, not that the image is genuine.
    /// @param registration What is recorded.
    /// @param signature Empty where the caller is the sender; else the sender's EIP-712 signature: 65 bytes, or an
    /// ERC-1271 wallet's, up to 4096. An empty one from anybody else is refused, also where an ERC-1271 wallet would
    /// take it.
    /// @return imageId keccak256(abi.encode(chainid, this, sender, salt)).
    function register(Registration calldata registration, bytes calldata signature) external returns (bytes32 imageId);

    /// @notice Records up to 100 images of one sender. Those recorded already are skipped; where all are, nothing
    /// happens and the signature is not looked at.
    /// @dev All or nothing otherwise: one item in conflict (`RecordConflict`) or at fault reverts the batch.
    /// Everything is checked before anything is written, so a batch that is refused costs its relayer no writes.
    /// Larger files than one block: `register`.
    /// @param batch What is recorded.
    /// @param signature Empty where the caller is the sender; else the sender's EIP-712 signature of the batch.
    /// @return recorded How many of them are new.
    function registerBatch(Batch calldata batch, bytes calldata signature) external returns (uint256 recorded);

    /// @notice Anchors a Merkle root for any number of images.
    /// @dev The same root with the same count again changes nothing, before the signature is looked at; with another
    /// count it reverts with `AnchorConflict`. An anchored image has no grants, capsules and verifications until its
    /// leaf is made a record with `materialize`. Who anchors should have read the list of leaves back first.
    function anchor(Anchor calldata anchor, bytes calldata signature) external;

    /// @notice Makes a leaf of `sender`'s anchor a record, as of the anchor's time. Anybody may: the record holds
    /// what the sender anchored.
    /// @dev A record that is there already stands: identical, nothing happens; else `RecordConflict`.
    /// @param proof Sibling hashes from the leaf up, at most as many as a tree of the anchor's count has levels.
    /// @return imageId As `imageIdOf(sender, leaf.salt)`.
    function materialize(address sender, bytes32 root, Leaf calldata leaf, bytes32[] calldata proof)
        external
        returns (bytes32 imageId);

    /// @notice Whether `leaf` is one of `sender`'s anchor, and no record of the same image says otherwise.
    /// @dev Reverts where `materialize` would for another reason than these two: `UnknownAnchor`, a leaf at fault, a
    /// proof that is too long.
    function verifyLeaf(address sender, bytes32 root, Leaf calldata leaf, bytes32[] calldata proof)
        external
        view
        returns (bool valid);

    /// @notice An anchor; all zero for an unknown one.
    function anchorOf(address sender, bytes32 root) external view returns (AnchorRecord memory anchored);

    /// @notice Logs a verification. The contract itself decides whether it is valid.
    /// @dev An invalid one by a `VERIFIER_ROLE` raises a flag; while one is open, it adds the verifier to it
    /// (`FlagJoined`); once one is confirmed, it is logged and no more. Whether the verifier has the role is looked
    /// at now, not when it signed: a signed entry that is relayed after the role was taken is logged and flags
    /// nothing.
    /// @param verification What was observed.
    /// @param signature Empty where the caller is the verifier; else the verifier's EIP-712 signature.
    /// @return valid Whether the observed hash is the registered one.
    function recordVerification(Verification calldata verification, bytes calldata signature)
        external
        returns (bool valid);

    /// @notice Whether `observedHash` is the registered hash. Reverts with `UnknownImage`.
    function verify(bytes32 imageId, bytes32 observedHash) external view returns (bool valid);

    /// @notice Confirms an open flag: the record stays `Tampered`. Only `ARBITER_ROLE`, else `NotArbiter`.
    function confirmFlag(bytes32 imageId, uint64 flagId) external;

    /// @notice Dismisses an open flag: the record is `Registered` again. Only the sender or `ARBITER_ROLE`, else
    /// `NotArbiter`. The flag's state says which of them.
    function dismissFlag(bytes32 imageId, uint64 flagId) external;

    /// @notice `confirmFlag` or `dismissFlag` by a signature of `decision.by`.
    function decideFlagFor(FlagDecision calldata decision, bytes calldata signature) external;

    /// @notice Lets `wallet` have the image's key until `expiry`, inclusive. Only the sender or its operator, else
    /// `NotSender`.
    /// @dev Replaces an earlier grant, also by an earlier expiry. Warning: a key once released cannot be taken back.
    function grant(bytes32 imageId, address wallet, uint64 expiry) external;

    /// @notice `grant` by a signature of `grant.by`; `StaleAccess` where the access entry has another `seq` than it
    /// names.
    function grantFor(Grant calldata grant, bytes calldata signature) external;

    /// @notice Ends `wallet`'s access, and every grant that was signed before, whatever number it names; also before
    /// any grant. Only the sender or its operator.
    function revoke(bytes32 imageId, address wallet) external;

    /// @notice `revoke` by a signature of `revocation.by`; `StaleAccess` as for `grantFor`.
    function revokeFor(Revocation calldata revocation, bytes calldata signature) external;

    /// @notice Lets `operator` grant, revoke and update capsules of all the caller's images, or no longer, which also
    /// ends all that the operator signed before. Never lets it register.
    function setOperator(address operator, bool allowed) external;

    /// @notice `setOperator` by a signature of `change.sender`; `StaleOperator` where the entry has another `seq`
    /// than it names.
    function setOperatorFor(OperatorChange calldata change, bytes calldata signature) external;

    /// @notice Replaces an image's capsules, so that readers and KGC keys change without touching the sealed image.
    /// Only the sender or its operator.
    /// @dev Warning: whoever opened the old capsules keeps the key.
    /// @param version That of the capsules which are replaced, 0 for those of the registration; `StaleCapsules` where
    /// others are there.
    /// @param capsulesHash SHA-256 of the new ones.
    /// @param capsulesCid Their binary CID; empty: raw, of `capsulesHash`.
    function updateCapsules(bytes32 imageId, uint64 version, bytes32 capsulesHash, bytes calldata capsulesCid) external;

    /// @notice `updateCapsules` by a signature of `update.by`.
    function updateCapsulesFor(CapsulesUpdate calldata update, bytes calldata signature) external;

    /// @notice Publishes a KGC's key; `epoch` is one more than its last. Only `KGC_ROLE`.
    /// @dev The keys of a KGC are one wallet's: that of the last publisher, as long as it has the role
    /// (`NotPublisher`). So no KGC can speak for another, and a lost wallet is replaced by taking its role away.
    function publishKgcKey(bytes32 kgcId, uint32 epoch, bytes32 x25519, address receiptSigner) external;

    /// @notice Retires a KGC's key. Only `KGC_ROLE`, and its publisher as for `publishKgcKey`.
    function retireKgcKey(bytes32 kgcId, uint32 epoch) external;

    /// @notice Anchors the head of one of the caller's logs; `logSeq` only rises. Only `KGC_ROLE`.
    /// @dev A log is named by wallet *and* id: two wallets with the role may anchor different logs under one id.
    /// Whoever reads goes by the wallet that published the KGC's newest key (`KgcKeyPublished`).
    function anchorLog(bytes32 logId, uint64 logSeq, bytes32 logHead) external;

    /// @notice Anchors a set of capsules that the caller wrapped anew, say under a new key: a Merkle root over (image
    /// id, SHA-256 of its capsules), once. Only `KGC_ROLE`.
    /// @dev Leaf: `keccak256(bytes.concat(keccak256(abi.encode(imageId, capsulesHash))))`. It replaces nothing: a
    /// record's capsules are the sender's to update.
    function anchorCapsules(bytes32 root, uint32 count, bytes calldata leavesCid) external;

    /// @notice Begins a pause of 7 days, or of what is left of them. Only `PAUSER_ROLE`; `PausedLately` where less
    /// than a day is left.
    /// @dev Each second of a pause uses up one of the 7 days, and each second without gives one back. An early end
    /// uses up no more than has passed. So nobody can take the brake away by pausing and unpausing, and in the long
    /// run half of the time is without a pause.
    function pause() external;

    /// @notice Ends a pause, and gives back what is left of it. Only `PAUSER_ROLE`; `NotPaused` where none was begun
    /// since the last was ended.
    /// @dev One that ran out by itself is over all the same, but until this is called everything that a pause would
    /// stop costs 2,100 gas more.
    function unpause() external;

    /// @notice Points to the registry that follows this one, once. Only the default admin; `successor` must be
    /// another contract, not a wallet with an EIP-7702 delegation.
    function supersede(address successor) external;

    /// @notice Cancels all of the caller's verification signatures: its next nonce is drawn anew, and higher.
    function invalidateNonce() external;

    /// @notice The nonce that the wallet's next relayed verification must name. Each one that is logged raises it by
    /// one.
    function nonces(address wallet) external view returns (uint256 nonce);

    /// @notice The id that `sender` gets with `salt`, on this chain and in this contract.
    function imageIdOf(address sender, bytes32 salt) external view returns (bytes32 imageId);

    /// @notice The record of an image; all zero for an unknown one.
    function recordOf(bytes32 imageId) external view returns (Record memory record);

    /// @notice The newest flag of an image; all zero where there was none.
    function flagOf(bytes32 imageId) external view returns (Flag memory flag);

    /// @notice The access entry; all zero where nothing was ever granted or revoked. Says nothing about the sender.
    function accessOf(bytes32 imageId, address wallet) external view returns (Access memory access);

    /// @notice Whether `wallet` may be given the key now: the sender always, another wallet while `block.timestamp <=
    /// expiry`. False for an unknown image.
    function isAuthorized(bytes32 imageId, address wallet) external view returns (bool authorized);

    /// @notice Whether `wallet` speaks for `sender`; all zero where that was never said.
    function operatorOf(address sender, address wallet) external view returns (Operator memory operator);

    /// @notice The capsules that replaced those of the registration; all zero where none did.
    function capsulesOf(bytes32 imageId) external view returns (Capsules memory capsules);

    /// @notice A KGC's key of one epoch. Reverts with `UnknownKgcKey`.
    function kgcKey(bytes32 kgcId, uint32 epoch) external view returns (KgcKey memory key);

    /// @notice A KGC's newest key, retired or not. Reverts with `UnknownKgcKey`.
    function currentKgcKey(bytes32 kgcId) external view returns (KgcKey memory key);

    /// @notice The newest anchored head of one of the wallet `kgc`'s logs; all zero where there is none.
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

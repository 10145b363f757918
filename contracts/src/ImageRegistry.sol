// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {AuditTrail} from "./AuditTrail.sol";
import {IImageRegistry} from "./IImageRegistry.sol";
import {SignatureGate} from "./SignatureGate.sol";

/// @title The registry of sealed medical images
/// @notice `IImageRegistry` is the manual. Immutable: no proxy, no payable function, no call to others but ERC-1271's static one.
/// @dev Every function has one shape: id, checks, effects, one event.
contract ImageRegistry is IImageRegistry, AuditTrail, SignatureGate, Nonces, AccessControlDefaultAdminRules {
    /// @notice Its invalid entries raise flags.
    bytes32 public constant VERIFIER_ROLE = keccak256("VERIFIER_ROLE");
    /// @notice Confirms and dismisses flags.
    bytes32 public constant ARBITER_ROLE = keccak256("ARBITER_ROLE");
    /// @notice Publishes and retires the keys of KGCs.
    bytes32 public constant KGC_ROLE = keccak256("KGC_ROLE");

    bytes32 private constant REGISTRATION_TYPEHASH = keccak256(
        "Registration(address sender,bytes32 salt,bytes32 contentHash,bytes32 headerHash,uint64 size,bytes cid,bytes32 capsulesHash,bytes capsulesCid,uint64 deadline)"
    );
    bytes32 private constant VERIFICATION_TYPEHASH = keccak256(
        "Verification(bytes32 imageId,address verifier,bytes32 observedHash,uint64 observedAt,uint256 nonce,uint64 deadline)"
    );

    uint48 private constant ADMIN_DELAY = 1 days;
    uint256 private constant CLOCK_TOLERANCE = 60 seconds;
    uint256 private constant MAX_CID_BYTES = 64;

    uint256 private _recordCount;
    mapping(bytes32 imageId => Record) private _records;
    mapping(bytes32 imageId => Flag) private _flags;
    mapping(bytes32 imageId => mapping(address wallet => Access)) private _access;
    mapping(bytes32 kgcId => uint32) private _lastEpoch;
    mapping(bytes32 kgcId => mapping(uint32 epoch => KgcKey)) private _kgcKeys;
    /// @dev How often a wallet cancelled its signatures: the upper half of its nonce.
    mapping(address wallet => uint256) private _cancellations;

    /// @param admin The default admin, which gives and takes the roles.
    constructor(address admin) AccessControlDefaultAdminRules(ADMIN_DELAY, admin) {}

    // ---- records ----

    /// @inheritdoc IImageRegistry
    function register(Registration calldata registration, bytes calldata signature) external returns (bytes32 imageId) {
        imageId = imageIdOf(registration.sender, registration.salt);
        bytes32 recorded = _records[imageId].contentHash;
        if (recorded != 0) {
            if (recorded != registration.contentHash) revert RecordConflict(imageId);
            return imageId;
        }
        _checkFields(registration);
        if (!_isDirect(registration.sender, signature)) {
            _checkDeadline(registration.deadline);
            _checkSignature(registration.sender, _hashRegistration(registration), signature);
        }

        _records[imageId] = Record({
            contentHash: registration.contentHash,
            sender: registration.sender,
            registeredAt: uint48(block.timestamp),
            state: RecordState.Registered,
            verifications: 0
        });
        _recordCount++;
        _emitRegistered(imageId, registration, signature);
    }

    /// @inheritdoc IImageRegistry
    function imageIdOf(address sender, bytes32 salt) public view returns (bytes32 imageId) {
        return keccak256(abi.encode(block.chainid, address(this), sender, salt));
    }

    /// @inheritdoc IImageRegistry
    function recordOf(bytes32 imageId) external view returns (Record memory record) {
        return _records[imageId];
    }

    /// @inheritdoc IImageRegistry
    function recordCount() external view returns (uint256 count) {
        return _recordCount;
    }

    // ---- verification ----

    /// @inheritdoc IImageRegistry
    function recordVerification(Verification calldata verification, bytes calldata signature)
        external
        returns (bool valid)
    {
        Record storage record = _existing(verification.imageId);
        address verifier = verification.verifier;
        if (verifier == address(0)) revert ZeroAddress();
        if (verification.observedHash == 0) revert ZeroHash();
        if (verification.observedAt > block.timestamp + CLOCK_TOLERANCE) {
            revert ObservedInFuture(verification.observedAt, block.timestamp);
        }
        if (!_isDirect(verifier, signature)) {
            _checkDeadline(verification.deadline);
            _useCheckedNonce(verifier, verification.nonce);
            _checkSignature(verifier, keccak256(abi.encode(VERIFICATION_TYPEHASH, verification)), signature);
        }

        valid = verification.observedHash == record.contentHash;
        uint40 number = ++record.verifications;
        _emitVerified(verification, valid, number, signature);
        if (!valid && record.state == RecordState.Registered && hasRole(VERIFIER_ROLE, verifier)) {
            _raiseFlag(verification.imageId, record, verifier);
        }
    }

    /// @inheritdoc IImageRegistry
    function verify(bytes32 imageId, bytes32 observedHash) external view returns (bool valid) {
        return _existing(imageId).contentHash == observedHash;
    }

    /// @inheritdoc IImageRegistry
    function invalidateNonce() external {
        _cancellations[msg.sender]++;
        uint256 nonce = nonces(msg.sender);
        (uint40 seq, bytes26 head) = _append(NonceInvalidated.selector, abi.encode(msg.sender, nonce));
        emit NonceInvalidated(msg.sender, nonce, seq, head);
    }

    /// @inheritdoc IImageRegistry
    function nonces(address wallet) public view override(IImageRegistry, Nonces) returns (uint256 nonce) {
        return (_cancellations[wallet] << 128) + super.nonces(wallet);
    }

    // ---- flags ----

    /// @inheritdoc IImageRegistry
    function confirmFlag(bytes32 imageId, uint40 flagId) external {
        Record storage record = _existing(imageId);
        if (!hasRole(ARBITER_ROLE, msg.sender)) revert NotArbiter(imageId, msg.sender);
        _openFlag(imageId, flagId).state = FlagState.Confirmed;
        record.state = RecordState.Tampered;
        (uint40 seq, bytes26 head) = _append(FlagConfirmed.selector, abi.encode(imageId, flagId, msg.sender));
        emit FlagConfirmed(imageId, flagId, msg.sender, seq, head);
    }

    /// @inheritdoc IImageRegistry
    function dismissFlag(bytes32 imageId, uint40 flagId) external {
        Record storage record = _existing(imageId);
        if (msg.sender != record.sender && !hasRole(ARBITER_ROLE, msg.sender)) revert NotArbiter(imageId, msg.sender);
        _openFlag(imageId, flagId).state = FlagState.Dismissed;
        record.state = RecordState.Registered;
        (uint40 seq, bytes26 head) = _append(FlagDismissed.selector, abi.encode(imageId, flagId, msg.sender));
        emit FlagDismissed(imageId, flagId, msg.sender, seq, head);
    }

    /// @inheritdoc IImageRegistry
    function flagOf(bytes32 imageId) external view returns (Flag memory flag) {
        return _flags[imageId];
    }

    // ---- access ----

    /// @inheritdoc IImageRegistry
    function grant(bytes32 imageId, address wallet, uint64 expiry) external {
        _checkSender(imageId);
        if (wallet == address(0)) revert ZeroAddress();
        if (expiry < block.timestamp) revert ExpiryInPast(expiry, block.timestamp);
        uint64 accessSeq = _setAccess(imageId, wallet, expiry);
        (uint40 seq, bytes26 head) =
            _append(AccessGranted.selector, abi.encode(imageId, wallet, msg.sender, expiry, accessSeq));
        emit AccessGranted(imageId, wallet, msg.sender, expiry, accessSeq, seq, head);
    }

    /// @inheritdoc IImageRegistry
    function revoke(bytes32 imageId, address wallet) external {
        _checkSender(imageId);
        if (wallet == address(0)) revert ZeroAddress();
        uint64 accessSeq = _setAccess(imageId, wallet, 0);
        (uint40 seq, bytes26 head) = _append(AccessRevoked.selector, abi.encode(imageId, wallet, msg.sender, accessSeq));
        emit AccessRevoked(imageId, wallet, msg.sender, accessSeq, seq, head);
    }

    /// @inheritdoc IImageRegistry
    function accessOf(bytes32 imageId, address wallet) external view returns (Access memory access) {
        return _access[imageId][wallet];
    }

    /// @inheritdoc IImageRegistry
    function isAuthorized(bytes32 imageId, address wallet) external view returns (bool authorized) {
        address sender = _records[imageId].sender;
        if (sender == address(0)) return false;
        return wallet == sender || block.timestamp <= _access[imageId][wallet].expiry;
    }

    // ---- keys of the KGCs ----

    /// @inheritdoc IImageRegistry
    function publishKgcKey(bytes32 kgcId, uint32 epoch, bytes32 x25519, address receiptSigner)
        external
        onlyRole(KGC_ROLE)
    {
        uint32 expected = _lastEpoch[kgcId] + 1;
        if (epoch != expected) revert EpochOutOfOrder(kgcId, epoch, expected);
        if (x25519 == 0) revert ZeroKey();
        if (receiptSigner == address(0)) revert ZeroAddress();
        _lastEpoch[kgcId] = epoch;
        _kgcKeys[kgcId][epoch] = KgcKey({x25519: x25519, receiptSigner: receiptSigner, epoch: epoch, retired: false});
        (uint40 seq, bytes26 head) = _append(KgcKeyPublished.selector, abi.encode(kgcId, epoch, x25519, receiptSigner));
        emit KgcKeyPublished(kgcId, epoch, x25519, receiptSigner, seq, head);
    }

    /// @inheritdoc IImageRegistry
    function retireKgcKey(bytes32 kgcId, uint32 epoch) external onlyRole(KGC_ROLE) {
        KgcKey storage key = _existingKey(kgcId, epoch);
        if (key.retired) revert AlreadyRetired(kgcId, epoch);
        key.retired = true;
        (uint40 seq, bytes26 head) = _append(KgcKeyRetired.selector, abi.encode(kgcId, epoch));
        emit KgcKeyRetired(kgcId, epoch, seq, head);
    }

    /// @inheritdoc IImageRegistry
    function kgcKey(bytes32 kgcId, uint32 epoch) external view returns (KgcKey memory key) {
        return _existingKey(kgcId, epoch);
    }

    /// @inheritdoc IImageRegistry
    function currentKgcKey(bytes32 kgcId) external view returns (KgcKey memory key) {
        return _existingKey(kgcId, _lastEpoch[kgcId]);
    }

    // ---- audit ----

    /// @inheritdoc IImageRegistry
    function audit() external view returns (bytes26 head, uint40 seq) {
        return _auditTrail();
    }

    // ---- checks ----

    function _checkFields(Registration calldata registration) private pure {
        if (registration.sender == address(0)) revert ZeroAddress();
        if (registration.contentHash == 0 || registration.headerHash == 0 || registration.capsulesHash == 0) {
            revert ZeroHash();
        }
        if (registration.size == 0) revert ZeroSize();
        _checkCid(registration.cid);
        _checkCid(registration.capsulesCid);
    }

    function _checkCid(bytes calldata cid) private pure {
        if (cid.length == 0 || cid.length > MAX_CID_BYTES) revert CidLength(cid.length);
    }

    function _hashRegistration(Registration calldata registration) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                REGISTRATION_TYPEHASH,
                registration.sender,
                registration.salt,
                registration.contentHash,
                registration.headerHash,
                registration.size,
                keccak256(registration.cid),
                registration.capsulesHash,
                keccak256(registration.capsulesCid),
                registration.deadline
            )
        );
    }

    function _checkSender(bytes32 imageId) private view {
        if (msg.sender != _existing(imageId).sender) revert NotSender(imageId, msg.sender);
    }

    function _existing(bytes32 imageId) private view returns (Record storage record) {
        record = _records[imageId];
        if (record.contentHash == 0) revert UnknownImage(imageId);
    }

    function _existingKey(bytes32 kgcId, uint32 epoch) private view returns (KgcKey storage key) {
        key = _kgcKeys[kgcId][epoch];
        if (key.epoch == 0) revert UnknownKgcKey(kgcId, epoch);
    }

    function _openFlag(bytes32 imageId, uint40 flagId) private view returns (Flag storage flag) {
        flag = _flags[imageId];
        if (flagId == 0 || flagId > flag.id) revert NoSuchFlag(imageId, flagId);
        // Only the newest can be open: a new one is raised when none is.
        if (flagId != flag.id || flag.state != FlagState.Open) revert FlagNotOpen(imageId, flagId);
    }

    // ---- effects ----

    function _emitRegistered(bytes32 imageId, Registration calldata registration, bytes calldata signature) private {
        (uint40 seq, bytes26 head) = _append(
            Registered.selector,
            abi.encode(
                imageId,
                registration.sender,
                registration.salt,
                registration.contentHash,
                registration.headerHash,
                registration.size,
                registration.cid,
                registration.capsulesHash,
                registration.capsulesCid,
                registration.deadline,
                signature
            )
        );
        emit Registered(
            imageId,
            registration.sender,
            registration.salt,
            registration.contentHash,
            registration.headerHash,
            registration.size,
            registration.cid,
            registration.capsulesHash,
            registration.capsulesCid,
            registration.deadline,
            signature,
            seq,
            head
        );
    }

    function _emitVerified(Verification calldata verification, bool valid, uint40 number, bytes calldata signature)
        private
    {
        (uint40 seq, bytes26 head) = _append(
            Verified.selector,
            abi.encode(
                verification.imageId,
                verification.verifier,
                valid,
                verification.observedHash,
                verification.observedAt,
                verification.nonce,
                verification.deadline,
                number,
                signature
            )
        );
        emit Verified(
            verification.imageId,
            verification.verifier,
            valid,
            verification.observedHash,
            verification.observedAt,
            verification.nonce,
            verification.deadline,
            number,
            signature,
            seq,
            head
        );
    }

    function _raiseFlag(bytes32 imageId, Record storage record, address verifier) private {
        uint40 flagId = _flags[imageId].id + 1;
        _flags[imageId] =
            Flag({id: flagId, state: FlagState.Open, verifier: verifier, raisedAt: uint48(block.timestamp)});
        record.state = RecordState.Flagged;
        (uint40 seq, bytes26 head) = _append(FlagRaised.selector, abi.encode(imageId, flagId, verifier));
        emit FlagRaised(imageId, flagId, verifier, seq, head);
    }

    function _setAccess(bytes32 imageId, address wallet, uint64 expiry) private returns (uint64 accessSeq) {
        Access storage access = _access[imageId][wallet];
        accessSeq = access.seq + 1;
        _access[imageId][wallet] = Access({expiry: expiry, seq: accessSeq, blockNumber: uint64(block.number)});
    }

    // ---- OpenZeppelin's hooks ----

    /// @dev The nonce in force, its upper half included.
    function _useNonce(address wallet) internal override returns (uint256) {
        return (_cancellations[wallet] << 128) + super._useNonce(wallet);
    }

    function _grantRole(bytes32 role, address account) internal override returns (bool changed) {
        changed = super._grantRole(role, account);
        if (changed) _emitRoleChanged(role, account, true);
    }

    function _revokeRole(bytes32 role, address account) internal override returns (bool changed) {
        changed = super._revokeRole(role, account);
        if (changed) _emitRoleChanged(role, account, false);
    }

    function _emitRoleChanged(bytes32 role, address account, bool granted) private {
        (uint40 seq, bytes26 head) = _append(RoleChanged.selector, abi.encode(role, account, granted, msg.sender));
        emit RoleChanged(role, account, granted, msg.sender, seq, head);
    }
}

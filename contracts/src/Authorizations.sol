// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "./IImageRegistry.sol";
import {Records} from "./Records.sol";
import {TypedStructs} from "./TypedStructs.sol";

/// @title Who may be given an image's key, who may say so, and where its capsules are
abstract contract Authorizations is Records {
    mapping(bytes32 imageId => mapping(address wallet => Access)) private _access;
    mapping(address sender => mapping(address operator => Operator)) private _operators;
    mapping(bytes32 imageId => Capsules) private _capsules;

    // ---- access ----

    /// @inheritdoc IImageRegistry
    function grant(bytes32 imageId, address wallet, uint64 expiry) external {
        _grant(imageId, wallet, expiry, msg.sender);
    }

    /// @inheritdoc IImageRegistry
    function grantFor(Grant calldata grant_, bytes calldata signature) external {
        _checkSigned(grant_.by, TypedStructs.hash(grant_), grant_.deadline, signature);
        _checkAccessSeq(grant_.imageId, grant_.wallet, grant_.accessSeq);
        _grant(grant_.imageId, grant_.wallet, grant_.expiry, grant_.by);
    }

    /// @inheritdoc IImageRegistry
    function revoke(bytes32 imageId, address wallet) external {
        _revoke(imageId, wallet, msg.sender);
    }

    /// @inheritdoc IImageRegistry
    function revokeFor(Revocation calldata revocation, bytes calldata signature) external {
        _checkSigned(revocation.by, TypedStructs.hash(revocation), revocation.deadline, signature);
        _checkAccessSeq(revocation.imageId, revocation.wallet, revocation.accessSeq);
        _revoke(revocation.imageId, revocation.wallet, revocation.by);
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

    // ---- operators ----

    /// @inheritdoc IImageRegistry
    function setOperator(address operator, bool allowed) external {
        _setOperator(msg.sender, operator, allowed);
    }

    /// @inheritdoc IImageRegistry
    function setOperatorFor(OperatorChange calldata change, bytes calldata signature) external {
        _checkSigned(change.sender, TypedStructs.hash(change), change.deadline, signature);
        uint64 current = _operators[change.sender][change.operator].seq;
        if (change.operatorSeq != current) {
            revert StaleOperator(change.sender, change.operator, change.operatorSeq, current);
        }
        _setOperator(change.sender, change.operator, change.allowed);
    }

    /// @inheritdoc IImageRegistry
    function operatorOf(address sender, address wallet) external view returns (Operator memory operator) {
        return _operators[sender][wallet];
    }

    // ---- capsules ----

    /// @inheritdoc IImageRegistry
    function updateCapsules(bytes32 imageId, uint64 version, bytes32 capsulesHash, bytes calldata capsulesCid)
        external
    {
        _updateCapsules(imageId, version, capsulesHash, capsulesCid, msg.sender);
    }

    /// @inheritdoc IImageRegistry
    function updateCapsulesFor(CapsulesUpdate calldata update, bytes calldata signature) external {
        _checkSigned(update.by, TypedStructs.hash(update, keccak256(update.capsulesCid)), update.deadline, signature);
        _updateCapsules(update.imageId, update.version, update.capsulesHash, update.capsulesCid, update.by);
    }

    /// @inheritdoc IImageRegistry
    function capsulesOf(bytes32 imageId) external view returns (Capsules memory capsules) {
        return _capsules[imageId];
    }

    // ---- checks ----

    function _checkSpeaksFor(bytes32 imageId, address by) private view {
        address sender = _existing(imageId).sender;
        if (by != sender && !_operators[sender][by].allowed) revert NotSender(imageId, by);
    }

    function _checkAccessSeq(bytes32 imageId, address wallet, uint64 named) private view {
        uint64 current = _access[imageId][wallet].seq;
        if (named != current) revert StaleAccess(imageId, wallet, named, current);
    }

    // ---- effects ----

    function _grant(bytes32 imageId, address wallet, uint64 expiry, address by) private whenNotPaused {
        _checkSpeaksFor(imageId, by);
        if (wallet == address(0)) revert ZeroAddress();
        if (expiry < block.timestamp) revert ExpiryInPast(expiry, block.timestamp);
        uint64 accessSeq = _setAccess(imageId, wallet, expiry);
        bytes32 trail = _append(AccessGranted.selector, abi.encode(imageId, wallet, by, expiry, accessSeq));
        emit AccessGranted(imageId, wallet, by, expiry, accessSeq, trail);
    }

    function _revoke(bytes32 imageId, address wallet, address by) private {
        _checkSpeaksFor(imageId, by);
        if (wallet == address(0)) revert ZeroAddress();
        uint64 accessSeq = _setAccess(imageId, wallet, 0);
        bytes32 trail = _append(AccessRevoked.selector, abi.encode(imageId, wallet, by, accessSeq));
        emit AccessRevoked(imageId, wallet, by, accessSeq, trail);
    }

    function _setAccess(bytes32 imageId, address wallet, uint64 expiry) private returns (uint64 accessSeq) {
        Access storage access = _access[imageId][wallet];
        accessSeq = access.seq + 1;
        access.expiry = expiry;
        access.seq = accessSeq;
        access.blockNumber = uint64(block.number);
    }

    function _setOperator(address sender, address operator, bool allowed) private {
        if (operator == address(0)) revert ZeroAddress();
        if (allowed) _checkNotPaused();
        uint64 operatorSeq = _operators[sender][operator].seq + 1;
        _operators[sender][operator] = Operator({allowed: allowed, seq: operatorSeq});
        bytes32 trail = _append(OperatorSet.selector, abi.encode(sender, operator, allowed, operatorSeq));
        emit OperatorSet(sender, operator, allowed, operatorSeq, trail);
    }

    function _updateCapsules(
        bytes32 imageId,
        uint64 version,
        bytes32 capsulesHash,
        bytes calldata capsulesCid,
        address by
    ) private whenNotPaused {
        _checkSpeaksFor(imageId, by);
        if (capsulesHash == 0) revert ZeroHash();
        bytes32 cidHash = _checkedCidHash(capsulesCid);
        uint64 current = _capsules[imageId].version;
        if (version != current) revert StaleCapsules(imageId, version, current);
        _capsules[imageId] = Capsules({hash: capsulesHash, version: ++current});
        bytes32 trail = _append(CapsulesUpdated.selector, abi.encode(imageId, current, by, capsulesHash, cidHash));
        emit CapsulesUpdated(imageId, current, by, capsulesHash, capsulesCid, trail);
    }
}

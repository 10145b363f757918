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
    function grant(bytes32 imageId, address wallet, uint64 expiry) external whenNotPaused {
        _checkSpeaksFor(imageId, msg.sender);
        _grant(_access[imageId][wallet], imageId, wallet, expiry, msg.sender);
    }

    /// @inheritdoc IImageRegistry
    function grantFor(Grant memory grant_, bytes calldata signature) external whenNotPaused {
        (bytes32 imageId, address wallet, address by) = (grant_.imageId, grant_.wallet, grant_.by);
        _checkSigned(by, TypedStructs.hash(grant_), grant_.deadline, signature);
        Access storage access = _namedAccess(imageId, wallet, grant_.accessSeq);
        _checkSignerSpeaksFor(imageId, by, grant_.operatorSeq);
        _grant(access, imageId, wallet, grant_.expiry, by);
    }

    /// @inheritdoc IImageRegistry
    function revoke(bytes32 imageId, address wallet) external {
        _checkSpeaksFor(imageId, msg.sender);
        _revoke(_access[imageId][wallet], imageId, wallet, msg.sender);
    }

    /// @inheritdoc IImageRegistry
    function revokeFor(Revocation memory revocation, bytes calldata signature) external {
        (bytes32 imageId, address wallet, address by) = (revocation.imageId, revocation.wallet, revocation.by);
        _checkSigned(by, TypedStructs.hash(revocation), revocation.deadline, signature);
        Access storage access = _namedAccess(imageId, wallet, revocation.accessSeq);
        _checkSignerSpeaksFor(imageId, by, revocation.operatorSeq);
        _revoke(access, imageId, wallet, by);
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
    function setOperatorFor(OperatorChange memory change, bytes calldata signature) external {
        _checkSigned(change.sender, TypedStructs.hash(change), change.deadline, signature);
        _checkOperatorSeq(change.sender, change.operator, change.operatorSeq);
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
        whenNotPaused
    {
        _checkSpeaksFor(imageId, msg.sender);
        _updateCapsules(imageId, version, capsulesHash, capsulesCid, msg.sender);
    }

    /// @inheritdoc IImageRegistry
    function updateCapsulesFor(CapsulesUpdate calldata update, bytes calldata signature) external whenNotPaused {
        address by = update.by;
        _checkSigned(by, TypedStructs.hash(update, _hashOf(update.capsulesCid)), update.deadline, signature);
        _checkSignerSpeaksFor(update.imageId, by, update.operatorSeq);
        _updateCapsules(update.imageId, update.version, update.capsulesHash, update.capsulesCid, by);
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

    /// @dev What an operator signed names its entry, so that its removal ends it for good.
    function _checkSignerSpeaksFor(bytes32 imageId, address by, uint128 operatorSeq) private view {
        address sender = _existing(imageId).sender;
        if (by == sender) return;
        _checkOperatorSeq(sender, by, operatorSeq);
        if (!_operators[sender][by].allowed) revert NotSender(imageId, by);
    }

    /// @dev The access entry, whose number is the one that a signature names.
    function _namedAccess(bytes32 imageId, address wallet, uint128 named) private view returns (Access storage access) {
        access = _access[imageId][wallet];
        uint128 current = access.seq;
        if (named != current) revert StaleAccess(imageId, wallet, named, current);
    }

    function _checkOperatorSeq(address sender, address operator, uint128 named) private view {
        uint128 current = _operators[sender][operator].seq;
        if (named != current) revert StaleOperator(sender, operator, named, current);
    }

    // ---- effects ----

    function _grant(Access storage access, bytes32 imageId, address wallet, uint64 expiry, address by) private {
        if (wallet == address(0)) revert ZeroAddress();
        if (expiry < block.timestamp) revert ExpiryInPast(expiry, block.timestamp);
        uint128 accessSeq = access.seq + 1;
        _setAccess(access, expiry, accessSeq);
        bytes32 trail = _append(AccessGranted.selector, abi.encode(imageId, wallet, by, expiry, accessSeq));
        emit AccessGranted(imageId, wallet, by, expiry, accessSeq, trail);
    }

    function _revoke(Access storage access, bytes32 imageId, address wallet, address by) private {
        if (wallet == address(0)) revert ZeroAddress();
        uint128 accessSeq = _drawSeq(access.seq);
        _setAccess(access, 0, accessSeq);
        bytes32 trail = _append(AccessRevoked.selector, abi.encode(imageId, wallet, by, accessSeq));
        emit AccessRevoked(imageId, wallet, by, accessSeq, trail);
    }

    function _setAccess(Access storage access, uint64 expiry, uint128 accessSeq) private {
        access.expiry = expiry;
        access.seq = accessSeq;
        access.blockNumber = uint64(block.number);
    }

    function _setOperator(address sender, address operator, bool allowed) private {
        if (operator == address(0)) revert ZeroAddress();
        if (allowed) _checkNotPaused();
        Operator storage entry = _operators[sender][operator];
        uint128 operatorSeq = allowed ? entry.seq + 1 : _drawSeq(entry.seq);
        (entry.allowed, entry.seq) = (allowed, operatorSeq);
        bytes32 trail = _append(OperatorSet.selector, abi.encode(sender, operator, allowed, operatorSeq));
        emit OperatorSet(sender, operator, allowed, operatorSeq, trail);
    }

    function _updateCapsules(
        bytes32 imageId,
        uint64 version,
        bytes32 capsulesHash,
        bytes calldata capsulesCid,
        address by
    ) private {
        if (capsulesHash == 0) revert ZeroHash();
        bytes32 cidHash = _cidHashOf(capsulesCid);
        uint64 current = _capsules[imageId].version;
        if (version != current) revert StaleCapsules(imageId, version, current);
        _capsules[imageId] = Capsules({hash: capsulesHash, version: ++current});
        bytes32 trail = _append(CapsulesUpdated.selector, abi.encode(imageId, current, by, capsulesHash, cidHash));
        emit CapsulesUpdated(imageId, current, by, capsulesHash, capsulesCid, trail);
    }
}

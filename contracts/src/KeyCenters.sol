// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Anchors} from "./Anchors.sol";
import {IImageRegistry} from "./IImageRegistry.sol";

/// @title What the Key Generation Centers publish: keys, heads of their logs, sets of re-wrapped capsules
abstract contract KeyCenters is Anchors {
    /// @dev Who published the newest key of a KGC; its keys are numbered by epoch.
    struct Line {
        address publisher;
        uint32 lastEpoch;
    }

    mapping(bytes32 kgcId => Line) private _lines;
    mapping(bytes32 kgcId => mapping(uint32 epoch => KgcKey)) private _kgcKeys;
    mapping(address kgc => mapping(bytes32 logId => LogHead)) private _logs;
    mapping(address kgc => mapping(bytes32 root => AnchorRecord)) private _capsuleAnchors;

    // ---- keys ----

    /// @inheritdoc IImageRegistry
    function publishKgcKey(bytes32 kgcId, uint32 epoch, bytes32 x25519, address receiptSigner)
        external
        onlyRole(KGC_ROLE)
    {
        _checkPublisher(kgcId);
        uint32 expected = _lines[kgcId].lastEpoch + 1;
        if (epoch != expected) revert EpochOutOfOrder(kgcId, epoch, expected);
        if (_isWeak(x25519)) revert WeakKey(x25519);
        if (receiptSigner == address(0)) revert ZeroAddress();
        _lines[kgcId] = Line({publisher: msg.sender, lastEpoch: epoch});
        _kgcKeys[kgcId][epoch] = KgcKey({x25519: x25519, receiptSigner: receiptSigner, epoch: epoch, retired: false});
        bytes32 trail = _append(KgcKeyPublished.selector, abi.encode(kgcId, epoch, msg.sender, x25519, receiptSigner));
        emit KgcKeyPublished(kgcId, epoch, msg.sender, x25519, receiptSigner, trail);
    }

    /// @inheritdoc IImageRegistry
    function retireKgcKey(bytes32 kgcId, uint32 epoch) external onlyRole(KGC_ROLE) {
        KgcKey storage key = _existingKey(kgcId, epoch);
        _checkPublisher(kgcId);
        if (key.retired) revert AlreadyRetired(kgcId, epoch);
        key.retired = true;
        bytes32 trail = _append(KgcKeyRetired.selector, abi.encode(kgcId, epoch, msg.sender));
        emit KgcKeyRetired(kgcId, epoch, msg.sender, trail);
    }

    /// @inheritdoc IImageRegistry
    function kgcKey(bytes32 kgcId, uint32 epoch) external view returns (KgcKey memory key) {
        return _existingKey(kgcId, epoch);
    }

    /// @inheritdoc IImageRegistry
    function currentKgcKey(bytes32 kgcId) external view returns (KgcKey memory key) {
        return _existingKey(kgcId, _lines[kgcId].lastEpoch);
    }

    // ---- logs and capsules ----

    /// @inheritdoc IImageRegistry
    function anchorLog(bytes32 logId, uint64 logSeq, bytes32 logHead) external onlyRole(KGC_ROLE) {
        if (logHead == 0) revert ZeroHash();
        uint64 last = _logs[msg.sender][logId].seq;
        if (logSeq <= last) revert LogSeqNotRising(logId, logSeq, last);
        _logs[msg.sender][logId] = LogHead({head: logHead, seq: logSeq, anchoredAt: uint48(block.timestamp)});
        bytes32 trail = _append(LogAnchored.selector, abi.encode(msg.sender, logId, logSeq, logHead));
        emit LogAnchored(msg.sender, logId, logSeq, logHead, trail);
    }

    /// @inheritdoc IImageRegistry
    function logHeadOf(address kgc, bytes32 logId) external view returns (LogHead memory logHead) {
        return _logs[kgc][logId];
    }

    /// @inheritdoc IImageRegistry
    function anchorCapsules(bytes32 root, uint32 count, bytes calldata leavesCid)
        external
        onlyRole(KGC_ROLE)
        whenNotPaused
    {
        bytes32 cidHash = _listCidHashOf(root, count, leavesCid);
        if (_capsuleAnchors[msg.sender][root].count != 0) revert AnchorConflict(msg.sender, root);
        _capsuleAnchors[msg.sender][root] = AnchorRecord({count: count, anchoredAt: uint48(block.timestamp)});
        bytes32 trail = _append(CapsulesAnchored.selector, abi.encode(msg.sender, root, count, cidHash));
        emit CapsulesAnchored(msg.sender, root, count, leavesCid, trail);
    }

    /// @inheritdoc IImageRegistry
    function capsulesAnchorOf(address kgc, bytes32 root) external view returns (AnchorRecord memory anchored) {
        return _capsuleAnchors[kgc][root];
    }

    // ---- checks ----

    /// @dev A KGC's keys are published by one wallet; another takes over once that one has lost its role.
    function _checkPublisher(bytes32 kgcId) private view {
        address publisher = _lines[kgcId].publisher;
        if (publisher != msg.sender && hasRole(KGC_ROLE, publisher)) {
            revert NotPublisher(kgcId, msg.sender, publisher);
        }
    }

    /// @dev Whether an X25519 key is a point of small order (RFC 7748, section 7; the list of libsodium): the secret
    /// that it gives is known. Little-endian, and the highest bit, which X25519 ignores, is left out.
    function _isWeak(bytes32 x25519) private pure returns (bool) {
        bytes32 u = x25519 & ~bytes32(uint256(0x80));
        return u == 0 || u == bytes32(uint256(1) << 248)
            || u == 0xe0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800
            || u == 0x5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157
            || u == 0xecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f
            || u == 0xedffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f
            || u == 0xeeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f;
    }

    function _existingKey(bytes32 kgcId, uint32 epoch) private view returns (KgcKey storage key) {
        key = _kgcKeys[kgcId][epoch];
        if (key.epoch == 0) revert UnknownKgcKey(kgcId, epoch);
    }
}

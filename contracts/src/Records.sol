// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Governance} from "./Governance.sol";
import {IImageRegistry} from "./IImageRegistry.sol";
import {SignatureGate} from "./SignatureGate.sol";
import {TypedStructs} from "./TypedStructs.sol";

/// @title Records: one by one, and in batches
abstract contract Records is Governance, SignatureGate {
    uint256 private constant MAX_CID_BYTES = 64;
    uint256 private constant MAX_BATCH = 100;
    uint64 private constant BLOCK_BYTES = 1 << 20;

    mapping(bytes32 imageId => Record) internal _records;

    /// @inheritdoc IImageRegistry
    function register(Registration calldata registration, bytes calldata signature)
        external
        whenNotPaused
        returns (bytes32 imageId)
    {
        address sender = registration.sender;
        bytes32 contentHash = registration.contentHash;
        imageId = imageIdOf(sender, registration.salt);
        Record storage record = _records[imageId];
        if (_isRecorded(record, imageId, contentHash)) return imageId;
        _checkFields(sender, contentHash, registration.headerHash, registration.capsulesHash, registration.size);
        bytes32 cidHash = _cidHashOf(registration.cid);
        bytes32 capsulesCidHash = _cidHashOf(registration.capsulesCid);
        uint64 deadline = 0;
        if (!_isDirect(sender, signature)) {
            deadline = registration.deadline;
            bytes32 structHash = TypedStructs.hash(registration, cidHash, capsulesCidHash);
            _checkSigned(sender, structHash, deadline, signature);
        }
        _record(record, sender, contentHash, uint48(block.timestamp));
        _emitRegistered(imageId, registration, cidHash, capsulesCidHash, deadline, signature);
    }

    /// @inheritdoc IImageRegistry
    function registerBatch(Batch calldata batch, bytes calldata signature)
        external
        whenNotPaused
        returns (uint256 recorded)
    {
        address sender = batch.sender;
        Item[] calldata items = batch.items;
        uint256 count = items.length;
        if (count == 0 || count > MAX_BATCH) revert BatchLength(count);

        // Everything is checked before anything is written: who relays what is refused pays for no writes.
        bytes32[] memory hashes = new bytes32[](count);
        bytes32[] memory newIds = new bytes32[](count);
        uint256 skipped = 0;
        for (uint256 i = 0; i < count; i++) {
            Item calldata item = items[i];
            hashes[i] = TypedStructs.hash(item);
            bytes32 imageId = _newIdOf(sender, item);
            newIds[i] = imageId;
            if (imageId == 0) skipped |= 1 << i;
            else recorded++;
        }
        if (recorded == 0) return 0;
        bytes32 itemsHash = keccak256(abi.encodePacked(hashes));
        uint64 deadline = 0;
        if (!_isDirect(sender, signature)) {
            deadline = batch.deadline;
            _checkSigned(sender, TypedStructs.hashBatch(sender, itemsHash, deadline), deadline, signature);
        }

        for (uint256 i = 0; i < count; i++) {
            if (newIds[i] == 0) continue;
            // Checked above, but for an item that stands twice in one batch.
            if (!_recordItem(newIds[i], sender, items[i])) (skipped, recorded) = (skipped | (1 << i), recorded - 1);
        }
        bytes32 recordedHash = skipped == 0 ? itemsHash : _recordedHash(hashes, skipped);
        _emitBatchRegistered(sender, count, skipped, itemsHash, recordedHash, deadline, signature);
    }

    /// @inheritdoc IImageRegistry
    function imageIdOf(address sender, bytes32 salt) public view returns (bytes32 imageId) {
        return keccak256(abi.encode(block.chainid, address(this), sender, salt));
    }

    /// @inheritdoc IImageRegistry
    function recordOf(bytes32 imageId) external view returns (Record memory record) {
        return _records[imageId];
    }

    // ---- for the other parts ----

    /// @dev Whether the record is there already; one with other content is a conflict.
    function _isRecorded(Record storage record, bytes32 imageId, bytes32 contentHash) internal view returns (bool) {
        bytes32 recorded = record.contentHash;
        if (recorded == 0) return false;
        if (recorded != contentHash) revert RecordConflict(imageId);
        return true;
    }

    function _record(Record storage record, address sender, bytes32 contentHash, uint48 registeredAt) internal {
        record.contentHash = contentHash;
        record.sender = sender;
        record.registeredAt = registeredAt;
        record.state = RecordState.Registered;
    }

    /// @dev The record of an image that is there. Asks the slot that whoever changes a record reads anyway.
    function _existing(bytes32 imageId) internal view returns (Record storage record) {
        record = _records[imageId];
        if (record.sender == address(0)) revert UnknownImage(imageId);
    }

    function _checkFields(address sender, bytes32 contentHash, bytes32 headerHash, bytes32 capsulesHash, uint64 size)
        internal
        pure
    {
        if (sender == address(0)) revert ZeroAddress();
        if (contentHash == 0 || headerHash == 0 || capsulesHash == 0) revert ZeroHash();
        if (size == 0) revert ZeroSize();
    }

    /// @dev keccak256 of a CID of allowed length.
    function _cidHashOf(bytes calldata cid) internal pure returns (bytes32) {
        if (cid.length > MAX_CID_BYTES) revert CidLength(cid.length);
        return _hashOf(cid);
    }

    // ---- batches ----

    /// @dev The id of an item that is to be recorded, checked; zero for one that is recorded already.
    function _newIdOf(address sender, Item calldata item) private view returns (bytes32 imageId) {
        bytes32 contentHash = item.contentHash;
        imageId = imageIdOf(sender, item.salt);
        if (_isRecorded(_records[imageId], imageId, contentHash)) return 0;
        uint64 size = item.size;
        _checkFields(sender, contentHash, item.headerHash, item.capsulesHash, size);
        if (size > BLOCK_BYTES) revert NotOneBlock(size);
    }

    /// @dev Records an item, unless it is recorded already; returns whether it did.
    function _recordItem(bytes32 imageId, address sender, Item calldata item) private returns (bool) {
        bytes32 contentHash = item.contentHash;
        Record storage record = _records[imageId];
        if (_isRecorded(record, imageId, contentHash)) return false;
        _record(record, sender, contentHash, uint48(block.timestamp));
        emit RegisteredInBatch(imageId, sender, item.salt, contentHash, item.headerHash, item.capsulesHash, item.size);
        return true;
    }

    /// @dev keccak256 of the hashes, with zero for each item that was skipped.
    function _recordedHash(bytes32[] memory hashes, uint256 skipped) private pure returns (bytes32) {
        for (uint256 i = 0; skipped >> i != 0; i++) {
            if ((skipped >> i) & 1 == 1) hashes[i] = 0;
        }
        return keccak256(abi.encodePacked(hashes));
    }

    // ---- events ----

    function _emitBatchRegistered(
        address sender,
        uint256 count,
        uint256 skipped,
        bytes32 itemsHash,
        bytes32 recordedHash,
        uint64 deadline,
        bytes calldata signature
    ) private {
        bytes32 trail = _append(
            BatchRegistered.selector,
            abi.encode(sender, count, skipped, itemsHash, recordedHash, deadline, _hashOf(signature))
        );
        emit BatchRegistered(sender, count, skipped, itemsHash, recordedHash, deadline, signature, trail);
    }

    function _emitRegistered(
        bytes32 imageId,
        Registration calldata registration,
        bytes32 cidHash,
        bytes32 capsulesCidHash,
        uint64 deadline,
        bytes calldata signature
    ) private {
        bytes32 trail = _append(
            Registered.selector,
            abi.encode(
                imageId,
                registration.sender,
                registration.salt,
                registration.contentHash,
                registration.headerHash,
                registration.size,
                cidHash,
                registration.capsulesHash,
                capsulesCidHash,
                deadline,
                _hashOf(signature)
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
            deadline,
            signature,
            trail
        );
    }
}

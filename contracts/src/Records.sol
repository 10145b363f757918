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
        imageId = imageIdOf(sender, registration.salt);
        if (_isRecorded(imageId, registration.contentHash)) return imageId;
        _checkFields(
            sender, registration.contentHash, registration.headerHash, registration.capsulesHash, registration.size
        );
        bytes32 cidHash = _checkedCidHash(registration.cid);
        bytes32 capsulesCidHash = _checkedCidHash(registration.capsulesCid);
        if (!_isDirect(sender, signature)) {
            bytes32 structHash = TypedStructs.hash(registration, cidHash, capsulesCidHash);
            _checkSigned(sender, structHash, registration.deadline, signature);
        }
        _record(imageId, sender, registration.contentHash, uint48(block.timestamp));
        _emitRegistered(imageId, registration, cidHash, capsulesCidHash, signature);
    }

    /// @inheritdoc IImageRegistry
    function registerBatch(Batch calldata batch, bytes calldata signature)
        external
        whenNotPaused
        returns (uint256 recorded)
    {
        uint256 count = batch.items.length;
        if (count == 0 || count > MAX_BATCH) revert BatchLength(count);
        bytes32[] memory hashes = new bytes32[](count);
        uint256 skipped = 0;
        for (uint256 i = 0; i < count; i++) {
            Item calldata item = batch.items[i];
            hashes[i] = TypedStructs.hash(item);
            if (_recordItem(batch.sender, item)) recorded++;
            else skipped |= 1 << i;
        }
        if (recorded == 0) return 0;

        bytes32 itemsHash = keccak256(abi.encodePacked(hashes));
        if (!_isDirect(batch.sender, signature)) {
            _checkSigned(batch.sender, TypedStructs.hash(batch, itemsHash), batch.deadline, signature);
        }
        _emitBatchRegistered(batch, itemsHash, _recordedHash(hashes, skipped), skipped, signature);
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
    function _isRecorded(bytes32 imageId, bytes32 contentHash) internal view returns (bool) {
        bytes32 recorded = _records[imageId].contentHash;
        if (recorded != 0 && recorded != contentHash) revert RecordConflict(imageId);
        return recorded != 0;
    }

    function _record(bytes32 imageId, address sender, bytes32 contentHash, uint48 registeredAt) internal {
        Record storage record = _records[imageId];
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

    /// @dev keccak256 of a CID, which is empty where it stands for the hash beside it: that one costs no copy.
    function _checkedCidHash(bytes calldata cid) internal pure returns (bytes32) {
        if (cid.length > MAX_CID_BYTES) revert CidLength(cid.length);
        return cid.length == 0 ? keccak256("") : keccak256(cid);
    }

    // ---- batches ----

    /// @dev Records an item, unless it is recorded already; returns whether it did. The caller checks the signature.
    function _recordItem(address sender, Item calldata item) private returns (bool) {
        bytes32 imageId = imageIdOf(sender, item.salt);
        if (_isRecorded(imageId, item.contentHash)) return false;
        _checkFields(sender, item.contentHash, item.headerHash, item.capsulesHash, item.size);
        if (item.size > BLOCK_BYTES) revert NotOneBlock(item.size);
        _record(imageId, sender, item.contentHash, uint48(block.timestamp));
        emit RegisteredInBatch(
            imageId, sender, item.salt, item.contentHash, item.headerHash, item.capsulesHash, item.size
        );
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
        Batch calldata batch,
        bytes32 itemsHash,
        bytes32 recordedHash,
        uint256 skipped,
        bytes calldata signature
    ) private {
        bytes32 trail = _append(
            BatchRegistered.selector,
            abi.encode(
                batch.sender, batch.items.length, skipped, itemsHash, recordedHash, batch.deadline, keccak256(signature)
            )
        );
        emit BatchRegistered(
            batch.sender, batch.items.length, skipped, itemsHash, recordedHash, batch.deadline, signature, trail
        );
    }

    function _emitRegistered(
        bytes32 imageId,
        Registration calldata registration,
        bytes32 cidHash,
        bytes32 capsulesCidHash,
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
                registration.deadline,
                keccak256(signature)
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
            trail
        );
    }
}

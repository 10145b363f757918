// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {IImageRegistry} from "./IImageRegistry.sol";
import {Records} from "./Records.sol";
import {TypedStructs} from "./TypedStructs.sol";

/// @title Anchors: a Merkle root for many images, and records made from its leaves
abstract contract Anchors is Records {
    mapping(address sender => mapping(bytes32 root => AnchorRecord)) private _anchors;

    /// @inheritdoc IImageRegistry
    function anchor(Anchor calldata anchor_, bytes calldata signature) external whenNotPaused {
        address sender = anchor_.sender;
        bytes32 root = anchor_.root;
        uint32 count = anchor_.count;
        AnchorRecord storage anchored = _anchors[sender][root];
        uint32 anchoredCount = anchored.count;
        if (anchoredCount != 0) {
            if (anchoredCount != count) revert AnchorConflict(sender, root);
            return;
        }
        if (sender == address(0)) revert ZeroAddress();
        bytes32 cidHash = _listCidHashOf(root, count, anchor_.leavesCid);
        uint64 deadline = 0;
        if (!_isDirect(sender, signature)) {
            deadline = anchor_.deadline;
            _checkSigned(sender, TypedStructs.hash(anchor_, cidHash), deadline, signature);
        }
        anchored.count = count;
        anchored.anchoredAt = uint48(block.timestamp);
        bytes32 trail =
            _append(Anchored.selector, abi.encode(sender, root, count, cidHash, deadline, _hashOf(signature)));
        emit Anchored(sender, root, count, anchor_.leavesCid, deadline, signature, trail);
    }

    /// @inheritdoc IImageRegistry
    function materialize(address sender, bytes32 root, Leaf calldata leaf, bytes32[] calldata proof)
        external
        whenNotPaused
        returns (bytes32 imageId)
    {
        AnchorRecord memory anchored = _existingAnchor(sender, root);
        (bytes32 leafHash, bytes32 cidHash) = _leafHashOf(sender, leaf, proof, anchored.count);
        if (!MerkleProof.verifyCalldata(proof, root, leafHash)) revert InvalidProof(root, leafHash);
        imageId = imageIdOf(sender, leaf.salt);
        Record storage record = _records[imageId];
        if (_isRecorded(record, imageId, leaf.contentHash)) return imageId;
        _record(record, sender, leaf.contentHash, anchored.anchoredAt);
        _emitMaterialized(imageId, sender, root, leaf, cidHash);
    }

    /// @inheritdoc IImageRegistry
    function verifyLeaf(address sender, bytes32 root, Leaf calldata leaf, bytes32[] calldata proof)
        external
        view
        returns (bool valid)
    {
        (bytes32 leafHash,) = _leafHashOf(sender, leaf, proof, _existingAnchor(sender, root).count);
        bytes32 recorded = _records[imageIdOf(sender, leaf.salt)].contentHash;
        if (recorded != 0 && recorded != leaf.contentHash) return false;
        return MerkleProof.verifyCalldata(proof, root, leafHash);
    }

    /// @inheritdoc IImageRegistry
    function anchorOf(address sender, bytes32 root) external view returns (AnchorRecord memory anchored) {
        return _anchors[sender][root];
    }

    /// @dev keccak256 of the CID of an anchor's list, of leaves or of capsules, once root, count and CID are checked.
    function _listCidHashOf(bytes32 root, uint32 count, bytes calldata cid) internal pure returns (bytes32 cidHash) {
        if (root == 0) revert ZeroHash();
        if (count == 0) revert ZeroCount();
        if (cid.length == 0) revert CidLength(0);
        return _cidHashOf(cid);
    }

    function _existingAnchor(address sender, bytes32 root) private view returns (AnchorRecord memory anchored) {
        anchored = _anchors[sender][root];
        if (anchored.count == 0) revert UnknownAnchor(sender, root);
    }

    /// @dev The hash of a leaf that may become a record, and that of its CID; the proof may be as long as `count`
    /// allows. Hashed twice: no inner node of a tree, 64 bytes hashed once, can pass for a leaf.
    function _leafHashOf(address sender, Leaf calldata leaf, bytes32[] calldata proof, uint32 count)
        private
        pure
        returns (bytes32 leafHash, bytes32 cidHash)
    {
        // A tree of `count` leaves has as many levels below its root as make room for them: 0 for 1, 1 for 2, 2 for 3.
        if (proof.length > 32 || (uint256(1) << proof.length) >> 1 >= count) revert ProofLength(proof.length);
        bytes32 contentHash = leaf.contentHash;
        bytes32 capsulesHash = leaf.capsulesHash;
        bytes32 headerHash = leaf.headerHash;
        uint64 size = leaf.size;
        _checkFields(sender, contentHash, headerHash, capsulesHash, size);
        cidHash = _cidHashOf(leaf.cid);
        bytes32 inner = keccak256(abi.encode(leaf.salt, contentHash, cidHash, capsulesHash, headerHash, size));
        leafHash = keccak256(abi.encode(inner));
    }

    function _emitMaterialized(bytes32 imageId, address sender, bytes32 root, Leaf calldata leaf, bytes32 cidHash)
        private
    {
        bytes32 trail = _append(
            Materialized.selector,
            abi.encode(
                imageId,
                sender,
                root,
                leaf.salt,
                leaf.contentHash,
                leaf.headerHash,
                leaf.size,
                cidHash,
                leaf.capsulesHash
            )
        );
        emit Materialized(
            imageId,
            sender,
            root,
            leaf.salt,
            leaf.contentHash,
            leaf.headerHash,
            leaf.size,
            leaf.cid,
            leaf.capsulesHash,
            trail
        );
    }
}

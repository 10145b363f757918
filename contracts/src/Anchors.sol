// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {IImageRegistry} from "./IImageRegistry.sol";
import {Records} from "./Records.sol";
import {TypedStructs} from "./TypedStructs.sol";

/// @title Anchors: a Merkle root for many images, and records made from its leaves
abstract contract Anchors is Records {
    uint256 private constant MAX_PROOF = 32;

    mapping(address sender => mapping(bytes32 root => AnchorRecord)) private _anchors;

    /// @inheritdoc IImageRegistry
    function anchor(Anchor calldata anchor_, bytes calldata signature) external whenNotPaused {
        address sender = anchor_.sender;
        uint32 anchored = _anchors[sender][anchor_.root].count;
        if (anchored != 0) {
            if (anchored != anchor_.count) revert AnchorConflict(sender, anchor_.root);
            return;
        }
        if (sender == address(0)) revert ZeroAddress();
        bytes32 cidHash = _checkAnchor(anchor_.root, anchor_.count, anchor_.leavesCid);
        if (!_isDirect(sender, signature)) {
            _checkSigned(sender, TypedStructs.hash(anchor_, cidHash), anchor_.deadline, signature);
        }
        _anchors[sender][anchor_.root] = AnchorRecord({count: anchor_.count, anchoredAt: uint48(block.timestamp)});
        bytes32 trail = _append(
            Anchored.selector,
            abi.encode(sender, anchor_.root, anchor_.count, cidHash, anchor_.deadline, keccak256(signature))
        );
        emit Anchored(sender, anchor_.root, anchor_.count, anchor_.leavesCid, anchor_.deadline, signature, trail);
    }

    /// @inheritdoc IImageRegistry
    function materialize(address sender, bytes32 root, Leaf calldata leaf, bytes32[] calldata proof)
        external
        whenNotPaused
        returns (bytes32 imageId)
    {
        imageId = imageIdOf(sender, leaf.salt);
        AnchorRecord memory anchored = _existingAnchor(sender, root);
        if (!_isLeaf(root, leaf, proof)) revert InvalidProof(root, _leafHash(leaf));
        if (_isRecorded(imageId, leaf.contentHash)) return imageId;
        _checkFields(sender, leaf.contentHash, leaf.headerHash, leaf.capsulesHash, leaf.size);
        _checkedCidHash(leaf.cid);
        _record(imageId, sender, leaf.contentHash, anchored.anchoredAt);
        _emitMaterialized(imageId, sender, root, leaf);
    }

    /// @inheritdoc IImageRegistry
    function verifyLeaf(address sender, bytes32 root, Leaf calldata leaf, bytes32[] calldata proof)
        external
        view
        returns (bool valid)
    {
        _existingAnchor(sender, root);
        bytes32 recorded = _records[imageIdOf(sender, leaf.salt)].contentHash;
        if (recorded != 0 && recorded != leaf.contentHash) return false;
        return _isLeaf(root, leaf, proof);
    }

    /// @inheritdoc IImageRegistry
    function anchorOf(address sender, bytes32 root) external view returns (AnchorRecord memory anchored) {
        return _anchors[sender][root];
    }

    /// @dev What an anchor of leaves and one of capsules have in common; returns keccak256 of the CID.
    function _checkAnchor(bytes32 root, uint32 count, bytes calldata cid) internal pure returns (bytes32 cidHash) {
        if (root == 0) revert ZeroHash();
        if (count == 0) revert ZeroCount();
        if (cid.length == 0) revert CidLength(0);
        return _checkedCidHash(cid);
    }

    function _existingAnchor(address sender, bytes32 root) private view returns (AnchorRecord memory anchored) {
        anchored = _anchors[sender][root];
        if (anchored.count == 0) revert UnknownAnchor(sender, root);
    }

    function _isLeaf(bytes32 root, Leaf calldata leaf, bytes32[] calldata proof) private pure returns (bool) {
        if (proof.length > MAX_PROOF) revert ProofLength(proof.length);
        return MerkleProof.verifyCalldata(proof, root, _leafHash(leaf));
    }

    /// @dev Hashed twice: no inner node of a tree, 64 bytes hashed once, can pass for a leaf.
    function _leafHash(Leaf calldata leaf) private pure returns (bytes32) {
        return keccak256(
            bytes.concat(
                keccak256(
                    abi.encode(
                        leaf.salt, leaf.contentHash, keccak256(leaf.cid), leaf.capsulesHash, leaf.headerHash, leaf.size
                    )
                )
            )
        );
    }

    function _emitMaterialized(bytes32 imageId, address sender, bytes32 root, Leaf calldata leaf) private {
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
                keccak256(leaf.cid),
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

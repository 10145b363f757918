// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {Base} from "./Base.sol";
import {MerkleTree} from "./MerkleTree.sol";

/// @notice Anchored trees of sample leaves.
abstract contract AnchoredBase is Base {
    function sampleLeaf(uint256 number) internal pure returns (IImageRegistry.Leaf memory leaf) {
        leaf.salt = keccak256(abi.encode("leaf salt", number));
        leaf.contentHash = keccak256(abi.encode("leaf content", number));
        leaf.cid = bytes.concat(hex"01551220", leaf.contentHash);
        leaf.capsulesHash = keccak256(abi.encode("leaf capsules", number));
        leaf.headerHash = keccak256(abi.encode("leaf header", number));
        // forge-lint: disable-next-line(unsafe-typecast)
        leaf.size = uint64(2_000_000 + number);
    }

    /// @dev The tree over sample leaves 0 to `count - 1`.
    function sampleTree(uint256 count) internal pure returns (bytes32[] memory tree) {
        bytes32[] memory leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; i++) {
            leaves[i] = MerkleTree.leafHash(sampleLeaf(i));
        }
        return MerkleTree.build(leaves);
    }

    function proofOf(bytes32[] memory tree, uint256 number) internal pure returns (bytes32[] memory) {
        return MerkleTree.proofOf(tree, MerkleTree.nodeOf(tree, number));
    }

    function anchorRoot(bytes32 root, uint256 count) internal {
        // forge-lint: disable-next-line(unsafe-typecast)
        IImageRegistry.Anchor memory anchor = IImageRegistry.Anchor(sender, root, uint32(count), CID, 0);
        does(sender, abi.encodeCall(registry.anchor, (anchor, "")));
    }

    /// @dev Anchors the tree over sample leaves 0 to `count - 1`.
    function anchorTree(uint256 count) internal returns (bytes32[] memory tree) {
        tree = sampleTree(count);
        anchorRoot(tree[0], count);
    }

    function materialization(bytes32 root, IImageRegistry.Leaf memory leaf, bytes32[] memory proof)
        internal
        view
        returns (bytes memory)
    {
        return abi.encodeCall(registry.materialize, (sender, root, leaf, proof));
    }

    function invalidProof(bytes32 root, IImageRegistry.Leaf memory leaf) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IImageRegistry.InvalidProof.selector, root, MerkleTree.leafHash(leaf));
    }
}

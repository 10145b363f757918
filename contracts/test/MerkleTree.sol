// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";

/// @notice Merkle trees as `@openzeppelin/merkle-tree` builds its standard tree, without OpenZeppelin's Solidity code.
library MerkleTree {
    function leafHash(IImageRegistry.Leaf memory leaf) internal pure returns (bytes32) {
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

    /// @dev The tree as an array: the root first, the children of node i at 2i + 1 and 2i + 2, the leaves last, the first of them at the very end.
    function build(bytes32[] memory leaves) internal pure returns (bytes32[] memory tree) {
        tree = new bytes32[](2 * leaves.length - 1);
        for (uint256 i = 0; i < leaves.length; i++) {
            tree[tree.length - 1 - i] = leaves[i];
        }
        for (uint256 i = tree.length - leaves.length; i > 0; i--) {
            tree[i - 1] = pair(tree[2 * i - 1], tree[2 * i]);
        }
    }

    /// @dev The siblings of a node of the tree, from it up.
    function proofOf(bytes32[] memory tree, uint256 node) internal pure returns (bytes32[] memory proof) {
        uint256 depth = 0;
        for (uint256 i = node; i > 0; i = (i - 1) / 2) {
            depth++;
        }
        proof = new bytes32[](depth);
        uint256 index = node;
        for (uint256 i = 0; i < depth; i++) {
            proof[i] = tree[index % 2 == 0 ? index - 1 : index + 1];
            index = (index - 1) / 2;
        }
    }

    /// @dev Where leaf `number` stands in the tree.
    function nodeOf(bytes32[] memory tree, uint256 number) internal pure returns (uint256) {
        return tree.length - 1 - number;
    }

    function pair(bytes32 a, bytes32 b) internal pure returns (bytes32) {
        return a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
    }
}

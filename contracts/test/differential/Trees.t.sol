// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../../src/IImageRegistry.sol";
import {Cases} from "./Cases.sol";

/// @notice Merkle trees of random leaves: roots and proofs that @openzeppelin/merkle-tree made are those that come out here, and the contract takes them.
contract TreesTest is Cases {
    struct Tree {
        address sender;
        uint256 first;
        uint32 count;
        bytes32 root;
    }

    struct Proof {
        uint256 tree;
        uint256 leaf;
        bytes32 leafHash;
        bytes32[] proof;
    }

    IImageRegistry.Leaf[] private _pool;
    bytes32[] private _hashes;

    function setUp() public override {
        super.setUp();
        _pool = abi.decode(file("Leaf"), (IImageRegistry.Leaf[]));
        for (uint256 i = 0; i < _pool.length; i++) {
            _hashes.push(leafHash(_pool[i]));
        }
    }

    function test_RootsOf1To257Leaves() public {
        Tree[] memory trees = abi.decode(file("Tree"), (Tree[]));
        for (uint256 i = 0; i < trees.length; i++) {
            same(i + 1, trees[i].count);
            same(trees[i].root, rootOf(trees[i].first, trees[i].count));
        }
        compared("Root", trees.length, 257);
    }

    /// @dev The contract takes each proof, with the leaf's own hash and no other, and makes the record.
    function test_Proofs() public {
        Tree[] memory trees = abi.decode(file("Tree"), (Tree[]));
        for (uint256 i = 0; i < trees.length; i++) {
            vm.prank(trees[i].sender);
            registry.anchor(
                IImageRegistry.Anchor(trees[i].sender, trees[i].root, trees[i].count, "the list of leaves", 0), ""
            );
        }
        Proof[] memory proofs = abi.decode(file("Proof"), (Proof[]));
        for (uint256 i = 0; i < proofs.length; i++) {
            same(proofs[i].leafHash, _hashes[proofs[i].leaf]);
            Tree memory tree = trees[proofs[i].tree];
            isProven(tree.sender, tree.root, _pool[proofs[i].leaf], proofs[i].proof);
        }
        compared("Proof", proofs.length, 1000);
    }

    function isProven(address sender, bytes32 root, IImageRegistry.Leaf memory leaf, bytes32[] memory proof) private {
        holds(registry.verifyLeaf(sender, root, leaf, proof), "the proof holds");
        leaf.salt ^= bytes32(uint256(1));
        holds(!registry.verifyLeaf(sender, root, leaf, proof), "of no other leaf");
        leaf.salt ^= bytes32(uint256(1));
        bytes32 imageId = registry.materialize(sender, root, leaf, proof);
        same(leaf.contentHash, registry.recordOf(imageId).contentHash);
    }

    function leafHash(IImageRegistry.Leaf memory leaf) private pure returns (bytes32) {
        bytes memory fields = bytes.concat(leaf.salt, leaf.contentHash, keccak256(leaf.cid));
        fields = bytes.concat(fields, leaf.capsulesHash, leaf.headerHash, bytes32(uint256(leaf.size)));
        return keccak256(bytes.concat(keccak256(fields)));
    }

    /// @dev Root of the tree whose leaves are `count` hashes from `first` on: sorted, in a complete binary tree in an array, the leaves backwards at its end.
    function rootOf(uint256 first, uint256 count) private view returns (bytes32) {
        uint256[] memory leaves = new uint256[](count);
        for (uint256 i = 0; i < count; i++) {
            leaves[i] = uint256(_hashes[first + i]);
        }
        leaves = _VM.sort(leaves);
        uint256[] memory nodes = new uint256[](2 * count - 1);
        for (uint256 i = 0; i < count; i++) {
            nodes[nodes.length - 1 - i] = leaves[i];
        }
        for (uint256 i = count - 1; i > 0; i--) {
            (uint256 left, uint256 right) = (nodes[2 * i - 1], nodes[2 * i]);
            nodes[i - 1] = uint256(keccak256(left < right ? abi.encode(left, right) : abi.encode(right, left)));
        }
        return bytes32(nodes[0]);
    }
}

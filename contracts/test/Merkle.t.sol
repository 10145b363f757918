// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {AnchoredBase} from "./AnchoredBase.sol";
import {MerkleTree} from "./MerkleTree.sol";

/// @notice Which leaves an anchor's root proves: all of its own, and nothing else.
contract MerkleTest is AnchoredBase {
    function test_EveryTreeOf1To257LeavesProvesItsFirstMiddleAndLastLeaf() public {
        bytes32[] memory leaves = new bytes32[](257);
        for (uint256 i = 0; i < 257; i++) {
            leaves[i] = MerkleTree.leafHash(sampleLeaf(i));
        }
        for (uint256 count = 1; count <= 257; count++) {
            bytes32[] memory some = new bytes32[](count);
            for (uint256 i = 0; i < count; i++) {
                some[i] = leaves[i];
            }
            bytes32[] memory tree = MerkleTree.build(some);
            anchorRoot(tree[0], count);
            uint256[3] memory numbers = [0, count / 2, count - 1];
            for (uint256 i = 0; i < 3; i++) {
                holds(proves(tree, sampleLeaf(numbers[i]), proofOf(tree, numbers[i])), "a leaf of the tree");
            }
        }
    }

    function test_ATreeOf257LeavesProvesEveryLeaf() public {
        bytes32[] memory tree = anchorTree(257);
        for (uint256 i = 0; i < 257; i++) {
            holds(proves(tree, sampleLeaf(i), proofOf(tree, i)), "a leaf of the tree");
        }
        holds(!proves(tree, sampleLeaf(257), proofOf(tree, 256)), "not a leaf");
    }

    /// @dev The 64 bytes of an inner node are no leaf: a leaf's preimage is 32 bytes, itself a hash of 192.
    function test_NoInnerNodePassesForALeaf() public {
        bytes32[] memory tree = anchorTree(7);
        for (uint256 node = 0; node < 6; node++) {
            IImageRegistry.Leaf memory leaf;
            (leaf.salt, leaf.contentHash) = (tree[2 * node + 1], tree[2 * node + 2]);
            if (leaf.salt > leaf.contentHash) (leaf.salt, leaf.contentHash) = (leaf.contentHash, leaf.salt);
            (leaf.capsulesHash, leaf.headerHash, leaf.size) = (ROOT, ROOT, 1);
            bytes32[] memory proof = MerkleTree.proofOf(tree, node);
            holds(!proves(tree, leaf, proof), "an inner node");
            refused(stranger, materialization(tree[0], leaf, proof), invalidProof(tree[0], leaf));
        }
    }

    function test_RevertWhen_TheLeafWasHashedOnce() public {
        IImageRegistry.Leaf memory leaf = sampleLeaf(0);
        bytes32 once = keccak256(
            abi.encode(leaf.salt, leaf.contentHash, keccak256(leaf.cid), leaf.capsulesHash, leaf.headerHash, leaf.size)
        );
        anchorRoot(once, 1);
        refused(stranger, materialization(once, leaf, new bytes32[](0)), invalidProof(once, leaf));
    }

    function test_AProofInAnotherOrderIsNone() public {
        bytes32[] memory tree = anchorTree(8);
        bytes32[] memory proof = proofOf(tree, 3);
        (proof[0], proof[2]) = (proof[2], proof[0]);
        holds(!proves(tree, sampleLeaf(3), proof), "another order");
    }

    function test_TheSameLeafTwiceIsOneImage() public {
        bytes32[] memory leaves = new bytes32[](2);
        leaves[0] = MerkleTree.leafHash(sampleLeaf(0));
        leaves[1] = leaves[0];
        bytes32[] memory tree = MerkleTree.build(leaves);
        anchorRoot(tree[0], 2);
        does(stranger, materialization(tree[0], sampleLeaf(0), proofOf(tree, 0)));
        idle(stranger, materialization(tree[0], sampleLeaf(0), proofOf(tree, 1)));
    }

    function test_TwoLeavesOfOneImageConflict() public {
        IImageRegistry.Leaf memory other = sampleLeaf(1);
        other.salt = sampleLeaf(0).salt;
        bytes32[] memory leaves = new bytes32[](2);
        (leaves[0], leaves[1]) = (MerkleTree.leafHash(sampleLeaf(0)), MerkleTree.leafHash(other));
        bytes32[] memory tree = MerkleTree.build(leaves);
        anchorRoot(tree[0], 2);
        does(stranger, materialization(tree[0], sampleLeaf(0), proofOf(tree, 0)));
        bytes32 imageId = registry.imageIdOf(sender, other.salt);
        bytes memory conflict = abi.encodeWithSelector(IImageRegistry.RecordConflict.selector, imageId);
        refused(stranger, materialization(tree[0], other, proofOf(tree, 1)), conflict);
        holds(!proves(tree, other, proofOf(tree, 1)), "overridden");
    }

    function testFuzz_ATreeProvesItsOwnLeavesOnly(uint256 count, uint256 number, uint256 stray) public {
        count = within(count, 1, 20);
        number = within(number, 0, count - 1);
        bytes32[] memory tree = anchorTree(count);
        bytes32[] memory proof = proofOf(tree, number);
        holds(proves(tree, sampleLeaf(number), proof), "its own");
        stray = within(stray, 0, 40);
        if (stray != number) holds(!proves(tree, sampleLeaf(stray), proof), "another leaf");
    }

    function testFuzz_RevertWhen_OneBitOfAProofIsFlipped(uint256 number, uint256 bit) public {
        number = within(number, 0, 8);
        bytes32[] memory tree = anchorTree(9);
        bytes32[] memory proof = proofOf(tree, number);
        bit = within(bit, 0, proof.length * 256 - 1);
        proof[bit / 256] ^= bytes32(uint256(1) << (bit % 256));
        holds(!proves(tree, sampleLeaf(number), proof), "flipped");
        refused(
            stranger, materialization(tree[0], sampleLeaf(number), proof), invalidProof(tree[0], sampleLeaf(number))
        );
    }

    function testFuzz_RevertWhen_OneFieldOfALeafIsChanged(uint256 field, uint256 change) public {
        bytes32[] memory tree = anchorTree(5);
        IImageRegistry.Leaf memory leaf = sampleLeaf(2);
        bytes32 mask = bytes32(within(change, 1, type(uint256).max));
        field = within(field, 0, 5);
        if (field == 0) leaf.salt ^= mask;
        else if (field == 1) leaf.contentHash ^= mask;
        else if (field == 2) leaf.cid = abi.encode(mask);
        else if (field == 3) leaf.capsulesHash ^= mask;
        else if (field == 4) leaf.headerHash ^= mask;
        else leaf.size ^= uint64(within(change, 1, type(uint64).max));
        holds(!proves(tree, leaf, proofOf(tree, 2)), "changed");
        refused(stranger, materialization(tree[0], leaf, proofOf(tree, 2)), invalidProof(tree[0], leaf));
    }

    function testFuzz_NoInnerNodePassesForALeaf(uint256 count, uint256 node) public {
        count = within(count, 2, 16);
        bytes32[] memory tree = anchorTree(count);
        node = within(node, 0, count - 2);
        IImageRegistry.Leaf memory leaf;
        (leaf.salt, leaf.contentHash) = (tree[2 * node + 1], tree[2 * node + 2]);
        (leaf.capsulesHash, leaf.headerHash, leaf.size) = (ROOT, ROOT, 1);
        holds(!proves(tree, leaf, MerkleTree.proofOf(tree, node)), "an inner node");
    }

    function proves(bytes32[] memory tree, IImageRegistry.Leaf memory leaf, bytes32[] memory proof)
        private
        view
        returns (bool)
    {
        return registry.verifyLeaf(sender, tree[0], leaf, proof);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../../src/IImageRegistry.sol";
import {MerkleTree} from "../MerkleTree.sol";
import {TypedData} from "../TypedData.sol";
import {RecordActions} from "./RecordActions.sol";

/// @notice Actions on anchors of four leaves, and on the records made from them.
abstract contract AnchorActions is RecordActions {
    uint256 private constant LEAVES = 4;

    struct Tree {
        address sender;
        bytes32 root;
        bytes32 seed;
    }

    Tree[] private _trees;

    function anchor(uint256 who) external tick {
        onlyIf(!isPaused());
        anchorNew(who);
    }

    function anchorFor(uint256 who) external tick {
        onlyIf(!isPaused());
        Tree memory tree = grow(who);
        IImageRegistry.Anchor memory anchored = anchorOf(tree);
        bytes memory signature = signed(tree.sender, TypedData.structHash(anchored));
        relay(abi.encodeCall(registry.anchor, (anchored, signature)));
    }

    function anchorAgain(uint256 who, bytes calldata noSignature) external tick {
        onlyIf(!isPaused());
        IImageRegistry.Anchor memory anchored = anchorOf(anyTree(who));
        sendInVain(relayers(who), abi.encodeCall(registry.anchor, (anchored, noSignature)));
    }

    function anchorOtherCount(uint256 who) external tick {
        onlyIf(!isPaused());
        Tree memory tree = anyTree(who);
        IImageRegistry.Anchor memory anchored = anchorOf(tree);
        anchored.count++;
        bytes memory data = abi.encodeCall(registry.anchor, (anchored, ""));
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.AnchorConflict.selector, tree.sender, tree.root);
        refuse(tree.sender, data, expected);
    }

    /// @dev The first leaf, from `which` on, that is no record on this chain.
    function materialize(uint256 who, uint256 which) external tick {
        onlyIf(!isPaused());
        Tree memory tree = anyTree(who);
        uint256 i = 0;
        while (i < LEAVES && contentOf[idOf(tree.sender, leaf(tree, (which % LEAVES + i) % LEAVES).salt)] != 0) i++;
        if (i == LEAVES) (tree, i) = (anchorNew(who), 0);
        makeRecord(tree, (which % LEAVES + i) % LEAVES);
    }

    function materializeAgain(uint256 who, uint256 which) external tick {
        onlyIf(!isPaused());
        Tree memory tree = anyTree(who);
        IImageRegistry.Leaf memory found = leaf(tree, which % LEAVES);
        if (contentOf[idOf(tree.sender, found.salt)] == 0) makeRecord(tree, which % LEAVES);
        sendInVain(relayers(who), materialization(tree, found, which % LEAVES));
    }

    /// @dev A leaf with another size, and a leaf for another sender.
    function materializeForged(uint256 who, uint256 which) external tick {
        onlyIf(!isPaused());
        Tree memory tree = anyTree(who);
        IImageRegistry.Leaf memory found = leaf(tree, which % LEAVES);
        found.size++;
        bytes memory expected =
            abi.encodeWithSelector(IImageRegistry.InvalidProof.selector, tree.root, MerkleTree.leafHash(found));
        refuse(relayers(who), materialization(tree, found, which % LEAVES), expected);
        found.size--;
        tree.sender = relayers(who);
        expected = abi.encodeWithSelector(IImageRegistry.UnknownAnchor.selector, tree.sender, tree.root);
        refuse(relayers(who), materialization(tree, found, which % LEAVES), expected);
    }

    // ---- trees ----

    function anchorNew(uint256 who) internal returns (Tree memory tree) {
        tree = grow(who);
        send(tree.sender, abi.encodeCall(registry.anchor, (anchorOf(tree), "")));
    }

    function anyTree(uint256 which) private returns (Tree memory) {
        return _trees.length == 0 ? anchorNew(which) : _trees[which % _trees.length];
    }

    function grow(uint256 who) private returns (Tree memory tree) {
        tree = Tree(senders(who), 0, freshSalt());
        tree.root = MerkleTree.pair(
            MerkleTree.pair(node(tree, 0), node(tree, 1)), MerkleTree.pair(node(tree, 2), node(tree, 3))
        );
        _trees.push(tree);
    }

    function makeRecord(Tree memory tree, uint256 i) private {
        IImageRegistry.Leaf memory found = leaf(tree, i);
        send(relayers(i), materialization(tree, found, i));
        bytes32 imageId = made(tree.sender, found.salt, found.contentHash);
        same(registry.anchorOf(tree.sender, tree.root).anchoredAt, registry.recordOf(imageId).registeredAt);
    }

    function materialization(Tree memory tree, IImageRegistry.Leaf memory found, uint256 i)
        private
        view
        returns (bytes memory)
    {
        bytes32[] memory proof = new bytes32[](2);
        proof[0] = node(tree, i ^ 1);
        proof[1] = i < 2 ? MerkleTree.pair(node(tree, 2), node(tree, 3)) : MerkleTree.pair(node(tree, 0), node(tree, 1));
        return abi.encodeCall(registry.materialize, (tree.sender, tree.root, found, proof));
    }

    function anchorOf(Tree memory tree) private view returns (IImageRegistry.Anchor memory) {
        return IImageRegistry.Anchor(tree.sender, tree.root, uint32(LEAVES), abi.encode(tree.seed), deadline());
    }

    function leaf(Tree memory tree, uint256 i) private pure returns (IImageRegistry.Leaf memory found) {
        found.salt = keccak256(abi.encode(tree.seed, i));
        found.contentHash = keccak256(abi.encode("content", i));
        found.capsulesHash = OTHER_HASH;
        found.headerHash = OTHER_HASH;
        found.size = uint64(1 + i);
    }

    function node(Tree memory tree, uint256 i) private pure returns (bytes32) {
        return MerkleTree.leafHash(leaf(tree, i));
    }
}

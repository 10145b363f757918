// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {AnchoredBase} from "./AnchoredBase.sol";
import {MerkleTree} from "./MerkleTree.sol";

/// @notice `materialize` and `verifyLeaf`: a leaf of an anchor becomes the record that the sender meant, and a record overrides a leaf.
contract MaterializeTest is AnchoredBase {
    bytes32[] private _none;

    function test_RevertWhen_TheAnchorIsUnknown() public {
        bytes32[] memory tree = anchorTree(3);
        bytes32[] memory proof = proofOf(tree, 0);
        bytes memory ofStranger = abi.encodeCall(registry.materialize, (stranger, tree[0], sampleLeaf(0), proof));
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.UnknownAnchor.selector, stranger, tree[0]);
        refused(sender, ofStranger, expected);
        ofStranger = abi.encodeCall(registry.verifyLeaf, (stranger, tree[0], sampleLeaf(0), proof));
        refused(sender, ofStranger, expected);
        expected = abi.encodeWithSelector(IImageRegistry.UnknownAnchor.selector, sender, OTHER_HASH);
        refused(sender, materialization(OTHER_HASH, sampleLeaf(0), proof), expected);
        refused(sender, abi.encodeCall(registry.verifyLeaf, (sender, OTHER_HASH, sampleLeaf(0), proof)), expected);
    }

    function test_RevertWhen_TheProofHas33Hashes() public {
        bytes32[] memory tree = anchorTree(3);
        bytes32[] memory proof = new bytes32[](33);
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.ProofLength.selector, 33);
        refused(stranger, materialization(tree[0], sampleLeaf(0), proof), expected);
        refused(stranger, abi.encodeCall(registry.verifyLeaf, (sender, tree[0], sampleLeaf(0), proof)), expected);
    }

    function test_RevertWhen_TheLeafIsNotInTheTree() public {
        bytes32[] memory tree = anchorTree(3);
        refused(
            stranger, materialization(tree[0], sampleLeaf(3), proofOf(tree, 0)), invalidProof(tree[0], sampleLeaf(3))
        );
        refused(
            stranger, materialization(tree[0], sampleLeaf(0), proofOf(tree, 1)), invalidProof(tree[0], sampleLeaf(0))
        );
        refused(stranger, materialization(tree[0], sampleLeaf(0), _none), invalidProof(tree[0], sampleLeaf(0)));
    }

    /// @dev An anchor of one leaf proved the thousandth.
    function test_RevertWhen_TheProofIsLongerThanTheCountAllows() public {
        bytes32[] memory tree = sampleTree(999);
        uint256[5] memory counts = [uint256(1), 2, 512, 513, 999];
        uint256 deep = 0;
        while (proofOf(tree, deep).length != 10) deep++;
        bytes32[] memory proof = proofOf(tree, deep);
        for (uint256 i = 0; i < counts.length; i++) {
            uint256 start = vm.snapshotState();
            anchorRoot(tree[0], counts[i]);
            bytes memory reading = abi.encodeCall(registry.verifyLeaf, (sender, tree[0], sampleLeaf(deep), proof));
            if (counts[i] <= 512) {
                bytes memory expected = abi.encodeWithSelector(IImageRegistry.ProofLength.selector, 10);
                refused(stranger, materialization(tree[0], sampleLeaf(deep), proof), expected);
                refused(stranger, reading, expected);
            } else {
                same(abi.encode(true), does(stranger, reading));
                does(stranger, materialization(tree[0], sampleLeaf(deep), proof));
            }
            holds(vm.revertToState(start), "as before");
        }
    }

    function test_RevertWhen_TheRecordHoldsOtherContent() public {
        bytes32[] memory tree = anchorTree(3);
        IImageRegistry.Registration memory registration = sample();
        registration.salt = sampleLeaf(1).salt;
        does(sender, abi.encodeCall(registry.register, (registration, "")));
        bytes32 imageId = registry.imageIdOf(sender, registration.salt);
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.RecordConflict.selector, imageId);
        refused(stranger, materialization(tree[0], sampleLeaf(1), proofOf(tree, 1)), expected);
    }

    function test_RevertWhen_AnAnchoredLeafIsAtFault() public {
        IImageRegistry.Leaf memory leaf = sampleLeaf(0);
        leaf.contentHash = 0;
        refusedAlone(leaf, abi.encodeWithSelector(IImageRegistry.ZeroHash.selector));
        leaf = sampleLeaf(0);
        leaf.headerHash = 0;
        refusedAlone(leaf, abi.encodeWithSelector(IImageRegistry.ZeroHash.selector));
        leaf = sampleLeaf(0);
        leaf.capsulesHash = 0;
        refusedAlone(leaf, abi.encodeWithSelector(IImageRegistry.ZeroHash.selector));
        leaf = sampleLeaf(0);
        leaf.size = 0;
        refusedAlone(leaf, abi.encodeWithSelector(IImageRegistry.ZeroSize.selector));
        leaf = sampleLeaf(0);
        leaf.cid = new bytes(65);
        refusedAlone(leaf, abi.encodeWithSelector(IImageRegistry.CidLength.selector, 65));
    }

    function test_RevertWhen_Paused_AlsoForTheIdenticalRecord() public {
        bytes32[] memory tree = anchorTree(3);
        does(stranger, materialization(tree[0], sampleLeaf(0), proofOf(tree, 0)));
        pauseNow();
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.RegistryPaused.selector, NOW + 7 days);
        refused(stranger, materialization(tree[0], sampleLeaf(0), proofOf(tree, 0)), expected);
        refused(stranger, materialization(tree[0], sampleLeaf(1), proofOf(tree, 1)), expected);
        holds(registry.verifyLeaf(sender, tree[0], sampleLeaf(1), proofOf(tree, 1)), "reading goes on");
    }

    function test_AnybodyMakesALeafARecord_AsOfTheAnchorsTime() public {
        bytes32[] memory tree = anchorTree(3);
        vm.warp(NOW + 30 days);
        bytes memory found = does(stranger, materialization(tree[0], sampleLeaf(2), proofOf(tree, 2)));
        bytes32 imageId = registry.imageIdOf(sender, sampleLeaf(2).salt);
        same(abi.encode(imageId), found);
        same(abi.encode(sampleLeaf(2).contentHash, sender, NOW, 1, 0), abi.encode(registry.recordOf(imageId)));
        holds(registry.verify(imageId, sampleLeaf(2).contentHash), "and is verified like any");
        holds(registry.isAuthorized(imageId, sender), "by its sender");
    }

    function test_AgainItChangesNothing() public {
        bytes32[] memory tree = anchorTree(3);
        does(stranger, materialization(tree[0], sampleLeaf(0), proofOf(tree, 0)));
        vm.warp(NOW + 1);
        idle(relayer, materialization(tree[0], sampleLeaf(0), proofOf(tree, 0)));
    }

    function test_ARecordOverridesALeaf() public {
        bytes32[] memory tree = anchorTree(3);
        holds(registry.verifyLeaf(sender, tree[0], sampleLeaf(1), proofOf(tree, 1)), "a leaf");
        IImageRegistry.Registration memory registration = sample();
        registration.salt = sampleLeaf(1).salt;
        does(sender, abi.encodeCall(registry.register, (registration, "")));
        holds(!registry.verifyLeaf(sender, tree[0], sampleLeaf(1), proofOf(tree, 1)), "the record says otherwise");
        does(stranger, materialization(tree[0], sampleLeaf(2), proofOf(tree, 2)));
        holds(registry.verifyLeaf(sender, tree[0], sampleLeaf(2), proofOf(tree, 2)), "the record says the same");
    }

    function test_ARegistrationOfALeafBeforeItIsOneStands() public {
        bytes32[] memory tree = anchorTree(3);
        IImageRegistry.Registration memory registration = sample();
        (registration.salt, registration.contentHash) = (sampleLeaf(1).salt, sampleLeaf(1).contentHash);
        vm.warp(NOW + 9);
        does(sender, abi.encodeCall(registry.register, (registration, "")));
        idle(stranger, materialization(tree[0], sampleLeaf(1), proofOf(tree, 1)));
        same(NOW + 9, registry.recordOf(registry.imageIdOf(sender, registration.salt)).registeredAt);
    }

    function test_OneImageAloneIsATreeOfItsOwn() public {
        bytes32[] memory tree = anchorTree(1);
        same(tree[0], MerkleTree.leafHash(sampleLeaf(0)));
        holds(registry.verifyLeaf(sender, tree[0], sampleLeaf(0), _none), "without siblings");
        does(stranger, materialization(tree[0], sampleLeaf(0), _none));
    }

    function test_AProofOf32HashesIsTaken() public {
        bytes32[] memory proof = new bytes32[](32);
        bytes32 root = MerkleTree.leafHash(sampleLeaf(0));
        for (uint256 i = 0; i < 32; i++) {
            proof[i] = keccak256(abi.encode(i));
            root = MerkleTree.pair(root, proof[i]);
        }
        anchorRoot(root, type(uint32).max);
        holds(registry.verifyLeaf(sender, root, sampleLeaf(0), proof), "valid");
        does(stranger, materialization(root, sampleLeaf(0), proof));
    }

    function testFuzz_ALeafBecomesTheRecordThatRegisteringMakes(IImageRegistry.Leaf memory leaf, uint32 later) public {
        leaf.contentHash |= bytes32(uint256(1));
        leaf.headerHash |= bytes32(uint256(1));
        leaf.capsulesHash |= bytes32(uint256(1));
        leaf.size |= 1;
        leaf.cid = new bytes(uint256(leaf.salt) % 65);
        anchorRoot(MerkleTree.leafHash(leaf), 1);
        uint256 start = vm.snapshotState();
        IImageRegistry.Registration memory registration = IImageRegistry.Registration(
            sender, leaf.salt, leaf.contentHash, leaf.headerHash, leaf.size, leaf.cid, leaf.capsulesHash, "", 0
        );
        bytes32 imageId = abi.decode(does(sender, abi.encodeCall(registry.register, (registration, ""))), (bytes32));
        bytes memory expected = abi.encode(registry.recordOf(imageId));
        holds(vm.revertToState(start), "as before");
        vm.warp(NOW + uint256(later));
        does(stranger, materialization(MerkleTree.leafHash(leaf), leaf, _none));
        same(expected, abi.encode(registry.recordOf(imageId)));
    }

    /// @dev Though `leaf` alone is anchored, it becomes no record.
    function refusedAlone(IImageRegistry.Leaf memory leaf, bytes memory expected) private {
        bytes32 root = MerkleTree.leafHash(leaf);
        anchorRoot(root, 1);
        refused(stranger, materialization(root, leaf, _none), expected);
        refused(stranger, abi.encodeCall(registry.verifyLeaf, (sender, root, leaf, _none)), expected);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {Auditor} from "./Auditor.sol";
import {Vm} from "./Cheats.sol";
import {MerkleTree} from "./MerkleTree.sol";
import {SignedActs} from "./SignedActs.sol";

/// @notice A registry whose events are kept from its making on, and a history with every kind of event.
abstract contract History is SignedActs {
    bytes32[] private _none;
    Auditor.Entry[] internal _entries;

    function setUp() public virtual override {
        vm.warp(NOW);
        vm.roll(100);
        vm.recordLogs();
        registry = deploy(admin, roles());
        collect();
    }

    /// @dev Every kind of event at least once, over many blocks.
    function everyKind() internal {
        registerSample();
        mine();
        images();
        mine();
        flags();
        mine();
        for (uint256 i = 0; i < ACTS; i++) {
            uint64 deadline = uint64(block.timestamp);
            does(relayer, callOf(Act(i), sender, deadline, signed(SENDER_KEY, structHashOf(Act(i), sender, deadline))));
        }
        mine();
        keyCenters();
        mine();
        does(verifier, abi.encodeCall(registry.invalidateNonce, ()));
        governance();
        mine();
    }

    /// @dev Keeps the registry's own events since the last call; OpenZeppelin's are not numbered.
    function collect() internal {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; i++) {
            if (logs[i].emitter != address(registry) || Auditor.isOpenZeppelins(logs[i].topics[0])) continue;
            _entries.push(Auditor.Entry(logs[i].topics, logs[i].data, block.number, block.timestamp));
        }
    }

    function mine() internal {
        collect();
        vm.warp(block.timestamp + 12);
        vm.roll(block.number + 1);
    }

    function word() internal view returns (uint256) {
        return uint256(vm.load(address(registry), 0));
    }

    // ---- chapters ----

    function images() private {
        prepare(sender);
        // The middle one of the next batch is there already.
        does(sender, abi.encodeCall(registry.registerBatch, (sampleBatch(11, 1), "")));
        does(sender, abi.encodeCall(registry.registerBatch, (sampleBatch(10, 3), "")));
        IImageRegistry.Leaf memory leaf =
            IImageRegistry.Leaf(OTHER_HASH, OTHER_HASH, CID, keccak256("k"), keccak256("h"), 7);
        bytes32 root = MerkleTree.leafHash(leaf);
        does(sender, abi.encodeCall(registry.anchor, (IImageRegistry.Anchor(sender, root, 1, CID, 0), "")));
        mine();
        does(stranger, abi.encodeCall(registry.materialize, (sender, root, leaf, _none)));
    }

    function flags() private {
        logLook(sample().contentHash);
        logLook(OTHER_HASH);
        does(sender, abi.encodeCall(registry.dismissFlag, (sampleId(), newestFlag(sampleId()))));
        logLook(OTHER_HASH);
        giveRole(registry.VERIFIER_ROLE(), stranger);
        IImageRegistry.Verification memory another = look(OTHER_HASH);
        another.verifier = stranger;
        does(stranger, abi.encodeCall(registry.recordVerification, (another, "")));
        does(arbiter, abi.encodeCall(registry.confirmFlag, (sampleId(), newestFlag(sampleId()))));
    }

    function keyCenters() private {
        does(kgc, abi.encodeCall(registry.publishKgcKey, (KGC, 1, OTHER_HASH, kgc)));
        does(kgc, abi.encodeCall(registry.retireKgcKey, (KGC, 1)));
        does(kgc, abi.encodeCall(registry.anchorLog, (LOG, 7, OTHER_HASH)));
        does(kgc, abi.encodeCall(registry.anchorCapsules, (ROOT, 3, CID)));
    }

    function governance() private {
        does(pauser, abi.encodeCall(registry.pause, ()));
        revokeReader();
        mine();
        does(pauser, abi.encodeCall(registry.unpause, ()));
        does(admin, abi.encodeCall(registry.supersede, (address(this))));
        does(admin, abi.encodeCall(registry.beginDefaultAdminTransfer, (stranger)));
        does(admin, abi.encodeCall(registry.cancelDefaultAdminTransfer, ()));
        does(admin, abi.encodeCall(registry.changeDefaultAdminDelay, (2 days)));
        does(admin, abi.encodeCall(registry.rollbackDefaultAdminDelay, ()));
        does(admin, abi.encodeCall(registry.revokeRole, (registry.ARBITER_ROLE(), arbiter)));
        does(admin, abi.encodeCall(registry.beginDefaultAdminTransfer, (stranger)));
        collect();
        vm.warp(block.timestamp + 1 days + 1);
        does(stranger, abi.encodeCall(registry.acceptDefaultAdminTransfer, ()));
    }
}

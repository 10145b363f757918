// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {AnchoredBase} from "./AnchoredBase.sol";
import {Vm} from "./Cheats.sol";
import {MerkleTree} from "./MerkleTree.sol";
import {TypedData} from "./TypedData.sol";

/// @notice Each act emits its event, with exactly these arguments and the word of slot 0 as the last.
contract EventsTest is AnchoredBase {
    bytes32[] private _none;

    function setUp() public override {
        super.setUp();
        registerSample();
    }

    function test_Registered() public {
        IImageRegistry.Registration memory r = sample();
        (r.salt, r.cid, r.deadline) = (OTHER_HASH, CID, 77);
        vm.recordLogs();
        does(sender, abi.encodeCall(registry.register, (r, "")));
        bytes memory data = abi.encode(
            r.salt, r.contentHash, r.headerHash, r.size, CID, r.capsulesHash, r.capsulesCid, 0, bytes(""), trail()
        );
        bytes32 imageId = registry.imageIdOf(sender, OTHER_HASH);
        only(IImageRegistry.Registered.selector, imageId, word(sender), data);
    }

    function test_RegisteredInBatch_ThenBatchRegistered() public {
        does(sender, abi.encodeCall(registry.registerBatch, (sampleBatch(1, 1), "")));
        IImageRegistry.Batch memory batch = sampleBatch(0, 3);
        bytes memory signature = signed(SENDER_KEY, TypedData.structHash(batch));
        vm.recordLogs();
        does(relayer, abi.encodeCall(registry.registerBatch, (batch, signature)));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        same(3, logs.length);
        for (uint256 i = 0; i < 2; i++) {
            IImageRegistry.Item memory item = batch.items[2 * i];
            bytes32 imageId = registry.imageIdOf(sender, item.salt);
            matches(logs[i], IImageRegistry.RegisteredInBatch.selector, imageId, word(sender), abi.encode(item));
        }
        bytes32 first = TypedData.structHash(batch.items[0]);
        bytes32 third = TypedData.structHash(batch.items[2]);
        bytes32 all = keccak256(bytes.concat(first, TypedData.structHash(batch.items[1]), third));
        bytes32 taken = keccak256(bytes.concat(first, bytes32(0), third));
        bytes memory data = abi.encode(3, 2, all, taken, batch.deadline, signature, trail());
        same(2, logs[2].topics.length);
        same(IImageRegistry.BatchRegistered.selector, logs[2].topics[0]);
        same(word(sender), logs[2].topics[1]);
        same(data, logs[2].data);
    }

    function test_Anchored_ThenMaterialized() public {
        IImageRegistry.Leaf memory leaf = sampleLeaf(0);
        bytes32 root = MerkleTree.leafHash(leaf);
        vm.recordLogs();
        anchorRoot(root, 1);
        only(IImageRegistry.Anchored.selector, word(sender), root, abi.encode(1, CID, 0, bytes(""), trail()));
        does(stranger, materialization(root, leaf, _none));
        bytes memory data =
            abi.encode(leaf.salt, leaf.contentHash, leaf.headerHash, leaf.size, leaf.cid, leaf.capsulesHash, trail());
        only(IImageRegistry.Materialized.selector, registry.imageIdOf(sender, leaf.salt), word(sender), root, data);
    }

    function test_Verified_ThenFlagRaised() public {
        logLook(sample().contentHash);
        IImageRegistry.Verification memory v = look(OTHER_HASH);
        (v.observedAt, v.nonce, v.deadline) = (NOW - 9, 7, 8);
        vm.recordLogs();
        does(verifier, abi.encodeCall(registry.recordVerification, (v, "")));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        same(2, logs.length);
        same(bytes32(0), logs[0].topics[3]);
        (bytes32 hash, uint64 observedAt, uint256 nonce, uint64 deadline, uint40 number, bytes memory signature,) =
            abi.decode(logs[0].data, (bytes32, uint64, uint256, uint64, uint40, bytes, bytes32));
        same(
            abi.encode(OTHER_HASH, NOW - 9, 0, 0, 2, bytes("")),
            abi.encode(hash, observedAt, nonce, deadline, number, signature)
        );
        same(word(verifier), logs[0].topics[2]);
        matches(
            logs[1],
            IImageRegistry.FlagRaised.selector,
            sampleId(),
            bytes32(uint256(newestFlag(sampleId()))),
            word(verifier),
            abi.encode(trail())
        );
        logLook(sample().contentHash);
        logs = vm.getRecordedLogs();
        same(1, logs.length);
        same(bytes32(uint256(1)), logs[0].topics[3]);
    }

    function test_FlagDismissedAndConfirmed() public {
        logLook(OTHER_HASH);
        uint64 flagId = newestFlag(sampleId());
        vm.recordLogs();
        does(sender, abi.encodeCall(registry.dismissFlag, (sampleId(), flagId)));
        bytes32 topic = bytes32(uint256(flagId));
        only(IImageRegistry.FlagDismissed.selector, sampleId(), topic, word(sender), abi.encode(trail()));
        logLook(OTHER_HASH);
        flagId = newestFlag(sampleId());
        vm.recordLogs();
        does(arbiter, abi.encodeCall(registry.confirmFlag, (sampleId(), flagId)));
        topic = bytes32(uint256(flagId));
        only(IImageRegistry.FlagConfirmed.selector, sampleId(), topic, word(arbiter), abi.encode(trail()));
    }

    function test_AccessGrantedAndRevoked_ByTheOperatorThatActs() public {
        vm.recordLogs();
        does(sender, abi.encodeCall(registry.setOperator, (operator, true)));
        bytes32 yes = bytes32(uint256(1));
        only(IImageRegistry.OperatorSet.selector, word(sender), word(operator), yes, abi.encode(1, trail()));
        does(operator, abi.encodeCall(registry.grant, (sampleId(), reader, NOW + 9)));
        bytes memory data = abi.encode(NOW + 9, 1, trail());
        only(IImageRegistry.AccessGranted.selector, sampleId(), word(reader), word(operator), data);
        uint128 seq = drawnSeq(1);
        does(operator, abi.encodeCall(registry.revoke, (sampleId(), reader)));
        only(IImageRegistry.AccessRevoked.selector, sampleId(), word(reader), word(operator), abi.encode(seq, trail()));
        does(operator, abi.encodeCall(registry.updateCapsules, (sampleId(), 0, OTHER_HASH, CID)));
        data = abi.encode(OTHER_HASH, CID, trail());
        only(IImageRegistry.CapsulesUpdated.selector, sampleId(), yes, word(operator), data);
        seq = drawnSeq(1);
        does(sender, abi.encodeCall(registry.setOperator, (operator, false)));
        only(IImageRegistry.OperatorSet.selector, word(sender), word(operator), 0, abi.encode(seq, trail()));
    }

    function test_WhatAKgcPublishes() public {
        vm.recordLogs();
        does(kgc, abi.encodeCall(registry.publishKgcKey, (KGC, 1, OTHER_HASH, reader)));
        bytes32 one = bytes32(uint256(1));
        bytes memory data = abi.encode(OTHER_HASH, reader, trail());
        only(IImageRegistry.KgcKeyPublished.selector, KGC, one, word(kgc), data);
        does(kgc, abi.encodeCall(registry.retireKgcKey, (KGC, 1)));
        only(IImageRegistry.KgcKeyRetired.selector, KGC, one, word(kgc), abi.encode(trail()));
        does(kgc, abi.encodeCall(registry.anchorLog, (LOG, 1, OTHER_HASH)));
        only(IImageRegistry.LogAnchored.selector, word(kgc), LOG, one, abi.encode(OTHER_HASH, trail()));
        does(kgc, abi.encodeCall(registry.anchorCapsules, (ROOT, 7, CID)));
        only(IImageRegistry.CapsulesAnchored.selector, word(kgc), ROOT, abi.encode(7, CID, trail()));
    }

    function test_PausedUnpausedSupersededAndNonceInvalidated() public {
        vm.recordLogs();
        pauseNow();
        onlyOne(IImageRegistry.Paused.selector, word(pauser), abi.encode(NOW + 7 days, trail()));
        does(pauser, abi.encodeCall(registry.unpause, ()));
        onlyOne(IImageRegistry.Unpaused.selector, word(pauser), abi.encode(trail()));
        does(admin, abi.encodeCall(registry.supersede, (address(this))));
        only(IImageRegistry.Superseded.selector, word(address(this)), word(admin), abi.encode(trail()));
        uint256 nonce = drawnNonce(0);
        does(reader, abi.encodeCall(registry.invalidateNonce, ()));
        onlyOne(IImageRegistry.NonceInvalidated.selector, word(reader), abi.encode(nonce, trail()));
    }

    function test_RoleChangedAndAdminPlanned() public {
        bytes32 role = registry.ARBITER_ROLE();
        vm.recordLogs();
        giveRole(role, reader);
        last(IImageRegistry.RoleChanged.selector, role, word(reader), bytes32(uint256(1)), abi.encode(admin, trail()));
        does(reader, abi.encodeCall(registry.renounceRole, (role, reader)));
        last(IImageRegistry.RoleChanged.selector, role, word(reader), 0, abi.encode(reader, trail()));
        does(admin, abi.encodeCall(registry.beginDefaultAdminTransfer, (reader)));
        planned(0, reader, 0, NOW + 1 days);
        does(admin, abi.encodeCall(registry.cancelDefaultAdminTransfer, ()));
        planned(1, address(0), 0, 0);
        does(admin, abi.encodeCall(registry.changeDefaultAdminDelay, (2 days)));
        planned(2, address(0), 2 days, NOW + 2 days);
        does(admin, abi.encodeCall(registry.rollbackDefaultAdminDelay, ()));
        planned(3, address(0), 0, 0);
    }

    // ---- helpers ----

    function planned(uint256 plan, address newAdmin, uint256 newDelay, uint256 schedule) private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        bytes memory data = abi.encode(newDelay, schedule, admin, trail());
        bytes32 kind = IImageRegistry.AdminPlanned.selector;
        matches(logs[logs.length - 1], kind, bytes32(plan), word(newAdmin), data);
    }

    /// @dev What slot 0 holds now.
    function trail() private view returns (bytes32) {
        return vm.load(address(registry), 0);
    }

    function word(address account) private pure returns (bytes32) {
        return bytes32(uint256(uint160(account)));
    }

    function onlyOne(bytes32 kind, bytes32 a, bytes memory data) private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        same(1, logs.length);
        same(abi.encodePacked(kind, a), abi.encodePacked(logs[0].topics));
        same(data, logs[0].data);
    }

    function only(bytes32 kind, bytes32 a, bytes32 b, bytes memory data) private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        same(1, logs.length);
        matches(logs[0], kind, a, b, data);
    }

    function only(bytes32 kind, bytes32 a, bytes32 b, bytes32 c, bytes memory data) private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        same(1, logs.length);
        matches(logs[0], kind, a, b, c, data);
    }

    /// @dev The last event: OpenZeppelin's own is before it.
    function last(bytes32 kind, bytes32 a, bytes32 b, bytes32 c, bytes memory data) private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        same(2, logs.length);
        matches(logs[1], kind, a, b, c, data);
    }

    function matches(Vm.Log memory log, bytes32 kind, bytes32 a, bytes32 b, bytes memory data) private pure {
        same(abi.encodePacked(kind, a, b), abi.encodePacked(log.topics));
        same(data, log.data);
    }

    function matches(Vm.Log memory log, bytes32 kind, bytes32 a, bytes32 b, bytes32 c, bytes memory data) private pure {
        same(abi.encodePacked(kind, a, b, c), abi.encodePacked(log.topics));
        same(data, log.data);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {Base} from "./Base.sol";
import {Vm} from "./Cheats.sol";
import {TypedData} from "./TypedData.sol";

/// @notice The life of a flag: raised by a verifier's invalid entry, then confirmed for ever or dismissed.
contract FlagTest is Base {
    function setUp() public override {
        super.setUp();
        registerSample();
    }

    function test_RevertWhen_TheImageIsUnknown() public {
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.UnknownImage.selector, OTHER_HASH);
        refused(arbiter, abi.encodeCall(registry.confirmFlag, (OTHER_HASH, 1)), expected);
        refused(arbiter, abi.encodeCall(registry.dismissFlag, (OTHER_HASH, 1)), expected);
    }

    function test_RevertWhen_NoArbiterConfirms() public {
        logLook(OTHER_HASH);
        does(sender, abi.encodeCall(registry.setOperator, (operator, true)));
        address[7] memory others = [sender, operator, verifier, admin, pauser, kgc, stranger];
        for (uint256 i = 0; i < others.length; i++) {
            refused(others[i], abi.encodeCall(registry.confirmFlag, (sampleId(), newest())), notArbiter(others[i]));
        }
    }

    function test_RevertWhen_NeitherSenderNorArbiterDismisses() public {
        logLook(OTHER_HASH);
        does(sender, abi.encodeCall(registry.setOperator, (operator, true)));
        address[6] memory others = [operator, verifier, admin, pauser, kgc, stranger];
        for (uint256 i = 0; i < others.length; i++) {
            refused(others[i], abi.encodeCall(registry.dismissFlag, (sampleId(), newest())), notArbiter(others[i]));
        }
    }

    function test_RevertWhen_ThereIsNoSuchFlag() public {
        refusedBoth(0, IImageRegistry.NoSuchFlag.selector);
        refusedBoth(1, IImageRegistry.NoSuchFlag.selector);
        logLook(OTHER_HASH);
        uint64 flagId = newest();
        refusedBoth(0, IImageRegistry.NoSuchFlag.selector);
        refusedBoth(flagId ^ 1, IImageRegistry.NoSuchFlag.selector);
        refusedBoth(flagId + (1 << 32), IImageRegistry.NoSuchFlag.selector);
    }

    function test_RevertWhen_TheFlagWasDismissed() public {
        logLook(OTHER_HASH);
        uint64 flagId = newest();
        dismiss(arbiter);
        refusedBoth(flagId, IImageRegistry.FlagNotOpen.selector);
        logLook(OTHER_HASH);
        refusedBoth(flagId, IImageRegistry.FlagNotOpen.selector);
    }

    function test_RevertWhen_TheFlagWasConfirmed() public {
        logLook(OTHER_HASH);
        confirm();
        refusedBoth(newest(), IImageRegistry.FlagNotOpen.selector);
    }

    /// @dev Signed, or sent and held back by a node, for a number that somebody foretold: the flag that is raised has another.
    function test_RevertWhen_AFlagIsDecidedBeforeItIsRaised() public {
        giveRole(registry.ARBITER_ROLE(), stranger);
        uint64[4] memory foretold = [uint64(1), 2, 1 << 32, (1 << 32) + 1];
        bytes[] memory held = new bytes[](foretold.length);
        for (uint256 i = 0; i < foretold.length; i++) {
            IImageRegistry.FlagDecision memory decision =
                IImageRegistry.FlagDecision(sampleId(), foretold[i], true, stranger, NOW + 1 hours);
            bytes memory signature = signed(STRANGER_KEY, TypedData.structHash(decision));
            held[i] = abi.encodeCall(registry.decideFlagFor, (decision, signature));
        }
        vm.roll(101);
        logLook(OTHER_HASH);
        for (uint256 i = 0; i < held.length; i++) {
            bytes4 error_ =
                foretold[i] >> 32 == 0 ? IImageRegistry.FlagNotOpen.selector : IImageRegistry.NoSuchFlag.selector;
            refused(relayer, held[i], abi.encodeWithSelector(error_, sampleId(), foretold[i]));
        }
        same(IImageRegistry.RecordState.Flagged, state());
    }

    function test_AVerifiersInvalidEntryRaisesAFlag() public {
        same(IImageRegistry.FlagState.None, registry.flagOf(sampleId()).state);
        vm.warp(NOW + 5);
        logLook(OTHER_HASH);
        IImageRegistry.Flag memory flag = registry.flagOf(sampleId());
        same(1, flag.id >> 32);
        same(abi.encode(flag.id, 1, NOW + 5, 1, verifier), abi.encode(flag));
        same(IImageRegistry.RecordState.Flagged, state());
    }

    /// @dev An accomplice's open flag does not swallow an honest verifier's entry.
    function test_AnotherVerifiersInvalidEntryJoinsTheOpenFlag_Once() public {
        giveRole(registry.VERIFIER_ROLE(), stranger);
        giveRole(registry.VERIFIER_ROLE(), reader);
        logLook(OTHER_HASH);
        uint64 flagId = newest();
        logAs(verifier, OTHER_HASH);
        same(1, registry.flagOf(sampleId()).verifiers);
        logAs(stranger, sample().contentHash);
        same(1, registry.flagOf(sampleId()).verifiers);
        vm.recordLogs();
        logAs(stranger, OTHER_HASH);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        same(2, logs.length);
        same(IImageRegistry.FlagJoined.selector, logs[1].topics[0]);
        same(sampleId(), logs[1].topics[1]);
        same(flagId, uint256(logs[1].topics[2]));
        same(uint256(uint160(stranger)), uint256(logs[1].topics[3]));
        logAs(stranger, OTHER_HASH);
        logAs(reader, OTHER_HASH);
        same(abi.encode(flagId, 1, NOW, 3, verifier), abi.encode(registry.flagOf(sampleId())));
        // The next flag counts anew.
        dismiss(sender);
        logAs(stranger, OTHER_HASH);
        same(1, registry.flagOf(sampleId()).verifiers);
        logAs(verifier, OTHER_HASH);
        logAs(reader, OTHER_HASH);
        same(3, registry.flagOf(sampleId()).verifiers);
    }

    function test_ARelayedInvalidEntryRaisesTheVerifiersFlag() public {
        IImageRegistry.Verification memory verification = look(OTHER_HASH);
        bytes memory signature = sign(VERIFIER_KEY, verification);
        vm.prank(relayer);
        registry.recordVerification(verification, signature);
        same(verifier, registry.flagOf(sampleId()).verifier);
    }

    function test_AValidEntryRaisesNone() public {
        logLook(sample().contentHash);
        same(0, registry.flagOf(sampleId()).id);
    }

    function test_AStrangersInvalidEntryIsLoggedAndFlagsNothing() public {
        IImageRegistry.Verification memory verification = look(OTHER_HASH);
        verification.verifier = stranger;
        vm.prank(stranger);
        holds(!registry.recordVerification(verification, ""), "invalid");
        same(1, registry.recordOf(sampleId()).verifications);
        same(0, registry.flagOf(sampleId()).id);
        same(IImageRegistry.RecordState.Registered, state());
    }

    function test_OneFlagIsOpenAtATime() public {
        for (uint256 i = 0; i < 5; i++) {
            logLook(OTHER_HASH);
        }
        same(1, newest() >> 32);
        same(5, registry.recordOf(sampleId()).verifications);
    }

    function test_AValidEntryLeavesAnOpenFlag() public {
        logLook(OTHER_HASH);
        logLook(sample().contentHash);
        same(IImageRegistry.RecordState.Flagged, state());
    }

    function test_SenderAndArbiterDismiss_ThenItIsRaisedAnew() public {
        logLook(OTHER_HASH);
        dismiss(sender);
        same(IImageRegistry.FlagState.DismissedBySender, registry.flagOf(sampleId()).state);
        same(IImageRegistry.RecordState.Registered, state());
        logLook(OTHER_HASH);
        same(2, newest() >> 32);
        same(IImageRegistry.RecordState.Flagged, state());
        dismiss(arbiter);
        same(IImageRegistry.FlagState.Dismissed, registry.flagOf(sampleId()).state);
        same(IImageRegistry.RecordState.Registered, state());
    }

    function test_TheAccusedDismissesAsSender_AlsoWhereItIsAnArbiter() public {
        giveRole(registry.ARBITER_ROLE(), sender);
        logLook(OTHER_HASH);
        dismiss(sender);
        same(IImageRegistry.FlagState.DismissedBySender, registry.flagOf(sampleId()).state);
    }

    function test_AConfirmedFlagIsFinal() public {
        logLook(OTHER_HASH);
        confirm();
        same(IImageRegistry.FlagState.Confirmed, registry.flagOf(sampleId()).state);
        same(IImageRegistry.RecordState.Tampered, state());
        logLook(OTHER_HASH);
        logLook(sample().contentHash);
        same(1, newest() >> 32);
        same(IImageRegistry.RecordState.Tampered, state());
    }

    function test_AFlagNeverBlocksReading() public {
        bytes32 imageId = sampleId();
        grantReader(NOW + 1 days);
        logLook(OTHER_HASH);
        confirm();
        holds(registry.verify(imageId, sample().contentHash), "still verifies");
        holds(registry.isAuthorized(imageId, reader), "still authorised");
    }

    function test_FlagsAreRaisedAndDecidedWhilePaused() public {
        pauseNow();
        logLook(OTHER_HASH);
        dismiss(sender);
        logLook(OTHER_HASH);
        confirm();
        same(IImageRegistry.RecordState.Tampered, state());
    }

    function test_AVerifierThatLostItsRoleFlagsNothing() public {
        does(admin, abi.encodeCall(registry.revokeRole, (registry.VERIFIER_ROLE(), verifier)));
        logLook(OTHER_HASH);
        same(0, registry.flagOf(sampleId()).id);
    }

    function test_ASenderThatIsAnArbiterMayConfirm() public {
        giveRole(registry.ARBITER_ROLE(), sender);
        logLook(OTHER_HASH);
        does(sender, abi.encodeCall(registry.confirmFlag, (sampleId(), newest())));
        same(IImageRegistry.RecordState.Tampered, state());
    }

    function testFuzz_RevertWhen_AnyOtherFlagIsNamed(uint64 flagId, uint8 raised) public {
        uint64[3] memory ids;
        uint256 count = within(raised, 0, 3);
        for (uint256 i = 0; i < count; i++) {
            vm.roll(101 + i);
            logLook(OTHER_HASH);
            ids[i] = newest();
            if (i + 1 < count) dismiss(sender);
        }
        if (flagId % 4 == 0) flagId = uint64(within(flagId, 0, 5));
        else if (flagId % 4 == 1) flagId = ids[flagId / 4 % 3];
        else if (flagId % 4 == 2) flagId = (newest() >> 32) + uint32(flagId / 4);
        if (flagId == newest() && count != 0) flagId++;
        bool never = flagId == 0 || flagId >> 32 >= newest() >> 32;
        refusedBoth(flagId, never ? IImageRegistry.NoSuchFlag.selector : IImageRegistry.FlagNotOpen.selector);
    }

    function testFuzz_FlagsFollowTheModel(uint8[12] memory steps) public {
        uint64 raised;
        IImageRegistry.RecordState expected = IImageRegistry.RecordState.Registered;
        for (uint256 i = 0; i < steps.length; i++) {
            uint256 step = within(steps[i], 0, 3);
            bool open = expected == IImageRegistry.RecordState.Flagged;
            if (step == 0) {
                logLook(OTHER_HASH);
                if (expected == IImageRegistry.RecordState.Registered) {
                    raised++;
                    expected = IImageRegistry.RecordState.Flagged;
                }
            } else if (step == 1) {
                logLook(sample().contentHash);
            } else if (open && step == 2) {
                dismiss(i % 2 == 0 ? sender : arbiter);
                expected = IImageRegistry.RecordState.Registered;
            } else if (open && i > 6) {
                confirm();
                expected = IImageRegistry.RecordState.Tampered;
            }
            same(expected, state());
            same(raised, newest() >> 32);
        }
    }

    function state() private view returns (IImageRegistry.RecordState) {
        return registry.recordOf(sampleId()).state;
    }

    function newest() private view returns (uint64) {
        return newestFlag(sampleId());
    }

    function logAs(address by, bytes32 observedHash) private {
        IImageRegistry.Verification memory verification = look(observedHash);
        verification.verifier = by;
        does(by, abi.encodeCall(registry.recordVerification, (verification, "")));
    }

    function confirm() private {
        does(arbiter, abi.encodeCall(registry.confirmFlag, (sampleId(), newest())));
    }

    function dismiss(address by) private {
        does(by, abi.encodeCall(registry.dismissFlag, (sampleId(), newest())));
    }

    function notArbiter(address caller) private view returns (bytes memory) {
        return abi.encodeWithSelector(IImageRegistry.NotArbiter.selector, sampleId(), caller);
    }

    function refusedBoth(uint64 flagId, bytes4 error_) private {
        bytes memory expected = abi.encodeWithSelector(error_, sampleId(), flagId);
        refused(arbiter, abi.encodeCall(registry.confirmFlag, (sampleId(), flagId)), expected);
        refused(arbiter, abi.encodeCall(registry.dismissFlag, (sampleId(), flagId)), expected);
    }
}

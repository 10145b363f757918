// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {Base} from "./Base.sol";

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
            refused(others[i], abi.encodeCall(registry.confirmFlag, (sampleId(), 1)), notArbiter(others[i]));
        }
    }

    function test_RevertWhen_NeitherSenderNorArbiterDismisses() public {
        logLook(OTHER_HASH);
        does(sender, abi.encodeCall(registry.setOperator, (operator, true)));
        address[6] memory others = [operator, verifier, admin, pauser, kgc, stranger];
        for (uint256 i = 0; i < others.length; i++) {
            refused(others[i], abi.encodeCall(registry.dismissFlag, (sampleId(), 1)), notArbiter(others[i]));
        }
    }

    function test_RevertWhen_ThereIsNoSuchFlag() public {
        refusedBoth(1, IImageRegistry.NoSuchFlag.selector);
        logLook(OTHER_HASH);
        refusedBoth(0, IImageRegistry.NoSuchFlag.selector);
        refusedBoth(2, IImageRegistry.NoSuchFlag.selector);
    }

    function test_RevertWhen_TheFlagWasDismissed() public {
        logLook(OTHER_HASH);
        dismiss(arbiter, 1);
        refusedBoth(1, IImageRegistry.FlagNotOpen.selector);
        logLook(OTHER_HASH);
        refusedBoth(1, IImageRegistry.FlagNotOpen.selector);
    }

    function test_RevertWhen_TheFlagWasConfirmed() public {
        logLook(OTHER_HASH);
        confirm(1);
        refusedBoth(1, IImageRegistry.FlagNotOpen.selector);
    }

    function test_AVerifiersInvalidEntryRaisesAFlag() public {
        same(IImageRegistry.FlagState.None, registry.flagOf(sampleId()).state);
        vm.warp(NOW + 5);
        logLook(OTHER_HASH);
        IImageRegistry.Flag memory flag = registry.flagOf(sampleId());
        same(1, flag.id);
        same(IImageRegistry.FlagState.Open, flag.state);
        same(verifier, flag.verifier);
        same(NOW + 5, flag.raisedAt);
        same(IImageRegistry.RecordState.Flagged, state());
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
        same(1, registry.flagOf(sampleId()).id);
        same(5, registry.recordOf(sampleId()).verifications);
    }

    function test_AValidEntryLeavesAnOpenFlag() public {
        logLook(OTHER_HASH);
        logLook(sample().contentHash);
        same(IImageRegistry.RecordState.Flagged, state());
    }

    function test_SenderAndArbiterDismiss_ThenItIsRaisedAnew() public {
        logLook(OTHER_HASH);
        dismiss(sender, 1);
        same(IImageRegistry.FlagState.Dismissed, registry.flagOf(sampleId()).state);
        same(IImageRegistry.RecordState.Registered, state());
        logLook(OTHER_HASH);
        same(2, registry.flagOf(sampleId()).id);
        same(IImageRegistry.RecordState.Flagged, state());
        dismiss(arbiter, 2);
        same(IImageRegistry.RecordState.Registered, state());
    }

    function test_AConfirmedFlagIsFinal() public {
        logLook(OTHER_HASH);
        confirm(1);
        same(IImageRegistry.FlagState.Confirmed, registry.flagOf(sampleId()).state);
        same(IImageRegistry.RecordState.Tampered, state());
        logLook(OTHER_HASH);
        logLook(sample().contentHash);
        same(1, registry.flagOf(sampleId()).id);
        same(IImageRegistry.RecordState.Tampered, state());
    }

    function test_AFlagNeverBlocksReading() public {
        bytes32 imageId = sampleId();
        grantReader(NOW + 1 days);
        logLook(OTHER_HASH);
        confirm(1);
        holds(registry.verify(imageId, sample().contentHash), "still verifies");
        holds(registry.isAuthorized(imageId, reader), "still authorised");
    }

    function test_FlagsAreRaisedAndDecidedWhilePaused() public {
        pauseNow();
        logLook(OTHER_HASH);
        dismiss(sender, 1);
        logLook(OTHER_HASH);
        confirm(2);
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
        does(sender, abi.encodeCall(registry.confirmFlag, (sampleId(), 1)));
        same(IImageRegistry.RecordState.Tampered, state());
    }

    function testFuzz_RevertWhen_AnyOtherFlagIsNamed(uint40 flagId, uint8 raised) public {
        uint40 newest = uint40(within(raised, 0, 3));
        for (uint40 i = 1; i <= newest; i++) {
            logLook(OTHER_HASH);
            if (i < newest) dismiss(sender, i);
        }
        if (flagId % 2 == 0) flagId = uint40(within(flagId, 0, 5));
        if (flagId == newest) flagId = newest + 1;
        bool never = flagId == 0 || flagId > newest;
        refusedBoth(flagId, never ? IImageRegistry.NoSuchFlag.selector : IImageRegistry.FlagNotOpen.selector);
    }

    function testFuzz_FlagsFollowTheModel(uint8[12] memory steps) public {
        uint40 id;
        IImageRegistry.RecordState expected = IImageRegistry.RecordState.Registered;
        for (uint256 i = 0; i < steps.length; i++) {
            uint256 step = within(steps[i], 0, 3);
            bool open = expected == IImageRegistry.RecordState.Flagged;
            if (step == 0) {
                logLook(OTHER_HASH);
                if (expected == IImageRegistry.RecordState.Registered) {
                    id++;
                    expected = IImageRegistry.RecordState.Flagged;
                }
            } else if (step == 1) {
                logLook(sample().contentHash);
            } else if (open && step == 2) {
                dismiss(i % 2 == 0 ? sender : arbiter, id);
                expected = IImageRegistry.RecordState.Registered;
            } else if (open && i > 6) {
                confirm(id);
                expected = IImageRegistry.RecordState.Tampered;
            }
            same(expected, state());
            same(id, registry.flagOf(sampleId()).id);
        }
    }

    function state() private view returns (IImageRegistry.RecordState) {
        return registry.recordOf(sampleId()).state;
    }

    function confirm(uint40 flagId) private {
        does(arbiter, abi.encodeCall(registry.confirmFlag, (sampleId(), flagId)));
    }

    function dismiss(address by, uint40 flagId) private {
        does(by, abi.encodeCall(registry.dismissFlag, (sampleId(), flagId)));
    }

    function notArbiter(address caller) private view returns (bytes memory) {
        return abi.encodeWithSelector(IImageRegistry.NotArbiter.selector, sampleId(), caller);
    }

    function refusedBoth(uint40 flagId, bytes4 error_) private {
        bytes memory expected = abi.encodeWithSelector(error_, sampleId(), flagId);
        refused(arbiter, abi.encodeCall(registry.confirmFlag, (sampleId(), flagId)), expected);
        refused(arbiter, abi.encodeCall(registry.dismissFlag, (sampleId(), flagId)), expected);
    }
}

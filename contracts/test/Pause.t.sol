// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {AnchoredBase} from "./AnchoredBase.sol";
import {IRegistry} from "./IRegistry.sol";
import {MerkleTree} from "./MerkleTree.sol";

/// @notice `pause` and `unpause`: when, by whom, and what they stop.
contract PauseTest is AnchoredBase {
    uint48 private constant UNTIL = 1_800_000_000 + 7 days;
    bytes32[] private _none;

    function test_RevertWhen_TheCallerIsNoPauser() public {
        address[6] memory others = [admin, arbiter, kgc, verifier, sender, stranger];
        for (uint256 i = 0; i < others.length; i++) {
            bytes memory expected = abi.encodeWithSelector(
                IRegistry.AccessControlUnauthorizedAccount.selector, others[i], registry.PAUSER_ROLE()
            );
            refused(others[i], abi.encodeCall(registry.pause, ()), expected);
            refused(others[i], abi.encodeCall(registry.unpause, ()), expected);
        }
    }

    function test_RevertWhen_LessThanADayOfPauseIsLeft() public {
        pauseNow();
        refusedPause(UNTIL + 1 days);
        vm.warp(UNTIL + 1);
        refusedPause(UNTIL + 1 days);
        vm.warp(UNTIL + 1 days - 1);
        refusedPause(UNTIL + 1 days);
        vm.warp(UNTIL + 1 days);
        pauseNow();
        same(block.timestamp + 1 days, registry.pausedUntil());
        vm.warp(UNTIL + 2 days + 7 days);
        pauseNow();
        same(block.timestamp + 7 days, registry.pausedUntil());
    }

    /// @dev The brake cannot be taken away by using it up in no time, nor by ending another's pause.
    function test_AnEarlyEndGivesTheUnusedTimeBack() public {
        pauseNow();
        unpause();
        does(admin, abi.encodeCall(registry.revokeRole, (registry.PAUSER_ROLE(), pauser)));
        giveRole(registry.PAUSER_ROLE(), stranger);
        does(stranger, abi.encodeCall(registry.pause, ()));
        same(NOW + 7 days, registry.pausedUntil());
        vm.warp(NOW + 2 days);
        does(stranger, abi.encodeCall(registry.unpause, ()));
        does(stranger, abi.encodeCall(registry.pause, ()));
        same(NOW + 7 days, registry.pausedUntil());
        does(stranger, abi.encodeCall(registry.unpause, ()));
        vm.warp(NOW + 3 days);
        does(stranger, abi.encodeCall(registry.pause, ()));
        // 2 days were used up, and a day gave one of them back.
        same(NOW + 3 days + 6 days, registry.pausedUntil());
    }

    function test_RevertWhen_AThiefPausesAndUnpausesAsOftenAsItLikes_ItUsesUpNoMoreThanItPauses() public {
        for (uint256 i = 0; i < 100; i++) {
            pauseNow();
            unpause();
        }
        vm.warp(NOW + 1);
        pauseNow();
        same(NOW + 1 + 7 days, registry.pausedUntil());
        refusedPause(NOW + 1 + 8 days);
    }

    function test_RevertWhen_NothingIsPaused() public {
        bytes4 expected = IImageRegistry.NotPaused.selector;
        refused(pauser, abi.encodeCall(registry.unpause, ()), expected);
        pauseNow();
        unpause();
        refused(pauser, abi.encodeCall(registry.unpause, ()), expected);
    }

    function test_APauseThatRanOutLeavesAMark_WhichUnpausingClears() public {
        pauseNow();
        vm.warp(UNTIL + 1);
        same(1, uint256(vm.load(address(registry), 0)) >> 248);
        unpause();
        same(0, uint256(vm.load(address(registry), 0)) >> 248);
        refused(pauser, abi.encodeCall(registry.unpause, ()), IImageRegistry.NotPaused.selector);
        // It ended by itself: a day is given back in a day from then.
        refusedPause(UNTIL + 1 days);
        vm.warp(UNTIL + 1 days);
        pauseNow();
    }

    function test_APauseEndsByItselfAfter7Days_Inclusive() public {
        same(0, registry.pausedUntil());
        pauseNow();
        vm.warp(UNTIL);
        same(UNTIL, registry.pausedUntil());
        bytes memory data = abi.encodeCall(registry.register, (sample(), ""));
        refused(sender, data, abi.encodeWithSelector(IImageRegistry.RegistryPaused.selector, UNTIL));
        vm.warp(UNTIL + 1);
        same(0, registry.pausedUntil());
        does(sender, data);
    }

    function test_APauseMayBeEndedBefore_AlsoInItsLastSecond() public {
        pauseNow();
        unpause();
        same(0, registry.pausedUntil());
        registerSample();
        vm.warp(NOW + 30 days);
        pauseNow();
        vm.warp(NOW + 37 days);
        unpause();
        same(0, registry.pausedUntil());
    }

    function test_WhatAPauseStops_AndWhatGoesOn() public {
        ready();
        bytes memory stopped = abi.encodeWithSelector(IImageRegistry.RegistryPaused.selector, UNTIL);
        pauseNow();
        (address[] memory by, bytes[] memory calls, uint256 stops) = matrix();
        for (uint256 i = 0; i < calls.length; i++) {
            uint256 start = vm.snapshotState();
            if (i < stops) refused(by[i], calls[i], stopped);
            else does(by[i], calls[i]);
            holds(vm.revertToState(start), "as before");
        }
        does(pauser, abi.encodeCall(registry.unpause, ()));
        for (uint256 i = 0; i < calls.length; i++) {
            uint256 start = vm.snapshotState();
            does(by[i], calls[i]);
            holds(vm.revertToState(start), "as before");
        }
    }

    function testFuzz_APauseHoldsFor7DaysAtMost(uint64 later, uint64 ended) public {
        ready();
        pauseNow();
        uint256 end = UNTIL;
        if (ended % 2 == 0) {
            // Before its end, or up to 3 days after it, which changes nothing any more.
            end = within(ended, NOW, UNTIL + 3 days);
            vm.warp(end);
            unpause();
            if (end > UNTIL) end = UNTIL;
        }
        vm.warp(within(later, block.timestamp, block.timestamp + 16 days));
        bool paused = ended % 2 == 1 && block.timestamp <= UNTIL;
        same(paused ? UNTIL : 0, registry.pausedUntil());
        (address[] memory by, bytes[] memory calls, uint256 stops) = matrix();
        uint256 index = within(later, 0, calls.length - 1);
        bytes memory stopped = abi.encodeWithSelector(IImageRegistry.RegistryPaused.selector, UNTIL);
        if (paused && index < stops) refused(by[index], calls[index], stopped);
        else does(by[index], calls[index]);
        // As long as it lasted, it takes until all 7 days are there again.
        uint256 whole = end + (end - NOW);
        if (block.timestamp < whole && whole - block.timestamp > 6 days) {
            refusedPause(whole - 6 days);
        } else {
            pauseNow();
            uint256 missing = block.timestamp < whole ? whole - block.timestamp : 0;
            same(block.timestamp + 7 days - missing, registry.pausedUntil());
        }
    }

    /// @dev Whatever pausers do, at most 7 days and half of the rest of a time is paused.
    function testFuzz_AtMost7DaysAndHalfOfTheRestIsPaused(uint32[24] memory steps) public {
        uint256 time = NOW;
        uint256 paused = 0;
        for (uint256 i = 0; i < steps.length; i++) {
            bytes memory data =
                steps[i] % 2 == 0 ? abi.encodeCall(registry.pause, ()) : abi.encodeCall(registry.unpause, ());
            vm.prank(pauser);
            (bool done,) = address(registry).call(data);
            uint256 until = registry.pausedUntil();
            holds(!done || (until != 0) == (steps[i] % 2 == 0), "what was asked for");
            holds(until == 0 || until <= time + 7 days, "7 days at a stretch");
            uint256 step = within(steps[i] / 2, 0, 3 days);
            paused += until == 0 ? 0 : until < time + step ? until - time : step;
            time += step;
            vm.warp(time);
            holds(2 * paused <= time - NOW + 7 days, "half of the time, and 7 days");
        }
    }

    // ---- helpers ----

    /// @dev An image with an open flag, an anchor, a key: something for each call to act on.
    function ready() private {
        registerSample();
        logLook(OTHER_HASH);
        anchorRoot(MerkleTree.leafHash(sampleLeaf(0)), 1);
        does(kgc, abi.encodeCall(registry.publishKgcKey, (KGC, 1, OTHER_HASH, kgc)));
        does(sender, abi.encodeCall(registry.setOperator, (stranger, true)));
    }

    /// @dev Calls that succeed while nothing is paused, each by itself; a pause stops the first `stops`.
    function matrix() private view returns (address[] memory by, bytes[] memory calls, uint256 stops) {
        (by, calls) = (new address[](26), new bytes[](26));
        IImageRegistry.Registration memory another = sample();
        another.salt = OTHER_HASH;
        calls[0] = abi.encodeCall(registry.register, (another, ""));
        calls[1] = abi.encodeCall(registry.registerBatch, (sampleBatch(0, 2), ""));
        calls[2] = abi.encodeCall(registry.anchor, (sampleAnchor(), ""));
        calls[3] = materialization(MerkleTree.leafHash(sampleLeaf(0)), sampleLeaf(0), _none);
        calls[4] = abi.encodeCall(registry.grant, (sampleId(), reader, type(uint64).max));
        calls[5] = abi.encodeCall(registry.setOperator, (operator, true));
        calls[6] = abi.encodeCall(registry.updateCapsules, (sampleId(), 0, OTHER_HASH, ""));
        calls[7] = abi.encodeCall(registry.anchorCapsules, (ROOT, 1, CID));
        stops = 8;
        calls[8] = abi.encodeCall(registry.setOperator, (stranger, false));
        calls[9] = abi.encodeCall(registry.revoke, (sampleId(), reader));
        calls[10] = abi.encodeCall(registry.dismissFlag, (sampleId(), newestFlag(sampleId())));
        calls[11] = abi.encodeCall(registry.confirmFlag, (sampleId(), newestFlag(sampleId())));
        calls[12] = abi.encodeCall(registry.recordVerification, (look(OTHER_HASH), ""));
        calls[13] = abi.encodeCall(registry.invalidateNonce, ());
        calls[14] = abi.encodeCall(registry.publishKgcKey, (KGC, 2, OTHER_HASH, kgc));
        calls[15] = abi.encodeCall(registry.retireKgcKey, (KGC, 1));
        calls[16] = abi.encodeCall(registry.anchorLog, (LOG, 1, OTHER_HASH));
        calls[17] = abi.encodeCall(registry.supersede, (address(this)));
        calls[18] = abi.encodeCall(registry.grantRole, (registry.ARBITER_ROLE(), stranger));
        calls[19] = abi.encodeCall(registry.revokeRole, (registry.ARBITER_ROLE(), arbiter));
        calls[20] = abi.encodeCall(registry.beginDefaultAdminTransfer, (stranger));
        calls[21] = abi.encodeCall(registry.verify, (sampleId(), OTHER_HASH));
        calls[22] = abi.encodeCall(registry.isAuthorized, (sampleId(), sender));
        calls[23] = abi.encodeCall(registry.recordOf, (sampleId()));
        calls[24] = abi.encodeCall(registry.currentKgcKey, (KGC));
        calls[25] =
            abi.encodeCall(registry.verifyLeaf, (sender, MerkleTree.leafHash(sampleLeaf(0)), sampleLeaf(0), _none));
        for (uint256 i = 0; i < calls.length; i++) {
            by[i] = i == 7 || (i > 13 && i < 17) ? kgc : i == 11 ? arbiter : i == 12 ? verifier : sender;
            if (i > 16 && i < 21) by[i] = admin;
        }
    }

    function unpause() private {
        does(pauser, abi.encodeCall(registry.unpause, ()));
    }

    function refusedPause(uint256 nextPause) private {
        bytes4 error_ = IImageRegistry.PausedLately.selector;
        refused(pauser, abi.encodeCall(registry.pause, ()), abi.encodeWithSelector(error_, nextPause));
    }
}

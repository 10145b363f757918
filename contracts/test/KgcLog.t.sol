// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {Base} from "./Base.sol";
import {IRegistry} from "./IRegistry.sol";

/// @notice What a KGC anchors: heads of its logs (`anchorLog`) and sets of capsules (`anchorCapsules`).
contract KgcLogTest is Base {
    bytes32 private constant HEAD = keccak256("a head");
    address private constant OTHER_KGC = address(0x6C2);

    function test_RevertWhen_TheCallerHasNoRole() public {
        address[6] memory others = [admin, arbiter, pauser, verifier, sender, stranger];
        for (uint256 i = 0; i < others.length; i++) {
            bytes memory expected = abi.encodeWithSelector(
                IRegistry.AccessControlUnauthorizedAccount.selector, others[i], registry.KGC_ROLE()
            );
            refused(others[i], abi.encodeCall(registry.anchorLog, (LOG, 1, HEAD)), expected);
            refused(others[i], abi.encodeCall(registry.anchorCapsules, (ROOT, 1, CID)), expected);
        }
    }

    function test_RevertWhen_TheHeadIsZero() public {
        refused(kgc, abi.encodeCall(registry.anchorLog, (LOG, 1, 0)), IImageRegistry.ZeroHash.selector);
    }

    function test_RevertWhen_TheSequenceDoesNotRise() public {
        refusedSeq(0, 0);
        anchorLog(kgc, 5, HEAD);
        refusedSeq(5, 5);
        refusedSeq(4, 5);
        refusedSeq(0, 5);
    }

    function test_RevertWhen_ASetOfCapsulesIsAtFault() public {
        refused(kgc, abi.encodeCall(registry.anchorCapsules, (0, 1, CID)), IImageRegistry.ZeroHash.selector);
        refused(kgc, abi.encodeCall(registry.anchorCapsules, (ROOT, 0, CID)), IImageRegistry.ZeroCount.selector);
        uint256[2] memory lengths = [uint256(0), 65];
        for (uint256 i = 0; i < lengths.length; i++) {
            bytes memory expected = abi.encodeWithSelector(IImageRegistry.CidLength.selector, lengths[i]);
            refused(kgc, abi.encodeCall(registry.anchorCapsules, (ROOT, 1, new bytes(lengths[i]))), expected);
        }
    }

    function test_RevertWhen_ASetIsAnchoredTwice() public {
        does(kgc, abi.encodeCall(registry.anchorCapsules, (ROOT, 7, CID)));
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.AnchorConflict.selector, kgc, ROOT);
        refused(kgc, abi.encodeCall(registry.anchorCapsules, (ROOT, 7, CID)), expected);
        refused(kgc, abi.encodeCall(registry.anchorCapsules, (ROOT, 8, CID)), expected);
    }

    function test_RevertWhen_ASetIsAnchoredWhilePaused_ButLogsAreStillAnchored() public {
        pauseNow();
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.RegistryPaused.selector, NOW + 7 days);
        refused(kgc, abi.encodeCall(registry.anchorCapsules, (ROOT, 7, CID)), expected);
        anchorLog(kgc, 1, HEAD);
        same(HEAD, registry.logHeadOf(kgc, LOG).head);
    }

    function test_ALogHasItsNewestHead_EachKgcItsOwnLogs() public {
        giveRole(registry.KGC_ROLE(), OTHER_KGC);
        same(abi.encode(0, 0, 0), abi.encode(registry.logHeadOf(kgc, LOG)));
        anchorLog(kgc, 9, HEAD);
        vm.warp(NOW + 5);
        anchorLog(OTHER_KGC, 2, OTHER_HASH);
        same(abi.encode(HEAD, 9, NOW), abi.encode(registry.logHeadOf(kgc, LOG)));
        same(abi.encode(OTHER_HASH, 2, NOW + 5), abi.encode(registry.logHeadOf(OTHER_KGC, LOG)));
        anchorLog(kgc, type(uint64).max, OTHER_HASH);
        same(abi.encode(OTHER_HASH, type(uint64).max, NOW + 5), abi.encode(registry.logHeadOf(kgc, LOG)));
        same(abi.encode(0, 0, 0), abi.encode(registry.logHeadOf(kgc, OTHER_HASH)));
    }

    function test_ASetOfCapsulesIsEachKgcsOwn_AndNoAnchorOfImages() public {
        giveRole(registry.KGC_ROLE(), OTHER_KGC);
        does(kgc, abi.encodeCall(registry.anchorCapsules, (ROOT, 7, CID)));
        same(abi.encode(7, NOW), abi.encode(registry.capsulesAnchorOf(kgc, ROOT)));
        same(abi.encode(0, 0), abi.encode(registry.capsulesAnchorOf(OTHER_KGC, ROOT)));
        same(abi.encode(0, 0), abi.encode(registry.anchorOf(kgc, ROOT)));
        vm.warp(NOW + 5);
        does(OTHER_KGC, abi.encodeCall(registry.anchorCapsules, (ROOT, 8, new bytes(64))));
        same(abi.encode(8, NOW + 5), abi.encode(registry.capsulesAnchorOf(OTHER_KGC, ROOT)));
    }

    function testFuzz_LogsOnlyRise(uint64[8] memory seqs, bytes32 logId) public {
        uint64 last = 0;
        for (uint256 i = 0; i < seqs.length; i++) {
            // Half of them near to the last, where the border is.
            uint64 most = last > type(uint64).max - 2 ? last : last + 2;
            uint64 seq = seqs[i] % 2 == 0 ? seqs[i] : uint64(within(seqs[i], last < 2 ? 0 : last - 2, most));
            bytes memory data = abi.encodeCall(registry.anchorLog, (logId, seq, HEAD));
            if (seq > last) {
                does(kgc, data);
                last = seq;
            } else {
                bytes4 error_ = IImageRegistry.LogSeqNotRising.selector;
                refused(kgc, data, abi.encodeWithSelector(error_, logId, seq, last));
            }
            same(last, registry.logHeadOf(kgc, logId).seq);
        }
    }

    function testFuzz_CapsulesAreAnchoredOnce(bytes32 root, uint32 count, uint256 cidBytes, uint32 other) public {
        if (root == 0) root = ROOT;
        if (count == 0) count = 1;
        if (other == 0) other = 1;
        bytes memory cid = new bytes(within(cidBytes, 1, 64));
        does(kgc, abi.encodeCall(registry.anchorCapsules, (root, count, cid)));
        same(abi.encode(count, NOW), abi.encode(registry.capsulesAnchorOf(kgc, root)));
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.AnchorConflict.selector, kgc, root);
        refused(kgc, abi.encodeCall(registry.anchorCapsules, (root, other, cid)), expected);
    }

    function anchorLog(address by, uint64 seq, bytes32 head) private {
        does(by, abi.encodeCall(registry.anchorLog, (LOG, seq, head)));
    }

    function refusedSeq(uint64 seq, uint64 last) private {
        refused(
            kgc,
            abi.encodeCall(registry.anchorLog, (LOG, seq, HEAD)),
            abi.encodeWithSelector(IImageRegistry.LogSeqNotRising.selector, LOG, seq, last)
        );
    }
}

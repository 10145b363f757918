// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {Auditor} from "./Auditor.sol";
import {History} from "./History.sol";

/// @notice The audit trail, recomputed from the events alone: it holds, and no event can be dropped, changed or moved.
contract AuditTest is History {
    function test_TheTrailStartsFromChainAndContract() public view {
        same(IImageRegistry.RoleChanged.selector, _entries[0].topics[0]);
        uint256 first = Auditor.next(Auditor.firstWord(address(registry)), _entries[0]);
        same(first, uint256(Auditor.trailOf(_entries[0])));
        same(1, first >> 208);
        same(5, _entries.length);
        same(0, Auditor.breakIn(_entries, address(registry), word()));
    }

    function test_EveryKindOfEventIsInTheTrail() public {
        everyKind();
        same(0, Auditor.breakIn(_entries, address(registry), word()));
        bytes32[] memory kinds = new bytes32[](_entries.length);
        uint256 count = 0;
        uint256 unnumbered = 0;
        for (uint256 i = 0; i < _entries.length; i++) {
            bytes32 kind = _entries[i].topics[0];
            if (kind == IImageRegistry.RegisteredInBatch.selector) unnumbered++;
            bool known = false;
            for (uint256 j = 0; j < count; j++) {
                known = known || kinds[j] == kind;
            }
            if (!known) kinds[count++] = kind;
        }
        string[] memory parts = vm.split(vm.readFile("contracts/src/IImageRegistry.sol"), "\n    event ");
        same(parts.length - 1, count);
        (, uint40 seq) = registry.audit();
        same(_entries.length - unnumbered, seq);
    }

    function test_HeadNumberAndPauseLieInSlotZero() public {
        registerSample();
        for (uint256 paused = 0; paused < 2; paused++) {
            (bytes26 head, uint40 seq) = registry.audit();
            same(word(), paused << 248 | (uint256(seq) << 208) | uint256(uint208(head)));
            if (paused == 0) pauseNow();
        }
        vm.warp(NOW + 30 days);
        same(1, word() >> 248);
        pauseNow();
        same(1, word() >> 248);
        does(pauser, abi.encodeCall(registry.unpause, ()));
        same(0, word() >> 248);
    }

    function test_ADroppedEventIsDetected() public {
        everyKind();
        for (uint256 dropped = 0; dropped < _entries.length; dropped++) {
            Auditor.Entry[] memory rest = new Auditor.Entry[](_entries.length - 1);
            for (uint256 i = 0; i < rest.length; i++) {
                rest[i] = _entries[i < dropped ? i : i + 1];
            }
            holds(Auditor.breakIn(rest, address(registry), word()) != 0, "missing");
        }
    }

    function test_AMovedEventIsDetected() public {
        everyKind();
        for (uint256 i = 0; i + 1 < _entries.length; i++) {
            Auditor.Entry[] memory moved = _entries;
            (moved[i], moved[i + 1]) = (moved[i + 1], moved[i]);
            holds(Auditor.breakIn(moved, address(registry), word()) != 0, "moved");
        }
    }

    function test_AnEventTwiceIsDetected() public {
        everyKind();
        for (uint256 twice = 0; twice < _entries.length; twice++) {
            Auditor.Entry[] memory more = new Auditor.Entry[](_entries.length + 1);
            for (uint256 i = 0; i < more.length; i++) {
                more[i] = _entries[i <= twice ? i : i - 1];
            }
            holds(Auditor.breakIn(more, address(registry), word()) != 0, "twice");
        }
    }

    /// @dev Every topic, every value of the data, the length and each word of every `bytes`, block and time.
    function test_AChangedEventIsDetected() public {
        everyKind();
        Auditor.Entry[] memory entries = _entries;
        for (uint256 i = 0; i < entries.length; i++) {
            for (uint256 j = 0; j < entries[i].topics.length; j++) {
                bytes32 good = entries[i].topics[j];
                entries[i].topics[j] ^= bytes32(uint256(1));
                detected(entries);
                entries[i].topics[j] = good;
            }
            (uint256 count, uint256 dynamic) = Auditor.layoutOf(entries[i].topics[0]);
            if (count == 0) count = entries[i].data.length / 32;
            for (uint256 j = 0; 32 * j < entries[i].data.length; j++) {
                if (j < count && (dynamic >> j) & 1 == 1) continue;
                // The last byte of a value; the first of a length and of what it counts, as the last may be padding.
                uint256 place = j < count ? 32 * j + 31 : 32 * j;
                entries[i].data[place] ^= 0x01;
                detected(entries);
                entries[i].data[place] ^= 0x01;
            }
            entries[i].blockNumber++;
            detected(entries);
            entries[i].blockNumber--;
            // An item of a batch has the time of its block.
            if (entries[i].topics[0] == IImageRegistry.RegisteredInBatch.selector) continue;
            entries[i].time++;
            detected(entries);
            entries[i].time--;
        }
        same(0, Auditor.breakIn(entries, address(registry), word()));
    }

    function testFuzz_AMixedHistoryIsInTheTrail(uint8[8] memory steps) public {
        registerSample();
        collect();
        (uint32 epoch, uint256 number, uint64 version) = (0, 0, 0);
        for (uint256 i = 0; i < steps.length; i++) {
            vm.warp(block.timestamp + steps[i]);
            vm.roll(block.number + steps[i] % 3);
            uint256 step = steps[i] % 9;
            if (step == 0) logLook(OTHER_HASH);
            else if (step == 1) logLook(sample().contentHash);
            else if (step == 2) grantReader(uint64(block.timestamp));
            else if (step == 3) revokeReader();
            else if (step == 4) does(kgc, abi.encodeCall(registry.publishKgcKey, (KGC, ++epoch, OTHER_HASH, kgc)));
            else if (step == 5) does(stranger, abi.encodeCall(registry.invalidateNonce, ()));
            else if (step == 6) does(sender, abi.encodeCall(registry.setOperator, (operator, i % 2 == 0)));
            else if (step == 7) does(sender, abi.encodeCall(registry.registerBatch, (sampleBatch(number++, 2), "")));
            else does(sender, abi.encodeCall(registry.updateCapsules, (sampleId(), version++, OTHER_HASH, "")));
            collect();
        }
        same(0, Auditor.breakIn(_entries, address(registry), word()));
        // Any one of them dropped breaks it.
        uint256 dropped = within(uint256(steps[0]) << 8 | steps[1], 0, _entries.length - 1);
        Auditor.Entry[] memory rest = new Auditor.Entry[](_entries.length - 1);
        for (uint256 i = 0; i < rest.length; i++) {
            rest[i] = _entries[i < dropped ? i : i + 1];
        }
        holds(Auditor.breakIn(rest, address(registry), word()) != 0, "missing");
    }

    /// @dev The check of an auditor whose decoder may stumble over what was changed.
    function check(Auditor.Entry[] memory entries) external view returns (uint256) {
        return Auditor.breakIn(entries, address(registry), word());
    }

    function detected(Auditor.Entry[] memory entries) private view {
        try this.check(entries) returns (uint256 found) {
            holds(found != 0, "changed");
        } catch {}
    }
}

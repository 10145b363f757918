// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {Base} from "./Base.sol";
import {Vm} from "./Cheats.sol";
import {TypedData} from "./TypedData.sol";

/// @notice `registerBatch`: all or nothing, what is there already is skipped, and the same records as one by one.
contract BatchTest is Base {
    function test_RevertWhen_ABatchHas0Or101Images() public {
        uint256[2] memory lengths = [uint256(0), 101];
        for (uint256 i = 0; i < lengths.length; i++) {
            refused(sampleBatch(0, lengths[i]), abi.encodeWithSelector(IImageRegistry.BatchLength.selector, lengths[i]));
        }
    }

    function test_RevertWhen_TheSenderIsZero() public {
        IImageRegistry.Batch memory batch = sampleBatch(0, 2);
        batch.sender = address(0);
        refused(batch, abi.encodeWithSelector(IImageRegistry.ZeroAddress.selector));
    }

    function test_RevertWhen_AnyItemIsAtFault() public {
        for (uint256 index = 0; index < 3; index++) {
            IImageRegistry.Batch memory batch = sampleBatch(0, 3);
            batch.items[index].contentHash = 0;
            refused(batch, abi.encodeWithSelector(IImageRegistry.ZeroHash.selector));
            batch = sampleBatch(0, 3);
            batch.items[index].headerHash = 0;
            refused(batch, abi.encodeWithSelector(IImageRegistry.ZeroHash.selector));
            batch = sampleBatch(0, 3);
            batch.items[index].capsulesHash = 0;
            refused(batch, abi.encodeWithSelector(IImageRegistry.ZeroHash.selector));
            batch = sampleBatch(0, 3);
            batch.items[index].size = 0;
            refused(batch, abi.encodeWithSelector(IImageRegistry.ZeroSize.selector));
            batch = sampleBatch(0, 3);
            batch.items[index].size = 1_048_577;
            refused(batch, abi.encodeWithSelector(IImageRegistry.NotOneBlock.selector, 1_048_577));
        }
    }

    function test_RevertWhen_AnyItemIsInConflict() public {
        IImageRegistry.Batch memory first = sampleBatch(1, 1);
        first.items[0].contentHash = OTHER_HASH;
        sends(first);
        bytes32 imageId = registry.imageIdOf(sender, first.items[0].salt);
        refused(sampleBatch(0, 3), abi.encodeWithSelector(IImageRegistry.RecordConflict.selector, imageId));
    }

    function test_RevertWhen_TwoItemsOfABatchAreInConflict() public {
        IImageRegistry.Batch memory batch = sampleBatch(0, 2);
        batch.items[1].salt = batch.items[0].salt;
        bytes32 imageId = registry.imageIdOf(sender, batch.items[0].salt);
        refused(batch, abi.encodeWithSelector(IImageRegistry.RecordConflict.selector, imageId));
    }

    /// @dev What is refused is refused before anything is written: its relayer pays for reading alone.
    function test_RevertWhen_ABatchIsRefused_NothingWasWritten() public {
        IImageRegistry.Batch memory batch = sampleBatch(0, 100);
        bytes memory data = abi.encodeCall(registry.registerBatch, (batch, sign(STRANGER_KEY, batch)));
        refusedUnwritten(data, abi.encodeWithSelector(IImageRegistry.InvalidSignature.selector, sender));
        // The sender registers the last salt with other content, when the relayer has sent the batch.
        bytes memory signature = sign(SENDER_KEY, batch);
        IImageRegistry.Batch memory last = sampleBatch(99, 1);
        last.items[0].contentHash = OTHER_HASH;
        sends(last);
        bytes32 imageId = registry.imageIdOf(sender, batch.items[99].salt);
        data = abi.encodeCall(registry.registerBatch, (batch, signature));
        refusedUnwritten(data, abi.encodeWithSelector(IImageRegistry.RecordConflict.selector, imageId));
    }

    function test_RevertWhen_Paused_AlsoWhenAllAreRecorded() public {
        sends(sampleBatch(0, 2));
        pauseNow();
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.RegistryPaused.selector, NOW + 7 days);
        refused(sampleBatch(0, 2), expected);
        refused(sampleBatch(2, 2), expected);
    }

    function test_RevertWhen_SomebodyElseSendsItUnsigned() public {
        refused(
            stranger,
            abi.encodeCall(registry.registerBatch, (sampleBatch(0, 2), "")),
            abi.encodeWithSelector(IImageRegistry.InvalidSignature.selector, sender)
        );
    }

    function test_Records1And100Images() public {
        same(1, sends(sampleBatch(0, 1)));
        same(100, sends(sampleBatch(1, 100)));
        for (uint256 i = 0; i < 101; i++) {
            recorded(sampleItem(i));
        }
    }

    function test_AnItemOfOneWholeBlockIsTaken() public {
        IImageRegistry.Batch memory batch = sampleBatch(0, 2);
        (batch.items[0].size, batch.items[1].size) = (1_048_576, 1);
        same(2, sends(batch));
    }

    function test_WhereAllAreRecordedNothingHappens_WhoeverSendsIt() public {
        sends(sampleBatch(0, 3));
        bytes memory data = abi.encodeCall(registry.registerBatch, (sampleBatch(0, 3), "not even a signature"));
        same(abi.encode(0), idle(stranger, data));
    }

    function test_AnItemTwiceInABatchIsSkippedOnce() public {
        IImageRegistry.Batch memory batch = sampleBatch(0, 3);
        batch.items[2] = batch.items[0];
        vm.recordLogs();
        same(2, sends(batch));
        same(4, lastSkipped());
    }

    function test_TheSkippedAreNamed_AlsoTheHundredth() public {
        sends(sampleBatch(99, 1));
        vm.recordLogs();
        same(99, sends(sampleBatch(0, 100)));
        same(uint256(1) << 99, lastSkipped());
    }

    function test_ARelayedBatchNeedsOneSignature() public {
        IImageRegistry.Batch memory batch = sampleBatch(0, 3);
        bytes memory signature = signed(SENDER_KEY, TypedData.structHash(batch));
        bytes memory result = does(relayer, abi.encodeCall(registry.registerBatch, (batch, signature)));
        same(abi.encode(3), result);
        recorded(batch.items[2]);
    }

    function testFuzz_ABatchEqualsItsImagesOneByOne(uint64[4] memory sizes, bytes32 seed) public {
        IImageRegistry.Batch memory batch = sampleBatch(uint256(seed) >> 1, 4);
        for (uint256 i = 0; i < 4; i++) {
            batch.items[i].size = uint64(within(sizes[i], 1, 1 << 20));
        }
        uint256 start = vm.snapshotState();
        same(4, sends(batch));
        bytes memory together = recordsOf(batch);
        holds(vm.revertToState(start), "as before");
        for (uint256 i = 0; i < 4; i++) {
            IImageRegistry.Item memory item = batch.items[i];
            IImageRegistry.Registration memory one = IImageRegistry.Registration(
                sender, item.salt, item.contentHash, item.headerHash, item.size, "", item.capsulesHash, "", 0
            );
            does(sender, abi.encodeCall(registry.register, (one, "")));
        }
        same(recordsOf(batch), together);
    }

    function testFuzz_WhatIsRecordedIsSkipped(uint8 before) public {
        IImageRegistry.Batch memory batch = sampleBatch(0, 8);
        uint256 there = 0;
        for (uint256 i = 0; i < 8; i++) {
            if ((before >> i) & 1 == 0) continue;
            sends(sampleBatch(i, 1));
            there++;
        }
        vm.recordLogs();
        same(8 - there, sends(batch));
        if (there < 8) same(before, lastSkipped());
        else same(0, vm.getRecordedLogs().length);
        for (uint256 i = 0; i < 8; i++) {
            recorded(batch.items[i]);
        }
    }

    function testFuzz_RevertWhen_OneItemIsInConflict_NothingIsRecorded(uint256 index, bytes32 other) public {
        index = within(index, 0, 4);
        IImageRegistry.Batch memory first = sampleBatch(index, 1);
        if (other == 0 || other == first.items[0].contentHash) other = OTHER_HASH;
        first.items[0].contentHash = other;
        sends(first);
        bytes32 imageId = registry.imageIdOf(sender, first.items[0].salt);
        bytes memory before = recordsOf(sampleBatch(0, 5));
        refused(sampleBatch(0, 5), abi.encodeWithSelector(IImageRegistry.RecordConflict.selector, imageId));
        same(before, recordsOf(sampleBatch(0, 5)));
    }

    // ---- helpers ----

    function sends(IImageRegistry.Batch memory batch) private returns (uint256 count) {
        return abi.decode(does(sender, abi.encodeCall(registry.registerBatch, (batch, ""))), (uint256));
    }

    function refused(IImageRegistry.Batch memory batch, bytes memory expected) private {
        refused(batch.sender, abi.encodeCall(registry.registerBatch, (batch, "")), expected);
    }

    function sign(uint256 key, IImageRegistry.Batch memory batch) private view returns (bytes memory) {
        return signed(key, TypedData.structHash(batch));
    }

    /// @dev 100 records take 4.4 million gas to write; to read and to hash them takes a tenth, and more without the optimizer.
    function refusedUnwritten(bytes memory data, bytes memory expected) private {
        vm.record();
        vm.prank(relayer);
        uint256 gas = gasleft();
        (bool done, bytes memory found) = address(registry).call(data);
        gas -= gasleft();
        holds(!done, "the call reverts");
        same(expected, found);
        (, bytes32[] memory writes) = vm.accesses(address(registry));
        vm.stopRecord();
        same(0, writes.length);
        holds(gas < 2_000_000, "and costs no writes");
    }

    function recorded(IImageRegistry.Item memory item) private view {
        IImageRegistry.Record memory record = registry.recordOf(registry.imageIdOf(sender, item.salt));
        same(abi.encode(item.contentHash, sender, block.timestamp, 1, 0), abi.encode(record));
    }

    function recordsOf(IImageRegistry.Batch memory batch) private view returns (bytes memory records) {
        for (uint256 i = 0; i < batch.items.length; i++) {
            bytes32 imageId = registry.imageIdOf(batch.sender, batch.items[i].salt);
            records = bytes.concat(records, abi.encode(registry.recordOf(imageId)));
        }
    }

    /// @dev Which items the last event, a `BatchRegistered`, calls skipped.
    function lastSkipped() private returns (uint256 skipped) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        Vm.Log memory last = logs[logs.length - 1];
        same(IImageRegistry.BatchRegistered.selector, last.topics[0]);
        (, skipped) = abi.decode(last.data, (uint256, uint256));
    }
}

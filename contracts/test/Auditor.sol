// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {TypedData} from "./TypedData.sol";

/// @notice Recomputes the audit trail from a registry's events alone, as `IImageRegistry` states it.
library Auditor {
    /// @dev One event as an auditor gets it from a node.
    struct Entry {
        bytes32[] topics;
        bytes data;
        uint256 blockNumber;
        uint256 time;
    }

    uint256 private constant PAUSED = 1 << 248;

    /// @dev The word before the first event.
    function firstWord(address registry) internal view returns (uint256) {
        return uint256(keccak256(abi.encode("MedSeal audit v1", block.chainid, registry))) >> 48;
    }

    /// @dev The items of a batch whose own event has not come yet.
    struct Pending {
        bytes hashes;
        bytes32 sender;
        uint256 blockNumber;
    }

    /// @dev 0 where the chain holds from the first word to `last`, else the number of the first entry at which it does not, or one more than there are.
    function breakIn(Entry[] memory entries, address registry, uint256 last) internal view returns (uint256) {
        uint256 word = firstWord(registry);
        Pending memory pending;
        for (uint256 i = 0; i < entries.length; i++) {
            Entry memory entry = entries[i];
            if (entry.topics[0] == IImageRegistry.RegisteredInBatch.selector) {
                if (!isNext(pending, entry, registry)) return i + 1;
                pending.hashes = bytes.concat(pending.hashes, itemHash(entry));
                (pending.sender, pending.blockNumber) = (entry.topics[2], entry.blockNumber);
                continue;
            }
            if (entry.topics[0] == IImageRegistry.BatchRegistered.selector) {
                if (!covers(entry, pending)) return i + 1;
                pending.hashes = "";
            }
            word = next(word, entry);
            if (pending.hashes.length != 0 || word != uint256(trailOf(entry))) return i + 1;
        }
        return pending.hashes.length == 0 && word == last ? 0 : entries.length + 1;
    }

    /// @dev The word after an event. That of a pause or of its end is chained to the word before with the bits of a pause as they are then.
    function next(uint256 word, Entry memory entry) internal pure returns (uint256) {
        bytes32 kind = entry.topics[0];
        if (kind == IImageRegistry.Paused.selector) word |= PAUSED;
        if (kind == IImageRegistry.Unpaused.selector) word &= ~PAUSED;
        bytes32 hash = keccak256(abi.encode(word, kind, entry.blockNumber, entry.time, keccak256(fieldsOf(entry))));
        return (((word >> 208) + 1) << 208) | (uint256(hash) >> 48);
    }

    /// @dev One word for each argument but the last: the indexed ones, then those of the data, `bytes` as their hash.
    function fieldsOf(Entry memory entry) internal pure returns (bytes memory fields) {
        for (uint256 i = 1; i < entry.topics.length; i++) {
            fields = bytes.concat(fields, entry.topics[i]);
        }
        (uint256 count, uint256 dynamic) = layoutOf(entry.topics[0]);
        if (count == 0) count = entry.data.length / 32;
        for (uint256 i = 0; i + 1 < count; i++) {
            bytes32 word = wordAt(entry.data, i);
            if ((dynamic >> i) & 1 == 1) word = hashAt(entry.data, uint256(word));
            fields = bytes.concat(fields, word);
        }
    }

    /// @dev The last argument.
    function trailOf(Entry memory entry) internal pure returns (bytes32) {
        (uint256 count,) = layoutOf(entry.topics[0]);
        if (count == 0) count = entry.data.length / 32;
        return wordAt(entry.data, count - 1);
    }

    /// @dev How many arguments the data of an event holds, and which of them are `bytes`, as bits; 0 where all are words.
    function layoutOf(bytes32 kind) internal pure returns (uint256 count, uint256 dynamic) {
        if (kind == IImageRegistry.Registered.selector) return (10, 1 << 4 | 1 << 6 | 1 << 8);
        if (kind == IImageRegistry.BatchRegistered.selector) return (7, 1 << 5);
        if (kind == IImageRegistry.Anchored.selector) return (5, 1 << 1 | 1 << 3);
        if (kind == IImageRegistry.Materialized.selector) return (7, 1 << 4);
        if (kind == IImageRegistry.Verified.selector) return (7, 1 << 5);
        if (kind == IImageRegistry.CapsulesUpdated.selector) return (3, 1 << 1);
        if (kind == IImageRegistry.CapsulesAnchored.selector) return (3, 1 << 1);
        return (0, 0);
    }

    function isOpenZeppelins(bytes32 topic) internal pure returns (bool) {
        return topic == keccak256("RoleGranted(bytes32,address,address)")
            || topic == keccak256("RoleRevoked(bytes32,address,address)")
            || topic == keccak256("DefaultAdminTransferScheduled(address,uint48)")
            || topic == keccak256("DefaultAdminTransferCanceled()")
            || topic == keccak256("DefaultAdminDelayChangeScheduled(uint48,uint48)")
            || topic == keccak256("DefaultAdminDelayChangeCanceled()");
    }

    /// @dev Whether an item has the id that its sender and salt give, and the sender and block of those before it.
    function isNext(Pending memory pending, Entry memory entry, address registry) private view returns (bool) {
        bytes32 salt = wordAt(entry.data, 0);
        if (entry.topics[1] != keccak256(abi.encode(block.chainid, registry, entry.topics[2], salt))) return false;
        if (pending.hashes.length == 0) return true;
        return pending.sender == entry.topics[2] && pending.blockNumber == entry.blockNumber;
    }

    /// @dev Whether the items that came before are what a `BatchRegistered` says was recorded.
    function covers(Entry memory entry, Pending memory pending) private pure returns (bool) {
        (uint256 count, uint256 skipped, bytes32 itemsHash, bytes32 recordedHash) =
            abi.decode(entry.data, (uint256, uint256, bytes32, bytes32));
        bytes memory all;
        uint256 taken = 0;
        for (uint256 i = 0; i < count; i++) {
            bool isSkipped = (skipped >> i) & 1 == 1;
            if (!isSkipped && taken * 32 == pending.hashes.length) return false;
            all = bytes.concat(all, isSkipped ? bytes32(0) : wordAt(pending.hashes, taken++));
        }
        if (taken * 32 != pending.hashes.length || skipped >> count != 0) return false;
        if (skipped == 0 && itemsHash != recordedHash) return false;
        return
            pending.sender == entry.topics[1] && pending.blockNumber == entry.blockNumber
                && keccak256(all) == recordedHash;
    }

    function itemHash(Entry memory entry) private pure returns (bytes32) {
        IImageRegistry.Item memory item;
        (item.salt, item.contentHash, item.headerHash, item.capsulesHash, item.size) =
            abi.decode(entry.data, (bytes32, bytes32, bytes32, bytes32, uint64));
        return TypedData.structHash(item);
    }

    function wordAt(bytes memory data, uint256 index) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(add(add(data, 32), mul(index, 32)))
        }
    }

    /// @dev keccak256 of the `bytes` that lie `offset` bytes into the data.
    function hashAt(bytes memory data, uint256 offset) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let at := add(add(data, 32), offset)
            hash := keccak256(add(at, 32), mload(at))
        }
    }
}

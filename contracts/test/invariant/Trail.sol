// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../../src/IImageRegistry.sol";
import {Vm} from "../Cheats.sol";

/// @notice The audit chain as `IImageRegistry` states it, from a node's logs alone and without the contract's code.
library Trail {
    error UnknownEvent(bytes32 kind);

    /// @dev What the data of an event looks like: how many arguments it holds, and bit i where argument i is `bytes`.
    struct Shape {
        uint256 count;
        uint256 dynamic;
    }

    /// @notice Slot 0 before any event.
    function first(uint256 chainId, address registry) internal pure returns (bytes32) {
        return head(keccak256(abi.encode("MedSeal audit v1", chainId, registry)));
    }

    /// @notice Slot 0 after `log`, where it was `before` until then. Where a pause begins or ends, its bit is changed first.
    function next(bytes32 before, Vm.Log memory log, uint256 blockNumber, uint256 time)
        internal
        pure
        returns (bytes32)
    {
        bytes32 kind = log.topics[0];
        bytes32 paused = bytes32(uint256(1 << 248));
        if (kind == IImageRegistry.Paused.selector) before |= paused;
        if (kind == IImageRegistry.Unpaused.selector) before &= ~paused;
        bytes32 hash = keccak256(abi.encode(before, kind, blockNumber, time, keccak256(fields(log))));
        return bytes32(((uint256(before) >> 208) + 1) << 208) | head(hash);
    }

    /// @notice The last argument of a numbered event: what it says slot 0 holds after it.
    function tail(Vm.Log memory log) internal pure returns (bytes32) {
        return word(log.data, shape(log).count - 1);
    }

    /// @notice Whether the event has a number. OpenZeppelin's events and `RegisteredInBatch` have none.
    function isNumbered(bytes32 kind) internal pure returns (bool) {
        return kind != IImageRegistry.RegisteredInBatch.selector && !isOpenZeppelins(kind);
    }

    function isOpenZeppelins(bytes32 kind) internal pure returns (bool) {
        return kind == keccak256("RoleGranted(bytes32,address,address)")
            || kind == keccak256("RoleRevoked(bytes32,address,address)")
            || kind == keccak256("DefaultAdminTransferScheduled(address,uint48)")
            || kind == keccak256("DefaultAdminTransferCanceled()")
            || kind == keccak256("DefaultAdminDelayChangeScheduled(uint48,uint48)")
            || kind == keccak256("DefaultAdminDelayChangeCanceled()");
    }

    /// @dev One word for each argument but the last: the indexed ones, then the data's, `bytes` as their keccak256.
    function fields(Vm.Log memory log) private pure returns (bytes memory words) {
        for (uint256 i = 1; i < log.topics.length; i++) {
            words = bytes.concat(words, log.topics[i]);
        }
        Shape memory s = shape(log);
        for (uint256 i = 0; i + 1 < s.count; i++) {
            bytes32 found = word(log.data, i);
            words = bytes.concat(words, (s.dynamic >> i) & 1 == 1 ? hashAt(log.data, uint256(found)) : found);
        }
    }

    function shape(Vm.Log memory log) private pure returns (Shape memory) {
        bytes32 kind = log.topics[0];
        if (kind == IImageRegistry.Registered.selector) return Shape(10, (1 << 4) | (1 << 6) | (1 << 8));
        if (kind == IImageRegistry.BatchRegistered.selector) return Shape(7, 1 << 5);
        if (kind == IImageRegistry.Anchored.selector) return Shape(5, (1 << 1) | (1 << 3));
        if (kind == IImageRegistry.Materialized.selector) return Shape(7, 1 << 4);
        if (kind == IImageRegistry.Verified.selector) return Shape(7, 1 << 5);
        if (kind == IImageRegistry.CapsulesUpdated.selector) return Shape(3, 1 << 1);
        if (kind == IImageRegistry.CapsulesAnchored.selector) return Shape(3, 1 << 1);
        // All others hold words alone.
        if (log.data.length == 0) revert UnknownEvent(kind);
        return Shape(log.data.length / 32, 0);
    }

    function word(bytes memory data, uint256 i) private pure returns (bytes32 found) {
        assembly ("memory-safe") {
            found := mload(add(add(data, 32), mul(i, 32)))
        }
    }

    /// @dev keccak256 of the `bytes` whose length stands `offset` bytes into the data.
    function hashAt(bytes memory data, uint256 offset) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let at := add(add(data, 32), offset)
            hash := keccak256(add(at, 32), mload(at))
        }
    }

    /// @dev The first 26 bytes of a hash, in the low 208 bits.
    function head(bytes32 hash) private pure returns (bytes32) {
        return hash >> 48;
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../../src/IImageRegistry.sol";
import {AccessActions} from "./AccessActions.sol";

/// @notice Actions of the Key Generation Centers.
abstract contract KgcActions is AccessActions {
    bytes32 private constant _KGC_ROLE = keccak256("KGC_ROLE");
    uint256 private _roots;

    function publishKgcKey(uint256 which, bytes32 x25519) external tick {
        publish(kgcIdOf(which), strong(x25519));
    }

    /// @dev The other KGC's wallet, and an epoch that was left out.
    function publishForbidden(uint256 which, bytes32 x25519) external tick {
        x25519 = strong(x25519);
        bytes32 kgcId = kgcIdOf(which);
        address publisher = publish(kgcId, x25519);
        uint32 epoch = lines[kgcId].lastEpoch;
        address other = holder(_KGC_ROLE, publisher == kgcs(0) ? kgcs(1) : kgcs(0));
        bytes memory data = abi.encodeCall(registry.publishKgcKey, (kgcId, epoch + 1, x25519, other));
        refuse(other, data, abi.encodeWithSelector(IImageRegistry.NotPublisher.selector, kgcId, other, publisher));
        data = abi.encodeCall(registry.publishKgcKey, (kgcId, epoch + 2, x25519, other));
        bytes memory expected =
            abi.encodeWithSelector(IImageRegistry.EpochOutOfOrder.selector, kgcId, epoch + 2, epoch + 1);
        refuse(publisher, data, expected);
    }

    /// @dev And once more, which is refused.
    function retireKgcKey(uint256 which) external tick {
        bytes32 kgcId = kgcIdOf(which);
        uint32 epoch = lines[kgcId].lastEpoch;
        if (epoch == 0 || keys[kgcId][epoch].retired) publish(kgcId, OTHER_HASH);
        epoch = lines[kgcId].lastEpoch;
        address by = publisherOf(kgcId);
        bytes memory data = abi.encodeCall(registry.retireKgcKey, (kgcId, epoch));
        send(by, data);
        refuse(by, data, abi.encodeWithSelector(IImageRegistry.AlreadyRetired.selector, kgcId, epoch));
    }

    /// @dev And the same number again, which is refused.
    function anchorLog(uint256 who, uint256 which, uint64 step) external tick {
        address by = holder(_KGC_ROLE, kgcs(who));
        bytes32 logId = bytes32(which % 3);
        uint64 seq = logHeads[by][logId].seq + 1 + step % 1000;
        bytes memory data = abi.encodeCall(registry.anchorLog, (logId, seq, keccak256(abi.encode(seq))));
        send(by, data);
        refuse(by, data, abi.encodeWithSelector(IImageRegistry.LogSeqNotRising.selector, logId, seq, seq));
    }

    function anchorCapsules(uint256 who, uint32 count) external tick {
        onlyIf(!isPaused() && count != 0);
        address by = holder(_KGC_ROLE, kgcs(who));
        bytes32 root = keccak256(abi.encode("capsules", ++_roots));
        bytes memory data = abi.encodeCall(registry.anchorCapsules, (root, count, hex"01"));
        send(by, data);
        refuse(by, data, abi.encodeWithSelector(IImageRegistry.AnchorConflict.selector, by, root));
        same(count, registry.capsulesAnchorOf(by, root).count);
    }

    // ---- who publishes ----

    /// @dev None of the keys of small order: fuzzers know them from the contract's code.
    function strong(bytes32 x25519) private pure returns (bytes32) {
        return x25519 ^ bytes32(uint256(1) << 100) | bytes32(uint256(1) << 90);
    }

    function publish(bytes32 kgcId, bytes32 x25519) private returns (address by) {
        by = publisherOf(kgcId);
        uint32 epoch = lines[kgcId].lastEpoch + 1;
        send(by, abi.encodeCall(registry.publishKgcKey, (kgcId, epoch, x25519, by)));
    }

    /// @dev The last publisher while it has its role, else any KGC.
    function publisherOf(bytes32 kgcId) private returns (address by) {
        by = lines[kgcId].publisher;
        if (!hasRole[_KGC_ROLE][by]) by = holder(_KGC_ROLE, kgcs(uint256(kgcId)));
    }

    function kgcIdOf(uint256 which) internal pure returns (bytes32) {
        return bytes32(1 + which % 3);
    }
}

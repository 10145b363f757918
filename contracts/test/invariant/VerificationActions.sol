// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../../src/IImageRegistry.sol";
import {TypedData} from "../TypedData.sol";
import {AnchorActions} from "./AnchorActions.sol";

/// @notice Actions on the verification log, on flags and nonces.
abstract contract VerificationActions is AnchorActions {
    function logValid(uint256 who, uint256 which) external tick {
        bytes32 imageId = anyImage(which);
        logAs(verifiers(who), imageId, contentOf[imageId]);
    }

    function logInvalid(uint256 who, uint256 which) external tick {
        logAs(verifiers(who), anyImage(which), OTHER_HASH);
    }

    /// @dev A wallet without the role: the entry is logged and flags nothing.
    function logByStranger(uint256 who, uint256 which) external tick {
        bytes32 imageId = anyImage(which);
        IImageRegistry.FlagState before = registry.flagOf(imageId).state;
        logAs(senders(who), imageId, OTHER_HASH);
        same(before, registry.flagOf(imageId).state);
    }

    function logFor(uint256 who, uint256 which, uint256 seed) external tick {
        bytes32 imageId = anyImage(which);
        address by = seed % 4 == 0 ? senders(who) : verifiers(who);
        relayLook(by, lookOf(by, imageId, seed % 3 == 0 ? OTHER_HASH : contentOf[imageId]));
    }

    /// @dev A signature that was cancelled before it was relayed.
    function logCancelled(uint256 who, uint256 which) external tick {
        bytes32 imageId = anyImage(which);
        address by = verifiers(who);
        IImageRegistry.Verification memory entry = lookOf(by, imageId, OTHER_HASH);
        bytes memory signature = signed(by, TypedData.structHash(entry));
        send(by, abi.encodeCall(registry.invalidateNonce, ()));
        bytes memory expected =
            abi.encodeWithSelector(IImageRegistry.InvalidNonce.selector, by, entry.nonce, nonces[by]);
        refuse(relayers(who), abi.encodeCall(registry.recordVerification, (entry, signature)), expected);
    }

    function invalidateNonce(uint256 who) external tick {
        send(who % 2 == 0 ? verifiers(who / 2) : senders(who / 2), abi.encodeCall(registry.invalidateNonce, ()));
    }

    function confirmFlag(uint256 which) external tick {
        (bytes32 imageId, uint64 flagId) = openFlag(which);
        address by = holder(keccak256("ARBITER_ROLE"), judge);
        send(by, abi.encodeCall(registry.confirmFlag, (imageId, flagId)));
        same(IImageRegistry.RecordState.Tampered, registry.recordOf(imageId).state);
    }

    function dismissFlag(uint256 which, bool bySender) external tick {
        (bytes32 imageId, uint64 flagId) = openFlag(which);
        address by = bySender ? senderOf[imageId] : holder(keccak256("ARBITER_ROLE"), judge);
        send(by, abi.encodeCall(registry.dismissFlag, (imageId, flagId)));
        same(IImageRegistry.RecordState.Registered, registry.recordOf(imageId).state);
    }

    function decideFlagFor(uint256 which, bool confirmed, bool bySender) external tick {
        (bytes32 imageId, uint64 flagId) = openFlag(which);
        address by = bySender && !confirmed ? senderOf[imageId] : holder(keccak256("ARBITER_ROLE"), judge);
        IImageRegistry.FlagDecision memory decision =
            IImageRegistry.FlagDecision(imageId, flagId, confirmed, by, deadline());
        bytes memory signature = signed(by, TypedData.structHash(decision));
        relay(abi.encodeCall(registry.decideFlagFor, (decision, signature)));
    }

    /// @dev The sender confirms, a stranger dismisses, and an arbiter decides what is decided.
    function decideForbidden(uint256 which) external tick {
        (bytes32 imageId, uint64 flagId) = openFlag(which);
        address by = senderOf[imageId];
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.NotArbiter.selector, imageId, by);
        refuse(by, abi.encodeCall(registry.confirmFlag, (imageId, flagId)), expected);
        expected = abi.encodeWithSelector(IImageRegistry.NotArbiter.selector, imageId, relayers(which));
        refuse(relayers(which), abi.encodeCall(registry.dismissFlag, (imageId, flagId)), expected);
        send(by, abi.encodeCall(registry.dismissFlag, (imageId, flagId)));
        expected = abi.encodeWithSelector(IImageRegistry.FlagNotOpen.selector, imageId, flagId);
        refuse(
            holder(keccak256("ARBITER_ROLE"), judge), abi.encodeCall(registry.confirmFlag, (imageId, flagId)), expected
        );
    }

    // ---- what is sent ----

    function lookOf(address by, bytes32 imageId, bytes32 observedHash)
        internal
        view
        returns (IImageRegistry.Verification memory)
    {
        return IImageRegistry.Verification(imageId, by, observedHash, clock, nonces[by], deadline());
    }

    function logAs(address by, bytes32 imageId, bytes32 observedHash) internal {
        bytes memory data = abi.encodeCall(registry.recordVerification, (lookOf(by, imageId, observedHash), ""));
        bool valid = abi.decode(send(by, data), (bool));
        holds(valid == (observedHash == contentOf[imageId]), "the answer is what the hashes say");
    }

    function relayLook(address by, IImageRegistry.Verification memory entry) internal {
        bytes memory signature = signed(by, TypedData.structHash(entry));
        relay(abi.encodeCall(registry.recordVerification, (entry, signature)));
    }

    /// @dev An image whose flag is open: the first, from `which` on, that is not tampered with for good, flagged where it isn't.
    function openFlag(uint256 which) internal returns (bytes32 imageId, uint64 flagId) {
        imageId = anyImage(which);
        for (uint256 i = 0; images[imageId].record.state == IImageRegistry.RecordState.Tampered; i++) {
            if (i == imageIds.length) {
                onlyIf(!isPaused());
                imageId = recordNew(which, which);
            } else {
                imageId = anyImage(which % imageIds.length + i);
            }
        }
        if (images[imageId].record.state == IImageRegistry.RecordState.Registered) {
            logAs(holder(keccak256("VERIFIER_ROLE"), verifiers(which)), imageId, OTHER_HASH);
        }
        flagId = registry.flagOf(imageId).id;
    }
}

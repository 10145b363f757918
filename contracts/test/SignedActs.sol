// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {Base} from "./Base.sol";
import {TypedData} from "./TypedData.sol";

/// @notice Everything that a wallet can sign, as a table: for each act the struct's hash, the call that carries it, and whether it has happened.
/// @dev The acts of one signer are about an image of its own, with an open flag, and do not disturb one another: each can be asked for once, in any order.
abstract contract SignedActs is Base {
    enum Act {
        Register,
        RegisterBatch,
        Anchor,
        RecordVerification,
        DecideFlag,
        Grant,
        Revoke,
        SetOperator,
        UpdateCapsules
    }

    uint256 internal constant ACTS = 9;
    bytes32 private constant SALT = keccak256("an image with a flag");
    bytes32 private constant NEW_SALT = keccak256("an image to be registered");
    address private constant BANNED = address(0xBAD);

    /// @dev Registers the image that the signer's acts are about, and has it flagged.
    function prepare(address signer) internal {
        IImageRegistry.Registration memory registration = sample();
        (registration.sender, registration.salt) = (signer, SALT);
        does(signer, abi.encodeCall(registry.register, (registration, "")));
        IImageRegistry.Verification memory verification = look(OTHER_HASH);
        verification.imageId = imageOf(signer);
        does(verifier, abi.encodeCall(registry.recordVerification, (verification, "")));
    }

    function imageOf(address signer) internal view returns (bytes32) {
        return registry.imageIdOf(signer, SALT);
    }

    // ---- the structs ----

    function registrationOf(address signer, uint64 deadline)
        internal
        view
        returns (IImageRegistry.Registration memory registration)
    {
        registration = sample();
        (registration.sender, registration.salt, registration.deadline) = (signer, NEW_SALT, deadline);
    }

    function batchOf(address signer, uint64 deadline) internal view returns (IImageRegistry.Batch memory batch) {
        batch = sampleBatch(0, 2);
        (batch.sender, batch.deadline) = (signer, deadline);
    }

    function anchorOf(address signer, uint64 deadline) internal pure returns (IImageRegistry.Anchor memory) {
        return IImageRegistry.Anchor(signer, ROOT, 1000, CID, deadline);
    }

    function verificationOf(address signer, uint64 deadline)
        internal
        view
        returns (IImageRegistry.Verification memory)
    {
        return IImageRegistry.Verification(
            imageOf(signer), signer, sample().contentHash, NOW, registry.nonces(signer), deadline
        );
    }

    function decisionOf(address signer, uint64 deadline) internal view returns (IImageRegistry.FlagDecision memory) {
        return IImageRegistry.FlagDecision(imageOf(signer), newestFlag(imageOf(signer)), false, signer, deadline);
    }

    function grantOf(address signer, uint64 deadline) internal view returns (IImageRegistry.Grant memory) {
        return IImageRegistry.Grant(imageOf(signer), reader, NOW + 30 days, 0, signer, 0, deadline);
    }

    function revocationOf(address signer, uint64 deadline) internal view returns (IImageRegistry.Revocation memory) {
        return IImageRegistry.Revocation(imageOf(signer), BANNED, 0, signer, 0, deadline);
    }

    function changeOf(address signer, uint64 deadline) internal pure returns (IImageRegistry.OperatorChange memory) {
        return IImageRegistry.OperatorChange(signer, operator, true, 0, deadline);
    }

    function updateOf(address signer, uint64 deadline) internal view returns (IImageRegistry.CapsulesUpdate memory) {
        return IImageRegistry.CapsulesUpdate(imageOf(signer), 0, OTHER_HASH, CID, signer, 0, deadline);
    }

    // ---- the table ----

    function structHashOf(Act act, address signer, uint64 deadline) internal view returns (bytes32) {
        if (act == Act.Register) return TypedData.structHash(registrationOf(signer, deadline));
        if (act == Act.RegisterBatch) return TypedData.structHash(batchOf(signer, deadline));
        if (act == Act.Anchor) return TypedData.structHash(anchorOf(signer, deadline));
        if (act == Act.RecordVerification) return TypedData.structHash(verificationOf(signer, deadline));
        if (act == Act.DecideFlag) return TypedData.structHash(decisionOf(signer, deadline));
        if (act == Act.Grant) return TypedData.structHash(grantOf(signer, deadline));
        if (act == Act.Revoke) return TypedData.structHash(revocationOf(signer, deadline));
        if (act == Act.SetOperator) return TypedData.structHash(changeOf(signer, deadline));
        return TypedData.structHash(updateOf(signer, deadline));
    }

    function callOf(Act act, address signer, uint64 deadline, bytes memory signature)
        internal
        view
        returns (bytes memory)
    {
        if (act == Act.Register) {
            return abi.encodeCall(registry.register, (registrationOf(signer, deadline), signature));
        }
        if (act == Act.RegisterBatch) {
            return abi.encodeCall(registry.registerBatch, (batchOf(signer, deadline), signature));
        }
        if (act == Act.Anchor) return abi.encodeCall(registry.anchor, (anchorOf(signer, deadline), signature));
        if (act == Act.RecordVerification) {
            return abi.encodeCall(registry.recordVerification, (verificationOf(signer, deadline), signature));
        }
        if (act == Act.DecideFlag) {
            return abi.encodeCall(registry.decideFlagFor, (decisionOf(signer, deadline), signature));
        }
        if (act == Act.Grant) return abi.encodeCall(registry.grantFor, (grantOf(signer, deadline), signature));
        if (act == Act.Revoke) return abi.encodeCall(registry.revokeFor, (revocationOf(signer, deadline), signature));
        if (act == Act.SetOperator) {
            return abi.encodeCall(registry.setOperatorFor, (changeOf(signer, deadline), signature));
        }
        return abi.encodeCall(registry.updateCapsulesFor, (updateOf(signer, deadline), signature));
    }

    function happened(Act act, address signer) internal view returns (bool) {
        bytes32 imageId = imageOf(signer);
        if (act == Act.Register) return registry.recordOf(registry.imageIdOf(signer, NEW_SALT)).sender == signer;
        if (act == Act.RegisterBatch) {
            return registry.recordOf(registry.imageIdOf(signer, sampleItem(1).salt)).sender == signer;
        }
        if (act == Act.Anchor) return registry.anchorOf(signer, ROOT).count == 1000;
        if (act == Act.RecordVerification) return registry.recordOf(imageId).verifications == 2;
        if (act == Act.DecideFlag) {
            return registry.flagOf(imageId).state == IImageRegistry.FlagState.DismissedBySender;
        }
        if (act == Act.Grant) return registry.isAuthorized(imageId, reader);
        if (act == Act.Revoke) return registry.accessOf(imageId, BANNED).seq >> 96 == 1;
        if (act == Act.SetOperator) return registry.operatorOf(signer, operator).allowed;
        return registry.capsulesOf(imageId).version == 1;
    }

    /// @dev The relayer is refused with exactly `expected`, and the act has not happened.
    function refusedAct(Act act, address signer, uint64 deadline, bytes memory signature, bytes memory expected)
        internal
    {
        refused(relayer, callOf(act, signer, deadline, signature), expected);
        holds(!happened(act, signer), "not done");
    }

    function invalidSignature(address signer) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IImageRegistry.InvalidSignature.selector, signer);
    }

    function takenAct(Act act, address signer, uint64 deadline, bytes memory signature) internal {
        holds(!happened(act, signer), "not yet");
        does(relayer, callOf(act, signer, deadline, signature));
        holds(happened(act, signer), "done");
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {Base} from "./Base.sol";
import {VectorVm} from "./Vectors.t.sol";

/// @notice The selectors and topics of tests/vectors/typed_data.json. Frozen: a test that fails here says that clients and auditors of this version no longer
/// understand the contract. That the lists are whole, and names and order of all fields, is compared in tests/it/differential.rs.
contract DeclarationsTest is Base {
    VectorVm private constant _VM = VectorVm(address(vm));

    string private _json;
    uint256 private _errors;
    uint256 private _events;

    function setUp() public override {
        _json = vm.readFile("tests/vectors/typed_data.json");
    }

    function test_FunctionsAreThoseOfTheVectors() public view {
        same(vm.parseJsonBytes(_json, ".interfaceId"), abi.encodePacked(type(IImageRegistry).interfaceId));
    }

    function test_ErrorsAreThoseOfTheVectors() public {
        sameError("RecordConflict", IImageRegistry.RecordConflict.selector);
        sameError("UnknownImage", IImageRegistry.UnknownImage.selector);
        sameError("ZeroHash", IImageRegistry.ZeroHash.selector);
        sameError("ZeroSize", IImageRegistry.ZeroSize.selector);
        sameError("ZeroCount", IImageRegistry.ZeroCount.selector);
        sameError("WeakKey", IImageRegistry.WeakKey.selector);
        sameError("ZeroAddress", IImageRegistry.ZeroAddress.selector);
        sameError("CidLength", IImageRegistry.CidLength.selector);
        sameError("BatchLength", IImageRegistry.BatchLength.selector);
        sameError("NotOneBlock", IImageRegistry.NotOneBlock.selector);
        sameError("UnknownAnchor", IImageRegistry.UnknownAnchor.selector);
        sameError("AnchorConflict", IImageRegistry.AnchorConflict.selector);
        sameError("ProofLength", IImageRegistry.ProofLength.selector);
        sameError("InvalidProof", IImageRegistry.InvalidProof.selector);
        sameError("SignatureExpired", IImageRegistry.SignatureExpired.selector);
        sameError("DeadlineTooFar", IImageRegistry.DeadlineTooFar.selector);
        sameError("InvalidSignature", IImageRegistry.InvalidSignature.selector);
        sameError("SignatureLength", IImageRegistry.SignatureLength.selector);
        sameError("InvalidNonce", IImageRegistry.InvalidNonce.selector);
        sameError("ObservedAtOutOfRange", IImageRegistry.ObservedAtOutOfRange.selector);
        sameError("NotSender", IImageRegistry.NotSender.selector);
        sameError("ExpiryInPast", IImageRegistry.ExpiryInPast.selector);
        sameError("StaleAccess", IImageRegistry.StaleAccess.selector);
        sameError("StaleOperator", IImageRegistry.StaleOperator.selector);
        sameError("StaleCapsules", IImageRegistry.StaleCapsules.selector);
        sameError("NoSuchFlag", IImageRegistry.NoSuchFlag.selector);
        sameError("FlagNotOpen", IImageRegistry.FlagNotOpen.selector);
        sameError("NotArbiter", IImageRegistry.NotArbiter.selector);
        sameError("EpochOutOfOrder", IImageRegistry.EpochOutOfOrder.selector);
        sameError("UnknownKgcKey", IImageRegistry.UnknownKgcKey.selector);
        sameError("AlreadyRetired", IImageRegistry.AlreadyRetired.selector);
        sameError("NotPublisher", IImageRegistry.NotPublisher.selector);
        sameError("LogSeqNotRising", IImageRegistry.LogSeqNotRising.selector);
        sameError("RegistryPaused", IImageRegistry.RegistryPaused.selector);
        sameError("NotPaused", IImageRegistry.NotPaused.selector);
        sameError("PausedLately", IImageRegistry.PausedLately.selector);
        sameError("InvalidSuccessor", IImageRegistry.InvalidSuccessor.selector);
        sameError("AlreadySuperseded", IImageRegistry.AlreadySuperseded.selector);
        same(_VM.parseJsonKeys(_json, ".errors").length, _errors);
    }

    function test_EventsAreThoseOfTheVectors() public {
        sameEvent("Registered", IImageRegistry.Registered.selector);
        sameEvent("RegisteredInBatch", IImageRegistry.RegisteredInBatch.selector);
        sameEvent("BatchRegistered", IImageRegistry.BatchRegistered.selector);
        sameEvent("Anchored", IImageRegistry.Anchored.selector);
        sameEvent("Materialized", IImageRegistry.Materialized.selector);
        sameEvent("Verified", IImageRegistry.Verified.selector);
        sameEvent("FlagRaised", IImageRegistry.FlagRaised.selector);
        sameEvent("FlagJoined", IImageRegistry.FlagJoined.selector);
        sameEvent("FlagConfirmed", IImageRegistry.FlagConfirmed.selector);
        sameEvent("FlagDismissed", IImageRegistry.FlagDismissed.selector);
        sameEvent("AccessGranted", IImageRegistry.AccessGranted.selector);
        sameEvent("AccessRevoked", IImageRegistry.AccessRevoked.selector);
        sameEvent("OperatorSet", IImageRegistry.OperatorSet.selector);
        sameEvent("CapsulesUpdated", IImageRegistry.CapsulesUpdated.selector);
        sameEvent("KgcKeyPublished", IImageRegistry.KgcKeyPublished.selector);
        sameEvent("KgcKeyRetired", IImageRegistry.KgcKeyRetired.selector);
        sameEvent("LogAnchored", IImageRegistry.LogAnchored.selector);
        sameEvent("CapsulesAnchored", IImageRegistry.CapsulesAnchored.selector);
        sameEvent("RoleChanged", IImageRegistry.RoleChanged.selector);
        sameEvent("AdminPlanned", IImageRegistry.AdminPlanned.selector);
        sameEvent("Paused", IImageRegistry.Paused.selector);
        sameEvent("Unpaused", IImageRegistry.Unpaused.selector);
        sameEvent("Superseded", IImageRegistry.Superseded.selector);
        sameEvent("NonceInvalidated", IImageRegistry.NonceInvalidated.selector);
        same(_VM.parseJsonKeys(_json, ".events").length, _events);
    }

    // ---- asserts ----

    function sameError(string memory name, bytes4 selector) private {
        same(vm.parseJsonBytes(_json, string.concat(".errors.", name, ".selector")), abi.encodePacked(selector));
        _errors++;
    }

    function sameEvent(string memory name, bytes32 topic) private {
        same(vm.parseJsonBytes32(_json, string.concat(".events.", name, ".topic")), topic);
        _events++;
    }
}

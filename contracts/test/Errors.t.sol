// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {AnchoredBase} from "./AnchoredBase.sol";
import {MerkleTree} from "./MerkleTree.sol";
import {TypedData} from "./TypedData.sol";

/// @notice Every error of `IImageRegistry`, each from one call: an error without such a call is noticed here. Each function's own errors are in the file of its subject.
contract ErrorsTest is AnchoredBase {
    bytes32[] private _none;
    string[] private _seen;

    function test_RevertWhen_EveryErrorOfTheInterface() public {
        images();
        anchors();
        signatures();
        verificationsAndFlags();
        access();
        keyCenters();
        governance();

        string[] memory parts = vm.split(vm.readFile("contracts/src/IImageRegistry.sol"), "\n    error ");
        same(parts.length - 1, _seen.length);
        for (uint256 i = 1; i < parts.length; i++) {
            bytes32 name = keccak256(bytes(vm.split(parts[i], "(")[0]));
            uint256 times = 0;
            for (uint256 j = 0; j < _seen.length; j++) {
                if (keccak256(bytes(_seen[j])) == name) times++;
            }
            holds(times == 1, parts[i]);
        }
    }

    function images() private {
        IImageRegistry.Registration memory registration = sample();
        registration.contentHash = 0;
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.ZeroHash.selector);
        row("ZeroHash", sender, abi.encodeCall(registry.register, (registration, "")), expected);
        registration = sample();
        registration.size = 0;
        expected = abi.encodeWithSelector(IImageRegistry.ZeroSize.selector);
        row("ZeroSize", sender, abi.encodeCall(registry.register, (registration, "")), expected);
        registration = sample();
        registration.sender = address(0);
        expected = abi.encodeWithSelector(IImageRegistry.ZeroAddress.selector);
        row("ZeroAddress", sender, abi.encodeCall(registry.register, (registration, "")), expected);
        registration = sample();
        registration.cid = new bytes(65);
        expected = abi.encodeWithSelector(IImageRegistry.CidLength.selector, 65);
        row("CidLength", sender, abi.encodeCall(registry.register, (registration, "")), expected);

        bytes32 imageId = registerSample();
        registration = sample();
        registration.contentHash = OTHER_HASH;
        expected = abi.encodeWithSelector(IImageRegistry.RecordConflict.selector, imageId);
        row("RecordConflict", sender, abi.encodeCall(registry.register, (registration, "")), expected);
        IImageRegistry.Batch memory batch = sampleBatch(0, 101);
        expected = abi.encodeWithSelector(IImageRegistry.BatchLength.selector, 101);
        row("BatchLength", sender, abi.encodeCall(registry.registerBatch, (batch, "")), expected);
        batch = sampleBatch(0, 1);
        batch.items[0].size = 1_048_577;
        expected = abi.encodeWithSelector(IImageRegistry.NotOneBlock.selector, 1_048_577);
        row("NotOneBlock", sender, abi.encodeCall(registry.registerBatch, (batch, "")), expected);
    }

    function anchors() private {
        IImageRegistry.Anchor memory anchor = sampleAnchor();
        anchor.count = 0;
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.ZeroCount.selector);
        row("ZeroCount", sender, abi.encodeCall(registry.anchor, (anchor, "")), expected);
        does(sender, abi.encodeCall(registry.anchor, (sampleAnchor(), "")));
        expected = abi.encodeWithSelector(IImageRegistry.AnchorConflict.selector, sender, ROOT);
        row("AnchorConflict", sender, abi.encodeCall(registry.anchor, (anchor, "")), expected);
        expected = abi.encodeWithSelector(IImageRegistry.UnknownAnchor.selector, sender, OTHER_HASH);
        row("UnknownAnchor", sender, materialization(OTHER_HASH, sampleLeaf(0), _none), expected);
        expected = abi.encodeWithSelector(IImageRegistry.ProofLength.selector, 33);
        row("ProofLength", sender, materialization(ROOT, sampleLeaf(0), new bytes32[](33)), expected);
        bytes32 leafHash = MerkleTree.leafHash(sampleLeaf(0));
        expected = abi.encodeWithSelector(IImageRegistry.InvalidProof.selector, ROOT, leafHash);
        row("InvalidProof", sender, materialization(ROOT, sampleLeaf(0), _none), expected);
    }

    function signatures() private {
        IImageRegistry.Registration memory registration = sample();
        registration.salt = OTHER_HASH;
        bytes memory data = abi.encodeCall(registry.register, (registration, ""));
        row("InvalidSignature", relayer, data, abi.encodeWithSelector(IImageRegistry.InvalidSignature.selector, sender));
        data = abi.encodeCall(registry.register, (registration, new bytes(4097)));
        row("SignatureLength", relayer, data, abi.encodeWithSelector(IImageRegistry.SignatureLength.selector, 4097));
        registration.deadline = NOW - 1;
        data = abi.encodeCall(registry.register, (registration, sign(SENDER_KEY, registration)));
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.SignatureExpired.selector, NOW - 1, NOW);
        row("SignatureExpired", relayer, data, expected);
        registration.deadline = NOW + 7 days + 1;
        data = abi.encodeCall(registry.register, (registration, sign(SENDER_KEY, registration)));
        expected = abi.encodeWithSelector(IImageRegistry.DeadlineTooFar.selector, NOW + 7 days + 1, NOW + 7 days);
        row("DeadlineTooFar", relayer, data, expected);
        IImageRegistry.Verification memory verification = look(OTHER_HASH);
        verification.nonce = 9;
        data = abi.encodeCall(registry.recordVerification, (verification, sign(VERIFIER_KEY, verification)));
        expected = abi.encodeWithSelector(IImageRegistry.InvalidNonce.selector, verifier, 9, 0);
        row("InvalidNonce", relayer, data, expected);
    }

    function verificationsAndFlags() private {
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.UnknownImage.selector, OTHER_HASH);
        row("UnknownImage", verifier, abi.encodeCall(registry.verify, (OTHER_HASH, OTHER_HASH)), expected);
        IImageRegistry.Verification memory verification = look(OTHER_HASH);
        verification.observedAt = NOW + 61;
        expected = abi.encodeWithSelector(IImageRegistry.ObservedAtOutOfRange.selector, NOW + 61, NOW - 60, NOW + 60);
        row("ObservedAtOutOfRange", verifier, abi.encodeCall(registry.recordVerification, (verification, "")), expected);

        expected = abi.encodeWithSelector(IImageRegistry.NoSuchFlag.selector, sampleId(), 1);
        row("NoSuchFlag", arbiter, abi.encodeCall(registry.confirmFlag, (sampleId(), 1)), expected);
        logLook(OTHER_HASH);
        expected = abi.encodeWithSelector(IImageRegistry.NotArbiter.selector, sampleId(), sender);
        uint64 flagId = newestFlag(sampleId());
        row("NotArbiter", sender, abi.encodeCall(registry.confirmFlag, (sampleId(), flagId)), expected);
        does(arbiter, abi.encodeCall(registry.confirmFlag, (sampleId(), flagId)));
        expected = abi.encodeWithSelector(IImageRegistry.FlagNotOpen.selector, sampleId(), flagId);
        row("FlagNotOpen", arbiter, abi.encodeCall(registry.dismissFlag, (sampleId(), flagId)), expected);
    }

    function access() private {
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.NotSender.selector, sampleId(), reader);
        row("NotSender", reader, abi.encodeCall(registry.revoke, (sampleId(), reader)), expected);
        expected = abi.encodeWithSelector(IImageRegistry.ExpiryInPast.selector, NOW - 1, NOW);
        row("ExpiryInPast", sender, abi.encodeCall(registry.grant, (sampleId(), reader, NOW - 1)), expected);
        IImageRegistry.Revocation memory revocation = IImageRegistry.Revocation(sampleId(), reader, 7, sender, 0, NOW);
        bytes memory signature = signed(SENDER_KEY, TypedData.structHash(revocation));
        expected = abi.encodeWithSelector(IImageRegistry.StaleAccess.selector, sampleId(), reader, 7, 0);
        row("StaleAccess", relayer, abi.encodeCall(registry.revokeFor, (revocation, signature)), expected);
        IImageRegistry.OperatorChange memory change = IImageRegistry.OperatorChange(sender, operator, true, 7, NOW);
        signature = signed(SENDER_KEY, TypedData.structHash(change));
        expected = abi.encodeWithSelector(IImageRegistry.StaleOperator.selector, sender, operator, 7, 0);
        row("StaleOperator", relayer, abi.encodeCall(registry.setOperatorFor, (change, signature)), expected);
        expected = abi.encodeWithSelector(IImageRegistry.StaleCapsules.selector, sampleId(), 7, 0);
        row("StaleCapsules", sender, abi.encodeCall(registry.updateCapsules, (sampleId(), 7, OTHER_HASH, "")), expected);
    }

    function keyCenters() private {
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.UnknownKgcKey.selector, KGC, 1);
        row("UnknownKgcKey", reader, abi.encodeCall(registry.kgcKey, (KGC, 1)), expected);
        expected = abi.encodeWithSelector(IImageRegistry.EpochOutOfOrder.selector, KGC, 2, 1);
        row("EpochOutOfOrder", kgc, abi.encodeCall(registry.publishKgcKey, (KGC, 2, OTHER_HASH, kgc)), expected);
        expected = abi.encodeWithSelector(IImageRegistry.WeakKey.selector, 0);
        row("WeakKey", kgc, abi.encodeCall(registry.publishKgcKey, (KGC, 1, 0, kgc)), expected);
        does(kgc, abi.encodeCall(registry.publishKgcKey, (KGC, 1, OTHER_HASH, kgc)));
        does(kgc, abi.encodeCall(registry.retireKgcKey, (KGC, 1)));
        expected = abi.encodeWithSelector(IImageRegistry.AlreadyRetired.selector, KGC, 1);
        row("AlreadyRetired", kgc, abi.encodeCall(registry.retireKgcKey, (KGC, 1)), expected);
        giveRole(registry.KGC_ROLE(), reader);
        expected = abi.encodeWithSelector(IImageRegistry.NotPublisher.selector, KGC, reader, kgc);
        row("NotPublisher", reader, abi.encodeCall(registry.retireKgcKey, (KGC, 1)), expected);
        expected = abi.encodeWithSelector(IImageRegistry.LogSeqNotRising.selector, LOG, 0, 0);
        row("LogSeqNotRising", kgc, abi.encodeCall(registry.anchorLog, (LOG, 0, OTHER_HASH)), expected);
    }

    function governance() private {
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.NotPaused.selector);
        row("NotPaused", pauser, abi.encodeCall(registry.unpause, ()), expected);
        pauseNow();
        expected = abi.encodeWithSelector(IImageRegistry.PausedLately.selector, NOW + 8 days);
        row("PausedLately", pauser, abi.encodeCall(registry.pause, ()), expected);
        expected = abi.encodeWithSelector(IImageRegistry.RegistryPaused.selector, NOW + 7 days);
        row("RegistryPaused", sender, abi.encodeCall(registry.register, (sample(), "")), expected);
        expected = abi.encodeWithSelector(IImageRegistry.InvalidSuccessor.selector, reader);
        row("InvalidSuccessor", admin, abi.encodeCall(registry.supersede, (reader)), expected);
        does(admin, abi.encodeCall(registry.supersede, (address(this))));
        expected = abi.encodeWithSelector(IImageRegistry.AlreadySuperseded.selector, address(this));
        row("AlreadySuperseded", admin, abi.encodeCall(registry.supersede, (address(vm))), expected);
    }

    function row(string memory name, address caller, bytes memory data, bytes memory expected) private {
        refused(caller, data, expected);
        _seen.push(name);
    }
}

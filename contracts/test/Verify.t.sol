// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {Base} from "./Base.sol";

/// @notice `recordVerification` and `verify`: the contract judges.
contract VerifyTest is Base {
    function setUp() public override {
        super.setUp();
        registerSample();
    }

    function test_RevertWhen_TheImageIsUnknown() public {
        IImageRegistry.Verification memory verification = look(OTHER_HASH);
        verification.imageId = OTHER_HASH;
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.UnknownImage.selector, OTHER_HASH);
        refused(verifier, abi.encodeCall(registry.recordVerification, (verification, "")), expected);
        refused(verifier, abi.encodeCall(registry.verify, (OTHER_HASH, OTHER_HASH)), expected);
        refused(verifier, abi.encodeCall(registry.verify, (OTHER_HASH, 0)), expected);
    }

    function test_RevertWhen_TheVerifierIsZero() public {
        IImageRegistry.Verification memory verification = look(OTHER_HASH);
        verification.verifier = address(0);
        bytes memory data = abi.encodeCall(registry.recordVerification, (verification, ""));
        refused(verifier, data, IImageRegistry.ZeroAddress.selector);
        refused(address(0), data, IImageRegistry.ZeroAddress.selector);
    }

    function test_RevertWhen_TheObservedHashIsZero() public {
        bytes memory data = abi.encodeCall(registry.recordVerification, (look(0), ""));
        refused(verifier, data, IImageRegistry.ZeroHash.selector);
    }

    function test_RevertWhen_ObservedOver60SecondsAheadOrBeforeTheRecord() public {
        vm.warp(NOW + 9);
        uint64[3] memory times = [NOW + 70, NOW - 61, 0];
        for (uint256 i = 0; i < times.length; i++) {
            IImageRegistry.Verification memory verification = look(OTHER_HASH);
            verification.observedAt = times[i];
            bytes memory expected = outOfRange(times[i]);
            refused(verifier, abi.encodeCall(registry.recordVerification, (verification, "")), expected);
            bytes memory signature = sign(VERIFIER_KEY, verification);
            refused(relayer, abi.encodeCall(registry.recordVerification, (verification, signature)), expected);
        }
    }

    function test_RevertWhen_SomebodyElseSendsItUnsigned() public {
        refused(
            stranger,
            abi.encodeCall(registry.recordVerification, (look(OTHER_HASH), "")),
            abi.encodeWithSelector(IImageRegistry.InvalidSignature.selector, verifier)
        );
    }

    function test_LogsALook60SecondsAhead_AndOneFromBeforeTheRecordAsFar() public {
        uint64[2] memory times = [NOW + 60, NOW - 60];
        for (uint256 i = 0; i < times.length; i++) {
            IImageRegistry.Verification memory verification = look(sample().contentHash);
            verification.observedAt = times[i];
            vm.prank(verifier);
            holds(registry.recordVerification(verification, ""), "valid");
        }
    }

    function test_TheVerifierItselfNeedsNoNonceAndNoDeadline() public {
        IImageRegistry.Verification memory verification = look(sample().contentHash);
        verification.nonce = 77;
        verification.deadline = 0;
        vm.prank(verifier);
        holds(registry.recordVerification(verification, ""), "valid");
        same(0, registry.nonces(verifier));
    }

    function test_AVerifierThatSignsUsesItsNonce_AlsoWhenItSubmitsItself() public {
        IImageRegistry.Verification memory verification = look(sample().contentHash);
        bytes memory signature = sign(VERIFIER_KEY, verification);
        vm.prank(verifier);
        registry.recordVerification(verification, signature);
        same(1, registry.nonces(verifier));
    }

    function test_CountsEntriesOfEachImage() public {
        IImageRegistry.Registration memory another = sample();
        another.salt = OTHER_HASH;
        does(sender, abi.encodeCall(registry.register, (another, "")));
        logLook(sample().contentHash);
        logLook(OTHER_HASH);
        logLook(sample().contentHash);
        same(3, registry.recordOf(sampleId()).verifications);
        same(0, registry.recordOf(registry.imageIdOf(sender, OTHER_HASH)).verifications);
    }

    function test_LogsWhilePaused() public {
        pauseNow();
        holds(logLook(sample().contentHash), "valid");
        logLook(OTHER_HASH);
        same(1, registry.flagOf(sampleId()).id >> 32);
    }

    function testFuzz_TheContractJudges(bytes32 observed) public {
        if (observed == 0) observed = OTHER_HASH;
        bool equal = observed == sample().contentHash;
        holds(registry.verify(sampleId(), observed) == equal, "verify agrees");
        holds(logLook(observed) == equal, "recordVerification agrees");
        same(1, registry.recordOf(sampleId()).verifications);
    }

    function testFuzz_TheRegisteredHashIsValid_AndEveryOtherIsNot(bytes32 content, bytes32 salt, uint8 bit) public {
        IImageRegistry.Registration memory registration = sample();
        registration.sender = stranger;
        registration.salt = salt;
        registration.contentHash = content | bytes32(uint256(1));
        vm.prank(stranger);
        bytes32 imageId = registry.register(registration, "");
        holds(registry.verify(imageId, registration.contentHash), "valid");
        holds(!registry.verify(imageId, registration.contentHash ^ bytes32(uint256(1) << bit)), "one bit off");
    }

    function testFuzz_LooksFromTheRecordTo60SecondsAheadAreLogged(uint64 observedAt, uint32 later) public {
        vm.warp(NOW + uint256(later));
        if (observedAt % 4 != 0) observedAt = uint64(within(observedAt, NOW - 90, block.timestamp + 90));
        IImageRegistry.Verification memory verification = look(sample().contentHash);
        verification.observedAt = observedAt;
        bytes memory data = abi.encodeCall(registry.recordVerification, (verification, ""));
        if (observedAt <= block.timestamp + 60 && observedAt >= NOW - 60) {
            same(abi.encode(true), does(verifier, data));
        } else {
            refused(verifier, data, outOfRange(observedAt));
        }
    }

    function testFuzz_AStrangersEntryIsLoggedAndChangesNoState(address by, bytes32 observed) public {
        if (by == verifier || by == address(0)) by = stranger;
        if (observed == 0) observed = OTHER_HASH;
        IImageRegistry.Verification memory verification = look(observed);
        verification.verifier = by;
        does(by, abi.encodeCall(registry.recordVerification, (verification, "")));
        IImageRegistry.Record memory record = registry.recordOf(sampleId());
        same(abi.encode(sample().contentHash, sender, NOW, 1, 1), abi.encode(record));
        same(0, registry.flagOf(sampleId()).id);
    }

    function outOfRange(uint64 observedAt) private view returns (bytes memory) {
        bytes4 error_ = IImageRegistry.ObservedAtOutOfRange.selector;
        return abi.encodeWithSelector(error_, observedAt, NOW - 60, block.timestamp + 60);
    }
}

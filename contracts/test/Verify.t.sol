// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {IImageRegistry} from "../src/IImageRegistry.sol";
import {Base} from "./Base.sol";

/// @notice `recordVerification` and `verify`: the contract judges, once for each signature.
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
    }

    function test_RevertWhen_TheVerifierIsZero() public {
        IImageRegistry.Verification memory verification = look(OTHER_HASH);
        verification.verifier = address(0);
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.ZeroAddress.selector);
        refused(verifier, abi.encodeCall(registry.recordVerification, (verification, "")), expected);
    }

    function test_RevertWhen_TheObservedHashIsZero() public {
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.ZeroHash.selector);
        refused(verifier, abi.encodeCall(registry.recordVerification, (look(0), "")), expected);
    }

    function test_RevertWhen_ObservedOver60SecondsAhead() public {
        IImageRegistry.Verification memory verification = look(OTHER_HASH);
        verification.observedAt = NOW + 61;
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.ObservedInFuture.selector, NOW + 61, NOW);
        refused(verifier, abi.encodeCall(registry.recordVerification, (verification, "")), expected);
    }

    function test_RevertWhen_SomebodyElseSigned() public {
        IImageRegistry.Verification memory verification = look(OTHER_HASH);
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.InvalidSignature.selector, verifier);
        refusedWith(verification, sign(STRANGER_KEY, verification), expected);
        refusedWith(verification, "", expected);
    }

    function test_RevertWhen_TheSignatureIsSentTwice() public {
        IImageRegistry.Verification memory verification = look(sample().contentHash);
        bytes memory signature = sign(VERIFIER_KEY, verification);
        relay(verification, signature);
        refusedWith(verification, signature, abi.encodeWithSelector(Nonces.InvalidAccountNonce.selector, verifier, 1));
    }

    function test_RevertWhen_ANonceIsSkipped() public {
        IImageRegistry.Verification memory verification = look(OTHER_HASH);
        verification.nonce = 1;
        refusedWith(
            verification,
            sign(VERIFIER_KEY, verification),
            abi.encodeWithSelector(Nonces.InvalidAccountNonce.selector, verifier, 0)
        );
    }

    function test_RevertWhen_TheNonceWasInvalidated_AndEveryLaterOne() public {
        uint256 fresh = uint256(1) << 128;
        vm.prank(verifier);
        registry.invalidateNonce();
        same(fresh, registry.nonces(verifier));
        for (uint256 nonce = 0; nonce < 3; nonce++) {
            IImageRegistry.Verification memory verification = look(OTHER_HASH);
            verification.nonce = nonce;
            refusedWith(
                verification,
                sign(VERIFIER_KEY, verification),
                abi.encodeWithSelector(Nonces.InvalidAccountNonce.selector, verifier, fresh)
            );
        }
    }

    function test_AnInvalidationRaisesAUsedNonceBy2To128() public {
        uint256 step = uint256(1) << 128;
        for (uint256 i = 0; i < 3; i++) {
            IImageRegistry.Verification memory used = look(sample().contentHash);
            relay(used, sign(VERIFIER_KEY, used));
        }
        IImageRegistry.Verification memory outstanding = look(sample().contentHash);
        same(3, outstanding.nonce);
        vm.prank(verifier);
        registry.invalidateNonce();
        same(step + 3, registry.nonces(verifier));
        refusedWith(
            outstanding,
            sign(VERIFIER_KEY, outstanding),
            abi.encodeWithSelector(Nonces.InvalidAccountNonce.selector, verifier, step + 3)
        );
        vm.prank(verifier);
        registry.invalidateNonce();
        same(2 * step + 3, registry.nonces(verifier));
    }

    function test_RevertWhen_TheDeadlineHasPassedOrIsTooFar() public {
        IImageRegistry.Verification memory verification = look(OTHER_HASH);
        verification.deadline = NOW - 1;
        refusedWith(
            verification,
            sign(VERIFIER_KEY, verification),
            abi.encodeWithSelector(IImageRegistry.SignatureExpired.selector, NOW - 1, NOW)
        );
        verification.deadline = NOW + 7 days + 1;
        refusedWith(
            verification,
            sign(VERIFIER_KEY, verification),
            abi.encodeWithSelector(IImageRegistry.DeadlineTooFar.selector, NOW + 7 days + 1, NOW + 7 days)
        );
    }

    function test_RelaysAtTheDeadline() public {
        IImageRegistry.Verification memory verification = look(sample().contentHash);
        verification.deadline = NOW;
        holds(relay(verification, sign(VERIFIER_KEY, verification)), "valid");
    }

    function test_LogsALook60SecondsAhead() public {
        IImageRegistry.Verification memory verification = look(sample().contentHash);
        verification.observedAt = NOW + 60;
        vm.prank(verifier);
        holds(registry.recordVerification(verification, ""), "valid");
    }

    function test_TheVerifierItselfNeedsNoNonceAndNoDeadline() public {
        IImageRegistry.Verification memory verification = look(sample().contentHash);
        verification.nonce = 77;
        verification.deadline = 0;
        vm.prank(verifier);
        holds(registry.recordVerification(verification, ""), "valid");
        same(0, registry.nonces(verifier));
    }

    function test_ANonceIsGoodAfterAnInvalidation() public {
        vm.prank(verifier);
        registry.invalidateNonce();
        uint256 fresh = registry.nonces(verifier);
        IImageRegistry.Verification memory verification = look(sample().contentHash);
        holds(relay(verification, sign(VERIFIER_KEY, verification)), "valid");
        same(fresh + 1, registry.nonces(verifier));
        same(0, registry.nonces(sender));
    }

    function test_CountsEntriesOfEachImage() public {
        logLook(sample().contentHash);
        logLook(OTHER_HASH);
        logLook(sample().contentHash);
        same(3, registry.recordOf(sampleId()).verifications);
    }

    function testFuzz_TheContractJudges(bytes32 observed) public {
        if (observed == 0) observed = OTHER_HASH;
        bool equal = observed == sample().contentHash;
        holds(registry.verify(sampleId(), observed) == equal, "verify agrees");
        holds(logLook(observed) == equal, "recordVerification agrees");
    }

    function testFuzz_TheRegisteredHashIsValid(IImageRegistry.Registration memory registration) public {
        registration.sender = stranger;
        registration.size |= 1;
        registration.contentHash |= bytes32(uint256(1));
        registration.headerHash |= bytes32(uint256(1));
        registration.capsulesHash |= bytes32(uint256(1));
        registration.cid = "c";
        registration.capsulesCid = "k";
        vm.prank(stranger);
        bytes32 imageId = registry.register(registration, "");
        holds(registry.verify(imageId, registration.contentHash), "valid");
        holds(!registry.verify(imageId, ~registration.contentHash), "invalid");
    }

    function testFuzz_NoncesRiseByOne(uint8 entries) public {
        uint256 count = within(entries, 1, 12);
        for (uint256 i = 0; i < count; i++) {
            IImageRegistry.Verification memory verification = look(sample().contentHash);
            same(i, verification.nonce);
            relay(verification, sign(VERIFIER_KEY, verification));
        }
        same(count, registry.recordOf(sampleId()).verifications);
    }

    function relay(IImageRegistry.Verification memory verification, bytes memory signature) private returns (bool) {
        vm.prank(relayer);
        return registry.recordVerification(verification, signature);
    }

    function refusedWith(IImageRegistry.Verification memory verification, bytes memory signature, bytes memory expected)
        private
    {
        refused(relayer, abi.encodeCall(registry.recordVerification, (verification, signature)), expected);
    }
}

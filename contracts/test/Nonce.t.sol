// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {Base} from "./Base.sol";

/// @notice Nonces of relayed verifications, and `invalidateNonce`.
contract NonceTest is Base {
    function setUp() public override {
        super.setUp();
        registerSample();
    }

    function test_RevertWhen_TheSignatureIsSentTwice() public {
        IImageRegistry.Verification memory verification = look(sample().contentHash);
        bytes memory signature = sign(VERIFIER_KEY, verification);
        relay(verification, signature);
        refusedNonce(verification, signature, 1);
    }

    function test_RevertWhen_ANonceIsSkipped() public {
        IImageRegistry.Verification memory verification = look(OTHER_HASH);
        verification.nonce = 1;
        refusedNonce(verification, sign(VERIFIER_KEY, verification), 0);
    }

    /// @dev Whatever number a signature names that was made before.
    function test_RevertWhen_TheNonceWasInvalidated_AndForEveryForetoldOne() public {
        uint256 step = 1 << 128;
        uint256[7] memory dead = [uint256(0), 1, 2, step, step + 1, 1 << 192, (1 << 192) + 1];
        uint256 current = invalidate(verifier);
        for (uint256 i = 0; i < dead.length; i++) {
            IImageRegistry.Verification memory verification = look(OTHER_HASH);
            verification.nonce = dead[i];
            refusedNonce(verification, sign(VERIFIER_KEY, verification), current);
        }
    }

    function test_RevertWhen_TheSignatureWasMadeBeforeAnInvalidation() public {
        for (uint256 i = 0; i < 3; i++) {
            IImageRegistry.Verification memory used = look(sample().contentHash);
            relay(used, sign(VERIFIER_KEY, used));
        }
        IImageRegistry.Verification memory outstanding = look(sample().contentHash);
        same(3, outstanding.nonce);
        uint256 first = invalidate(verifier);
        refusedNonce(outstanding, sign(VERIFIER_KEY, outstanding), first);
        uint256 second = invalidate(verifier);
        holds(second > first && first > 3, "higher");
        refusedNonce(outstanding, sign(VERIFIER_KEY, outstanding), second);
    }

    function test_ANonceIsGoodAfterAnInvalidation_AndOfOneWallet() public {
        uint256 current = invalidate(verifier);
        IImageRegistry.Verification memory verification = look(sample().contentHash);
        relay(verification, sign(VERIFIER_KEY, verification));
        same(current + 1, registry.nonces(verifier));
        same(0, registry.nonces(sender));
        same(0, registry.nonces(relayer));
    }

    function test_ARefusedSignatureUsesNoNonce() public {
        IImageRegistry.Verification memory verification = look(sample().contentHash);
        bytes memory data =
            abi.encodeCall(registry.recordVerification, (verification, sign(STRANGER_KEY, verification)));
        refused(relayer, data, abi.encodeWithSelector(IImageRegistry.InvalidSignature.selector, verifier));
        same(0, registry.nonces(verifier));
    }

    function test_InvalidatesWhilePaused() public {
        pauseNow();
        invalidate(verifier);
    }

    function testFuzz_NoncesFollowTheModel(bool[4] memory cancels) public {
        uint256 expected = 0;
        uint40 logged = 0;
        for (uint256 i = 0; i < cancels.length; i++) {
            IImageRegistry.Verification memory held = look(sample().contentHash);
            same(expected, held.nonce);
            if (cancels[i]) {
                expected = invalidate(verifier);
                refusedNonce(held, sign(VERIFIER_KEY, held), expected);
            } else {
                relay(held, sign(VERIFIER_KEY, held));
                expected++;
                logged++;
            }
        }
        same(expected, registry.nonces(verifier));
        same(logged, registry.recordOf(sampleId()).verifications);
    }

    function testFuzz_RevertWhen_AnyOtherNonceIsNamed(uint256 named, uint8 used) public {
        uint256 count = within(used, 0, 3);
        for (uint256 i = 0; i < count; i++) {
            IImageRegistry.Verification memory spent = look(sample().contentHash);
            relay(spent, sign(VERIFIER_KEY, spent));
        }
        IImageRegistry.Verification memory verification = look(sample().contentHash);
        if (named == count) named = count + 1;
        verification.nonce = named;
        refusedNonce(verification, sign(VERIFIER_KEY, verification), count);
    }

    function testFuzz_AnInvalidationIsOfTheCallersOwnNonce(address wallet) public {
        invalidate(wallet);
        if (wallet != verifier) same(0, registry.nonces(verifier));
    }

    /// @dev Returns the nonce that was drawn.
    function invalidate(address wallet) private returns (uint256 drawn_) {
        drawn_ = drawnNonce(registry.nonces(wallet));
        does(wallet, abi.encodeCall(registry.invalidateNonce, ()));
        same(drawn_, registry.nonces(wallet));
    }

    function relay(IImageRegistry.Verification memory verification, bytes memory signature) private {
        does(relayer, abi.encodeCall(registry.recordVerification, (verification, signature)));
    }

    function refusedNonce(IImageRegistry.Verification memory verification, bytes memory signature, uint256 current)
        private
    {
        refused(
            relayer,
            abi.encodeCall(registry.recordVerification, (verification, signature)),
            abi.encodeWithSelector(IImageRegistry.InvalidNonce.selector, verifier, verification.nonce, current)
        );
    }
}

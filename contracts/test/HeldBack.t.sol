// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {SignedActs} from "./SignedActs.sol";
import {TypedData} from "./TypedData.sol";

/// @notice Signatures that are sent twice, or held back while the world goes on: none undoes what was done after it was made.
contract HeldBackTest is SignedActs {
    uint64 private constant DEADLINE = NOW + 7 days;
    uint64 private constant EXPIRY = NOW + 30 days;

    function setUp() public override {
        super.setUp();
        prepare(sender);
    }

    function test_ARegistrationABatchAndAnAnchorSentTwiceChangeNothing() public {
        Act[3] memory acts = [Act.Register, Act.RegisterBatch, Act.Anchor];
        for (uint256 i = 0; i < acts.length; i++) {
            takenAct(acts[i], sender, DEADLINE, signatureOf(acts[i]));
            idle(relayer, callOf(acts[i], sender, DEADLINE, signatureOf(acts[i])));
            idle(stranger, callOf(acts[i], sender, DEADLINE, ""));
        }
    }

    function test_RevertWhen_AnyOtherSignatureIsSentTwice() public {
        twice(Act.DecideFlag, abi.encodeWithSelector(IImageRegistry.FlagNotOpen.selector, imageId(), 1));
        twice(Act.Grant, staleAccess(reader, 0, 1));
        twice(Act.Revoke, staleAccess(revocationOf(sender, DEADLINE).wallet, 0, 1));
        twice(Act.SetOperator, staleOperator(0, 1));
        twice(Act.UpdateCapsules, staleCapsules(0, 1));
        // The nonce in the struct must be the used one.
        IImageRegistry.Verification memory verification = verificationOf(sender, DEADLINE);
        bytes memory signature = signed(SENDER_KEY, TypedData.structHash(verification));
        bytes memory data = abi.encodeCall(registry.recordVerification, (verification, signature));
        does(relayer, data);
        refused(relayer, data, abi.encodeWithSelector(IImageRegistry.InvalidNonce.selector, sender, 0, 1));
    }

    function test_RevertWhen_AVerificationIsHeldBackOverAnInvalidation() public {
        bytes memory data = callOf(Act.RecordVerification, sender, DEADLINE, signatureOf(Act.RecordVerification));
        does(sender, abi.encodeCall(registry.invalidateNonce, ()));
        bytes4 error_ = IImageRegistry.InvalidNonce.selector;
        refused(relayer, data, abi.encodeWithSelector(error_, sender, 0, uint256(1) << 128));
    }

    function test_RevertWhen_AGrantIsHeldBackOverARevoke() public {
        bytes memory data = callOf(Act.Grant, sender, DEADLINE, signatureOf(Act.Grant));
        does(sender, abi.encodeCall(registry.revoke, (imageId(), reader)));
        refused(relayer, data, staleAccess(reader, 0, 1));
        holds(!registry.isAuthorized(imageId(), reader), "stays revoked");
    }

    function test_RevertWhen_ARevocationIsHeldBackOverAGrant() public {
        IImageRegistry.Revocation memory revocation = revocationOf(sender, DEADLINE);
        revocation.wallet = reader;
        bytes memory signature = signed(SENDER_KEY, TypedData.structHash(revocation));
        does(sender, abi.encodeCall(registry.grant, (imageId(), reader, EXPIRY)));
        refused(relayer, abi.encodeCall(registry.revokeFor, (revocation, signature)), staleAccess(reader, 0, 1));
        holds(registry.isAuthorized(imageId(), reader), "stays granted");
    }

    function test_RevertWhen_AnOperatorChangeIsHeldBack() public {
        bytes memory data = callOf(Act.SetOperator, sender, DEADLINE, signatureOf(Act.SetOperator));
        does(sender, abi.encodeCall(registry.setOperator, (operator, false)));
        refused(relayer, data, staleOperator(0, 1));
        holds(!registry.operatorOf(sender, operator).allowed, "stays removed");
    }

    function test_RevertWhen_AnOperatorsGrantIsHeldBackOverItsRemoval() public {
        does(sender, abi.encodeCall(registry.setOperator, (stranger, true)));
        IImageRegistry.Grant memory grant = grantOf(sender, DEADLINE);
        grant.by = stranger;
        bytes memory data =
            abi.encodeCall(registry.grantFor, (grant, signed(STRANGER_KEY, TypedData.structHash(grant))));
        uint256 start = vm.snapshotState();
        does(relayer, data);
        holds(registry.isAuthorized(imageId(), reader), "by the operator's signature");
        holds(vm.revertToState(start), "as before");
        does(sender, abi.encodeCall(registry.setOperator, (stranger, false)));
        refused(relayer, data, abi.encodeWithSelector(IImageRegistry.NotSender.selector, imageId(), stranger));
    }

    /// @dev The capsules are A again, as when the signature was made: only their version tells.
    function test_RevertWhen_CapsulesWereReplacedAndPutBack() public {
        bytes32 a = sample().capsulesHash;
        bytes memory data = callOf(Act.UpdateCapsules, sender, DEADLINE, signatureOf(Act.UpdateCapsules));
        does(sender, abi.encodeCall(registry.updateCapsules, (imageId(), 0, keccak256("b"), "")));
        does(sender, abi.encodeCall(registry.updateCapsules, (imageId(), 1, a, "")));
        refused(relayer, data, staleCapsules(0, 2));
        same(a, registry.capsulesOf(imageId()).hash);
    }

    function test_RevertWhen_ADecisionIsHeldBackOverTheNextFlag() public {
        bytes memory data = callOf(Act.DecideFlag, sender, DEADLINE, signatureOf(Act.DecideFlag));
        does(sender, abi.encodeCall(registry.dismissFlag, (imageId(), 1)));
        IImageRegistry.Verification memory verification = look(OTHER_HASH);
        verification.imageId = imageId();
        does(verifier, abi.encodeCall(registry.recordVerification, (verification, "")));
        same(2, registry.flagOf(imageId()).id);
        refused(relayer, data, abi.encodeWithSelector(IImageRegistry.FlagNotOpen.selector, imageId(), 1));
    }

    function test_ASignatureForTheNextNumberActsInItsTurn() public {
        IImageRegistry.Revocation memory revocation = revocationOf(sender, DEADLINE);
        (revocation.wallet, revocation.accessSeq) = (reader, 1);
        bytes memory data =
            abi.encodeCall(registry.revokeFor, (revocation, signed(SENDER_KEY, TypedData.structHash(revocation))));
        refused(relayer, data, staleAccess(reader, 1, 0));
        takenAct(Act.Grant, sender, DEADLINE, signatureOf(Act.Grant));
        does(relayer, data);
        holds(!registry.isAuthorized(imageId(), reader), "revoked");
    }

    /// @dev Grants signed for numbers to come, among acts of the sender itself: each acts exactly when its number is the one that is there.
    function testFuzz_AGrantActsOnTheNumberThatItNames(uint8[6] memory steps) public {
        uint64 seq = 0;
        for (uint64 i = 0; i < steps.length; i++) {
            if (steps[i] % 3 == 0) {
                does(sender, abi.encodeCall(registry.revoke, (imageId(), reader)));
                seq++;
                continue;
            }
            IImageRegistry.Grant memory grant = grantOf(sender, DEADLINE);
            (grant.accessSeq, grant.expiry) = (uint64(steps[i] / 3 % 6), EXPIRY + i);
            if (steps[i] % 3 == 1) grant.accessSeq = seq;
            bytes memory signature = signed(SENDER_KEY, TypedData.structHash(grant));
            bytes memory data = abi.encodeCall(registry.grantFor, (grant, signature));
            if (grant.accessSeq == seq) {
                does(relayer, data);
                seq++;
                same(EXPIRY + i, registry.accessOf(imageId(), reader).expiry);
            } else {
                refused(relayer, data, staleAccess(reader, grant.accessSeq, seq));
            }
            same(seq, registry.accessOf(imageId(), reader).seq);
        }
    }

    function testFuzz_AnOperatorChangeActsOnTheNumberThatItNames(uint8 changes, uint64 named, bool allowed) public {
        uint64 seq = uint64(within(changes, 0, 4));
        for (uint256 i = 0; i < seq; i++) {
            does(sender, abi.encodeCall(registry.setOperator, (operator, i % 2 == 0)));
        }
        if (named % 2 == 0) named = uint64(within(named, 0, 5));
        IImageRegistry.OperatorChange memory change = changeOf(sender, DEADLINE);
        (change.operatorSeq, change.allowed) = (named, allowed);
        bytes memory data =
            abi.encodeCall(registry.setOperatorFor, (change, signed(SENDER_KEY, TypedData.structHash(change))));
        if (named == seq) {
            does(relayer, data);
            same(abi.encode(allowed, seq + 1), abi.encode(registry.operatorOf(sender, operator)));
        } else {
            refused(relayer, data, staleOperator(named, seq));
        }
    }

    // ---- helpers ----

    function twice(Act act, bytes memory expected) private {
        bytes memory data = callOf(act, sender, DEADLINE, signatureOf(act));
        does(relayer, data);
        refused(relayer, data, expected);
    }

    function imageId() private view returns (bytes32) {
        return imageOf(sender);
    }

    function signatureOf(Act act) private view returns (bytes memory) {
        return signed(SENDER_KEY, structHashOf(act, sender, DEADLINE));
    }

    function staleAccess(address wallet, uint64 named, uint64 current) private view returns (bytes memory) {
        return abi.encodeWithSelector(IImageRegistry.StaleAccess.selector, imageId(), wallet, named, current);
    }

    function staleOperator(uint64 named, uint64 current) private view returns (bytes memory) {
        return abi.encodeWithSelector(IImageRegistry.StaleOperator.selector, sender, operator, named, current);
    }

    function staleCapsules(uint64 named, uint64 current) private view returns (bytes memory) {
        return abi.encodeWithSelector(IImageRegistry.StaleCapsules.selector, imageId(), named, current);
    }
}

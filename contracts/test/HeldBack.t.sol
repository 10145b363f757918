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
        uint64 flagId = newestFlag(imageId());
        twice(Act.DecideFlag, abi.encodeWithSelector(IImageRegistry.FlagNotOpen.selector, imageId(), flagId));
        twice(Act.Grant, staleAccess(reader, 0, 1));
        twice(Act.Revoke, staleAccess(revocationOf(sender, DEADLINE).wallet, 0, drawnSeq(0)));
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
        uint256 nonce = drawnNonce(0);
        does(sender, abi.encodeCall(registry.invalidateNonce, ()));
        bytes4 error_ = IImageRegistry.InvalidNonce.selector;
        refused(relayer, data, abi.encodeWithSelector(error_, sender, 0, nonce));
    }

    function test_RevertWhen_AGrantIsHeldBackOverARevoke() public {
        bytes memory data = callOf(Act.Grant, sender, DEADLINE, signatureOf(Act.Grant));
        uint128 seq = drawnSeq(0);
        does(sender, abi.encodeCall(registry.revoke, (imageId(), reader)));
        refused(relayer, data, staleAccess(reader, 0, seq));
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
        uint128 seq = drawnSeq(0);
        does(sender, abi.encodeCall(registry.setOperator, (operator, false)));
        refused(relayer, data, staleOperator(0, seq));
        holds(!registry.operatorOf(sender, operator).allowed, "stays removed");
    }

    /// @dev Also where it is named again within the deadline: its removal ended what it had signed.
    function test_RevertWhen_WhatAnOperatorSignedIsHeldBackOverItsRemoval() public {
        does(sender, abi.encodeCall(registry.setOperator, (stranger, true)));
        bytes[3] memory held = byOperator(1);
        for (uint256 i = 0; i < held.length; i++) {
            uint256 start = vm.snapshotState();
            does(relayer, held[i]);
            holds(vm.revertToState(start), "as before");
        }
        uint128 seq = drawnSeq(1);
        does(sender, abi.encodeCall(registry.setOperator, (stranger, false)));
        bytes memory stale = abi.encodeWithSelector(IImageRegistry.StaleOperator.selector, sender, stranger, 1, seq);
        refusedAll(held, stale);
        // A signature that foretells the number finds the operator removed.
        bytes memory notSender = abi.encodeWithSelector(IImageRegistry.NotSender.selector, imageId(), stranger);
        refusedAll(byOperator(seq), notSender);
        does(sender, abi.encodeCall(registry.setOperator, (stranger, true)));
        stale = abi.encodeWithSelector(IImageRegistry.StaleOperator.selector, sender, stranger, 1, seq + 1);
        refusedAll(held, stale);
        does(relayer, byOperator(seq + 1)[0]);
        holds(registry.isAuthorized(imageId(), reader), "by what it signed since");
    }

    /// @dev The number that the sender's own signature names for its operators is not looked at.
    function test_TheSenderNamesNoOperatorEntry() public {
        IImageRegistry.Grant memory grant = grantOf(sender, DEADLINE);
        grant.operatorSeq = 7;
        bytes memory signature = signed(SENDER_KEY, TypedData.structHash(grant));
        does(relayer, abi.encodeCall(registry.grantFor, (grant, signature)));
        holds(registry.isAuthorized(imageId(), reader), "granted");
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
        uint64 flagId = newestFlag(imageId());
        bytes memory data = callOf(Act.DecideFlag, sender, DEADLINE, signatureOf(Act.DecideFlag));
        does(sender, abi.encodeCall(registry.dismissFlag, (imageId(), flagId)));
        IImageRegistry.Verification memory verification = look(OTHER_HASH);
        verification.imageId = imageId();
        does(verifier, abi.encodeCall(registry.recordVerification, (verification, "")));
        same(2, newestFlag(imageId()) >> 32);
        refused(relayer, data, abi.encodeWithSelector(IImageRegistry.FlagNotOpen.selector, imageId(), flagId));
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

    /// @dev Grants signed for numbers to come: one acts when its number is there, and none that was signed before a revocation acts after it.
    function testFuzz_NoGrantSignedBeforeARevocationActsAfterIt(
        uint128[6] memory named,
        uint8 grants,
        uint8 revocations
    ) public {
        bytes[] memory held = new bytes[](named.length);
        for (uint256 i = 0; i < named.length; i++) {
            if (named[i] % 4 != 0) named[i] = uint128(within(named[i], 0, 8));
            else if (named[i] % 8 == 0) named[i] = uint128(within(named[i], 1, 3) << 96) + uint128(i);
            held[i] = grantNaming(named[i], EXPIRY);
        }
        for (uint256 i = 0; i < grants % 4; i++) {
            does(sender, abi.encodeCall(registry.grant, (imageId(), reader, EXPIRY)));
        }
        for (uint256 i = 0; i <= revocations % 3; i++) {
            vm.roll(101 + i);
            does(sender, abi.encodeCall(registry.revoke, (imageId(), reader)));
            uint128 seq = registry.accessOf(imageId(), reader).seq;
            for (uint256 j = 0; j < held.length; j++) {
                refused(relayer, held[j], staleAccess(reader, named[j], seq));
            }
            // Nor once the sender has granted and revoked again by itself.
            does(sender, abi.encodeCall(registry.grant, (imageId(), reader, EXPIRY)));
            for (uint256 j = 0; j < held.length; j++) {
                refused(relayer, held[j], staleAccess(reader, named[j], seq + 1));
            }
        }
        // What is signed for the number that is there acts, and so does the next in a row.
        uint128 next = registry.accessOf(imageId(), reader).seq;
        bytes memory second = grantNaming(next + 1, EXPIRY + 2);
        does(relayer, grantNaming(next, EXPIRY + 1));
        does(relayer, second);
        same(EXPIRY + 2, registry.accessOf(imageId(), reader).expiry);
    }

    function testFuzz_NoChangeSignedBeforeARemovalActsAfterIt(uint8 changes, uint128 named, bool allowed) public {
        uint128 seq = 0;
        if (named % 2 == 0) named = uint128(within(named, 0, 5));
        else if (named % 3 == 0) named = uint128(within(named, 1, 3) << 96) + uint128(named % 5);
        IImageRegistry.OperatorChange memory change = changeOf(sender, DEADLINE);
        (change.operatorSeq, change.allowed) = (named, allowed);
        bytes memory data =
            abi.encodeCall(registry.setOperatorFor, (change, signed(SENDER_KEY, TypedData.structHash(change))));
        for (uint256 i = 0; i < changes % 5; i++) {
            bool names = (changes >> (i + 3)) % 2 == 0;
            seq = names ? seq + 1 : drawnSeq(seq);
            does(sender, abi.encodeCall(registry.setOperator, (operator, names)));
        }
        if (named == seq) {
            holds(seq >> 96 == 0, "no removal came between");
            uint128 next = allowed ? seq + 1 : drawnSeq(seq);
            does(relayer, data);
            same(abi.encode(allowed, next), abi.encode(registry.operatorOf(sender, operator)));
        } else {
            refused(relayer, data, staleOperator(named, seq));
        }
    }

    /// @dev The README's remedy was to revoke twice: that was the very case.
    function test_RevertWhen_AGrantNamesTheNumberAfterOneOrTwoRevocations() public {
        bytes[4] memory held = [
            grantNaming(1, EXPIRY), grantNaming(2, EXPIRY), grantNaming(1 << 96, EXPIRY), grantNaming(2 << 96, EXPIRY)
        ];
        uint128[4] memory named = [uint128(1), 2, 1 << 96, 2 << 96];
        for (uint256 i = 0; i < 2; i++) {
            does(sender, abi.encodeCall(registry.revoke, (imageId(), reader)));
            uint128 seq = registry.accessOf(imageId(), reader).seq;
            for (uint256 j = 0; j < held.length; j++) {
                refused(relayer, held[j], staleAccess(reader, named[j], seq));
            }
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

    function grantNaming(uint128 accessSeq, uint64 expiry) private view returns (bytes memory) {
        IImageRegistry.Grant memory grant = grantOf(sender, DEADLINE);
        (grant.accessSeq, grant.expiry) = (accessSeq, expiry);
        return abi.encodeCall(registry.grantFor, (grant, signed(SENDER_KEY, TypedData.structHash(grant))));
    }

    /// @dev A grant, a revocation and an update of capsules that `stranger` signs as the operator whose entry has this number.
    function byOperator(uint128 operatorSeq) private view returns (bytes[3] memory data) {
        IImageRegistry.Grant memory grant = grantOf(sender, DEADLINE);
        (grant.by, grant.operatorSeq) = (stranger, operatorSeq);
        data[0] = abi.encodeCall(registry.grantFor, (grant, signed(STRANGER_KEY, TypedData.structHash(grant))));
        IImageRegistry.Revocation memory revocation = revocationOf(sender, DEADLINE);
        (revocation.by, revocation.operatorSeq) = (stranger, operatorSeq);
        bytes memory signature = signed(STRANGER_KEY, TypedData.structHash(revocation));
        data[1] = abi.encodeCall(registry.revokeFor, (revocation, signature));
        IImageRegistry.CapsulesUpdate memory update = updateOf(sender, DEADLINE);
        (update.by, update.operatorSeq) = (stranger, operatorSeq);
        signature = signed(STRANGER_KEY, TypedData.structHash(update));
        data[2] = abi.encodeCall(registry.updateCapsulesFor, (update, signature));
    }

    function refusedAll(bytes[3] memory data, bytes memory expected) private {
        for (uint256 i = 0; i < data.length; i++) {
            refused(relayer, data[i], expected);
        }
    }

    function staleAccess(address wallet, uint128 named, uint128 current) private view returns (bytes memory) {
        return abi.encodeWithSelector(IImageRegistry.StaleAccess.selector, imageId(), wallet, named, current);
    }

    function staleOperator(uint128 named, uint128 current) private view returns (bytes memory) {
        return abi.encodeWithSelector(IImageRegistry.StaleOperator.selector, sender, operator, named, current);
    }

    function staleCapsules(uint64 named, uint64 current) private view returns (bytes memory) {
        return abi.encodeWithSelector(IImageRegistry.StaleCapsules.selector, imageId(), named, current);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {SignedActs} from "./SignedActs.sol";
import {TypedData} from "./TypedData.sol";

/// @notice A good signature does not make a bad act good: the `..For` functions refuse what the direct ones refuse.
contract SignedRefusalsTest is SignedActs {
    uint64 private constant DEADLINE = NOW + 1 hours;

    function setUp() public override {
        super.setUp();
        prepare(sender);
    }

    function test_RevertWhen_TheImageIsUnknown() public {
        // The stranger has registered nothing.
        bytes4 error_ = IImageRegistry.UnknownImage.selector;
        Act[5] memory acts = [Act.RecordVerification, Act.DecideFlag, Act.Grant, Act.Revoke, Act.UpdateCapsules];
        for (uint256 i = 0; i < acts.length; i++) {
            bytes memory signature = signed(STRANGER_KEY, structHashOf(acts[i], stranger, DEADLINE));
            bytes memory data = callOf(acts[i], stranger, DEADLINE, signature);
            refused(relayer, data, abi.encodeWithSelector(error_, imageOf(stranger)));
        }
    }

    function test_RevertWhen_TheSignerDoesNotSpeakForTheSender() public {
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.NotSender.selector, imageOf(sender), stranger);
        IImageRegistry.Grant memory grant = grantOf(sender, DEADLINE);
        grant.by = stranger;
        refused(STRANGER_KEY, grant, expected);
        IImageRegistry.Revocation memory revocation = revocationOf(sender, DEADLINE);
        revocation.by = stranger;
        refused(STRANGER_KEY, revocation, expected);
        IImageRegistry.CapsulesUpdate memory update = updateOf(sender, DEADLINE);
        update.by = stranger;
        refused(STRANGER_KEY, update, expected);
    }

    function test_RevertWhen_TheSignerIsNoArbiter() public {
        IImageRegistry.FlagDecision memory decision = decisionOf(sender, DEADLINE);
        decision.by = stranger;
        bytes4 error_ = IImageRegistry.NotArbiter.selector;
        refused(STRANGER_KEY, decision, abi.encodeWithSelector(error_, imageOf(sender), stranger));
        decision.confirmed = true;
        refused(STRANGER_KEY, decision, abi.encodeWithSelector(error_, imageOf(sender), stranger));
        decision.by = sender;
        refused(SENDER_KEY, decision, abi.encodeWithSelector(error_, imageOf(sender), sender));
    }

    function test_RevertWhen_AWalletIsZero() public {
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.ZeroAddress.selector);
        IImageRegistry.Grant memory grant = grantOf(sender, DEADLINE);
        grant.wallet = address(0);
        refused(SENDER_KEY, grant, expected);
        IImageRegistry.Revocation memory revocation = revocationOf(sender, DEADLINE);
        revocation.wallet = address(0);
        refused(SENDER_KEY, revocation, expected);
        IImageRegistry.OperatorChange memory change = changeOf(sender, DEADLINE);
        change.operator = address(0);
        refused(SENDER_KEY, change, expected);
    }

    function test_RevertWhen_TheExpiryHasPassed() public {
        IImageRegistry.Grant memory grant = grantOf(sender, DEADLINE);
        grant.expiry = NOW - 1;
        refused(SENDER_KEY, grant, abi.encodeWithSelector(IImageRegistry.ExpiryInPast.selector, NOW - 1, NOW));
    }

    function test_RevertWhen_TheFlagIsNoneOrNotOpen() public {
        IImageRegistry.FlagDecision memory decision = decisionOf(sender, DEADLINE);
        uint64[2] memory none = [0, newestFlag(imageOf(sender)) ^ 1];
        for (uint256 i = 0; i < none.length; i++) {
            decision.flagId = none[i];
            bytes4 error_ = IImageRegistry.NoSuchFlag.selector;
            refused(SENDER_KEY, decision, abi.encodeWithSelector(error_, imageOf(sender), none[i]));
        }
        decision.flagId = newestFlag(imageOf(sender));
        does(arbiter, abi.encodeCall(registry.confirmFlag, (imageOf(sender), decision.flagId)));
        bytes4 notOpen = IImageRegistry.FlagNotOpen.selector;
        refused(SENDER_KEY, decision, abi.encodeWithSelector(notOpen, imageOf(sender), decision.flagId));
    }

    function test_RevertWhen_CapsulesAreAtFault() public {
        IImageRegistry.CapsulesUpdate memory update = updateOf(sender, DEADLINE);
        update.capsulesHash = 0;
        refused(SENDER_KEY, update, abi.encodeWithSelector(IImageRegistry.ZeroHash.selector));
        update = updateOf(sender, DEADLINE);
        update.capsulesCid = new bytes(65);
        refused(SENDER_KEY, update, abi.encodeWithSelector(IImageRegistry.CidLength.selector, 65));
        update = updateOf(sender, DEADLINE);
        update.version = 1;
        bytes4 error_ = IImageRegistry.StaleCapsules.selector;
        refused(SENDER_KEY, update, abi.encodeWithSelector(error_, imageOf(sender), 1, 0));
    }

    function test_RevertWhen_Paused_ButTheOtherActsGoOn() public {
        pauseNow();
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.RegistryPaused.selector, NOW + 7 days);
        for (uint256 i = 0; i < ACTS; i++) {
            Act act = Act(i);
            bytes memory signature = signed(SENDER_KEY, structHashOf(act, sender, DEADLINE));
            if (act == Act.RecordVerification || act == Act.DecideFlag || act == Act.Revoke) {
                takenAct(act, sender, DEADLINE, signature);
            } else {
                refusedAct(act, sender, DEADLINE, signature, expected);
            }
        }
        IImageRegistry.OperatorChange memory change = changeOf(sender, DEADLINE);
        change.allowed = false;
        does(relayer, abi.encodeCall(registry.setOperatorFor, (change, signatureOf(change))));
        same(1, registry.operatorOf(sender, operator).seq >> 96);
    }

    function test_AnArbitersSignatureConfirms() public {
        giveRole(registry.ARBITER_ROLE(), stranger);
        IImageRegistry.FlagDecision memory decision = decisionOf(sender, DEADLINE);
        (decision.by, decision.confirmed) = (stranger, true);
        bytes memory signature = signed(STRANGER_KEY, TypedData.structHash(decision));
        does(relayer, abi.encodeCall(registry.decideFlagFor, (decision, signature)));
        same(IImageRegistry.FlagState.Confirmed, registry.flagOf(imageOf(sender)).state);
        same(IImageRegistry.RecordState.Tampered, registry.recordOf(imageOf(sender)).state);
    }

    function test_AnOperatorsSignatureRevokesAndUpdatesCapsules() public {
        does(sender, abi.encodeCall(registry.setOperator, (stranger, true)));
        IImageRegistry.Revocation memory revocation = revocationOf(sender, DEADLINE);
        (revocation.by, revocation.operatorSeq) = (stranger, 1);
        bytes memory signature = signed(STRANGER_KEY, TypedData.structHash(revocation));
        does(relayer, abi.encodeCall(registry.revokeFor, (revocation, signature)));
        holds(happened(Act.Revoke, sender), "revoked");
        IImageRegistry.CapsulesUpdate memory update = updateOf(sender, DEADLINE);
        (update.by, update.operatorSeq) = (stranger, 1);
        signature = signed(STRANGER_KEY, TypedData.structHash(update));
        does(relayer, abi.encodeCall(registry.updateCapsulesFor, (update, signature)));
        holds(happened(Act.UpdateCapsules, sender), "updated");
    }

    // ---- helpers ----

    function signatureOf(IImageRegistry.OperatorChange memory change) private view returns (bytes memory) {
        return signed(SENDER_KEY, TypedData.structHash(change));
    }

    function refused(uint256 key, IImageRegistry.Grant memory grant, bytes memory expected) private {
        bytes memory signature = signed(key, TypedData.structHash(grant));
        refused(relayer, abi.encodeCall(registry.grantFor, (grant, signature)), expected);
    }

    function refused(uint256 key, IImageRegistry.Revocation memory revocation, bytes memory expected) private {
        bytes memory signature = signed(key, TypedData.structHash(revocation));
        refused(relayer, abi.encodeCall(registry.revokeFor, (revocation, signature)), expected);
    }

    function refused(uint256 key, IImageRegistry.CapsulesUpdate memory update, bytes memory expected) private {
        bytes memory signature = signed(key, TypedData.structHash(update));
        refused(relayer, abi.encodeCall(registry.updateCapsulesFor, (update, signature)), expected);
    }

    function refused(uint256 key, IImageRegistry.FlagDecision memory decision, bytes memory expected) private {
        bytes memory signature = signed(key, TypedData.structHash(decision));
        refused(relayer, abi.encodeCall(registry.decideFlagFor, (decision, signature)), expected);
    }

    function refused(uint256 key, IImageRegistry.OperatorChange memory change, bytes memory expected) private {
        bytes memory signature = signed(key, TypedData.structHash(change));
        refused(relayer, abi.encodeCall(registry.setOperatorFor, (change, signature)), expected);
    }
}

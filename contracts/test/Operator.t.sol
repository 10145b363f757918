// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {Base} from "./Base.sol";

/// @notice `setOperator`, and what an operator may do for its sender.
contract OperatorTest is Base {
    uint64 private constant EXPIRY = NOW + 1 days;

    function setUp() public override {
        super.setUp();
        registerSample();
    }

    function test_RevertWhen_TheOperatorIsZero() public {
        bytes4 expected = IImageRegistry.ZeroAddress.selector;
        refused(sender, abi.encodeCall(registry.setOperator, (address(0), true)), expected);
        refused(sender, abi.encodeCall(registry.setOperator, (address(0), false)), expected);
    }

    function test_RevertWhen_Paused_ButRemovingGoesOn() public {
        set(sender, operator, true);
        pauseNow();
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.RegistryPaused.selector, NOW + 7 days);
        refused(sender, abi.encodeCall(registry.setOperator, (operator, true)), expected);
        uint128 seq = drawnSeq(1);
        set(sender, operator, false);
        same(abi.encode(false, seq), abi.encode(registry.operatorOf(sender, operator)));
    }

    function test_RevertWhen_TheOperatorWasRemoved() public {
        set(sender, operator, true);
        set(sender, operator, false);
        refusedAll(operator);
    }

    function test_RevertWhen_TheOperatorIsAnotherSenders() public {
        set(stranger, operator, true);
        refusedAll(operator);
    }

    function test_RevertWhen_AnOperatorNamesAnother() public {
        set(sender, operator, true);
        set(operator, stranger, true);
        refusedAll(stranger);
    }

    function test_RevertWhen_AnOperatorRegistersForItsSender() public {
        set(sender, operator, true);
        IImageRegistry.Registration memory registration = sample();
        registration.salt = OTHER_HASH;
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.InvalidSignature.selector, sender);
        refused(operator, abi.encodeCall(registry.register, (registration, "")), expected);
        refused(operator, abi.encodeCall(registry.registerBatch, (sampleBatch(0, 1), "")), expected);
        refused(operator, abi.encodeCall(registry.anchor, (sampleAnchor(), "")), expected);
    }

    function test_AnOperatorGrantsRevokesAndUpdatesCapsules() public {
        set(sender, operator, true);
        does(operator, abi.encodeCall(registry.grant, (sampleId(), reader, EXPIRY)));
        holds(registry.isAuthorized(sampleId(), reader), "granted");
        does(operator, abi.encodeCall(registry.revoke, (sampleId(), reader)));
        holds(!registry.isAuthorized(sampleId(), reader), "revoked");
        does(operator, abi.encodeCall(registry.updateCapsules, (sampleId(), 0, OTHER_HASH, "")));
        same(OTHER_HASH, registry.capsulesOf(sampleId()).hash);
        holds(!registry.isAuthorized(sampleId(), operator), "is no reader itself");
    }

    function test_TheEntryIsRaisedByEveryChange() public {
        same(abi.encode(false, 0), abi.encode(registry.operatorOf(sender, operator)));
        uint128 seq = drawnSeq(0);
        set(sender, operator, false);
        same(abi.encode(false, seq), abi.encode(registry.operatorOf(sender, operator)));
        set(sender, operator, true);
        set(sender, operator, true);
        same(abi.encode(true, seq + 2), abi.encode(registry.operatorOf(sender, operator)));
        same(abi.encode(false, 0), abi.encode(registry.operatorOf(operator, sender)));
    }

    function testFuzz_OperatorsFollowTheModel(bool[10] memory changes, address wallet) public {
        if (wallet == address(0) || wallet == sender) wallet = operator;
        uint128 seq;
        for (uint256 i = 0; i < changes.length; i++) {
            seq = changes[i] ? seq + 1 : drawnSeq(seq);
            set(sender, wallet, changes[i]);
            same(abi.encode(changes[i], seq), abi.encode(registry.operatorOf(sender, wallet)));
        }
        bytes memory revocation = abi.encodeCall(registry.revoke, (sampleId(), reader));
        if (changes[9]) does(wallet, revocation);
        else refused(wallet, revocation, notSender(wallet));
    }

    function testFuzz_AnOperatorSpeaksForItsOwnSenderOnly(address boss, address wallet, address other) public {
        if (boss == sender) boss = stranger;
        if (wallet == address(0) || wallet == sender) wallet = operator;
        set(boss, wallet, true);
        refused(wallet, abi.encodeCall(registry.revoke, (sampleId(), reader)), notSender(wallet));
        if (other != wallet) holds(!registry.operatorOf(boss, other).allowed, "another wallet");
    }

    function set(address by, address wallet, bool allowed) private {
        does(by, abi.encodeCall(registry.setOperator, (wallet, allowed)));
    }

    function notSender(address caller) private view returns (bytes memory) {
        return abi.encodeWithSelector(IImageRegistry.NotSender.selector, sampleId(), caller);
    }

    function refusedAll(address by) private {
        refused(by, abi.encodeCall(registry.grant, (sampleId(), reader, EXPIRY)), notSender(by));
        refused(by, abi.encodeCall(registry.revoke, (sampleId(), reader)), notSender(by));
        refused(by, abi.encodeCall(registry.updateCapsules, (sampleId(), 0, OTHER_HASH, "")), notSender(by));
    }
}

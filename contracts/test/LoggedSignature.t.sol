// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IImageRegistry} from "../src/IImageRegistry.sol";
import {Base, Vm} from "./Base.sol";
import {TypedData} from "./TypedData.sol";

/// @notice What an auditor who has only the log can check: who signed a relayed entry.
contract LoggedSignatureTest is Base {
    function test_ARegistrationsSignerIsRecoveredFromTheLog() public {
        IImageRegistry.Registration memory sent = sample();
        bytes memory signed = sign(SENDER_KEY, sent);
        vm.recordLogs();
        vm.prank(relayer);
        bytes32 imageId = registry.register(sent, signed);

        Vm.Log memory log = only(IImageRegistry.Registered.selector);
        (IImageRegistry.Registration memory logged, bytes memory signature) = registration(log);
        same(imageId, log.topics[1]);
        bytes32 digest = TypedData.digest(logged, block.chainid, log.emitter);
        same(sender, ECDSA.recover(digest, signature));
    }

    function test_AVerificationsSignerIsRecoveredFromTheLog() public {
        registerSample();
        vm.prank(verifier);
        registry.invalidateNonce();
        IImageRegistry.Verification memory sent = look(OTHER_HASH);
        bytes memory signed = sign(VERIFIER_KEY, sent);
        vm.recordLogs();
        vm.prank(relayer);
        registry.recordVerification(sent, signed);

        Vm.Log memory log = only(IImageRegistry.Verified.selector);
        (IImageRegistry.Verification memory logged, bytes memory signature) = verification(log);
        same(uint256(1) << 128, logged.nonce);
        bytes32 digest = TypedData.digest(logged, block.chainid, log.emitter);
        same(verifier, ECDSA.recover(digest, signature));
    }

    function test_ASubmittersOwnEntriesHoldWhatItSubmitted() public {
        IImageRegistry.Registration memory registered = sample();
        registered.deadline = 5;
        vm.recordLogs();
        vm.prank(sender);
        registry.register(registered, "");
        (IImageRegistry.Registration memory first, bytes memory none) =
            registration(only(IImageRegistry.Registered.selector));
        same(abi.encode(registered), abi.encode(first));
        same("", none);

        IImageRegistry.Verification memory looked = look(OTHER_HASH);
        (looked.nonce, looked.deadline) = (type(uint256).max, 6);
        vm.prank(verifier);
        registry.recordVerification(looked, "");
        IImageRegistry.Verification memory second;
        (second, none) = verification(only(IImageRegistry.Verified.selector));
        same(abi.encode(looked), abi.encode(second));
        same("", none);
    }

    /// @dev The one log of `kind` since the last look.
    function only(bytes32 kind) private returns (Vm.Log memory found) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 count = 0;
        for (uint256 i = 0; i < logs.length; i++) {
            if (logs[i].topics[0] != kind) continue;
            found = logs[i];
            count++;
        }
        same(1, count);
    }

    function registration(Vm.Log memory log)
        private
        pure
        returns (IImageRegistry.Registration memory r, bytes memory signature)
    {
        r.sender = address(uint160(uint256(log.topics[2])));
        (r.salt, r.contentHash, r.headerHash, r.size, r.cid, r.capsulesHash, r.capsulesCid, r.deadline, signature,,) =
            abi.decode(
                log.data, (bytes32, bytes32, bytes32, uint64, bytes, bytes32, bytes, uint64, bytes, uint40, bytes26)
            );
    }

    function verification(Vm.Log memory log)
        private
        pure
        returns (IImageRegistry.Verification memory v, bytes memory signature)
    {
        v.imageId = log.topics[1];
        v.verifier = address(uint160(uint256(log.topics[2])));
        (v.observedHash, v.observedAt, v.nonce, v.deadline,, signature,,) =
            abi.decode(log.data, (bytes32, uint64, uint256, uint64, uint40, bytes, uint40, bytes26));
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IImageRegistry} from "../src/IImageRegistry.sol";
import {Base} from "./Base.sol";
import {Vm} from "./Cheats.sol";
import {TypedData} from "./TypedData.sol";

/// @notice What an auditor who has only the log can check: who signed a relayed entry.
contract LoggedSignatureTest is Base {
    /// @dev What `Registered` holds besides its topics.
    struct RegisteredData {
        bytes32 salt;
        bytes32 contentHash;
        bytes32 headerHash;
        uint64 size;
        bytes cid;
        bytes32 capsulesHash;
        bytes capsulesCid;
        uint64 deadline;
        bytes signature;
        bytes32 trail;
    }

    function test_ARegistrationsSignerIsRecoveredFromTheLog() public {
        IImageRegistry.Registration memory sent = sample();
        bytes memory signature = sign(SENDER_KEY, sent);
        vm.recordLogs();
        bytes memory result = does(relayer, abi.encodeCall(registry.register, (sent, signature)));

        Vm.Log memory log = only(IImageRegistry.Registered.selector);
        (IImageRegistry.Registration memory logged, bytes memory loggedSignature) = registration(log);
        same(result, abi.encode(log.topics[1]));
        same(abi.encode(sent), abi.encode(logged));
        same(sender, signer(TypedData.structHash(logged), loggedSignature));
    }

    function test_ABatchsSignerIsRecoveredFromTheLog() public {
        does(sender, abi.encodeCall(registry.registerBatch, (sampleBatch(1, 1), "")));
        IImageRegistry.Batch memory batch = sampleBatch(0, 3);
        bytes memory signature = signed(SENDER_KEY, TypedData.structHash(batch));
        vm.recordLogs();
        does(relayer, abi.encodeCall(registry.registerBatch, (batch, signature)));

        Vm.Log memory log = only(IImageRegistry.BatchRegistered.selector);
        (uint256 count, uint256 skipped, bytes32 itemsHash,, uint64 deadline, bytes memory logged,) =
            abi.decode(log.data, (uint256, uint256, bytes32, bytes32, uint64, bytes, bytes32));
        same(abi.encode(3, 2, batch.deadline), abi.encode(count, skipped, deadline));
        bytes32 structHash =
            keccak256(abi.encode(keccak256(bytes(TypedData.BATCH)), log.topics[1], itemsHash, deadline));
        same(sender, signer(structHash, logged));
    }

    function test_AnAnchorsSignerIsRecoveredFromTheLog() public {
        bytes memory signature = signed(SENDER_KEY, TypedData.structHash(sampleAnchor()));
        vm.recordLogs();
        does(relayer, abi.encodeCall(registry.anchor, (sampleAnchor(), signature)));

        Vm.Log memory log = only(IImageRegistry.Anchored.selector);
        IImageRegistry.Anchor memory logged;
        (logged.sender, logged.root) = (address(uint160(uint256(log.topics[1]))), log.topics[2]);
        bytes memory loggedSignature;
        (logged.count, logged.leavesCid, logged.deadline, loggedSignature,) =
            abi.decode(log.data, (uint32, bytes, uint64, bytes, bytes32));
        same(abi.encode(sampleAnchor()), abi.encode(logged));
        same(sender, signer(TypedData.structHash(logged), loggedSignature));
    }

    function test_AVerificationsSignerIsRecoveredFromTheLog() public {
        registerSample();
        does(verifier, abi.encodeCall(registry.invalidateNonce, ()));
        IImageRegistry.Verification memory sent = look(OTHER_HASH);
        bytes memory signature = sign(VERIFIER_KEY, sent);
        vm.recordLogs();
        does(relayer, abi.encodeCall(registry.recordVerification, (sent, signature)));

        Vm.Log memory log = only(IImageRegistry.Verified.selector);
        (IImageRegistry.Verification memory logged, bytes memory loggedSignature) = verification(log);
        same(1, logged.nonce >> 192);
        same(abi.encode(sent), abi.encode(logged));
        same(verifier, signer(TypedData.structHash(logged), loggedSignature));
    }

    /// @dev But for what nobody looked at, which is logged as zero.
    function test_ACallersOwnEntriesHoldWhatItSubmitted() public {
        IImageRegistry.Registration memory registered = sample();
        registered.deadline = 5;
        vm.recordLogs();
        does(sender, abi.encodeCall(registry.register, (registered, "")));
        (IImageRegistry.Registration memory first, bytes memory none) =
            registration(only(IImageRegistry.Registered.selector));
        registered.deadline = 0;
        same(abi.encode(registered), abi.encode(first));
        same("", none);

        does(sender, abi.encodeCall(registry.registerBatch, (sampleBatch(0, 1), "")));
        (,,,, uint64 deadline, bytes memory logged,) = abi.decode(
            only(IImageRegistry.BatchRegistered.selector).data,
            (uint256, uint256, bytes32, bytes32, uint64, bytes, bytes32)
        );
        same(abi.encode(0, bytes("")), abi.encode(deadline, logged));
        does(sender, abi.encodeCall(registry.anchor, (sampleAnchor(), "")));
        (,, deadline, logged,) =
            abi.decode(only(IImageRegistry.Anchored.selector).data, (uint32, bytes, uint64, bytes, bytes32));
        same(abi.encode(0, bytes("")), abi.encode(deadline, logged));

        IImageRegistry.Verification memory looked = look(OTHER_HASH);
        (looked.nonce, looked.deadline) = (type(uint256).max, 6);
        does(verifier, abi.encodeCall(registry.recordVerification, (looked, "")));
        IImageRegistry.Verification memory second;
        (second, none) = verification(only(IImageRegistry.Verified.selector));
        (looked.nonce, looked.deadline) = (0, 0);
        same(abi.encode(looked), abi.encode(second));
        same("", none);
    }

    function signer(bytes32 structHash, bytes memory signature) private view returns (address) {
        return ECDSA.recover(TypedData.digest(structHash, block.chainid, address(registry)), signature);
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
        RegisteredData memory data = abi.decode(bytes.concat(bytes32(uint256(32)), log.data), (RegisteredData));
        r.sender = address(uint160(uint256(log.topics[2])));
        (r.salt, r.contentHash, r.headerHash, r.size) = (data.salt, data.contentHash, data.headerHash, data.size);
        (r.cid, r.capsulesHash, r.capsulesCid) = (data.cid, data.capsulesHash, data.capsulesCid);
        (r.deadline, signature) = (data.deadline, data.signature);
    }

    function verification(Vm.Log memory log)
        private
        pure
        returns (IImageRegistry.Verification memory v, bytes memory signature)
    {
        v.imageId = log.topics[1];
        v.verifier = address(uint160(uint256(log.topics[2])));
        (v.observedHash, v.observedAt, v.nonce, v.deadline,, signature,) =
            abi.decode(log.data, (bytes32, uint64, uint256, uint64, uint40, bytes, bytes32));
    }
}

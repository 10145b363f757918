// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {Base} from "./Base.sol";
import {TypedData} from "./TypedData.sol";

/// @notice Gas of each act as a transaction of its own (`--isolate`): calldata and the 21,000 of every transaction included, on Prague rules, by actors that
/// have acted before. Written to contracts/gas, which scripts/test compares.
/// forge-config: default.isolate = true
contract GasTest is Base {
    function setUp() public override {
        super.setUp();
        // Warm actors: nonces and the audit head are not zero, counters have moved.
        registerSample();
        logLook(sample().contentHash);
        relayLook(sample().contentHash);
    }

    function test_Register() public {
        IImageRegistry.Registration memory registration = fresh("direct");
        vm.prank(sender);
        registry.register(registration, "");
        vm.snapshotGasLastCall("register, direct");

        registration = fresh("relayed");
        relayRegistration(registration);
        vm.snapshotGasLastCall("register, relayed");

        registration = fresh("relayed, spelled out");
        registration.cid = bytes.concat(hex"01701220", keccak256("a root"));
        registration.capsulesCid = bytes.concat(hex"01701220", keccak256("another"));
        relayRegistration(registration);
        vm.snapshotGasLastCall("register, relayed, both CIDs spelled out");
    }

    function test_Batch() public {
        IImageRegistry.Batch memory batch;
        batch.sender = sender;
        batch.deadline = uint64(block.timestamp + 1 hours);
        batch.items = new IImageRegistry.Item[](100);
        for (uint256 i = 0; i < batch.items.length; i++) {
            batch.items[i] = IImageRegistry.Item({
                salt: keccak256(abi.encode("salt", i)),
                contentHash: keccak256(abi.encode("content", i)),
                headerHash: keccak256(abi.encode("header", i)),
                capsulesHash: keccak256(abi.encode("capsules", i)),
                size: 135_512
            });
        }
        bytes memory signature = sign(SENDER_KEY, TypedData.digest(batch, block.chainid, address(registry)));
        vm.prank(relayer);
        registry.registerBatch(batch, signature);
        vm.snapshotGasLastCall("registerBatch, relayed, 100 images");
    }

    function test_Anchor() public {
        IImageRegistry.Anchor memory anchor = IImageRegistry.Anchor({
            sender: sender,
            root: keccak256("a root"),
            count: 1000,
            leavesCid: bytes.concat(hex"01551220", keccak256("the leaves")),
            deadline: uint64(block.timestamp + 1 hours)
        });
        bytes memory signature = sign(SENDER_KEY, TypedData.digest(anchor, block.chainid, address(registry)));
        vm.prank(relayer);
        registry.anchor(anchor, signature);
        vm.snapshotGasLastCall("anchor, relayed, 1000 images");
    }

    function test_Verification() public {
        IImageRegistry.Verification memory verification = look(sample().contentHash);
        verification.nonce = 0;
        verification.deadline = 0;
        vm.prank(verifier);
        registry.recordVerification(verification, "");
        vm.snapshotGasLastCall("recordVerification, valid, direct");
        relayLook(sample().contentHash);
        vm.snapshotGasLastCall("recordVerification, valid, relayed");
        logLook(OTHER_HASH);
        vm.snapshotGasLastCall("recordVerification, invalid, raises a flag, direct");
    }

    function test_Grant() public {
        bytes32 imageId = sampleId();
        vm.prank(sender);
        registry.grant(imageId, reader, NOW + 30 days);
        vm.snapshotGasLastCall("grant, new, direct");
        vm.prank(sender);
        registry.grant(imageId, reader, NOW + 31 days);
        vm.snapshotGasLastCall("grant, again, direct");
        relayGrant(reader, 2);
        vm.snapshotGasLastCall("grant, again, relayed");
        relayGrant(stranger, 0);
        vm.snapshotGasLastCall("grant, new, relayed");
        vm.prank(sender);
        registry.revoke(imageId, reader);
        vm.snapshotGasLastCall("revoke, direct");
    }

    // ---- what is sent ----

    function fresh(bytes32 salt) private view returns (IImageRegistry.Registration memory registration) {
        registration = sample();
        registration.salt = keccak256(abi.encode(salt));
        registration.cid = "";
        registration.capsulesCid = "";
    }

    function relayRegistration(IImageRegistry.Registration memory registration) private {
        bytes memory signature = sign(SENDER_KEY, registration);
        vm.prank(relayer);
        registry.register(registration, signature);
    }

    function relayLook(bytes32 observedHash) private {
        IImageRegistry.Verification memory verification = look(observedHash);
        bytes memory signature = sign(VERIFIER_KEY, verification);
        vm.prank(relayer);
        registry.recordVerification(verification, signature);
    }

    function relayGrant(address wallet, uint64 accessSeq) private {
        IImageRegistry.Grant memory grant = IImageRegistry.Grant({
            imageId: sampleId(),
            wallet: wallet,
            expiry: NOW + 30 days,
            accessSeq: accessSeq,
            by: sender,
            deadline: NOW + 1 hours
        });
        bytes memory signature = sign(SENDER_KEY, TypedData.digest(grant, block.chainid, address(registry)));
        vm.prank(relayer);
        registry.grantFor(grant, signature);
    }
}

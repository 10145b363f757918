// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {Base} from "./Base.sol";

/// @notice `register` by the sender itself: its checks, its record, and what a second call does.
contract RegisterTest is Base {
    function test_RevertWhen_SenderIsZero() public {
        IImageRegistry.Registration memory registration = sample();
        registration.sender = address(0);
        refused(registration, abi.encodeWithSelector(IImageRegistry.ZeroAddress.selector));
    }

    function test_RevertWhen_AHashIsZero() public {
        bytes memory zeroHash = abi.encodeWithSelector(IImageRegistry.ZeroHash.selector);
        IImageRegistry.Registration memory registration = sample();
        registration.contentHash = 0;
        refused(registration, zeroHash);
        registration = sample();
        registration.headerHash = 0;
        refused(registration, zeroHash);
        registration = sample();
        registration.capsulesHash = 0;
        refused(registration, zeroHash);
    }

    function test_RevertWhen_SizeIsZero() public {
        IImageRegistry.Registration memory registration = sample();
        registration.size = 0;
        refused(registration, abi.encodeWithSelector(IImageRegistry.ZeroSize.selector));
    }

    function test_RevertWhen_ACidHas0Or65Bytes() public {
        uint256[2] memory lengths = [uint256(0), 65];
        for (uint256 i = 0; i < lengths.length; i++) {
            bytes memory expected = abi.encodeWithSelector(IImageRegistry.CidLength.selector, lengths[i]);
            IImageRegistry.Registration memory registration = sample();
            registration.cid = new bytes(lengths[i]);
            refused(registration, expected);
            registration = sample();
            registration.capsulesCid = new bytes(lengths[i]);
            refused(registration, expected);
        }
    }

    function test_RevertWhen_TheIdHoldsOtherContent() public {
        bytes32 imageId = registerSample();
        IImageRegistry.Registration memory registration = sample();
        registration.contentHash = OTHER_HASH;
        refused(registration, abi.encodeWithSelector(IImageRegistry.RecordConflict.selector, imageId));
    }

    function test_Registers() public {
        vm.prank(sender);
        bytes32 imageId = registry.register(sample(), "");
        same(keccak256(abi.encode(block.chainid, registry, sender, sample().salt)), imageId);
        IImageRegistry.Record memory record = registry.recordOf(imageId);
        same(sample().contentHash, record.contentHash);
        same(sender, record.sender);
        same(NOW, record.registeredAt);
        same(IImageRegistry.RecordState.Registered, record.state);
        same(0, record.verifications);
        same(1, registry.recordCount());
    }

    function test_AnUnknownRecordIsAllZero() public view {
        IImageRegistry.Record memory none;
        same(abi.encode(none), abi.encode(registry.recordOf(OTHER_HASH)));
    }

    function test_TheIdenticalRecordChangesNothing_WhoeverSendsIt() public {
        bytes32 imageId = registerSample();
        bytes32 before = fingerprint(stranger);
        vm.warp(NOW + 30 days);
        vm.prank(stranger);
        same(imageId, registry.register(sample(), "not even a signature"));
        same(before, fingerprint(stranger));
    }

    function test_OtherCapsulesAreTheIdenticalRecord() public {
        bytes32 imageId = registerSample();
        bytes32 before = fingerprint(sender);
        IImageRegistry.Registration memory registration = sample();
        registration.capsulesHash = OTHER_HASH;
        vm.prank(sender);
        same(imageId, registry.register(registration, ""));
        same(before, fingerprint(sender));
    }

    function test_TheSenderItselfNeedsNoDeadline() public {
        IImageRegistry.Registration memory registration = sample();
        registration.deadline = 0;
        vm.prank(sender);
        registry.register(registration, "");
        same(1, registry.recordCount());
    }

    function test_CidsOf1And64BytesAreTaken() public {
        IImageRegistry.Registration memory registration = sample();
        registration.cid = new bytes(1);
        registration.capsulesCid = new bytes(64);
        vm.prank(sender);
        registry.register(registration, "");
        same(1, registry.recordCount());
    }

    function test_EtherIsRefused() public {
        (bool taken,) = address(registry).call{value: 1}("");
        holds(!taken, "no payable function");
    }

    function testFuzz_Registers(
        IImageRegistry.Registration memory registration,
        uint256 cidBytes,
        uint256 capsulesBytes
    ) public {
        if (registration.sender == address(0)) registration.sender = sender;
        if (registration.contentHash == 0) registration.contentHash = OTHER_HASH;
        if (registration.headerHash == 0) registration.headerHash = OTHER_HASH;
        if (registration.capsulesHash == 0) registration.capsulesHash = OTHER_HASH;
        if (registration.size == 0) registration.size = 1;
        registration.cid = new bytes(within(cidBytes, 1, 64));
        registration.capsulesCid = new bytes(within(capsulesBytes, 1, 64));
        vm.prank(registration.sender);
        bytes32 imageId = registry.register(registration, "");
        same(registration.contentHash, registry.recordOf(imageId).contentHash);
        same(registration.sender, registry.recordOf(imageId).sender);
    }

    function testFuzz_AnIdBelongsToOneSenderAndSalt(address a, address b, bytes32 s, bytes32 t) public view {
        same(registry.imageIdOf(a, s), registry.imageIdOf(a, s));
        if (a != b) holds(registry.imageIdOf(a, s) != registry.imageIdOf(b, s), "another sender, another id");
        if (s != t) holds(registry.imageIdOf(a, s) != registry.imageIdOf(a, t), "another salt, another id");
    }

    function refused(IImageRegistry.Registration memory registration, bytes memory expected) private {
        refused(registration.sender, abi.encodeCall(registry.register, (registration, "")), expected);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {Base} from "./Base.sol";
import {IRegistry} from "./IRegistry.sol";

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

    function test_RevertWhen_ACidHas65Bytes() public {
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.CidLength.selector, 65);
        IImageRegistry.Registration memory registration = sample();
        registration.cid = new bytes(65);
        refused(registration, expected);
        registration = sample();
        registration.capsulesCid = new bytes(65);
        refused(registration, expected);
    }

    function test_RevertWhen_TheIdHoldsOtherContent() public {
        bytes32 imageId = registerSample();
        IImageRegistry.Registration memory registration = sample();
        registration.contentHash = OTHER_HASH;
        refused(registration, abi.encodeWithSelector(IImageRegistry.RecordConflict.selector, imageId));
        registration.contentHash = 0;
        refused(registration, abi.encodeWithSelector(IImageRegistry.RecordConflict.selector, imageId));
    }

    function test_RevertWhen_Paused_AlsoForTheIdenticalRecord() public {
        registerSample();
        pauseNow();
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.RegistryPaused.selector, NOW + 7 days);
        IImageRegistry.Registration memory registration = sample();
        refused(registration, expected);
        registration.salt = OTHER_HASH;
        refused(registration, expected);
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
    }

    function test_AnUnknownRecordIsAllZero() public view {
        IImageRegistry.Record memory none;
        same(abi.encode(none), abi.encode(registry.recordOf(OTHER_HASH)));
    }

    function test_TheIdenticalRecordChangesNothing_WhoeverSendsIt() public {
        bytes32 imageId = registerSample();
        vm.warp(NOW + 30 days);
        bytes memory found = idle(stranger, abi.encodeCall(registry.register, (sample(), "not even a signature")));
        same(abi.encode(imageId), found);
    }

    function test_OtherCapsulesAreTheIdenticalRecord() public {
        bytes32 imageId = registerSample();
        IImageRegistry.Registration memory registration = sample();
        registration.capsulesHash = OTHER_HASH;
        same(abi.encode(imageId), idle(sender, abi.encodeCall(registry.register, (registration, ""))));
        registration.capsulesHash = 0;
        registration.size = 0;
        same(abi.encode(imageId), idle(sender, abi.encodeCall(registry.register, (registration, ""))));
    }

    function test_TheSenderItselfNeedsNoDeadline() public {
        IImageRegistry.Registration memory registration = sample();
        registration.deadline = 0;
        registers(registration);
    }

    function test_CidsOf0_1And64BytesAreTaken() public {
        uint256[3] memory lengths = [uint256(0), 1, 64];
        for (uint256 i = 0; i < lengths.length; i++) {
            IImageRegistry.Registration memory registration = sample();
            registration.salt = bytes32(i);
            registration.cid = new bytes(lengths[i]);
            registration.capsulesCid = new bytes(lengths[2 - i]);
            registers(registration);
        }
    }

    function test_EtherIsRefused() public {
        vm.deal(address(this), 2);
        (bool taken,) = address(registry).call{value: 1}("");
        holds(!taken, "no payable function");
        (taken,) = address(registry).call{value: 1}(abi.encodeCall(registry.register, (sample(), "")));
        holds(!taken, "register neither");
        same(0, address(registry).balance);
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
        registration.cid = new bytes(within(cidBytes, 0, 64));
        registration.capsulesCid = new bytes(within(capsulesBytes, 0, 64));
        registers(registration);
    }

    function testFuzz_RevertWhen_ACidIsTooLong(uint256 length, bool ofCapsules) public {
        length = within(length, 65, 4096);
        IImageRegistry.Registration memory registration = sample();
        if (ofCapsules) registration.capsulesCid = new bytes(length);
        else registration.cid = new bytes(length);
        refused(registration, abi.encodeWithSelector(IImageRegistry.CidLength.selector, length));
    }

    function testFuzz_TheFirstRecordStands(bytes32 other, uint64 size, uint32 later, address by) public {
        bytes32 imageId = registerSample();
        bytes memory before = abi.encode(registry.recordOf(imageId));
        vm.warp(NOW + uint256(later));
        IImageRegistry.Registration memory registration = sample();
        (registration.headerHash, registration.size) = (other, size);
        same(abi.encode(imageId), idle(by, abi.encodeCall(registry.register, (registration, ""))));
        if (other == registration.contentHash) other = OTHER_HASH;
        registration.contentHash = other;
        refused(registration, abi.encodeWithSelector(IImageRegistry.RecordConflict.selector, imageId));
        same(before, abi.encode(registry.recordOf(imageId)));
    }

    function testFuzz_AnIdBelongsToOneSenderAndSalt(address a, address b, bytes32 s, bytes32 t) public view {
        same(registry.imageIdOf(a, s), registry.imageIdOf(a, s));
        if (a != b) holds(registry.imageIdOf(a, s) != registry.imageIdOf(b, s), "another sender, another id");
        if (s != t) holds(registry.imageIdOf(a, s) != registry.imageIdOf(a, t), "another salt, another id");
    }

    function testFuzz_AnIdBelongsToOneChainAndContract(address a, bytes32 s, uint64 chain, uint96 place) public {
        bytes32 here = registry.imageIdOf(a, s);
        same(keccak256(abi.encode(block.chainid, registry, a, s)), here);
        address elsewhere = address(uint160(within(place, 1 << 32, 1 << 97)));
        vm.etch(elsewhere, address(registry).code);
        holds(here != IRegistry(elsewhere).imageIdOf(a, s), "another contract, another id");
        uint256 other = within(chain, 1, type(uint64).max - 1);
        if (other == block.chainid) other++;
        vm.chainId(other);
        holds(here != registry.imageIdOf(a, s), "another chain, another id");
    }

    /// @dev The sender itself registers; the record holds what it sent.
    function registers(IImageRegistry.Registration memory registration) private {
        vm.prank(registration.sender);
        bytes32 imageId = registry.register(registration, "");
        same(registry.imageIdOf(registration.sender, registration.salt), imageId);
        IImageRegistry.Record memory record = registry.recordOf(imageId);
        same(registration.contentHash, record.contentHash);
        same(registration.sender, record.sender);
        same(block.timestamp, record.registeredAt);
        same(IImageRegistry.RecordState.Registered, record.state);
    }

    function refused(IImageRegistry.Registration memory registration, bytes memory expected) private {
        refused(registration.sender, abi.encodeCall(registry.register, (registration, "")), expected);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {Base} from "./Base.sol";
import {TypedData} from "./TypedData.sol";

/// @notice The digests and signatures of tests/vectors/typed_data.json, which another program made.
contract VectorsTest is Base {
    string private _json;
    address private _deployer;

    function setUp() public override {
        vm.warp(NOW);
        _json = vm.readFile("tests/vectors/typed_data.json");
        vm.chainId(vm.parseJsonUint(_json, ".domain.chainId"));
        // Anvil's first account, whose first contract the vectors name.
        _deployer = 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266;
        vm.prank(_deployer);
        registry = deploy(admin, roles());
        same(vm.parseJsonAddress(_json, ".domain.verifyingContract"), address(registry));
    }

    function test_TheDomainIsTheOneOfTheVectors() public view {
        (, string memory name, string memory version, uint256 chainId, address verifying,,) = registry.eip712Domain();
        same(bytes(vm.parseJsonString(_json, ".domain.name")), bytes(name));
        same(bytes(vm.parseJsonString(_json, ".domain.version")), bytes(version));
        same(vm.parseJsonUint(_json, ".domain.chainId"), chainId);
        same(vm.parseJsonAddress(_json, ".domain.verifyingContract"), verifying);
        same(bytes(vm.parseJsonString(_json, ".domainType")), bytes(TypedData.DOMAIN));
        same(
            vm.parseJsonBytes32(_json, ".registration.domainSeparator"),
            TypedData.separator(block.chainid, address(registry))
        );
    }

    function test_TheFirstAuditHeadIsTheOneOfTheVectors() public view {
        bytes26 head = bytes26(keccak256(abi.encode("MedSeal audit v1", block.chainid, registry)));
        same(vm.parseJsonBytes(_json, ".firstAuditHead"), abi.encodePacked(head));
    }

    function test_ARegistrationOfTheVectorsIsTaken() public {
        IImageRegistry.Registration memory registration = registration_();
        same(bytes(vm.parseJsonString(_json, ".registration.typeString")), bytes(TypedData.REGISTRATION));
        same(vm.parseJsonBytes32(_json, ".registration.structHash"), TypedData.structHash(registration));
        same(
            vm.parseJsonBytes32(_json, ".registration.digest"),
            TypedData.digest(registration, block.chainid, address(registry))
        );
        bytes32 imageId = registry.register(registration, vm.parseJsonBytes(_json, ".registration.signature"));
        same(vm.parseJsonBytes32(_json, ".imageId"), imageId);
        same(registration.sender, registry.recordOf(imageId).sender);
    }

    function test_AVerificationOfTheVectorsIsTaken() public {
        registry.register(registration_(), vm.parseJsonBytes(_json, ".registration.signature"));
        IImageRegistry.Verification memory verification = verification_();
        same(bytes(vm.parseJsonString(_json, ".verification.typeString")), bytes(TypedData.VERIFICATION));
        same(vm.parseJsonBytes32(_json, ".verification.structHash"), TypedData.structHash(verification));
        same(
            vm.parseJsonBytes32(_json, ".verification.digest"),
            TypedData.digest(verification, block.chainid, address(registry))
        );
        holds(
            !registry.recordVerification(verification, vm.parseJsonBytes(_json, ".verification.signature")), "invalid"
        );
        same(1, registry.nonces(verification.verifier));
    }

    function registration_() private view returns (IImageRegistry.Registration memory registration) {
        string memory json = _json;
        registration.sender = vm.parseJsonAddress(json, ".registration.message.sender");
        registration.salt = vm.parseJsonBytes32(json, ".registration.message.salt");
        registration.contentHash = vm.parseJsonBytes32(json, ".registration.message.contentHash");
        registration.headerHash = vm.parseJsonBytes32(json, ".registration.message.headerHash");
        registration.size = uint64(vm.parseJsonUint(json, ".registration.message.size"));
        registration.cid = vm.parseJsonBytes(json, ".registration.message.cid");
        registration.capsulesHash = vm.parseJsonBytes32(json, ".registration.message.capsulesHash");
        registration.capsulesCid = vm.parseJsonBytes(json, ".registration.message.capsulesCid");
        registration.deadline = uint64(vm.parseJsonUint(json, ".registration.message.deadline"));
    }

    function verification_() private view returns (IImageRegistry.Verification memory verification) {
        string memory json = _json;
        verification.imageId = vm.parseJsonBytes32(json, ".verification.message.imageId");
        verification.verifier = vm.parseJsonAddress(json, ".verification.message.verifier");
        verification.observedHash = vm.parseJsonBytes32(json, ".verification.message.observedHash");
        verification.observedAt = uint64(vm.parseJsonUint(json, ".verification.message.observedAt"));
        verification.nonce = vm.parseJsonUint(json, ".verification.message.nonce");
        verification.deadline = uint64(vm.parseJsonUint(json, ".verification.message.deadline"));
    }
}

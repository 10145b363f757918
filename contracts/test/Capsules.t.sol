// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {Base} from "./Base.sol";

/// @notice `updateCapsules`: one version after the other.
contract CapsulesTest is Base {
    bytes32 private constant FIRST = keccak256("new capsules");

    function setUp() public override {
        super.setUp();
        registerSample();
    }

    function test_RevertWhen_TheImageIsUnknown() public {
        refused(
            sender,
            abi.encodeCall(registry.updateCapsules, (OTHER_HASH, 0, FIRST, "")),
            abi.encodeWithSelector(IImageRegistry.UnknownImage.selector, OTHER_HASH)
        );
    }

    function test_RevertWhen_TheCallerIsNotTheSender() public {
        address[6] memory others = [admin, arbiter, pauser, kgc, verifier, stranger];
        for (uint256 i = 0; i < others.length; i++) {
            bytes memory expected = abi.encodeWithSelector(IImageRegistry.NotSender.selector, sampleId(), others[i]);
            refused(others[i], update(0, FIRST, ""), expected);
        }
    }

    function test_RevertWhen_TheHashIsZero() public {
        refused(sender, update(0, 0, ""), IImageRegistry.ZeroHash.selector);
    }

    function test_RevertWhen_TheCidHas65Bytes() public {
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.CidLength.selector, 65);
        refused(sender, update(0, FIRST, new bytes(65)), expected);
    }

    function test_RevertWhen_AnotherVersionIsThere() public {
        refusedStale(1, 0);
        does(sender, update(0, FIRST, ""));
        refusedStale(0, 1);
        refusedStale(2, 1);
        refusedStale(type(uint64).max, 1);
    }

    function test_RevertWhen_Paused() public {
        pauseNow();
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.RegistryPaused.selector, NOW + 7 days);
        refused(sender, update(0, FIRST, ""), expected);
    }

    function test_UpdatesOneVersionAfterTheOther_AlsoBackToTheSame() public {
        same(abi.encode(0, 0), abi.encode(registry.capsulesOf(sampleId())));
        does(sender, update(0, FIRST, ""));
        same(abi.encode(FIRST, 1), abi.encode(registry.capsulesOf(sampleId())));
        does(sender, update(1, sample().capsulesHash, new bytes(64)));
        does(sender, update(2, FIRST, new bytes(1)));
        same(abi.encode(FIRST, 3), abi.encode(registry.capsulesOf(sampleId())));
        same(abi.encode(0, 0), abi.encode(registry.capsulesOf(OTHER_HASH)));
    }

    function test_AnUpdateLeavesTheRecord() public {
        bytes memory before = abi.encode(registry.recordOf(sampleId()));
        does(sender, update(0, FIRST, ""));
        same(before, abi.encode(registry.recordOf(sampleId())));
    }

    function testFuzz_VersionsFollowTheModel(bytes32[6] memory hashes, uint64[6] memory versions) public {
        bytes32 expected = 0;
        uint64 version = 0;
        for (uint256 i = 0; i < hashes.length; i++) {
            if (hashes[i] == 0) hashes[i] = FIRST;
            // Half of them name the version that is there.
            uint64 named = versions[i] % 2 == 0 ? version : versions[i];
            if (named == version) {
                does(sender, update(named, hashes[i], ""));
                (expected, version) = (hashes[i], version + 1);
            } else {
                refusedStale(named, version);
            }
            same(abi.encode(expected, version), abi.encode(registry.capsulesOf(sampleId())));
        }
    }

    function update(uint64 version, bytes32 hash, bytes memory cid) private view returns (bytes memory) {
        return abi.encodeCall(registry.updateCapsules, (sampleId(), version, hash, cid));
    }

    function refusedStale(uint64 named, uint64 current) private {
        bytes4 error_ = IImageRegistry.StaleCapsules.selector;
        refused(sender, update(named, FIRST, ""), abi.encodeWithSelector(error_, sampleId(), named, current));
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {Base} from "./Base.sol";

/// @notice `grant`, `revoke` and what they leave behind.
contract AccessTest is Base {
    uint64 private constant EXPIRY = NOW + 1 days;

    function setUp() public override {
        super.setUp();
        registerSample();
    }

    function test_RevertWhen_TheImageIsUnknown() public {
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.UnknownImage.selector, OTHER_HASH);
        refused(sender, abi.encodeCall(registry.grant, (OTHER_HASH, reader, EXPIRY)), expected);
        refused(sender, abi.encodeCall(registry.revoke, (OTHER_HASH, reader)), expected);
    }

    function test_RevertWhen_TheCallerIsNotTheSender() public {
        address[6] memory others = [admin, arbiter, kgc, verifier, reader, stranger];
        for (uint256 i = 0; i < others.length; i++) {
            bytes memory expected = abi.encodeWithSelector(IImageRegistry.NotSender.selector, sampleId(), others[i]);
            refused(others[i], abi.encodeCall(registry.grant, (sampleId(), reader, EXPIRY)), expected);
            refused(others[i], abi.encodeCall(registry.revoke, (sampleId(), reader)), expected);
        }
    }

    function test_RevertWhen_TheWalletIsZero() public {
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.ZeroAddress.selector);
        refused(sender, abi.encodeCall(registry.grant, (sampleId(), address(0), EXPIRY)), expected);
        refused(sender, abi.encodeCall(registry.revoke, (sampleId(), address(0))), expected);
    }

    function test_RevertWhen_TheExpiryHasPassed() public {
        uint64[2] memory past = [NOW - 1, 0];
        for (uint256 i = 0; i < past.length; i++) {
            bytes memory expected = abi.encodeWithSelector(IImageRegistry.ExpiryInPast.selector, past[i], NOW);
            refused(sender, abi.encodeCall(registry.grant, (sampleId(), reader, past[i])), expected);
        }
    }

    function test_GrantsUntilTheExpiryInclusive() public {
        grant(EXPIRY);
        vm.warp(EXPIRY);
        holds(registry.isAuthorized(sampleId(), reader), "in its last second");
        vm.warp(EXPIRY + 1);
        holds(!registry.isAuthorized(sampleId(), reader), "a second later");
    }

    function test_GrantsForTheCurrentSecond() public {
        grant(NOW);
        holds(registry.isAuthorized(sampleId(), reader), "now");
    }

    function test_TheWordTellsExpirySequenceAndBlock() public {
        same(abi.encode(0, 0, 0), abi.encode(registry.accessOf(sampleId(), reader)));
        grant(EXPIRY);
        same(abi.encode(EXPIRY, 1, 100), abi.encode(registry.accessOf(sampleId(), reader)));
        vm.roll(107);
        revoke();
        same(abi.encode(0, 2, 107), abi.encode(registry.accessOf(sampleId(), reader)));
        vm.roll(108);
        grant(EXPIRY - 1);
        same(abi.encode(EXPIRY - 1, 3, 108), abi.encode(registry.accessOf(sampleId(), reader)));
    }

    function test_RevokeEndsAccess_AlsoBeforeAnyGrant() public {
        revoke();
        same(abi.encode(0, 1, 100), abi.encode(registry.accessOf(sampleId(), reader)));
        grant(EXPIRY);
        revoke();
        holds(!registry.isAuthorized(sampleId(), reader), "revoked");
    }

    function test_TheSenderIsAlwaysAuthorised() public {
        bytes32 imageId = sampleId();
        holds(registry.isAuthorized(imageId, sender), "without a grant");
        vm.prank(sender);
        registry.revoke(imageId, sender);
        holds(registry.isAuthorized(imageId, sender), "even after its own revoke");
    }

    function test_NobodyIsAuthorisedForAnUnknownImage() public view {
        holds(!registry.isAuthorized(OTHER_HASH, sender), "a sender of others");
        holds(!registry.isAuthorized(OTHER_HASH, address(0)), "the zero address");
    }

    function testFuzz_AccessFollowsTheModel(uint64[12] memory expiries, uint64 later) public {
        uint64 expected;
        for (uint256 i = 0; i < expiries.length; i++) {
            if (expiries[i] % 3 == 0) {
                revoke();
                expected = 0;
            } else {
                expected = uint64(within(expiries[i], NOW, type(uint64).max));
                grant(expected);
            }
            same(i + 1, registry.accessOf(sampleId(), reader).seq);
        }
        vm.warp(within(later, NOW, type(uint64).max));
        holds(registry.isAuthorized(sampleId(), reader) == (block.timestamp <= expected), "as the last call said");
    }

    function testFuzz_AGrantIsForOneWalletAndOneImage(address wallet, bytes32 imageId) public {
        grant(EXPIRY);
        if (wallet != reader && wallet != sender) holds(!registry.isAuthorized(sampleId(), wallet), "another wallet");
        if (imageId != sampleId()) holds(!registry.isAuthorized(imageId, reader), "another image");
    }

    function grant(uint64 expiry) private {
        bytes32 imageId = sampleId();
        vm.prank(sender);
        registry.grant(imageId, reader, expiry);
    }

    function revoke() private {
        bytes32 imageId = sampleId();
        vm.prank(sender);
        registry.revoke(imageId, reader);
    }
}

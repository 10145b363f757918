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
        address[7] memory others = [admin, arbiter, pauser, kgc, verifier, reader, stranger];
        for (uint256 i = 0; i < others.length; i++) {
            bytes memory expected = abi.encodeWithSelector(IImageRegistry.NotSender.selector, sampleId(), others[i]);
            refused(others[i], abi.encodeCall(registry.grant, (sampleId(), reader, EXPIRY)), expected);
            refused(others[i], abi.encodeCall(registry.revoke, (sampleId(), reader)), expected);
        }
    }

    function test_RevertWhen_TheWalletIsZero() public {
        bytes4 expected = IImageRegistry.ZeroAddress.selector;
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

    function test_RevertWhen_Paused_ButRevokingGoesOn() public {
        grantReader(EXPIRY);
        pauseNow();
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.RegistryPaused.selector, NOW + 7 days);
        refused(sender, abi.encodeCall(registry.grant, (sampleId(), reader, EXPIRY)), expected);
        revokeReader();
        holds(!registry.isAuthorized(sampleId(), reader), "revoked");
    }

    function test_GrantsUntilTheExpiryInclusive() public {
        grantReader(EXPIRY);
        vm.warp(EXPIRY);
        holds(registry.isAuthorized(sampleId(), reader), "in its last second");
        vm.warp(EXPIRY + 1);
        holds(!registry.isAuthorized(sampleId(), reader), "a second later");
    }

    function test_GrantsForTheCurrentSecond() public {
        grantReader(NOW);
        holds(registry.isAuthorized(sampleId(), reader), "now");
    }

    function test_TheEntryTellsExpirySequenceAndBlock() public {
        same(abi.encode(0, 0, 0), abi.encode(registry.accessOf(sampleId(), reader)));
        grantReader(EXPIRY);
        same(abi.encode(EXPIRY, 1, 100), abi.encode(registry.accessOf(sampleId(), reader)));
        vm.roll(107);
        uint128 seq = drawnSeq(1);
        revokeReader();
        same(abi.encode(0, seq, 107), abi.encode(registry.accessOf(sampleId(), reader)));
        vm.roll(108);
        grantReader(EXPIRY - 1);
        same(abi.encode(EXPIRY - 1, seq + 1, 108), abi.encode(registry.accessOf(sampleId(), reader)));
    }

    function test_RevokeEndsAccess_AlsoBeforeAnyGrant() public {
        uint128 seq = drawnSeq(0);
        revokeReader();
        same(abi.encode(0, seq, 100), abi.encode(registry.accessOf(sampleId(), reader)));
        grantReader(EXPIRY);
        revokeReader();
        holds(!registry.isAuthorized(sampleId(), reader), "revoked");
    }

    function test_TheSenderIsAlwaysAuthorised() public {
        holds(registry.isAuthorized(sampleId(), sender), "without a grant");
        does(sender, abi.encodeCall(registry.revoke, (sampleId(), sender)));
        holds(registry.isAuthorized(sampleId(), sender), "even after its own revoke");
    }

    function test_NobodyIsAuthorisedForAnUnknownImage() public view {
        holds(!registry.isAuthorized(OTHER_HASH, sender), "a sender of others");
        holds(!registry.isAuthorized(OTHER_HASH, address(0)), "the zero address");
    }

    function testFuzz_AccessFollowsTheModel(uint64[12] memory expiries, uint64 later) public {
        uint64 expected;
        uint128 seq;
        for (uint256 i = 0; i < expiries.length; i++) {
            if (expiries[i] % 3 == 0) {
                seq = drawnSeq(seq);
                revokeReader();
                expected = 0;
            } else {
                expected = uint64(within(expiries[i], NOW, type(uint64).max));
                seq++;
                grantReader(expected);
            }
            same(abi.encode(expected, seq, 100), abi.encode(registry.accessOf(sampleId(), reader)));
        }
        vm.warp(within(later, NOW, type(uint64).max));
        holds(registry.isAuthorized(sampleId(), reader) == (block.timestamp <= expected), "as the last call said");
    }

    function testFuzz_AGrantEndsWithItsLastSecond(uint64 expiry, uint64 time) public {
        expiry = uint64(within(expiry, NOW, type(uint64).max - 1));
        grantReader(expiry);
        vm.warp(within(time, NOW, type(uint64).max));
        holds(registry.isAuthorized(sampleId(), reader) == (block.timestamp <= expiry), "at any time");
        vm.warp(expiry);
        holds(registry.isAuthorized(sampleId(), reader), "in its last second");
        vm.warp(uint256(expiry) + 1);
        holds(!registry.isAuthorized(sampleId(), reader), "a second later");
    }

    function testFuzz_AGrantIsForOneWalletAndOneImage(address wallet, bytes32 imageId) public {
        grantReader(EXPIRY);
        if (wallet != reader && wallet != sender) holds(!registry.isAuthorized(sampleId(), wallet), "another wallet");
        if (imageId != sampleId()) holds(!registry.isAuthorized(imageId, reader), "another image");
    }

    function testFuzz_RevertWhen_AnyOtherWalletSpeaks(address by, address wallet, uint64 expiry) public {
        if (by == sender) by = stranger;
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.NotSender.selector, sampleId(), by);
        refused(by, abi.encodeCall(registry.grant, (sampleId(), wallet, expiry)), expected);
        refused(by, abi.encodeCall(registry.revoke, (sampleId(), wallet)), expected);
        bytes memory update = abi.encodeCall(registry.updateCapsules, (sampleId(), 0, OTHER_HASH, ""));
        refused(by, update, expected);
    }
}

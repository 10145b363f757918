// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {ImageRegistry} from "../src/ImageRegistry.sol";
import {Base} from "./Base.sol";

/// @notice Signatures of plain wallets: a relayed registration is the sender's will, once, here, in time.
contract SignatureTest is Base {
    function test_RevertWhen_TheSignatureIsMalformed() public {
        bytes memory good = sign(SENDER_KEY, sample());
        refused(sample(), "");
        refused(sample(), cut(good, 64));
        refused(sample(), bytes.concat(good, hex"00"));
        uint8[4] memory wrongV = [0, 1, 26, 29];
        for (uint256 i = 0; i < wrongV.length; i++) {
            refused(sample(), bytes.concat(cut(good, 64), bytes1(wrongV[i])));
        }
    }

    function test_RevertWhen_SIsHigh() public {
        (uint8 v, bytes32 r, bytes32 s) = split(sign(SENDER_KEY, sample()));
        bytes32 highS = bytes32(CURVE_ORDER - uint256(s));
        refused(sample(), abi.encodePacked(r, highS, v == 27 ? uint8(28) : uint8(27)));
    }

    function test_RevertWhen_ROrSIsZeroOrTheOrder() public {
        (uint8 v, bytes32 r, bytes32 s) = split(sign(SENDER_KEY, sample()));
        bytes32 order = bytes32(CURVE_ORDER);
        refused(sample(), abi.encodePacked(bytes32(0), s, v));
        refused(sample(), abi.encodePacked(r, bytes32(0), v));
        refused(sample(), abi.encodePacked(order, s, v));
        refused(sample(), abi.encodePacked(r, order, v));
    }

    function test_RevertWhen_SomebodyElseSigned() public {
        refused(sample(), sign(STRANGER_KEY, sample()));
    }

    function test_RevertWhen_TheSignatureHas4097Bytes() public {
        refused(
            relayer,
            abi.encodeCall(registry.register, (sample(), new bytes(4097))),
            abi.encodeWithSelector(IImageRegistry.SignatureLength.selector, 4097)
        );
        refused(sample(), new bytes(4096));
    }

    function test_RevertWhen_MadeForAnotherChain() public {
        bytes memory signature = sign(SENDER_KEY, sample());
        vm.chainId(block.chainid + 1);
        refused(sample(), signature);
    }

    function test_RevertWhen_MadeForAnotherContract() public {
        bytes memory signature = sign(SENDER_KEY, sample());
        registry = new ImageRegistry(admin);
        refused(sample(), signature);
    }

    function test_RevertWhen_TheDeadlineHasPassed() public {
        bytes memory signature = sign(SENDER_KEY, sample());
        vm.warp(sample().deadline + 1);
        refused(
            relayer,
            abi.encodeCall(registry.register, (sample(), signature)),
            abi.encodeWithSelector(IImageRegistry.SignatureExpired.selector, sample().deadline, sample().deadline + 1)
        );
    }

    function test_RevertWhen_TheDeadlineIsOver7DaysAhead() public {
        IImageRegistry.Registration memory registration = sample();
        registration.deadline = NOW + 7 days + 1;
        refused(
            relayer,
            abi.encodeCall(registry.register, (registration, sign(SENDER_KEY, registration))),
            abi.encodeWithSelector(IImageRegistry.DeadlineTooFar.selector, NOW + 7 days + 1, NOW + 7 days)
        );
    }

    function test_RelaysAtTheDeadline() public {
        bytes memory signature = sign(SENDER_KEY, sample());
        vm.warp(sample().deadline);
        relays(sample(), signature);
    }

    function test_RelaysWithADeadline7DaysAhead() public {
        IImageRegistry.Registration memory registration = sample();
        registration.deadline = NOW + 7 days;
        relays(registration, sign(SENDER_KEY, registration));
    }

    function test_ASenderThatSignsIsHeldToItsDeadline() public {
        IImageRegistry.Registration memory registration = sample();
        registration.deadline = NOW - 1;
        refused(
            sender,
            abi.encodeCall(registry.register, (registration, sign(SENDER_KEY, registration))),
            abi.encodeWithSelector(IImageRegistry.SignatureExpired.selector, NOW - 1, NOW)
        );
    }

    function testFuzz_AnyWalletsSignatureIsRelayed(uint256 key, bytes32 salt, address by) public {
        key = within(key, 1, CURVE_ORDER - 1);
        IImageRegistry.Registration memory registration = sample();
        registration.sender = vm.addr(key);
        registration.salt = salt;
        bytes memory signature = sign(key, registration);
        vm.prank(by);
        bytes32 imageId = registry.register(registration, signature);
        same(registration.sender, registry.recordOf(imageId).sender);
    }

    function testFuzz_RevertWhen_OneBitOfTheSignatureIsFlipped(uint256 bit) public {
        bytes memory signature = sign(SENDER_KEY, sample());
        bit = within(bit, 0, 65 * 8 - 1);
        signature[bit / 8] ^= bytes1(uint8(2 ** (bit % 8)));
        refused(sample(), signature);
    }

    function testFuzz_RevertWhen_OneFieldIsChanged(uint256 field, uint64 change) public {
        IImageRegistry.Registration memory registration = sample();
        bytes memory signature = sign(SENDER_KEY, registration);
        bytes32 other = keccak256(abi.encode(change));
        field = within(field, 0, 7);
        if (field == 0) registration.salt = other;
        else if (field == 1) registration.contentHash = other;
        else if (field == 2) registration.headerHash = other;
        else if (field == 3) registration.size += within16(change);
        else if (field == 4) registration.cid = abi.encode(other);
        else if (field == 5) registration.capsulesHash = other;
        else if (field == 6) registration.capsulesCid = abi.encode(other);
        else registration.deadline += within16(change);
        refused(registration, signature);
    }

    function relays(IImageRegistry.Registration memory registration, bytes memory signature) private {
        vm.prank(relayer);
        bytes32 imageId = registry.register(registration, signature);
        same(registration.contentHash, registry.recordOf(imageId).contentHash);
        same(registration.sender, registry.recordOf(imageId).sender);
    }

    function refused(IImageRegistry.Registration memory registration, bytes memory signature) private {
        refused(
            relayer,
            abi.encodeCall(registry.register, (registration, signature)),
            abi.encodeWithSelector(IImageRegistry.InvalidSignature.selector, registration.sender)
        );
    }

    function within16(uint64 value) private pure returns (uint64) {
        return uint64(within(value, 1, 65_535));
    }

    function cut(bytes memory data, uint256 length) private pure returns (bytes memory short) {
        short = new bytes(length);
        for (uint256 i = 0; i < length; i++) {
            short[i] = data[i];
        }
    }

    function split(bytes memory signature) private pure returns (uint8 v, bytes32 r, bytes32 s) {
        (r, s) = abi.decode(cut(signature, 64), (bytes32, bytes32));
        v = uint8(signature[64]);
    }
}

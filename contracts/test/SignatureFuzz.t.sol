// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {SignedActs} from "./SignedActs.sol";
import {TypedData} from "./TypedData.sol";

/// @notice Random signatures, deadlines and changes of every act that can be signed.
contract SignatureFuzzTest is SignedActs {
    uint64 private constant DEADLINE = NOW + 1 hours;

    function setUp() public override {
        super.setUp();
        prepare(sender);
    }

    function testFuzz_AnyWalletsSignatureIsRelayed_ByAnybody(uint256 key, uint256 act, address by) public {
        key = within(key, 1, CURVE_ORDER - 1);
        address signer = vm.addr(key);
        if (signer != sender) prepare(signer);
        Act asked = Act(within(act, 0, ACTS - 1));
        does(by, callOf(asked, signer, DEADLINE, signed(key, structHashOf(asked, signer, DEADLINE))));
        holds(happened(asked, signer), "done");
    }

    function testFuzz_RevertWhen_AnotherWalletSigned(uint256 key, uint256 act) public {
        key = within(key, 1, CURVE_ORDER - 1);
        if (key == SENDER_KEY) key = STRANGER_KEY;
        Act asked = Act(within(act, 0, ACTS - 1));
        bytes memory signature = signed(key, structHashOf(asked, sender, DEADLINE));
        refusedAct(asked, sender, DEADLINE, signature, invalidSignature(sender));
    }

    function testFuzz_RevertWhen_OneBitOfTheSignatureIsFlipped(uint256 act, uint256 bit) public {
        Act asked = Act(within(act, 0, ACTS - 1));
        bytes memory signature = signed(SENDER_KEY, structHashOf(asked, sender, DEADLINE));
        bit = within(bit, 0, 65 * 8 - 1);
        signature[bit / 8] ^= bytes1(uint8(2 ** (bit % 8)));
        refusedAct(asked, sender, DEADLINE, signature, invalidSignature(sender));
    }

    function testFuzz_RevertWhen_TheSignatureIsNonsense(uint256 act, bytes memory signature) public {
        Act asked = Act(within(act, 0, ACTS - 1));
        refusedAct(asked, sender, DEADLINE, signature, invalidSignature(sender));
    }

    function testFuzz_ASignatureActsFrom7DaysBeforeItsDeadlineToIt(uint256 act, uint64 deadline, uint32 later) public {
        Act asked = Act(within(act, 0, ACTS - 1));
        vm.warp(NOW + uint256(later));
        // Three of four near to now, where the borders are.
        if (deadline % 4 != 0) deadline = uint64(within(deadline, block.timestamp - 2 days, block.timestamp + 9 days));
        bytes memory signature = signed(SENDER_KEY, structHashOf(asked, sender, deadline));
        if (deadline < block.timestamp) {
            bytes4 error_ = IImageRegistry.SignatureExpired.selector;
            refusedAct(asked, sender, deadline, signature, abi.encodeWithSelector(error_, deadline, block.timestamp));
        } else if (deadline > block.timestamp + 7 days) {
            bytes4 error_ = IImageRegistry.DeadlineTooFar.selector;
            bytes memory expected = abi.encodeWithSelector(error_, deadline, block.timestamp + 7 days);
            refusedAct(asked, sender, deadline, signature, expected);
        } else if (asked == Act.Grant && block.timestamp > NOW + 30 days) {
            bytes4 error_ = IImageRegistry.ExpiryInPast.selector;
            bytes memory expected = abi.encodeWithSelector(error_, NOW + 30 days, block.timestamp);
            refusedAct(asked, sender, deadline, signature, expected);
        } else {
            takenAct(asked, sender, deadline, signature);
        }
    }

    function testFuzz_RevertWhen_MadeForAnotherChainOrContract(uint256 act, uint64 chain, address place) public {
        Act asked = Act(within(act, 0, ACTS - 1));
        if (chain == block.chainid && place == address(registry)) chain++;
        bytes32 digest = TypedData.digest(structHashOf(asked, sender, DEADLINE), chain, place);
        refusedAct(asked, sender, DEADLINE, sign(SENDER_KEY, digest), invalidSignature(sender));
    }

    /// @dev Every value of every struct is signed: with one bit of it flipped in the call, the act is refused, for whatever reason comes first.
    function testFuzz_RevertWhen_OneBitOfTheActIsFlipped(uint256 act, uint256 word, uint8 bit) public {
        Act asked = Act(within(act, 0, ACTS - 1));
        bytes memory data = callOf(asked, sender, DEADLINE, signed(SENDER_KEY, structHashOf(asked, sender, DEADLINE)));
        uint8[] memory words = valuesOf(asked);
        uint256 place = 4 + 32 * uint256(words[within(word, 0, words.length - 1)]);
        data[place + bit / 8] ^= bytes1(uint8(2 ** (bit % 8)));
        bytes32 before = fingerprint(relayer);
        vm.prank(relayer);
        (bool done,) = address(registry).call(data);
        holds(!done, "refused");
        same(before, fingerprint(relayer));
        holds(!happened(asked, sender), "not done");
    }

    /// @dev The words of the call's arguments that hold values, not places: a static struct starts at word 0, a dynamic one at
    /// word 2, after two places. Of a CID, its length and its first word.
    function valuesOf(Act act) private pure returns (uint8[] memory words) {
        bytes memory list;
        if (act == Act.Register) list = hex"0203040506080a0b0c0e0f";
        else if (act == Act.RegisterBatch) list = hex"020405060708090a0b0c0d0e0f";
        else if (act == Act.Anchor) list = hex"020304060708";
        else if (act == Act.RecordVerification) list = hex"000102030405";
        else if (act == Act.DecideFlag) list = hex"0001020304";
        else if (act == Act.Grant) list = hex"000102030405";
        else if (act == Act.Revoke) list = hex"0001020304";
        else if (act == Act.SetOperator) list = hex"0001020304";
        else list = hex"02030406070809";
        words = new uint8[](list.length);
        for (uint256 i = 0; i < list.length; i++) {
            words[i] = uint8(list[i]);
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {SignedActs} from "./SignedActs.sol";
import {TypedData} from "./TypedData.sol";

/// @notice Signatures of plain wallets, for every act that can be signed: the holder's will, here, for this act, in time.
contract SignatureTest is SignedActs {
    uint64 private constant DEADLINE = NOW + 1 hours;

    function setUp() public override {
        super.setUp();
        prepare(sender);
    }

    function test_EveryActIsRelayed() public {
        for (uint256 i = 0; i < ACTS; i++) {
            takenAct(Act(i), sender, DEADLINE, signatureOf(Act(i)));
        }
    }

    function test_TheSignerItselfMaySubmitItsSignature() public {
        for (uint256 i = 0; i < ACTS; i++) {
            does(sender, callOf(Act(i), sender, DEADLINE, signatureOf(Act(i))));
            holds(happened(Act(i), sender), "done");
        }
    }

    function test_RevertWhen_TheSignatureHas0_64Or66Bytes() public {
        for (uint256 i = 0; i < ACTS; i++) {
            bytes memory good = signatureOf(Act(i));
            refusedSignature(Act(i), "");
            refusedSignature(Act(i), cut(good, 64));
            refusedSignature(Act(i), bytes.concat(good, hex"00"));
        }
    }

    function test_RevertWhen_VIsNeither27Nor28() public {
        uint8[4] memory wrong = [0, 1, 26, 29];
        for (uint256 i = 0; i < ACTS; i++) {
            bytes memory good = signatureOf(Act(i));
            for (uint256 j = 0; j < wrong.length; j++) {
                refusedSignature(Act(i), bytes.concat(cut(good, 64), bytes1(wrong[j])));
            }
            refusedSignature(Act(i), bytes.concat(cut(good, 64), bytes1(uint8(good[64]) == 27 ? 28 : 27)));
        }
    }

    function test_RevertWhen_SIsHigh() public {
        for (uint256 i = 0; i < ACTS; i++) {
            (uint8 v, bytes32 r, bytes32 s) = split(signatureOf(Act(i)));
            bytes32 highS = bytes32(CURVE_ORDER - uint256(s));
            refusedSignature(Act(i), abi.encodePacked(r, highS, v == 27 ? uint8(28) : uint8(27)));
        }
    }

    function test_RevertWhen_ROrSIsZeroOrTheOrder() public {
        bytes32 order = bytes32(CURVE_ORDER);
        for (uint256 i = 0; i < ACTS; i++) {
            (uint8 v, bytes32 r, bytes32 s) = split(signatureOf(Act(i)));
            refusedSignature(Act(i), abi.encodePacked(bytes32(0), s, v));
            refusedSignature(Act(i), abi.encodePacked(r, bytes32(0), v));
            refusedSignature(Act(i), abi.encodePacked(order, s, v));
            refusedSignature(Act(i), abi.encodePacked(r, order, v));
        }
    }

    function test_RevertWhen_SomebodyElseSigned() public {
        for (uint256 i = 0; i < ACTS; i++) {
            refusedSignature(Act(i), signed(STRANGER_KEY, structHashOf(Act(i), sender, DEADLINE)));
        }
    }

    /// @dev `ecrecover` answers zero for nonsense: the zero address must not be taken for its signer.
    function test_RevertWhen_TheSignerIsZero() public {
        bytes memory nonsense = abi.encodePacked(bytes32(0), bytes32(0), uint8(27));
        for (uint256 i = uint256(Act.DecideFlag); i < ACTS; i++) {
            refused(relayer, callOf(Act(i), address(0), DEADLINE, nonsense), invalidSignature(address(0)));
            refused(address(0), callOf(Act(i), address(0), DEADLINE, ""), invalidSignature(address(0)));
        }
    }

    function test_RevertWhen_TheSignatureHas4097Bytes() public {
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.SignatureLength.selector, 4097);
        for (uint256 i = 0; i < ACTS; i++) {
            refusedAct(Act(i), sender, DEADLINE, new bytes(4097), expected);
            refusedSignature(Act(i), new bytes(4096));
        }
    }

    function test_RevertWhen_MadeForAnotherChain() public {
        bytes[] memory signatures = new bytes[](ACTS);
        for (uint256 i = 0; i < ACTS; i++) {
            bytes32 structHash = structHashOf(Act(i), sender, DEADLINE);
            bytes32 digest = TypedData.digest(structHash, block.chainid + 1, address(registry));
            signatures[i] = sign(SENDER_KEY, digest);
            refusedSignature(Act(i), signatures[i]);
        }
    }

    function test_RevertWhen_TheChainForks() public {
        bytes[] memory signatures = new bytes[](ACTS);
        for (uint256 i = 0; i < ACTS; i++) {
            signatures[i] = signatureOf(Act(i));
        }
        vm.chainId(block.chainid + 1);
        // The image's id has another chain too: only acts that name none are asked for.
        Act[4] memory acts = [Act.Register, Act.RegisterBatch, Act.Anchor, Act.SetOperator];
        for (uint256 i = 0; i < acts.length; i++) {
            refusedSignature(acts[i], signatures[uint256(acts[i])]);
        }
    }

    function test_RevertWhen_MadeForAnotherContract() public {
        address here = address(registry);
        address elsewhere = address(deploy(admin, roles()));
        for (uint256 i = 0; i < ACTS; i++) {
            bytes32 structHash = structHashOf(Act(i), sender, DEADLINE);
            refusedSignature(Act(i), sign(SENDER_KEY, TypedData.digest(structHash, block.chainid, elsewhere)));
            takenAct(Act(i), sender, DEADLINE, sign(SENDER_KEY, TypedData.digest(structHash, block.chainid, here)));
        }
    }

    function test_RevertWhen_MadeForAnotherAct() public {
        for (uint256 i = 0; i < ACTS; i++) {
            for (uint256 j = 0; j < ACTS; j++) {
                if (i != j) refusedSignature(Act(i), signatureOf(Act(j)));
            }
        }
    }

    function test_RevertWhen_TheDeadlineHasPassed() public {
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.SignatureExpired.selector, DEADLINE, DEADLINE + 1);
        vm.warp(DEADLINE + 1);
        for (uint256 i = 0; i < ACTS; i++) {
            refusedAct(Act(i), sender, DEADLINE, signatureOf(Act(i)), expected);
        }
    }

    function test_RevertWhen_TheDeadlineIsOver7DaysAhead() public {
        uint64 tooFar = NOW + 7 days + 1;
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.DeadlineTooFar.selector, tooFar, NOW + 7 days);
        for (uint256 i = 0; i < ACTS; i++) {
            bytes memory signature = signed(SENDER_KEY, structHashOf(Act(i), sender, tooFar));
            refusedAct(Act(i), sender, tooFar, signature, expected);
        }
    }

    function test_RelaysAtTheDeadline_And7DaysBeforeIt() public {
        for (uint256 i = 0; i < ACTS; i++) {
            uint64 deadline = i % 2 == 0 ? NOW : NOW + 7 days;
            takenAct(Act(i), sender, deadline, signed(SENDER_KEY, structHashOf(Act(i), sender, deadline)));
        }
        setUp();
        for (uint256 i = 0; i < ACTS; i++) {
            uint64 deadline = i % 2 == 1 ? NOW : NOW + 7 days;
            takenAct(Act(i), sender, deadline, signed(SENDER_KEY, structHashOf(Act(i), sender, deadline)));
        }
    }

    function test_ASignerThatSubmitsASignatureIsHeldToItsDeadline() public {
        uint64 passed = NOW - 1;
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.SignatureExpired.selector, passed, NOW);
        for (uint256 i = 0; i < ACTS; i++) {
            bytes memory signature = signed(SENDER_KEY, structHashOf(Act(i), sender, passed));
            refused(sender, callOf(Act(i), sender, passed, signature), expected);
        }
    }

    // ---- helpers ----

    function signatureOf(Act act) private view returns (bytes memory) {
        return signed(SENDER_KEY, structHashOf(act, sender, DEADLINE));
    }

    function refusedSignature(Act act, bytes memory signature) private {
        refusedAct(act, sender, DEADLINE, signature, invalidSignature(sender));
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

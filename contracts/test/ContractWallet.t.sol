// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {Base} from "./Base.sol";

/// @notice What a wallet contract may answer, and how.
contract Wallet {
    enum Answer {
        Yes,
        No,
        Reverts,
        Short,
        BurnsGas,
        YesToOneLength
    }

    Answer private immutable _answer;
    uint256 private immutable _length;

    constructor(Answer answer, uint256 length) {
        _answer = answer;
        _length = length;
    }

    function isValidSignature(bytes32, bytes calldata signature) external view returns (bytes4) {
        if (_answer == Answer.No) return 0xffffffff;
        if (_answer == Answer.Reverts) revert("no");
        if (_answer == Answer.Short) {
            assembly ("memory-safe") {
                mstore(0, shl(224, 0x1626ba7e))
                return(0, 31)
            }
        }
        while (_answer == Answer.BurnsGas) {}
        if (_answer == Answer.YesToOneLength && signature.length != _length) return 0xffffffff;
        return 0x1626ba7e;
    }
}

/// @notice Signatures of wallets that are contracts (ERC-1271), and of accounts that borrow code (EIP-7702).
contract ContractWalletTest is Base {
    function test_RevertWhen_TheWalletSaysNo() public {
        refusedBy(new Wallet(Wallet.Answer.No, 0), "signature");
    }

    function test_RevertWhen_TheWalletReverts() public {
        refusedBy(new Wallet(Wallet.Answer.Reverts, 0), "signature");
    }

    function test_RevertWhen_TheWalletAnswers31Bytes() public {
        refusedBy(new Wallet(Wallet.Answer.Short, 0), "signature");
    }

    function test_RevertWhen_TheSignatureIsEmpty_ThoughTheWalletWouldTakeIt() public {
        refusedBy(new Wallet(Wallet.Answer.Yes, 0), "");
    }

    function test_RevertWhen_TheWalletHasNoSuchFunction() public {
        refusedBy(Wallet(address(registry)), "signature");
    }

    function test_RevertWhen_TheWalletIsThePrecompileThatEchoes() public {
        refusedBy(Wallet(address(4)), "signature");
    }

    function test_RevertWhen_TheWalletBurnsItsGas() public {
        IImageRegistry.Registration memory registration = sample();
        registration.sender = address(new Wallet(Wallet.Answer.BurnsGas, 0));
        vm.prank(relayer);
        (bool done,) =
            address(registry).call{gas: 2_000_000}(abi.encodeCall(registry.register, (registration, "signature")));
        holds(!done, "refused");
        same(0, registry.recordCount());
    }

    function test_TheWalletsOwnSignatureIsTaken() public {
        registers(new Wallet(Wallet.Answer.YesToOneLength, 9), "signature");
    }

    function test_ASignatureOf4096BytesIsTaken() public {
        registers(new Wallet(Wallet.Answer.YesToOneLength, 4096), new bytes(4096));
    }

    function test_TheWalletItselfNeedsNoSignature() public {
        IImageRegistry.Registration memory registration = sample();
        registration.sender = address(new Wallet(Wallet.Answer.No, 0));
        vm.prank(registration.sender);
        registry.register(registration, "");
        same(1, registry.recordCount());
    }

    function test_AnAccountThatBorrowsCodeKeepsItsPlainSignature() public {
        bytes memory signature = sign(SENDER_KEY, sample());
        vm.etch(sender, address(new Wallet(Wallet.Answer.Reverts, 0)).code);
        vm.prank(relayer);
        bytes32 imageId = registry.register(sample(), signature);
        same(sender, registry.recordOf(imageId).sender);
    }

    function testFuzz_RevertWhen_SomebodyElseSignsForAWallet(uint256 key) public {
        IImageRegistry.Registration memory registration = sample();
        Wallet wallet = new Wallet(Wallet.Answer.No, 0);
        registration.sender = address(wallet);
        refusedBy(wallet, sign(within(key, 1, CURVE_ORDER - 1), registration));
    }

    function registers(Wallet wallet, bytes memory signature) private {
        IImageRegistry.Registration memory registration = sample();
        registration.sender = address(wallet);
        vm.prank(relayer);
        bytes32 imageId = registry.register(registration, signature);
        same(address(wallet), registry.recordOf(imageId).sender);
    }

    function refusedBy(Wallet wallet, bytes memory signature) private {
        IImageRegistry.Registration memory registration = sample();
        registration.sender = address(wallet);
        refused(
            relayer,
            abi.encodeCall(registry.register, (registration, signature)),
            abi.encodeWithSelector(IImageRegistry.InvalidSignature.selector, address(wallet))
        );
    }
}

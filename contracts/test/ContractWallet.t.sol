// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {OwnedWallet} from "./OwnedWallet.sol";
import {SignedActs} from "./SignedActs.sol";

/// @notice Calls the registry back for a wallet that is asked about a signature.
contract Helper {
    address private immutable _registry;
    bytes private _data;
    bool private immutable _expected;

    constructor(address registry, bytes memory data, bool expected) {
        _registry = registry;
        _data = data;
        _expected = expected;
    }

    /// @return met Whether the registry took the call, or refused it, as expected.
    function act() external returns (bool met) {
        // What breaks a static call takes all the gas that it has.
        (bool done,) = _registry.call{gas: 500_000}(_data);
        return done == _expected;
    }
}

/// @notice What a wallet contract may answer, and how.
contract Wallet {
    enum Answer {
        Yes,
        No,
        Reverts,
        Short,
        BurnsGas,
        YesToOneLength,
        ReEnters
    }

    Answer private immutable _answer;
    uint256 private immutable _length;
    Helper private _helper;

    constructor(Answer answer, uint256 length) {
        _answer = answer;
        _length = length;
    }

    function setHelper(Helper helper) external {
        _helper = helper;
    }

    function isValidSignature(bytes32, bytes calldata signature) external returns (bytes4) {
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
        // The helper sends another signature, which is taken at once. The registry asks by a static call, so that changes nothing.
        bool again = _answer == Answer.ReEnters && signature.length == _length;
        if (again && !_helper.act()) return 0xffffffff;
        return 0x1626ba7e;
    }
}

/// @notice Signatures of wallets that are contracts (ERC-1271), and of accounts that borrow code (EIP-7702), for every act that can be signed.
contract ContractWalletTest is SignedActs {
    uint64 private constant DEADLINE = NOW + 1 hours;

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
        refusedBy(address(registry), "signature");
    }

    function test_RevertWhen_TheWalletIsThePrecompileThatEchoes() public {
        refusedBy(address(4), "signature");
    }

    function test_RevertWhen_TheWalletHasNoCode_ThoughItHadSome() public {
        Wallet wallet = new Wallet(Wallet.Answer.Yes, 0);
        vm.etch(address(wallet), "");
        refusedBy(wallet, "signature");
    }

    function test_RevertWhen_TheWalletBurnsItsGas() public {
        address wallet = address(new Wallet(Wallet.Answer.BurnsGas, 0));
        prepare(wallet);
        for (uint256 i = 0; i < ACTS; i++) {
            bytes memory data = callOf(Act(i), wallet, DEADLINE, "signature");
            bytes32 before = fingerprint(relayer);
            vm.prank(relayer);
            (bool done,) = address(registry).call{gas: 1_000_000}(data);
            holds(!done, "refused");
            same(before, fingerprint(relayer));
            holds(!happened(Act(i), wallet), "not done");
        }
    }

    function test_TheWalletsOwnSignatureIsTaken() public {
        takenBy(new Wallet(Wallet.Answer.YesToOneLength, 9), "signature");
    }

    function test_ASignatureOf65And4096BytesIsTaken() public {
        takenBy(new Wallet(Wallet.Answer.YesToOneLength, 65), new bytes(65));
        takenBy(new Wallet(Wallet.Answer.YesToOneLength, 4096), new bytes(4096));
    }

    function test_AWalletTakesWhatItsOwnerSigned_AndNothingElse() public {
        address wallet = address(new OwnedWallet(vm.addr(SENDER_KEY)));
        prepare(wallet);
        for (uint256 i = 0; i < ACTS; i++) {
            bytes32 structHash = structHashOf(Act(i), wallet, DEADLINE);
            refusedAct(Act(i), wallet, DEADLINE, signed(SENDER_KEY + 1, structHash), invalidSignature(wallet));
            takenAct(Act(i), wallet, DEADLINE, signed(SENDER_KEY, structHash));
        }
    }

    /// @dev While the wallet is asked, a helper sends the same act with another signature: the static call stops it, and the act happens once.
    function test_AWalletThatReEntersActsOnce() public {
        Wallet wallet = new Wallet(Wallet.Answer.ReEnters, 9);
        prepare(address(wallet));
        for (uint256 i = 0; i < ACTS; i++) {
            bytes memory data = callOf(Act(i), address(wallet), DEADLINE, "again");
            wallet.setHelper(new Helper(address(registry), data, false));
            (, uint40 before) = registry.audit();
            takenAct(Act(i), address(wallet), DEADLINE, "signature");
            (, uint40 then) = registry.audit();
            same(before + 1, then);
        }
        same(1, registry.nonces(address(wallet)));
    }

    function test_TheWalletItselfNeedsNoSignature() public {
        address wallet = address(new Wallet(Wallet.Answer.No, 0));
        prepare(wallet);
        Act[4] memory acts = [Act.Register, Act.RegisterBatch, Act.Anchor, Act.RecordVerification];
        for (uint256 i = 0; i < acts.length; i++) {
            does(wallet, callOf(acts[i], wallet, DEADLINE, ""));
            holds(happened(acts[i], wallet), "done");
        }
    }

    function test_AnAccountThatBorrowsCodeKeepsItsPlainSignature() public {
        prepare(sender);
        vm.etch(sender, bytes.concat(hex"ef0100", bytes20(address(new Wallet(Wallet.Answer.Reverts, 0)))));
        for (uint256 i = 0; i < ACTS; i++) {
            takenAct(Act(i), sender, DEADLINE, signed(SENDER_KEY, structHashOf(Act(i), sender, DEADLINE)));
        }
    }

    function test_ADelegationThatIsSignedAndSentKeepsItToo_AndMayAnswerItself() public {
        prepare(sender);
        vm.signAndAttachDelegation(address(new Wallet(Wallet.Answer.Yes, 0)), SENDER_KEY);
        takenAct(Act.Register, sender, DEADLINE, signed(SENDER_KEY, structHashOf(Act.Register, sender, DEADLINE)));
        same(23, sender.code.length);
        takenAct(Act.Grant, sender, DEADLINE, "whatever its code takes");
    }

    function testFuzz_RevertWhen_SomebodyElseSignsForAWallet(uint256 key, uint256 act) public {
        address wallet = address(new Wallet(Wallet.Answer.No, 0));
        prepare(wallet);
        Act asked = Act(within(act, 0, ACTS - 1));
        key = within(key, 1, CURVE_ORDER - 1);
        bytes memory signature = signed(key, structHashOf(asked, wallet, DEADLINE));
        refusedAct(asked, wallet, DEADLINE, signature, invalidSignature(wallet));
    }

    function testFuzz_AWalletMayTakeAnySignatureOfUpTo4096Bytes(uint256 length, uint256 act) public {
        length = within(length, 1, 4096);
        address wallet = address(new Wallet(Wallet.Answer.YesToOneLength, length));
        prepare(wallet);
        Act asked = Act(within(act, 0, ACTS - 1));
        if (length > 1) refusedAct(asked, wallet, DEADLINE, new bytes(length - 1), invalidSignature(wallet));
        takenAct(asked, wallet, DEADLINE, new bytes(length));
    }

    function takenBy(Wallet wallet, bytes memory signature) private {
        prepare(address(wallet));
        for (uint256 i = 0; i < ACTS; i++) {
            takenAct(Act(i), address(wallet), DEADLINE, signature);
        }
    }

    function refusedBy(Wallet wallet, bytes memory signature) private {
        refusedBy(address(wallet), signature);
    }

    function refusedBy(address wallet, bytes memory signature) private {
        prepare(wallet);
        for (uint256 i = 0; i < ACTS; i++) {
            refusedAct(Act(i), wallet, DEADLINE, signature, invalidSignature(wallet));
        }
    }
}

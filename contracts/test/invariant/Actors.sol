// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../../src/IImageRegistry.sol";
import {Auditor} from "../Auditor.sol";
import {TypedData} from "../TypedData.sol";
import {FullLedger} from "./FullLedger.sol";

/// @notice The cheat code by which an action says that it can't happen now; forge counts it as discarded.
interface VmAssume {
    function assume(bool condition) external pure;
}

/// @notice Who acts: 5 senders, 3 verifiers, 2 operators, 2 relayers, 2 KGCs, 1 arbiter, 1 pauser, and 2 admins in turn; how they send, sign and wait. Every
/// transaction is audited at once.
abstract contract Actors is FullLedger {
    uint256 internal constant SENDERS = 5;
    uint256 internal constant VERIFIERS = 3;
    uint256 internal constant PAIR = 2;
    VmAssume private constant _ASSUMER = VmAssume(address(vm));

    mapping(address wallet => uint256 key) private _keys;
    address[] private _senders;
    address[] private _verifiers;
    address[] private _speakers;
    address internal immutable judge = keyed(0xA4B17E40);
    /// @dev Every signed call that had an effect.
    bytes[] internal used;
    /// @dev The image that was acted on last.
    bytes32 internal touched;

    /// @dev Blocks go on, 12 seconds each; forge need not remember the cheat codes of an earlier call.
    modifier tick() {
        pass(12);
        _;
    }

    constructor() {
        for (uint256 i = 0; i < SENDERS; i++) {
            _senders.push(keyed(0x5E4D0000 + i));
        }
        for (uint256 i = 0; i < VERIFIERS; i++) {
            _verifiers.push(keyed(0x5EE00000 + i));
        }
        for (uint256 i = 0; i < PAIR; i++) {
            _speakers.push(keyed(0x09E40000 + i));
        }
        pass(0);
        vm.recordLogs();
        registry = deploy(admins(0), firstRoles());
        trail = bytes32(Auditor.firstWord(address(registry)));
        take(vm.getRecordedLogs());
    }

    function firstRoles() private view returns (IImageRegistry.RoleGrant[] memory grants) {
        grants = new IImageRegistry.RoleGrant[](7);
        grants[0] = IImageRegistry.RoleGrant(keccak256("ARBITER_ROLE"), judge);
        grants[1] = IImageRegistry.RoleGrant(keccak256("PAUSER_ROLE"), pauser);
        grants[2] = IImageRegistry.RoleGrant(keccak256("KGC_ROLE"), kgcs(0));
        grants[3] = IImageRegistry.RoleGrant(keccak256("KGC_ROLE"), kgcs(1));
        for (uint256 i = 0; i < VERIFIERS; i++) {
            grants[4 + i] = IImageRegistry.RoleGrant(keccak256("VERIFIER_ROLE"), verifiers(i));
        }
    }

    // ---- wallets ----

    function senders(uint256 which) internal view returns (address) {
        return _senders[which % SENDERS];
    }

    function verifiers(uint256 which) internal view returns (address) {
        return _verifiers[which % VERIFIERS];
    }

    function speakers(uint256 which) internal view returns (address) {
        return _speakers[which % PAIR];
    }

    function kgcs(uint256 which) internal pure returns (address) {
        return address(uint160(0x6C00 + which % PAIR));
    }

    function admins(uint256 which) internal pure returns (address) {
        return address(uint160(0xAD00 + which % PAIR));
    }

    function relayers(uint256 which) internal pure returns (address) {
        return address(uint160(0x4E1A00 + which % PAIR));
    }

    /// @dev Who may be given a key: three readers, and a sender, which is a stranger to other senders' images.
    function readers(uint256 which) internal view returns (address) {
        return which % 4 == 0 ? senders(which / 4) : address(uint160(0x4EAD00 + which % 4));
    }

    function keyed(uint256 key) private returns (address account) {
        account = vm.addr(key);
        _keys[account] = key;
    }

    // ---- what they do ----

    /// @dev `caller` sends `data`, which succeeds, or the action fails with its error.
    function send(address caller, bytes memory data) internal returns (bytes memory answer) {
        bool done;
        vm.recordLogs();
        vm.prank(caller);
        (done, answer) = address(registry).call(data);
        if (!done) {
            assembly ("memory-safe") {
                revert(add(answer, 32), mload(answer))
            }
        }
        take(vm.getRecordedLogs());
    }

    /// @dev A relayer sends a signed call, which has an effect.
    function relay(bytes memory data) internal {
        uint256 before = numbered;
        send(relayers(numbered), data);
        holds(numbered > before, "a relayed call has an effect");
        used.push(data);
    }

    /// @dev `caller` sends `data`, which succeeds and changes nothing.
    function sendInVain(address caller, bytes memory data) internal {
        uint256 before = numbered;
        send(caller, data);
        same(before, numbered);
        same(trail, slotZero());
    }

    /// @dev `caller` sends `data`, which is refused with exactly `expected`.
    function refuse(address caller, bytes memory data, bytes memory expected) internal {
        vm.prank(caller);
        (bool done, bytes memory found) = address(registry).call(data);
        holds(!done, "the call reverts");
        same(expected, found);
        same(trail, slotZero());
    }

    function signed(address by, bytes32 structHash) internal view returns (bytes memory) {
        return sign(_keys[by], TypedData.digest(structHash, chain, address(registry)));
    }

    function deadline() internal view returns (uint64) {
        return uint64(clock) + 1 hours;
    }

    function pass(uint256 time) internal {
        clock += uint48(time);
        height += 1;
        vm.warp(clock);
        vm.roll(height);
        vm.chainId(chain);
    }

    /// @dev The action is not counted and undone where it can't happen now.
    function onlyIf(bool possible) internal pure {
        _ASSUMER.assume(possible);
    }

    function slotZero() internal view returns (bytes32) {
        return vm.load(address(registry), 0);
    }

    /// @dev An account that has the role: it is given it where it hasn't.
    function holder(bytes32 role, address account) internal returns (address) {
        if (!hasRole[role][account]) send(currentAdmin, abi.encodeCall(registry.grantRole, (role, account)));
        return account;
    }
}

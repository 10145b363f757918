// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";
import {EIP7702Utils} from "@openzeppelin/contracts/account/utils/EIP7702Utils.sol";
import {AuditTrail} from "./AuditTrail.sol";
import {IImageRegistry} from "./IImageRegistry.sol";

/// @title Roles, pause and succession
/// @notice Every change of a role, and every planned change of the admin, is an event of the audit chain.
abstract contract Governance is AuditTrail, AccessControlDefaultAdminRules {
    /// @notice Its invalid entries raise flags.
    bytes32 public constant VERIFIER_ROLE = keccak256("VERIFIER_ROLE");
    /// @notice Confirms and dismisses flags.
    bytes32 public constant ARBITER_ROLE = keccak256("ARBITER_ROLE");
    /// @notice Pauses and ends a pause.
    bytes32 public constant PAUSER_ROLE = keccak256("PAUSER_ROLE");
    /// @notice Publishes and retires keys of KGCs, anchors their logs and re-wrapped capsules.
    bytes32 public constant KGC_ROLE = keccak256("KGC_ROLE");

    uint48 private constant ADMIN_DELAY = 1 days;
    uint48 private constant MAX_PAUSE = 7 days;
    uint48 private constant MIN_PAUSE = 1 days;

    /// @dev Last second of the last pause; over when it was ended early.
    uint48 private _pausedUntil;
    address private _successor;
    /// @dev When a pause may be 7 days long again: later by two seconds for each second of a pause that is used up.
    uint48 private _restedAt;

    /// @dev Reverts while a pause is in force. Reads a second slot only when one was begun.
    modifier whenNotPaused() {
        _checkNotPaused();
        _;
    }

    /// @param admin The default admin, which gives and takes the roles.
    /// @param grants Roles given from the start, so that the admin's wallet may stay cold.
    constructor(address admin, RoleGrant[] memory grants) AccessControlDefaultAdminRules(ADMIN_DELAY, admin) {
        for (uint256 i = 0; i < grants.length; i++) {
            if (grants[i].account == address(0)) revert ZeroAddress();
            _grantRole(grants[i].role, grants[i].account);
        }
    }

    // ---- pause ----

    /// @inheritdoc IImageRegistry
    function pause() external onlyRole(PAUSER_ROLE) {
        uint48 time = uint48(block.timestamp);
        uint48 spent = _restedAt > time ? _restedAt - time : 0;
        if (spent > MAX_PAUSE - MIN_PAUSE) revert PausedLately(_restedAt - (MAX_PAUSE - MIN_PAUSE));
        uint48 until = time + MAX_PAUSE - spent;
        _setPauseBegun(true);
        _pausedUntil = until;
        _restedAt = until + MAX_PAUSE;
        bytes32 trail = _append(Paused.selector, abi.encode(msg.sender, until));
        emit Paused(msg.sender, until, trail);
    }

    /// @inheritdoc IImageRegistry
    function unpause() external onlyRole(PAUSER_ROLE) {
        if (!_isPauseBegun()) revert NotPaused();
        _setPauseBegun(false);
        uint48 time = uint48(block.timestamp);
        if (time < _pausedUntil) {
            // What is left would have been used up, and then be given back.
            _restedAt -= 2 * (_pausedUntil - time);
            _pausedUntil = time;
        }
        bytes32 trail = _append(Unpaused.selector, abi.encode(msg.sender));
        emit Unpaused(msg.sender, trail);
    }

    /// @inheritdoc IImageRegistry
    function pausedUntil() external view returns (uint48 until) {
        return _isPaused() ? _pausedUntil : 0;
    }

    function _checkNotPaused() internal view {
        if (_isPaused()) revert RegistryPaused(_pausedUntil);
    }

    function _isPaused() private view returns (bool) {
        return _isPauseBegun() && block.timestamp <= _pausedUntil;
    }

    // ---- succession ----

    /// @inheritdoc IImageRegistry
    function supersede(address successor) external onlyRole(DEFAULT_ADMIN_ROLE) {
        if (_successor != address(0)) revert AlreadySuperseded(_successor);
        bool isContract = successor.code.length != 0 && EIP7702Utils.fetchDelegate(successor) == address(0);
        if (successor == address(this) || !isContract) revert InvalidSuccessor(successor);
        _successor = successor;
        bytes32 trail = _append(Superseded.selector, abi.encode(successor, msg.sender));
        emit Superseded(successor, msg.sender, trail);
    }

    /// @inheritdoc IImageRegistry
    function supersededBy() external view returns (address successor) {
        return _successor;
    }

    // ---- OpenZeppelin's hooks ----

    function _grantRole(bytes32 role, address account) internal override returns (bool changed) {
        changed = super._grantRole(role, account);
        if (changed) _emitRoleChanged(role, account, true);
    }

    function _revokeRole(bytes32 role, address account) internal override returns (bool changed) {
        changed = super._revokeRole(role, account);
        if (changed) _emitRoleChanged(role, account, false);
    }

    function _beginDefaultAdminTransfer(address newAdmin) internal override {
        super._beginDefaultAdminTransfer(newAdmin);
        (, uint48 schedule) = pendingDefaultAdmin();
        _emitAdminPlanned(AdminPlan.TransferBegun, newAdmin, 0, schedule);
    }

    function _cancelDefaultAdminTransfer() internal override {
        super._cancelDefaultAdminTransfer();
        _emitAdminPlanned(AdminPlan.TransferCancelled, address(0), 0, 0);
    }

    function _changeDefaultAdminDelay(uint48 newDelay) internal override {
        super._changeDefaultAdminDelay(newDelay);
        (, uint48 schedule) = pendingDefaultAdminDelay();
        _emitAdminPlanned(AdminPlan.DelayChangeBegun, address(0), newDelay, schedule);
    }

    function _rollbackDefaultAdminDelay() internal override {
        super._rollbackDefaultAdminDelay();
        _emitAdminPlanned(AdminPlan.DelayChangeCancelled, address(0), 0, 0);
    }

    function _emitRoleChanged(bytes32 role, address account, bool granted) private {
        bytes32 trail = _append(RoleChanged.selector, abi.encode(role, account, granted, msg.sender));
        emit RoleChanged(role, account, granted, msg.sender, trail);
    }

    function _emitAdminPlanned(AdminPlan plan, address newAdmin, uint48 newDelay, uint48 schedule) private {
        bytes32 trail = _append(AdminPlanned.selector, abi.encode(plan, newAdmin, newDelay, schedule, msg.sender));
        emit AdminPlanned(plan, newAdmin, newDelay, schedule, msg.sender, trail);
    }
}

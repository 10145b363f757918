// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "./IImageRegistry.sol";
import {Records} from "./Records.sol";
import {TypedStructs} from "./TypedStructs.sol";

/// @title The verification log, and the flags that it raises
abstract contract Verifications is Records {
    uint256 private constant CLOCK_TOLERANCE = 60 seconds;

    mapping(bytes32 imageId => Flag) private _flags;
    /// @dev Upper half: how often the wallet cancelled its signatures. Lower half: how many were used.
    mapping(address wallet => uint256) private _nonces;

    // ---- the log ----

    /// @inheritdoc IImageRegistry
    function recordVerification(Verification calldata verification, bytes calldata signature)
        external
        returns (bool valid)
    {
        Record storage record = _existing(verification.imageId);
        address verifier = verification.verifier;
        if (verifier == address(0)) revert ZeroAddress();
        if (verification.observedHash == 0) revert ZeroHash();
        if (verification.observedAt > block.timestamp + CLOCK_TOLERANCE) {
            revert ObservedInFuture(verification.observedAt, block.timestamp);
        }
        if (!_isDirect(verifier, signature)) {
            uint256 nonce = _nonces[verifier];
            if (verification.nonce != nonce) revert InvalidNonce(verifier, verification.nonce, nonce);
            _nonces[verifier] = nonce + 1;
            _checkSigned(verifier, TypedStructs.hash(verification), verification.deadline, signature);
        }

        valid = verification.observedHash == record.contentHash;
        uint40 number = ++record.verifications;
        _emitVerified(verification, valid, number, signature);
        if (!valid && record.state == RecordState.Registered && hasRole(VERIFIER_ROLE, verifier)) {
            _raiseFlag(verification.imageId, record, verifier);
        }
    }

    /// @inheritdoc IImageRegistry
    function verify(bytes32 imageId, bytes32 observedHash) external view returns (bool valid) {
        return _existing(imageId).contentHash == observedHash;
    }

    /// @inheritdoc IImageRegistry
    function invalidateNonce() external {
        uint256 nonce = _nonces[msg.sender] + (1 << 128);
        _nonces[msg.sender] = nonce;
        bytes32 trail = _append(NonceInvalidated.selector, abi.encode(msg.sender, nonce));
        emit NonceInvalidated(msg.sender, nonce, trail);
    }

    /// @inheritdoc IImageRegistry
    function nonces(address wallet) external view returns (uint256 nonce) {
        return _nonces[wallet];
    }

    // ---- flags ----

    /// @inheritdoc IImageRegistry
    function confirmFlag(bytes32 imageId, uint40 flagId) external {
        _decideFlag(imageId, flagId, true, msg.sender);
    }

    /// @inheritdoc IImageRegistry
    function dismissFlag(bytes32 imageId, uint40 flagId) external {
        _decideFlag(imageId, flagId, false, msg.sender);
    }

    /// @inheritdoc IImageRegistry
    function decideFlagFor(FlagDecision calldata decision, bytes calldata signature) external {
        _checkSigned(decision.by, TypedStructs.hash(decision), decision.deadline, signature);
        _decideFlag(decision.imageId, decision.flagId, decision.confirmed, decision.by);
    }

    /// @inheritdoc IImageRegistry
    function flagOf(bytes32 imageId) external view returns (Flag memory flag) {
        return _flags[imageId];
    }

    function _decideFlag(bytes32 imageId, uint40 flagId, bool confirmed, address by) private {
        Record storage record = _existing(imageId);
        bool allowed = hasRole(ARBITER_ROLE, by) || (!confirmed && by == record.sender);
        if (!allowed) revert NotArbiter(imageId, by);
        _openFlag(imageId, flagId).state = confirmed ? FlagState.Confirmed : FlagState.Dismissed;
        record.state = confirmed ? RecordState.Tampered : RecordState.Registered;
        bytes memory fields = abi.encode(imageId, flagId, by);
        if (confirmed) {
            bytes32 trail = _append(FlagConfirmed.selector, fields);
            emit FlagConfirmed(imageId, flagId, by, trail);
        } else {
            bytes32 trail = _append(FlagDismissed.selector, fields);
            emit FlagDismissed(imageId, flagId, by, trail);
        }
    }

    function _openFlag(bytes32 imageId, uint40 flagId) private view returns (Flag storage flag) {
        flag = _flags[imageId];
        if (flagId == 0 || flagId > flag.id) revert NoSuchFlag(imageId, flagId);
        // Only the newest can be open: a new one is raised when none is.
        if (flagId != flag.id || flag.state != FlagState.Open) revert FlagNotOpen(imageId, flagId);
    }

    function _raiseFlag(bytes32 imageId, Record storage record, address verifier) private {
        uint40 flagId = _flags[imageId].id + 1;
        _flags[imageId] =
            Flag({id: flagId, state: FlagState.Open, verifier: verifier, raisedAt: uint48(block.timestamp)});
        record.state = RecordState.Flagged;
        bytes32 trail = _append(FlagRaised.selector, abi.encode(imageId, flagId, verifier));
        emit FlagRaised(imageId, flagId, verifier, trail);
    }

    function _emitVerified(Verification calldata verification, bool valid, uint40 number, bytes calldata signature)
        private
    {
        bytes32 trail = _append(
            Verified.selector,
            abi.encode(
                verification.imageId,
                verification.verifier,
                valid,
                verification.observedHash,
                verification.observedAt,
                verification.nonce,
                verification.deadline,
                number,
                keccak256(signature)
            )
        );
        emit Verified(
            verification.imageId,
            verification.verifier,
            valid,
            verification.observedHash,
            verification.observedAt,
            verification.nonce,
            verification.deadline,
            number,
            signature,
            trail
        );
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "./IImageRegistry.sol";
import {Records} from "./Records.sol";
import {TypedStructs} from "./TypedStructs.sol";

/// @title The verification log, and the flags that it raises
abstract contract Verifications is Records {
    uint256 private constant CLOCK_TOLERANCE = 60 seconds;

    mapping(bytes32 imageId => Flag) private _flags;
    /// @dev Upper 64 bits: how often the wallet cancelled its signatures; 64 bits drawn at the last time; lower half:
    /// how many were used since.
    mapping(address wallet => uint256) private _nonces;
    /// @dev Who joined a flag; the verifier that raised it stands in the flag.
    mapping(bytes32 imageId => mapping(uint64 flagId => mapping(address verifier => bool))) private _joined;

    // ---- the log ----

    /// @inheritdoc IImageRegistry
    function recordVerification(Verification memory verification, bytes calldata signature)
        external
        returns (bool valid)
    {
        bytes32 imageId = verification.imageId;
        address verifier = verification.verifier;
        Record storage record = _existing(imageId);
        if (verifier == address(0)) revert ZeroAddress();
        if (verification.observedHash == 0) revert ZeroHash();
        _checkObservedAt(verification.observedAt, record.registeredAt);
        if (_isDirect(verifier, signature)) {
            // Nobody looks at them, so nobody is to read them in the log.
            (verification.nonce, verification.deadline) = (0, 0);
        } else {
            uint256 nonce = _nonces[verifier]++;
            if (verification.nonce != nonce) revert InvalidNonce(verifier, verification.nonce, nonce);
            _checkSigned(verifier, TypedStructs.hash(verification), verification.deadline, signature);
        }

        valid = verification.observedHash == record.contentHash;
        uint40 number = ++record.verifications;
        _emitVerified(verification, valid, number, signature);
        if (!valid && hasRole(VERIFIER_ROLE, verifier)) _flag(imageId, record, verifier);
    }

    /// @inheritdoc IImageRegistry
    function verify(bytes32 imageId, bytes32 observedHash) external view returns (bool valid) {
        return _existing(imageId).contentHash == observedHash;
    }

    /// @inheritdoc IImageRegistry
    function invalidateNonce() external {
        uint256 nonce = (((_nonces[msg.sender] >> 192) + 1) << 192) | (uint256(_draw()) << 128);
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
    function confirmFlag(bytes32 imageId, uint64 flagId) external {
        _decideFlag(imageId, flagId, true, msg.sender);
    }

    /// @inheritdoc IImageRegistry
    function dismissFlag(bytes32 imageId, uint64 flagId) external {
        _decideFlag(imageId, flagId, false, msg.sender);
    }

    /// @inheritdoc IImageRegistry
    function decideFlagFor(FlagDecision memory decision, bytes calldata signature) external {
        _checkSigned(decision.by, TypedStructs.hash(decision), decision.deadline, signature);
        _decideFlag(decision.imageId, decision.flagId, decision.confirmed, decision.by);
    }

    /// @inheritdoc IImageRegistry
    function flagOf(bytes32 imageId) external view returns (Flag memory flag) {
        return _flags[imageId];
    }

    function _decideFlag(bytes32 imageId, uint64 flagId, bool confirmed, address by) private {
        Record storage record = _existing(imageId);
        bool allowed = hasRole(ARBITER_ROLE, by) || (!confirmed && by == record.sender);
        if (!allowed) revert NotArbiter(imageId, by);
        Flag storage flag = _openFlag(imageId, flagId);
        if (confirmed) flag.state = FlagState.Confirmed;
        else flag.state = by == record.sender ? FlagState.DismissedBySender : FlagState.Dismissed;
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

    function _openFlag(bytes32 imageId, uint64 flagId) private view returns (Flag storage flag) {
        flag = _flags[imageId];
        uint64 newest = flag.id;
        // Only the newest can be open: a new one is raised when none is.
        if (flagId == newest && flag.state == FlagState.Open) return flag;
        if (flagId == 0 || (flagId != newest && flagId >> 32 >= newest >> 32)) revert NoSuchFlag(imageId, flagId);
        revert FlagNotOpen(imageId, flagId);
    }

    /// @dev After an invalid entry of a verifier with the role: raises a flag, or adds the verifier to the open one.
    function _flag(bytes32 imageId, Record storage record, address verifier) private {
        RecordState state = record.state;
        Flag storage flag = _flags[imageId];
        if (state == RecordState.Registered) {
            uint64 flagId = (((flag.id >> 32) + 1) << 32) | (_draw() >> 32);
            _flags[imageId] = Flag({
                id: flagId, state: FlagState.Open, raisedAt: uint48(block.timestamp), verifiers: 1, verifier: verifier
            });
            record.state = RecordState.Flagged;
            bytes32 trail = _append(FlagRaised.selector, abi.encode(imageId, flagId, verifier));
            emit FlagRaised(imageId, flagId, verifier, trail);
        } else if (state == RecordState.Flagged && flag.verifier != verifier) {
            uint64 flagId = flag.id;
            if (_joined[imageId][flagId][verifier]) return;
            _joined[imageId][flagId][verifier] = true;
            flag.verifiers++;
            bytes32 trail = _append(FlagJoined.selector, abi.encode(imageId, flagId, verifier));
            emit FlagJoined(imageId, flagId, verifier, trail);
        }
    }

    /// @dev Clocks differ, by a minute at most.
    function _checkObservedAt(uint64 observedAt, uint48 registeredAt) private view {
        (uint256 earliest, uint256 latest) = (registeredAt, block.timestamp + CLOCK_TOLERANCE);
        earliest = earliest > CLOCK_TOLERANCE ? earliest - CLOCK_TOLERANCE : 0;
        if (observedAt < earliest || observedAt > latest) revert ObservedAtOutOfRange(observedAt, earliest, latest);
    }

    function _emitVerified(Verification memory verification, bool valid, uint40 number, bytes calldata signature)
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
                _hashOf(signature)
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

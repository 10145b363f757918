// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title The hash chain over a contract's events
/// @notice Numbers events and chains their hashes, so that an omitted one can be detected. `IImageRegistry` states the formula.
/// @dev Must stand first among the bases that hold storage: its head starts before any other constructor emits an event, and clients
/// prove slot 0.
abstract contract AuditTrail {
    /// @dev One slot; its highest 8 bits are kept for a pause.
    struct Trail {
        bytes26 head;
        uint40 seq;
    }

    Trail private _trail;

    constructor() {
        _trail.head = bytes26(keccak256(abi.encode("MedSeal audit v1", block.chainid, address(this))));
    }

    /// @dev Takes one event into the chain.
    /// @param kind The event's topic 0.
    /// @param fields `abi.encode` of its arguments without the last two.
    /// @return seq The event's number, counted from 1.
    /// @return head The head after it.
    function _append(bytes32 kind, bytes memory fields) internal returns (uint40 seq, bytes26 head) {
        Trail memory trail = _trail;
        seq = trail.seq + 1;
        head = bytes26(keccak256(abi.encode(trail.head, kind, seq, block.number, block.timestamp, keccak256(fields))));
        _trail = Trail({head: head, seq: seq});
    }

    /// @dev The head and the number of events so far.
    function _auditTrail() internal view returns (bytes26 head, uint40 seq) {
        return (_trail.head, _trail.seq);
    }
}

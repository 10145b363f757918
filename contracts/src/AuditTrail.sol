// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "./IImageRegistry.sol";

/// @title The hash chain over a contract's events, and numbers drawn from it
/// @notice Numbers events and chains their hashes, so that an omitted one can be detected. `IImageRegistry` states
/// the formula.
/// @dev Must stand first among the bases that hold storage: its head starts before any other constructor emits an
/// event, and clients prove slot 0.
abstract contract AuditTrail is IImageRegistry {
    uint256 private constant SEQ_SHIFT = 208;
    uint256 private constant PAUSED_SHIFT = 248;

    /// @dev Head, number and the bit of a pause, which stands here because every function that a pause stops reads
    /// the word anyway.
    uint256 private _trail;

    constructor() {
        _trail = _head(keccak256(abi.encode("MedSeal audit v1", block.chainid, address(this))));
    }

    /// @inheritdoc IImageRegistry
    function audit() external view returns (bytes26 head, uint40 seq) {
        uint256 trail = _trail;
        return (bytes26(uint208(trail)), uint40(trail >> SEQ_SHIFT));
    }

    /// @dev Takes one event into the chain.
    /// @param kind The event's topic 0.
    /// @param fields One word for each of its arguments but the last.
    /// @return trail Its last argument.
    function _append(bytes32 kind, bytes memory fields) internal returns (bytes32 trail) {
        uint256 before = _trail;
        bytes32 hash = keccak256(abi.encode(before, kind, block.number, block.timestamp, keccak256(fields)));
        uint256 next = (((before >> SEQ_SHIFT) + 1) << SEQ_SHIFT) | _head(hash);
        _trail = next;
        return bytes32(next);
    }

    /// @dev 64 bits that nobody but this block's maker knows before the block is made, and nobody before the block
    /// before it. Where a chain has no randomness of its own, its hash before and its time stay.
    function _draw() internal view returns (uint64) {
        bytes32 before = blockhash(block.number - 1);
        return uint64(uint256(keccak256(abi.encode(before, block.prevrandao, block.timestamp, _trail))));
    }

    /// @dev The `seq` that ends all signatures which name `seq` or any number that follows from it: the next of its
    /// upper 32 bits, 64 bits drawn, and 32 bits that count from there.
    function _drawSeq(uint128 seq) internal view returns (uint128) {
        return (((seq >> 96) + 1) << 96) | (uint128(_draw()) << 32);
    }

    function _isPauseBegun() internal view returns (bool) {
        return _trail >> PAUSED_SHIFT != 0;
    }

    function _setPauseBegun(bool begun) internal {
        uint256 rest = _trail & ((1 << PAUSED_SHIFT) - 1);
        _trail = begun ? rest | (1 << PAUSED_SHIFT) : rest;
    }

    /// @dev The first 26 bytes of a hash.
    function _head(bytes32 hash) private pure returns (uint256) {
        return uint256(hash) >> (256 - SEQ_SHIFT);
    }
}

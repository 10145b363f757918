// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";

/// @notice The few asserts that the tests need.
abstract contract Asserts {
    error Different(bytes expected, bytes found);
    error NotHeld(string claim);

    function holds(bool claim, string memory what) internal pure {
        if (!claim) revert NotHeld(what);
    }

    function same(bytes memory expected, bytes memory found) internal pure {
        if (keccak256(expected) != keccak256(found)) revert Different(expected, found);
    }

    function same(bytes32 expected, bytes32 found) internal pure {
        if (expected != found) revert Different(abi.encode(expected), abi.encode(found));
    }

    function same(uint256 expected, uint256 found) internal pure {
        if (expected != found) revert Different(abi.encode(expected), abi.encode(found));
    }

    function same(address expected, address found) internal pure {
        if (expected != found) revert Different(abi.encode(expected), abi.encode(found));
    }

    function same(IImageRegistry.RecordState expected, IImageRegistry.RecordState found) internal pure {
        same(uint256(expected), uint256(found));
    }

    function same(IImageRegistry.FlagState expected, IImageRegistry.FlagState found) internal pure {
        same(uint256(expected), uint256(found));
    }

    /// @dev `value` folded into `least ..= most`.
    function within(uint256 value, uint256 least, uint256 most) internal pure returns (uint256) {
        return least + value % (most - least + 1);
    }
}

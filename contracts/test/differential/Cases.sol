// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Base, Vm} from "../Base.sol";

/// @notice The cheat codes that only these tests use.
interface FileVm is Vm {
    function startPrank(address caller) external;
    function stopPrank() external;
    function exists(string calldata path) external view returns (bool);
    function readFileBinary(string calldata path) external view returns (bytes memory);
    function sort(uint256[] calldata values) external pure returns (uint256[] memory);
}

/// @notice Random values that tests/oracles/differential.mjs wrote, with what programs made of them that share no code with ours.
abstract contract Cases is Base {
    /// @notice forge prints it with -vv.
    event log_named_uint(string key, uint256 val);

    FileVm internal constant _VM = FileVm(address(vm));

    function setUp() public virtual override {
        super.setUp();
        // Anvil's first account, whose first contract the cases name.
        // `deployCode` doesn't use up a prank for one call.
        _VM.startPrank(0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266);
        registry = deploy(admin, roles());
        _VM.stopPrank();
    }

    function file(string memory name) internal view returns (bytes memory) {
        string memory path = string.concat("target/foundry/differential/", name, ".abi");
        holds(_VM.exists(path), "node tests/oracles/differential.mjs wrote the cases");
        return _VM.readFileBinary(path);
    }

    /// @dev Says how many values were compared, and that they are not fewer than they should be.
    function compared(string memory what, uint256 count, uint256 least) internal {
        holds(count >= least, what);
        emit log_named_uint(what, count);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../../src/IImageRegistry.sol";
import {ImageRegistry} from "../../src/ImageRegistry.sol";

/// @notice The cheat codes that Halmos knows.
interface Vm {
    function assume(bool condition) external pure;
    function prank(address caller) external;
    function warp(uint256 timestamp) external;
    function load(address target, bytes32 slot) external view returns (bytes32);
}

/// @notice Makes values that stand for all values.
interface Svm {
    function createBytes(uint256 length, string calldata name) external returns (bytes memory);
}

/// @notice A deployed registry whose actors are known; what a check takes as argument stands for all values.
abstract contract Symbolic {
    Vm internal constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    Svm internal constant SVM = Svm(address(uint160(uint256(keccak256("svm cheat code")))));

    uint256 internal constant NOW = 1_800_000_000;
    address internal constant ADMIN = address(0xAD);
    address internal constant SENDER = address(0x5E4D);
    address internal constant VERIFIER = address(0x5EE);
    address internal constant ARBITER = address(0xA7B);
    address internal constant PAUSER = address(0x9A);
    address internal constant KGC = address(0x6C);
    bytes32 internal constant SALT = bytes32(uint256(1));
    bytes32 internal constant CONTENT = bytes32(uint256(2));

    ImageRegistry internal registry;

    function setUp() public {
        VM.warp(NOW);
        IImageRegistry.RoleGrant[] memory grants = new IImageRegistry.RoleGrant[](4);
        grants[0] = IImageRegistry.RoleGrant(keccak256("VERIFIER_ROLE"), VERIFIER);
        grants[1] = IImageRegistry.RoleGrant(keccak256("ARBITER_ROLE"), ARBITER);
        grants[2] = IImageRegistry.RoleGrant(keccak256("PAUSER_ROLE"), PAUSER);
        grants[3] = IImageRegistry.RoleGrant(keccak256("KGC_ROLE"), KGC);
        registry = new ImageRegistry(ADMIN, grants);
    }

    function registration(bytes32 salt, bytes32 contentHash)
        internal
        pure
        returns (IImageRegistry.Registration memory made)
    {
        made.sender = SENDER;
        made.salt = salt;
        made.contentHash = contentHash;
        made.headerHash = bytes32(uint256(3));
        made.capsulesHash = bytes32(uint256(4));
        made.size = 1;
        made.deadline = uint64(NOW);
    }

    function register(bytes32 contentHash) internal returns (bytes32 imageId) {
        VM.prank(SENDER);
        return registry.register(registration(SALT, contentHash), "");
    }

    /// @dev `caller` sends `data`; whether that succeeded.
    function send(address caller, bytes memory data) internal returns (bool done) {
        VM.prank(caller);
        (done,) = address(registry).call(data);
    }

    function trail() internal view returns (bytes32) {
        return VM.load(address(registry), 0);
    }
}

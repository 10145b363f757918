// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {TypedData} from "./TypedData.sol";

/// @notice The cheat codes of forge that the tests use.
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function addr(uint256 key) external pure returns (address);
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function prank(address caller) external;
    function warp(uint256 timestamp) external;
    function roll(uint256 blockNumber) external;
    function chainId(uint256 id) external;
    function etch(address target, bytes calldata code) external;
    function load(address target, bytes32 slot) external view returns (bytes32);
    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory);
    function deployCode(string calldata artifact, bytes calldata arguments) external returns (address deployed);
    function snapshotGasLastCall(string calldata name) external returns (uint256 gasUsed);
    function readFile(string calldata path) external view returns (string memory);
    function parseJsonBytes32(string calldata json, string calldata key) external pure returns (bytes32);
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory);
    function parseJsonAddress(string calldata json, string calldata key) external pure returns (address);
    function parseJsonUint(string calldata json, string calldata key) external pure returns (uint256);
    function parseJsonString(string calldata json, string calldata key) external pure returns (string memory);
}

/// @notice The registry with what it has from OpenZeppelin. Tests know the contract by its interface alone, so a changed contract compiles none of them anew.
interface IRegistry is IImageRegistry {
    error AccessControlUnauthorizedAccount(address account, bytes32 neededRole);
    error AccessControlEnforcedDefaultAdminRules();
    error AccessControlInvalidDefaultAdmin(address defaultAdmin);
    error AccessControlEnforcedDefaultAdminDelay(uint48 schedule);
    error AccessControlBadConfirmation();

    function VERIFIER_ROLE() external view returns (bytes32);
    function ARBITER_ROLE() external view returns (bytes32);
    function PAUSER_ROLE() external view returns (bytes32);
    function KGC_ROLE() external view returns (bytes32);
    function DEFAULT_ADMIN_ROLE() external view returns (bytes32);
    function hasRole(bytes32 role, address account) external view returns (bool);
    function grantRole(bytes32 role, address account) external;
    function revokeRole(bytes32 role, address account) external;
    function renounceRole(bytes32 role, address account) external;
    function defaultAdmin() external view returns (address);
    function beginDefaultAdminTransfer(address newAdmin) external;
    function cancelDefaultAdminTransfer() external;
    function acceptDefaultAdminTransfer() external;
    function changeDefaultAdminDelay(uint48 newDelay) external;
    function rollbackDefaultAdminDelay() external;
    function eip712Domain()
        external
        view
        returns (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        );
}

/// @notice A deployed registry, its actors, and the few asserts that the tests need.
abstract contract Base {
    error Different(bytes expected, bytes found);
    error NotHeld(string claim);

    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint64 internal constant NOW = 1_800_000_000;
    uint256 internal constant SENDER_KEY = 0xA11CE;
    uint256 internal constant VERIFIER_KEY = 0xB0B;
    uint256 internal constant STRANGER_KEY = 0x5772;
    /// @dev Order of secp256k1.
    uint256 internal constant CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    bytes32 internal constant KGC = keccak256("a KGC");
    bytes32 internal constant OTHER_HASH = keccak256("other bytes");

    address internal immutable sender = vm.addr(SENDER_KEY);
    address internal immutable verifier = vm.addr(VERIFIER_KEY);
    address internal immutable stranger = vm.addr(STRANGER_KEY);
    address internal constant admin = address(0xAD);
    address internal constant arbiter = address(0xA7B);
    address internal constant pauser = address(0x9A);
    address internal constant kgc = address(0x6C);
    address internal constant reader = address(0x4EAD);
    address internal constant relayer = address(0x4E1A);

    IRegistry internal registry;

    function setUp() public virtual {
        vm.warp(NOW);
        vm.roll(100);
        registry = deploy(admin, roles());
    }

    function deploy(address admin_, IImageRegistry.RoleGrant[] memory grants) internal returns (IRegistry) {
        return IRegistry(vm.deployCode("ImageRegistry.sol:ImageRegistry", abi.encode(admin_, grants)));
    }

    function roles() internal view returns (IImageRegistry.RoleGrant[] memory grants) {
        grants = new IImageRegistry.RoleGrant[](4);
        grants[0] = IImageRegistry.RoleGrant(keccak256("VERIFIER_ROLE"), verifier);
        grants[1] = IImageRegistry.RoleGrant(keccak256("ARBITER_ROLE"), arbiter);
        grants[2] = IImageRegistry.RoleGrant(keccak256("PAUSER_ROLE"), pauser);
        grants[3] = IImageRegistry.RoleGrant(keccak256("KGC_ROLE"), kgc);
    }

    // ---- what is sent ----

    function sample() internal view returns (IImageRegistry.Registration memory registration) {
        registration.sender = sender;
        registration.salt = keccak256("a salt");
        registration.contentHash = keccak256("a sealed image");
        registration.headerHash = keccak256("its header");
        registration.size = 135_512;
        registration.cid = bytes.concat(hex"01551220", registration.contentHash);
        registration.capsulesHash = keccak256("its capsules");
        registration.capsulesCid = bytes.concat(hex"01551220", registration.capsulesHash);
        registration.deadline = NOW + 1 hours;
    }

    function sampleId() internal view returns (bytes32) {
        return registry.imageIdOf(sender, sample().salt);
    }

    /// @dev The verifier saw `observedHash` just now.
    function look(bytes32 observedHash) internal view returns (IImageRegistry.Verification memory verification) {
        verification.imageId = sampleId();
        verification.verifier = verifier;
        verification.observedHash = observedHash;
        verification.observedAt = uint64(block.timestamp);
        verification.nonce = registry.nonces(verifier);
        verification.deadline = uint64(block.timestamp + 1 hours);
    }

    function sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function sign(uint256 key, IImageRegistry.Registration memory registration) internal view returns (bytes memory) {
        return sign(key, TypedData.digest(registration, block.chainid, address(registry)));
    }

    function sign(uint256 key, IImageRegistry.Verification memory verification) internal view returns (bytes memory) {
        return sign(key, TypedData.digest(verification, block.chainid, address(registry)));
    }

    // ---- what is done ----

    function giveRole(bytes32 role, address account) internal {
        vm.prank(admin);
        registry.grantRole(role, account);
    }

    function registerSample() internal returns (bytes32 imageId) {
        vm.prank(sender);
        return registry.register(sample(), "");
    }

    /// @dev The verifier itself logs that it saw `observedHash`.
    function logLook(bytes32 observedHash) internal returns (bool valid) {
        IImageRegistry.Verification memory verification = look(observedHash);
        vm.prank(verifier);
        return registry.recordVerification(verification, "");
    }

    /// @dev `caller` sends `data`: it reverts with exactly `expected` and leaves everything as it was.
    function refused(address caller, bytes memory data, bytes memory expected) internal {
        bytes32 before = fingerprint(caller);
        vm.prank(caller);
        (bool done, bytes memory found) = address(registry).call(data);
        holds(!done, "the call reverts");
        same(expected, found);
        same(before, fingerprint(caller));
    }

    /// @dev Hash of all that a call on the sample image could have changed.
    function fingerprint(address caller) internal view returns (bytes32) {
        bytes32 imageId = sampleId();
        (bytes26 head, uint40 seq) = registry.audit();
        return keccak256(
            abi.encode(
                head,
                seq,
                registry.recordOf(imageId),
                registry.flagOf(imageId),
                registry.accessOf(imageId, reader),
                registry.nonces(sender),
                registry.nonces(verifier),
                registry.nonces(caller)
            )
        );
    }

    // ---- asserts ----

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

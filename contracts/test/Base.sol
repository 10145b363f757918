// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {Asserts} from "./Asserts.sol";
import {Vm} from "./Cheats.sol";
import {IRegistry} from "./IRegistry.sol";
import {TypedData} from "./TypedData.sol";

/// @notice A deployed registry, its actors, what they send, and how a call is refused.
abstract contract Base is Asserts {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint64 internal constant NOW = 1_800_000_000;
    uint256 internal constant SENDER_KEY = 0xA11CE;
    uint256 internal constant VERIFIER_KEY = 0xB0B;
    uint256 internal constant STRANGER_KEY = 0x5772;
    /// @dev Order of secp256k1.
    uint256 internal constant CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    bytes32 internal constant KGC = keccak256("a KGC");
    bytes32 internal constant OTHER_HASH = keccak256("other bytes");
    bytes32 internal constant ROOT = keccak256("a root");
    bytes32 internal constant LOG = keccak256("a log");
    bytes internal constant CID = hex"01701220c1d0c1d0c1d0c1d0c1d0c1d0c1d0c1d0c1d0c1d0c1d0c1d0c1d0c1d0c1d0c1d0";

    address internal immutable sender = vm.addr(SENDER_KEY);
    address internal immutable verifier = vm.addr(VERIFIER_KEY);
    address internal immutable stranger = vm.addr(STRANGER_KEY);
    address internal constant admin = address(0xAD);
    address internal constant arbiter = address(0xA7B);
    address internal constant pauser = address(0x9A);
    address internal constant kgc = address(0x6C);
    address internal constant reader = address(0x4EAD);
    address internal constant relayer = address(0x4E1A);
    /// @dev Speaks for the sender once it says so.
    address internal constant operator = address(0x09E);

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

    /// @dev `count` different images of the sender, from number `first` on.
    function sampleBatch(uint256 first, uint256 count) internal view returns (IImageRegistry.Batch memory batch) {
        batch.sender = sender;
        batch.deadline = NOW + 1 hours;
        batch.items = new IImageRegistry.Item[](count);
        for (uint256 i = 0; i < count; i++) {
            batch.items[i] = sampleItem(first + i);
        }
    }

    function sampleItem(uint256 number) internal pure returns (IImageRegistry.Item memory item) {
        item.salt = keccak256(abi.encode("salt", number));
        item.contentHash = keccak256(abi.encode("content", number));
        item.headerHash = keccak256(abi.encode("header", number));
        item.capsulesHash = keccak256(abi.encode("capsules", number));
        item.size = 135_512;
    }

    function sampleAnchor() internal view returns (IImageRegistry.Anchor memory) {
        return IImageRegistry.Anchor(sender, ROOT, 1000, CID, NOW + 1 hours);
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

    /// @dev The signature of a struct with this hash, for this chain and registry.
    function signed(uint256 key, bytes32 structHash) internal view returns (bytes memory) {
        return sign(key, TypedData.digest(structHash, block.chainid, address(registry)));
    }

    function sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function sign(uint256 key, IImageRegistry.Registration memory registration) internal view returns (bytes memory) {
        return signed(key, TypedData.structHash(registration));
    }

    function sign(uint256 key, IImageRegistry.Verification memory verification) internal view returns (bytes memory) {
        return signed(key, TypedData.structHash(verification));
    }

    // ---- what is done ----

    /// @dev `caller` sends `data`; what it reverts with is passed on.
    function does(address caller, bytes memory data) internal returns (bytes memory result) {
        bool done;
        vm.prank(caller);
        (done, result) = address(registry).call(data);
        if (!done) {
            assembly ("memory-safe") {
                revert(add(result, 32), mload(result))
            }
        }
    }

    function giveRole(bytes32 role, address account) internal {
        does(admin, abi.encodeCall(registry.grantRole, (role, account)));
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

    function grantReader(uint64 expiry) internal {
        does(sender, abi.encodeCall(registry.grant, (sampleId(), reader, expiry)));
    }

    function revokeReader() internal {
        does(sender, abi.encodeCall(registry.revoke, (sampleId(), reader)));
    }

    /// @dev The id of the image's newest flag; 0 without one.
    function newestFlag(bytes32 imageId) internal view returns (uint64) {
        return registry.flagOf(imageId).id;
    }

    // ---- what the contract draws ----

    /// @dev What it draws in this block before its next event, as the manual states it.
    function drawn() internal view returns (uint64) {
        return drawn(block.number, block.timestamp);
    }

    function drawn(uint256 number, uint256 time) internal view returns (uint64) {
        bytes32 trail = vm.load(address(registry), 0);
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint64(uint256(keccak256(abi.encode(blockhash(number - 1), block.prevrandao, time, trail))));
    }

    /// @dev The number of an access or operator entry after a revocation or removal that comes next.
    function drawnSeq(uint128 seq) internal view returns (uint128) {
        return (((seq >> 96) + 1) << 96) | (uint128(drawn()) << 32);
    }

    function drawnNonce(uint256 nonce) internal view returns (uint256) {
        return (((nonce >> 192) + 1) << 192) | (uint256(drawn()) << 128);
    }

    function pauseNow() internal {
        does(pauser, abi.encodeCall(registry.pause, ()));
    }

    // ---- what is refused, and what changes nothing ----

    /// @dev `caller` sends `data`: it reverts with exactly `expected` and leaves everything as it was.
    function refused(address caller, bytes memory data, bytes memory expected) internal {
        bytes32 before = fingerprint(caller);
        vm.prank(caller);
        (bool done, bytes memory found) = address(registry).call(data);
        holds(!done, "the call reverts");
        same(expected, found);
        same(before, fingerprint(caller));
    }

    /// @dev The same for an error without arguments.
    function refused(address caller, bytes memory data, bytes4 expected) internal {
        refused(caller, data, abi.encodeWithSelector(expected));
    }

    /// @dev `caller` sends `data`: it succeeds, writes no storage slot and emits nothing.
    function idle(address caller, bytes memory data) internal returns (bytes memory result) {
        vm.recordLogs();
        vm.record();
        result = does(caller, data);
        (, bytes32[] memory writes) = vm.accesses(address(registry));
        vm.stopRecord();
        same(0, writes.length);
        same(0, vm.getRecordedLogs().length);
    }

    /// @dev Hash of all that a call on the samples could have changed. The word of the audit trail covers every act; the rest shows where an act left no event.
    function fingerprint(address caller) internal view returns (bytes32) {
        bytes32 imageId = sampleId();
        bytes memory image = abi.encode(
            registry.recordOf(imageId),
            registry.flagOf(imageId),
            registry.capsulesOf(imageId),
            registry.accessOf(imageId, reader),
            registry.accessOf(imageId, caller),
            registry.operatorOf(sender, operator),
            registry.operatorOf(caller, operator),
            registry.anchorOf(sender, ROOT),
            registry.recordOf(registry.imageIdOf(sender, sampleItem(0).salt))
        );
        bytes memory rest = abi.encode(
            vm.load(address(registry), 0),
            registry.nonces(sender),
            registry.nonces(verifier),
            registry.nonces(caller),
            registry.logHeadOf(kgc, LOG),
            registry.capsulesAnchorOf(kgc, ROOT),
            registry.pausedUntil(),
            registry.supersededBy(),
            registry.defaultAdmin(),
            registry.defaultAdminDelay()
        );
        return keccak256(bytes.concat(image, rest));
    }
}

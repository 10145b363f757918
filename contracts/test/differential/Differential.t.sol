// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../../src/IImageRegistry.sol";
import {Cases} from "./Cases.sol";
import {TypedData} from "../TypedData.sol";

/// @notice A wallet whose signature is the very digest that it signs: the contract is believed only if it asks for exactly that one.
contract DigestWallet {
    function isValidSignature(bytes32 digest, bytes calldata signature) external pure returns (bytes4) {
        return keccak256(abi.encode(digest)) == keccak256(signature) ? this.isValidSignature.selector : bytes4(0);
    }
}

/// @notice EIP-712 digests and image ids of random structs: those that viem made are those that the contract itself asks for, and those of `TypedData`.
contract DifferentialTest is Cases {
    struct Registrations {
        uint64 chainId;
        IImageRegistry.Registration value;
        bytes32 imageId;
        bytes32 digest;
    }

    struct Batches {
        uint64 chainId;
        IImageRegistry.Batch value;
        bytes32 itemsHash;
        bytes32 digest;
    }

    struct Anchors {
        uint64 chainId;
        IImageRegistry.Anchor value;
        bytes32 digest;
    }

    struct Verifications {
        uint64 chainId;
        IImageRegistry.Registration seen;
        IImageRegistry.Verification value;
        bytes32 digest;
    }

    struct Decisions {
        uint64 chainId;
        IImageRegistry.FlagDecision value;
        bytes32 digest;
    }

    struct Grants {
        uint64 chainId;
        IImageRegistry.Grant value;
        bytes32 digest;
    }

    struct Revocations {
        uint64 chainId;
        IImageRegistry.Revocation value;
        bytes32 digest;
    }

    struct Changes {
        uint64 chainId;
        IImageRegistry.OperatorChange value;
        bytes32 digest;
    }

    struct Updates {
        uint64 chainId;
        IImageRegistry.CapsulesUpdate value;
        bytes32 digest;
    }

    // ---- acts that go through ----

    function test_Registrations() public {
        Registrations[] memory cases = abi.decode(file("Registration"), (Registrations[]));
        for (uint256 i = 0; i < cases.length; i++) {
            IImageRegistry.Registration memory value = cases[i].value;
            bytes memory signature = prepare(cases[i].chainId, value.sender, value.deadline, cases[i].digest);
            same(cases[i].digest, TypedData.digest(value, block.chainid, address(registry)));
            refusedSignature(value.sender, abi.encodeCall(registry.register, (value, wrong(signature))));
            same(cases[i].imageId, registry.register(value, signature));
            same(value.contentHash, registry.recordOf(cases[i].imageId).contentHash);
        }
        compared("Registration", cases.length, 1000);
    }

    function test_Batches() public {
        Batches[] memory cases = abi.decode(file("Batch"), (Batches[]));
        for (uint256 i = 0; i < cases.length; i++) {
            IImageRegistry.Batch memory value = cases[i].value;
            bytes memory signature = prepare(cases[i].chainId, value.sender, value.deadline, cases[i].digest);
            same(cases[i].digest, TypedData.digest(value, block.chainid, address(registry)));
            refusedSignature(value.sender, abi.encodeCall(registry.registerBatch, (value, wrong(signature))));
            same(value.items.length, registry.registerBatch(value, signature));
        }
        compared("Batch", cases.length, 1000);
    }

    function test_Anchors() public {
        Anchors[] memory cases = abi.decode(file("Anchor"), (Anchors[]));
        for (uint256 i = 0; i < cases.length; i++) {
            IImageRegistry.Anchor memory value = cases[i].value;
            bytes memory signature = prepare(cases[i].chainId, value.sender, value.deadline, cases[i].digest);
            same(cases[i].digest, TypedData.digest(value, block.chainid, address(registry)));
            refusedSignature(value.sender, abi.encodeCall(registry.anchor, (value, wrong(signature))));
            registry.anchor(value, signature);
            same(value.count, registry.anchorOf(value.sender, value.root).count);
        }
        compared("Anchor", cases.length, 1000);
    }

    function test_Verifications() public {
        Verifications[] memory cases = abi.decode(file("Verification"), (Verifications[]));
        for (uint256 i = 0; i < cases.length; i++) {
            IImageRegistry.Verification memory value = cases[i].value;
            bytes memory signature = prepare(cases[i].chainId, value.verifier, value.deadline, cases[i].digest);
            same(cases[i].digest, TypedData.digest(value, block.chainid, address(registry)));
            vm.prank(cases[i].seen.sender);
            same(value.imageId, registry.register(cases[i].seen, ""));
            // Nobody can foretell a nonce that is drawn: it is put where the contract keeps it (slot 14).
            bytes32 slot = keccak256(abi.encode(value.verifier, 14));
            vm.store(address(registry), slot, bytes32(value.nonce));
            same(value.nonce, registry.nonces(value.verifier));
            refusedSignature(value.verifier, abi.encodeCall(registry.recordVerification, (value, wrong(signature))));
            registry.recordVerification(value, signature);
            same(value.nonce + 1, registry.nonces(value.verifier));
        }
        compared("Verification", cases.length, 1000);
    }

    function test_OperatorChanges() public {
        Changes[] memory cases = abi.decode(file("OperatorChange"), (Changes[]));
        for (uint256 i = 0; i < cases.length; i++) {
            IImageRegistry.OperatorChange memory value = cases[i].value;
            bytes memory signature = prepare(cases[i].chainId, value.sender, value.deadline, cases[i].digest);
            same(cases[i].digest, TypedData.digest(value, block.chainid, address(registry)));
            refusedSignature(value.sender, abi.encodeCall(registry.setOperatorFor, (value, wrong(signature))));
            if (value.operatorSeq == 0) {
                registry.setOperatorFor(value, signature);
                same(1, registry.operatorOf(value.sender, value.operator).seq);
            } else {
                bytes memory stale = abi.encodeWithSelector(
                    IImageRegistry.StaleOperator.selector, value.sender, value.operator, value.operatorSeq, 0
                );
                reverts(abi.encodeCall(registry.setOperatorFor, (value, signature)), stale);
            }
        }
        compared("OperatorChange", cases.length, 1000);
    }

    // ---- acts on images that nobody registered: refused for that, once the signature was found good ----

    function test_FlagDecisions() public {
        Decisions[] memory cases = abi.decode(file("FlagDecision"), (Decisions[]));
        for (uint256 i = 0; i < cases.length; i++) {
            IImageRegistry.FlagDecision memory value = cases[i].value;
            bytes memory signature = prepare(cases[i].chainId, value.by, value.deadline, cases[i].digest);
            same(cases[i].digest, TypedData.digest(value, block.chainid, address(registry)));
            refusedSignature(value.by, abi.encodeCall(registry.decideFlagFor, (value, wrong(signature))));
            reverts(abi.encodeCall(registry.decideFlagFor, (value, signature)), unknown(value.imageId));
        }
        compared("FlagDecision", cases.length, 1000);
    }

    function test_Grants() public {
        Grants[] memory cases = abi.decode(file("Grant"), (Grants[]));
        for (uint256 i = 0; i < cases.length; i++) {
            IImageRegistry.Grant memory value = cases[i].value;
            bytes memory signature = prepare(cases[i].chainId, value.by, value.deadline, cases[i].digest);
            same(cases[i].digest, TypedData.digest(value, block.chainid, address(registry)));
            refusedSignature(value.by, abi.encodeCall(registry.grantFor, (value, wrong(signature))));
            reverts(
                abi.encodeCall(registry.grantFor, (value, signature)),
                noAccess(value.imageId, value.wallet, value.accessSeq)
            );
        }
        compared("Grant", cases.length, 1000);
    }

    function test_Revocations() public {
        Revocations[] memory cases = abi.decode(file("Revocation"), (Revocations[]));
        for (uint256 i = 0; i < cases.length; i++) {
            IImageRegistry.Revocation memory value = cases[i].value;
            bytes memory signature = prepare(cases[i].chainId, value.by, value.deadline, cases[i].digest);
            same(cases[i].digest, TypedData.digest(value, block.chainid, address(registry)));
            refusedSignature(value.by, abi.encodeCall(registry.revokeFor, (value, wrong(signature))));
            reverts(
                abi.encodeCall(registry.revokeFor, (value, signature)),
                noAccess(value.imageId, value.wallet, value.accessSeq)
            );
        }
        compared("Revocation", cases.length, 1000);
    }

    function test_CapsulesUpdates() public {
        Updates[] memory cases = abi.decode(file("CapsulesUpdate"), (Updates[]));
        for (uint256 i = 0; i < cases.length; i++) {
            IImageRegistry.CapsulesUpdate memory value = cases[i].value;
            bytes memory signature = prepare(cases[i].chainId, value.by, value.deadline, cases[i].digest);
            same(cases[i].digest, TypedData.digest(value, block.chainid, address(registry)));
            refusedSignature(value.by, abi.encodeCall(registry.updateCapsulesFor, (value, wrong(signature))));
            reverts(abi.encodeCall(registry.updateCapsulesFor, (value, signature)), unknown(value.imageId));
        }
        compared("CapsulesUpdate", cases.length, 1000);
    }

    // ---- cases ----

    /// @dev Makes `signer` a wallet whose signature is the digest, on the case's chain and in the last second of its deadline; returns its signature.
    function prepare(uint64 chainId, address signer, uint64 deadline, bytes32 digest) private returns (bytes memory) {
        vm.etch(signer, type(DigestWallet).runtimeCode);
        vm.chainId(chainId);
        vm.warp(deadline);
        return abi.encode(digest);
    }

    // ---- refusals ----

    function wrong(bytes memory signature) private pure returns (bytes memory) {
        return abi.encode(abi.decode(signature, (uint256)) ^ 1);
    }

    function refusedSignature(address signer, bytes memory data) private {
        reverts(data, abi.encodeWithSelector(IImageRegistry.InvalidSignature.selector, signer));
    }

    function reverts(bytes memory data, bytes memory expected) private {
        (bool done, bytes memory found) = address(registry).call(data);
        holds(!done, "the call reverts");
        same(expected, found);
    }

    function unknown(bytes32 imageId) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IImageRegistry.UnknownImage.selector, imageId);
    }

    /// @dev What an act on the access to an unknown image says: the number that it names is asked first.
    function noAccess(bytes32 imageId, address wallet, uint128 accessSeq) private pure returns (bytes memory) {
        if (accessSeq == 0) return unknown(imageId);
        return abi.encodeWithSelector(IImageRegistry.StaleAccess.selector, imageId, wallet, accessSeq, 0);
    }
}

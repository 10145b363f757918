// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";

/// @notice The EIP-712 digests as EIP-712 states them, without the contract's code and without OpenZeppelin's.
library TypedData {
    string internal constant DOMAIN =
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
    string internal constant REGISTRATION =
        "Registration(address sender,bytes32 salt,bytes32 contentHash,bytes32 headerHash,uint64 size,bytes cid,bytes32 capsulesHash,bytes capsulesCid,uint64 deadline)";
    string internal constant VERIFICATION =
        "Verification(bytes32 imageId,address verifier,bytes32 observedHash,uint64 observedAt,uint256 nonce,uint64 deadline)";

    function separator(uint256 chainId, address registry) internal pure returns (bytes32) {
        return keccak256(abi.encode(keccak256(bytes(DOMAIN)), keccak256("MedSeal"), keccak256("1"), chainId, registry));
    }

    function structHash(IImageRegistry.Registration memory r) internal pure returns (bytes32) {
        bytes memory fixedPart =
            abi.encode(keccak256(bytes(REGISTRATION)), r.sender, r.salt, r.contentHash, r.headerHash, r.size);
        return keccak256(
            bytes.concat(
                fixedPart, keccak256(r.cid), r.capsulesHash, keccak256(r.capsulesCid), bytes32(uint256(r.deadline))
            )
        );
    }

    function structHash(IImageRegistry.Verification memory v) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(bytes(VERIFICATION)), v.imageId, v.verifier, v.observedHash, v.observedAt, v.nonce, v.deadline
            )
        );
    }

    function digest(bytes32 hash, uint256 chainId, address registry) internal pure returns (bytes32) {
        return keccak256(bytes.concat(hex"1901", separator(chainId, registry), hash));
    }

    function digest(IImageRegistry.Registration memory r, uint256 chainId, address registry)
        internal
        pure
        returns (bytes32)
    {
        return digest(structHash(r), chainId, registry);
    }

    function digest(IImageRegistry.Verification memory v, uint256 chainId, address registry)
        internal
        pure
        returns (bytes32)
    {
        return digest(structHash(v), chainId, registry);
    }
}

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
    string internal constant ITEM =
        "Item(bytes32 salt,bytes32 contentHash,bytes32 headerHash,bytes32 capsulesHash,uint64 size)";
    string internal constant BATCH =
        "Batch(address sender,Item[] items,uint64 deadline)Item(bytes32 salt,bytes32 contentHash,bytes32 headerHash,bytes32 capsulesHash,uint64 size)";
    string internal constant ANCHOR =
        "Anchor(address sender,bytes32 root,uint32 count,bytes leavesCid,uint64 deadline)";
    string internal constant FLAG_DECISION =
        "FlagDecision(bytes32 imageId,uint64 flagId,bool confirmed,address by,uint64 deadline)";
    string internal constant GRANT =
        "Grant(bytes32 imageId,address wallet,uint64 expiry,uint128 accessSeq,address by,uint128 operatorSeq,uint64 deadline)";
    string internal constant REVOCATION =
        "Revocation(bytes32 imageId,address wallet,uint128 accessSeq,address by,uint128 operatorSeq,uint64 deadline)";
    string internal constant OPERATOR_CHANGE =
        "OperatorChange(address sender,address operator,bool allowed,uint128 operatorSeq,uint64 deadline)";
    string internal constant CAPSULES_UPDATE =
        "CapsulesUpdate(bytes32 imageId,uint64 version,bytes32 capsulesHash,bytes capsulesCid,address by,uint128 operatorSeq,uint64 deadline)";

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

    function structHash(IImageRegistry.Batch memory b) internal pure returns (bytes32) {
        bytes memory items;
        for (uint256 i = 0; i < b.items.length; i++) {
            items = bytes.concat(items, structHash(b.items[i]));
        }
        return keccak256(abi.encode(keccak256(bytes(BATCH)), b.sender, keccak256(items), b.deadline));
    }

    function structHash(IImageRegistry.Item memory i) internal pure returns (bytes32) {
        return
            keccak256(abi.encode(keccak256(bytes(ITEM)), i.salt, i.contentHash, i.headerHash, i.capsulesHash, i.size));
    }

    function structHash(IImageRegistry.Anchor memory a) internal pure returns (bytes32) {
        return
            keccak256(
                abi.encode(keccak256(bytes(ANCHOR)), a.sender, a.root, a.count, keccak256(a.leavesCid), a.deadline)
            );
    }

    function structHash(IImageRegistry.FlagDecision memory d) internal pure returns (bytes32) {
        return
            keccak256(abi.encode(keccak256(bytes(FLAG_DECISION)), d.imageId, d.flagId, d.confirmed, d.by, d.deadline));
    }

    function structHash(IImageRegistry.Grant memory g) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(bytes(GRANT)), g.imageId, g.wallet, g.expiry, g.accessSeq, g.by, g.operatorSeq, g.deadline
            )
        );
    }

    function structHash(IImageRegistry.Revocation memory r) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(keccak256(bytes(REVOCATION)), r.imageId, r.wallet, r.accessSeq, r.by, r.operatorSeq, r.deadline)
        );
    }

    function structHash(IImageRegistry.OperatorChange memory c) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(keccak256(bytes(OPERATOR_CHANGE)), c.sender, c.operator, c.allowed, c.operatorSeq, c.deadline)
        );
    }

    function structHash(IImageRegistry.CapsulesUpdate memory u) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(bytes(CAPSULES_UPDATE)),
                u.imageId,
                u.version,
                u.capsulesHash,
                keccak256(u.capsulesCid),
                u.by,
                u.operatorSeq,
                u.deadline
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

    function digest(IImageRegistry.Batch memory b, uint256 chainId, address registry) internal pure returns (bytes32) {
        return digest(structHash(b), chainId, registry);
    }

    function digest(IImageRegistry.Anchor memory a, uint256 chainId, address registry) internal pure returns (bytes32) {
        return digest(structHash(a), chainId, registry);
    }

    function digest(IImageRegistry.Verification memory v, uint256 chainId, address registry)
        internal
        pure
        returns (bytes32)
    {
        return digest(structHash(v), chainId, registry);
    }

    function digest(IImageRegistry.FlagDecision memory d, uint256 chainId, address registry)
        internal
        pure
        returns (bytes32)
    {
        return digest(structHash(d), chainId, registry);
    }

    function digest(IImageRegistry.Grant memory g, uint256 chainId, address registry) internal pure returns (bytes32) {
        return digest(structHash(g), chainId, registry);
    }

    function digest(IImageRegistry.Revocation memory r, uint256 chainId, address registry)
        internal
        pure
        returns (bytes32)
    {
        return digest(structHash(r), chainId, registry);
    }

    function digest(IImageRegistry.OperatorChange memory c, uint256 chainId, address registry)
        internal
        pure
        returns (bytes32)
    {
        return digest(structHash(c), chainId, registry);
    }

    function digest(IImageRegistry.CapsulesUpdate memory u, uint256 chainId, address registry)
        internal
        pure
        returns (bytes32)
    {
        return digest(structHash(u), chainId, registry);
    }
}

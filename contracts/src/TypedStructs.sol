// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "./IImageRegistry.sol";

/// @title EIP-712 struct hashes of everything that a wallet signs
/// @notice The type strings are those of `IImageRegistry`.
library TypedStructs {
    bytes32 private constant REGISTRATION = keccak256(
        "Registration(address sender,bytes32 salt,bytes32 contentHash,bytes32 headerHash,uint64 size,bytes cid,"
        "bytes32 capsulesHash,bytes capsulesCid,uint64 deadline)"
    );
    bytes32 private constant ITEM =
        keccak256("Item(bytes32 salt,bytes32 contentHash,bytes32 headerHash,bytes32 capsulesHash,uint64 size)");
    bytes32 private constant BATCH = keccak256(
        "Batch(address sender,Item[] items,uint64 deadline)"
        "Item(bytes32 salt,bytes32 contentHash,bytes32 headerHash,bytes32 capsulesHash,uint64 size)"
    );
    bytes32 private constant ANCHOR =
        keccak256("Anchor(address sender,bytes32 root,uint32 count,bytes leavesCid,uint64 deadline)");
    bytes32 private constant VERIFICATION = keccak256(
        "Verification(bytes32 imageId,address verifier,bytes32 observedHash,uint64 observedAt,uint256 nonce,"
        "uint64 deadline)"
    );
    bytes32 private constant FLAG_DECISION =
        keccak256("FlagDecision(bytes32 imageId,uint64 flagId,bool confirmed,address by,uint64 deadline)");
    bytes32 private constant GRANT = keccak256(
        "Grant(bytes32 imageId,address wallet,uint64 expiry,uint128 accessSeq,address by,"
        "uint128 operatorSeq,uint64 deadline)"
    );
    bytes32 private constant REVOCATION = keccak256(
        "Revocation(bytes32 imageId,address wallet,uint128 accessSeq,address by,uint128 operatorSeq,uint64 deadline)"
    );
    bytes32 private constant OPERATOR_CHANGE =
        keccak256("OperatorChange(address sender,address operator,bool allowed,uint128 operatorSeq,uint64 deadline)");
    bytes32 private constant CAPSULES_UPDATE = keccak256(
        "CapsulesUpdate(bytes32 imageId,uint64 version,bytes32 capsulesHash,bytes capsulesCid,address by,"
        "uint128 operatorSeq,uint64 deadline)"
    );

    /// @param cidHash keccak256 of the registration's CID.
    /// @param capsulesCidHash keccak256 of its capsules' CID.
    function hash(IImageRegistry.Registration calldata registration, bytes32 cidHash, bytes32 capsulesCidHash)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encode(
                REGISTRATION,
                registration.sender,
                registration.salt,
                registration.contentHash,
                registration.headerHash,
                registration.size,
                cidHash,
                registration.capsulesHash,
                capsulesCidHash,
                registration.deadline
            )
        );
    }

    function hash(IImageRegistry.Item calldata item) internal pure returns (bytes32) {
        return keccak256(abi.encode(ITEM, item));
    }

    /// @param itemsHash keccak256 of the items' hashes, one after the other.
    function hashBatch(address sender, bytes32 itemsHash, uint64 deadline) internal pure returns (bytes32) {
        return keccak256(abi.encode(BATCH, sender, itemsHash, deadline));
    }

    /// @param cidHash keccak256 of the CID of its leaves.
    function hash(IImageRegistry.Anchor calldata anchor, bytes32 cidHash) internal pure returns (bytes32) {
        return keccak256(abi.encode(ANCHOR, anchor.sender, anchor.root, anchor.count, cidHash, anchor.deadline));
    }

    function hash(IImageRegistry.Verification memory verification) internal pure returns (bytes32) {
        return keccak256(abi.encode(VERIFICATION, verification));
    }

    function hash(IImageRegistry.FlagDecision memory decision) internal pure returns (bytes32) {
        return keccak256(abi.encode(FLAG_DECISION, decision));
    }

    function hash(IImageRegistry.Grant memory grant) internal pure returns (bytes32) {
        return keccak256(abi.encode(GRANT, grant));
    }

    function hash(IImageRegistry.Revocation memory revocation) internal pure returns (bytes32) {
        return keccak256(abi.encode(REVOCATION, revocation));
    }

    function hash(IImageRegistry.OperatorChange memory change) internal pure returns (bytes32) {
        return keccak256(abi.encode(OPERATOR_CHANGE, change));
    }

    /// @param cidHash keccak256 of the capsules' CID.
    function hash(IImageRegistry.CapsulesUpdate calldata update, bytes32 cidHash) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                CAPSULES_UPDATE,
                update.imageId,
                update.version,
                update.capsulesHash,
                cidHash,
                update.by,
                update.operatorSeq,
                update.deadline
            )
        );
    }
}

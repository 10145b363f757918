// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IImageRegistry} from "./IImageRegistry.sol";

/// @title Who speaks: the caller itself, or a signature that it brings
/// @notice Checks EIP-712 signatures of plain wallets and of contracts, and their deadlines. `IImageRegistry` states
/// the rules.
abstract contract SignatureGate is EIP712 {
    uint256 private constant MAX_DEADLINE = 7 days;
    uint256 private constant MAX_SIGNATURE_BYTES = 4096;
    bytes32 private constant EMPTY_HASH = keccak256("");

    constructor() EIP712("MedSeal", "1") {}

    /// @dev Whether the caller is `signer` and brings no signature, so that there is none to check.
    function _isDirect(address signer, bytes calldata signature) internal view returns (bool) {
        return signature.length == 0 && msg.sender == signer;
    }

    /// @dev keccak256 of `data`; that of no bytes, which is known, costs no copy.
    function _hashOf(bytes calldata data) internal pure returns (bytes32) {
        return data.length == 0 ? EMPTY_HASH : keccak256(data);
    }

    /// @dev The one place that calls out: a static call, after the effects that the signature must not outrun (the
    /// nonce).
    function _checkSigned(address signer, bytes32 structHash, uint64 deadline, bytes calldata signature) internal view {
        if (block.timestamp > deadline) revert IImageRegistry.SignatureExpired(deadline, block.timestamp);
        uint256 latest = block.timestamp + MAX_DEADLINE;
        if (deadline > latest) revert IImageRegistry.DeadlineTooFar(deadline, latest);
        if (signature.length > MAX_SIGNATURE_BYTES) revert IImageRegistry.SignatureLength(signature.length);
        // An empty signature in an event says that the caller was the signer: no contract may accept one here.
        if (signature.length == 0) revert IImageRegistry.InvalidSignature(signer);
        bytes32 digest = _hashTypedDataV4(structHash);
        (address recovered, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (failure == ECDSA.RecoverError.NoError && recovered == signer) return;
        if (signer.code.length == 0 || !SignatureChecker.isValidERC1271SignatureNowCalldata(signer, digest, signature)) revert IImageRegistry.InvalidSignature(signer);
    }
}

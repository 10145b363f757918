// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IImageRegistry} from "./IImageRegistry.sol";

/// @title Who speaks: the transaction itself, or a signature in it
/// @notice Checks EIP-712 signatures of plain wallets and of contracts, and their deadlines. `IImageRegistry` states the rules.
abstract contract SignatureGate is EIP712 {
    uint256 private constant MAX_DEADLINE = 7 days;
    uint256 private constant MAX_SIGNATURE_BYTES = 4096;

    constructor() EIP712("MedSeal", "1") {}

    /// @dev Whether the transaction itself speaks for `signer`, so that there is no signature to check.
    function _isDirect(address signer, bytes calldata signature) internal view returns (bool) {
        return msg.sender == signer && signature.length == 0;
    }

    /// @dev The one place that calls out: a static call, after the effects that the signature must not outrun (the nonce).
    function _checkSigned(address signer, bytes32 structHash, uint64 deadline, bytes calldata signature) internal view {
        if (block.timestamp > deadline) revert IImageRegistry.SignatureExpired(deadline, block.timestamp);
        uint256 latest = block.timestamp + MAX_DEADLINE;
        if (deadline > latest) revert IImageRegistry.DeadlineTooFar(deadline, latest);
        if (signature.length > MAX_SIGNATURE_BYTES) revert IImageRegistry.SignatureLength(signature.length);
        // An empty signature in an event says that the transaction was the signer's own: no contract may accept one here.
        if (signature.length == 0) revert IImageRegistry.InvalidSignature(signer);
        bytes32 digest = _hashTypedDataV4(structHash);
        (address recovered, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (failure == ECDSA.RecoverError.NoError && recovered == signer) return;
        if (signer.code.length == 0 || !SignatureChecker.isValidERC1271SignatureNowCalldata(signer, digest, signature)) revert IImageRegistry.InvalidSignature(signer);
    }
}

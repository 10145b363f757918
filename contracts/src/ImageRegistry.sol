// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Authorizations} from "./Authorizations.sol";
import {Governance} from "./Governance.sol";
import {KeyCenters} from "./KeyCenters.sol";
import {Verifications} from "./Verifications.sol";

/// @title The registry of sealed medical images
/// @notice `IImageRegistry` is the manual. Immutable: no proxy, no payable function, no call to others but ERC-1271's
/// static one.
/// @dev One contract in layers, each on those above it and in a file of its own:
/// - `AuditTrail`: storage slot 0, the hash chain over all events; numbers that are drawn from it.
/// - `Governance`: roles and their admin (OpenZeppelin's), pause, successor.
/// - `SignatureGate`: whether the caller speaks for a wallet, by itself or by an EIP-712 signature. `TypedStructs`:
///   the hashes of what is signed.
/// - `Records`: `register`, `registerBatch`, `imageIdOf`, `recordOf`.
/// - `Anchors`: `anchor`, `materialize`, `verifyLeaf`, `anchorOf`.
/// - `KeyCenters`: keys and log heads of the Key Generation Centers, capsules that they wrapped anew.
/// - `Verifications`: the verification log, nonces, flags.
/// - `Authorizations`: grants and revocations, operators, capsules.
///
/// Every function has one shape: checks, effects, one event.
contract ImageRegistry is KeyCenters, Verifications, Authorizations {
    /// @param admin The default admin, which gives and takes the roles; a cold wallet will do.
    /// @param grants Roles given from the start.
    constructor(address admin, RoleGrant[] memory grants) Governance(admin, grants) {}
}

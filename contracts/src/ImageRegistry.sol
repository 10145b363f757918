// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Authorizations} from "./Authorizations.sol";
import {Governance} from "./Governance.sol";
import {KeyCenters} from "./KeyCenters.sol";
import {Verifications} from "./Verifications.sol";

/// @title The registry of sealed medical images
/// @notice `IImageRegistry` is the manual. Immutable: no proxy, no payable function, no call to others but ERC-1271's static one.
/// @dev A part for each subject, on one another in this order: `AuditTrail` (the hash chain), `Governance` (roles, pause), `SignatureGate` (who
/// speaks), `Records`, then `Anchors`, `KeyCenters`, `Verifications` and `Authorizations`. Every function has one shape: id, checks, effects, one event.
contract ImageRegistry is KeyCenters, Verifications, Authorizations {
    /// @param admin The default admin, which gives and takes the roles; a cold wallet will do.
    /// @param grants Roles given from the start.
    constructor(address admin, RoleGrant[] memory grants) Governance(admin, grants) {}
}

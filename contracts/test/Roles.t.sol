// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {
    IAccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";
import {ImageRegistry} from "../src/ImageRegistry.sol";
import {Base} from "./Base.sol";

/// @notice Who may do what, how that changes, and that each change is in the audit trail.
contract RolesTest is Base {
    function test_RevertWhen_TheAdminIsZero() public {
        try new ImageRegistry(address(0)) {
            holds(false, "refused");
        } catch (bytes memory found) {
            same(
                abi.encodeWithSelector(
                    IAccessControlDefaultAdminRules.AccessControlInvalidDefaultAdmin.selector, address(0)
                ),
                found
            );
        }
    }

    function test_RevertWhen_AnybodyButTheAdminChangesARole() public {
        bytes32 role = registry.VERIFIER_ROLE();
        address[5] memory others = [arbiter, kgc, verifier, sender, stranger];
        for (uint256 i = 0; i < others.length; i++) {
            bytes memory expected =
                abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, others[i], bytes32(0));
            refused(others[i], abi.encodeCall(registry.grantRole, (role, stranger)), expected);
            refused(others[i], abi.encodeCall(registry.revokeRole, (role, verifier)), expected);
        }
    }

    function test_RevertWhen_AdminIsGivenLikeARole() public {
        refused(
            admin,
            abi.encodeCall(registry.grantRole, (bytes32(0), stranger)),
            abi.encodeWithSelector(IAccessControlDefaultAdminRules.AccessControlEnforcedDefaultAdminRules.selector)
        );
    }

    function test_RevertWhen_AdminIsTakenBeforeADayHasPassed() public {
        vm.prank(admin);
        registry.beginDefaultAdminTransfer(stranger);
        vm.warp(NOW + 1 days);
        refused(
            stranger,
            abi.encodeCall(registry.acceptDefaultAdminTransfer, ()),
            abi.encodeWithSelector(
                IAccessControlDefaultAdminRules.AccessControlEnforcedDefaultAdminDelay.selector, NOW + 1 days
            )
        );
    }

    function test_RolesAreTheHashesOfTheirNames() public view {
        same(keccak256("VERIFIER_ROLE"), registry.VERIFIER_ROLE());
        same(keccak256("ARBITER_ROLE"), registry.ARBITER_ROLE());
        same(keccak256("KGC_ROLE"), registry.KGC_ROLE());
        same(admin, registry.defaultAdmin());
        same(1 days, registry.defaultAdminDelay());
    }

    function test_EachChangeIsOneEntryOfTheTrail() public {
        bytes32 role = registry.ARBITER_ROLE();
        (, uint40 before) = registry.audit();
        same(4, before);
        giveRole(role, stranger);
        giveRole(role, stranger);
        same(before + 1, entries());
        vm.prank(admin);
        registry.revokeRole(role, stranger);
        vm.prank(admin);
        registry.revokeRole(role, stranger);
        same(before + 2, entries());
        vm.prank(arbiter);
        registry.renounceRole(role, arbiter);
        same(before + 3, entries());
    }

    function test_AdminPassesOnAfterADay_InTwoEntries() public {
        vm.prank(admin);
        registry.beginDefaultAdminTransfer(stranger);
        vm.warp(NOW + 1 days + 1);
        vm.prank(stranger);
        registry.acceptDefaultAdminTransfer();
        same(stranger, registry.defaultAdmin());
        same(6, entries());
    }

    function test_AVerifierThatLostItsRoleFlagsNothing() public {
        bytes32 role = registry.VERIFIER_ROLE();
        registerSample();
        vm.prank(admin);
        registry.revokeRole(role, verifier);
        logLook(OTHER_HASH);
        same(0, registry.flagOf(sampleId()).id);
    }

    function entries() private view returns (uint40 seq) {
        (, seq) = registry.audit();
    }
}

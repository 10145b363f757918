// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {Base} from "./Base.sol";
import {IRegistry} from "./IRegistry.sol";

/// @notice How roles, the admin and the successor change, and that each change is in the audit trail.
contract RolesTest is Base {
    function test_RevertWhen_MadeWithAZeroAdminOrAccount() public {
        try this.make(address(0), roles()) {
            holds(false, "refused");
        } catch (bytes memory found) {
            same(abi.encodeWithSelector(IRegistry.AccessControlInvalidDefaultAdmin.selector, address(0)), found);
        }
        IImageRegistry.RoleGrant[] memory grants = roles();
        grants[2].account = address(0);
        try this.make(admin, grants) {
            holds(false, "refused");
        } catch (bytes memory found) {
            same(abi.encodeWithSelector(IImageRegistry.ZeroAddress.selector), found);
        }
    }

    function test_RevertWhen_AnybodyButTheAdminChangesARole() public {
        bytes32 role = registry.VERIFIER_ROLE();
        address[6] memory others = [arbiter, pauser, kgc, verifier, sender, stranger];
        for (uint256 i = 0; i < others.length; i++) {
            bytes memory expected =
                abi.encodeWithSelector(IRegistry.AccessControlUnauthorizedAccount.selector, others[i], bytes32(0));
            refused(others[i], abi.encodeCall(registry.grantRole, (role, stranger)), expected);
            refused(others[i], abi.encodeCall(registry.revokeRole, (role, verifier)), expected);
            refused(others[i], abi.encodeCall(registry.supersede, (address(this))), expected);
            refused(others[i], abi.encodeCall(registry.beginDefaultAdminTransfer, (others[i])), expected);
            refused(others[i], abi.encodeCall(registry.cancelDefaultAdminTransfer, ()), expected);
            refused(others[i], abi.encodeCall(registry.changeDefaultAdminDelay, (0)), expected);
            refused(others[i], abi.encodeCall(registry.rollbackDefaultAdminDelay, ()), expected);
        }
    }

    function test_RevertWhen_AdminIsGivenOrTakenLikeARole() public {
        bytes4 expected = IRegistry.AccessControlEnforcedDefaultAdminRules.selector;
        refused(admin, abi.encodeCall(registry.grantRole, (bytes32(0), stranger)), expected);
        refused(admin, abi.encodeCall(registry.revokeRole, (bytes32(0), admin)), expected);
    }

    function test_RevertWhen_ARoleIsRenouncedForSomebodyElse() public {
        bytes memory data = abi.encodeCall(registry.renounceRole, (registry.ARBITER_ROLE(), arbiter));
        refused(admin, data, IRegistry.AccessControlBadConfirmation.selector);
    }

    function test_RevertWhen_AdminIsTakenBeforeADayHasPassed_OrByAnother() public {
        does(admin, abi.encodeCall(registry.beginDefaultAdminTransfer, (stranger)));
        vm.warp(NOW + 1 days);
        bytes4 error_ = IRegistry.AccessControlEnforcedDefaultAdminDelay.selector;
        bytes memory accept = abi.encodeCall(registry.acceptDefaultAdminTransfer, ());
        refused(stranger, accept, abi.encodeWithSelector(error_, NOW + 1 days));
        error_ = IRegistry.AccessControlInvalidDefaultAdmin.selector;
        refused(sender, accept, abi.encodeWithSelector(error_, sender));
    }

    function test_RevertWhen_TheSuccessorIsNoOtherContract() public {
        address[3] memory wrong = [address(0), stranger, address(registry)];
        for (uint256 i = 0; i < wrong.length; i++) {
            bytes memory expected = abi.encodeWithSelector(IImageRegistry.InvalidSuccessor.selector, wrong[i]);
            refused(admin, abi.encodeCall(registry.supersede, (wrong[i])), expected);
        }
        // A wallet that borrows code (EIP-7702) is no contract: it may borrow another, or none, tomorrow.
        vm.signAndAttachDelegation(address(this), STRANGER_KEY);
        does(relayer, abi.encodeCall(registry.invalidateNonce, ()));
        same(23, stranger.code.length);
        bytes memory refusal = abi.encodeWithSelector(IImageRegistry.InvalidSuccessor.selector, stranger);
        refused(admin, abi.encodeCall(registry.supersede, (stranger)), refusal);
    }

    function test_RevertWhen_SupersededTwice() public {
        does(admin, abi.encodeCall(registry.supersede, (address(this))));
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.AlreadySuperseded.selector, address(this));
        refused(admin, abi.encodeCall(registry.supersede, (address(vm))), expected);
        refused(admin, abi.encodeCall(registry.supersede, (address(this))), expected);
    }

    function test_ASupersededRegistryGoesOn() public {
        same(address(0), registry.supersededBy());
        does(admin, abi.encodeCall(registry.supersede, (address(this))));
        same(address(this), registry.supersededBy());
        registerSample();
        grantReader(NOW);
        holds(registry.isAuthorized(sampleId(), reader), "granted");
    }

    function test_RolesAreTheHashesOfTheirNames_GivenFromTheStart() public view {
        same(keccak256("VERIFIER_ROLE"), registry.VERIFIER_ROLE());
        same(keccak256("ARBITER_ROLE"), registry.ARBITER_ROLE());
        same(keccak256("PAUSER_ROLE"), registry.PAUSER_ROLE());
        same(keccak256("KGC_ROLE"), registry.KGC_ROLE());
        same(admin, registry.defaultAdmin());
        same(1 days, registry.defaultAdminDelay());
        address[4] memory holders = [verifier, arbiter, pauser, kgc];
        IImageRegistry.RoleGrant[] memory grants = roles();
        for (uint256 i = 0; i < grants.length; i++) {
            for (uint256 j = 0; j < holders.length; j++) {
                holds(registry.hasRole(grants[i].role, holders[j]) == (i == j), "each its own");
            }
            holds(!registry.hasRole(grants[i].role, admin), "the admin has none of them");
        }
    }

    function test_EachChangeIsOneEntryOfTheTrail() public {
        bytes32 role = registry.ARBITER_ROLE();
        same(5, entries());
        giveRole(role, stranger);
        giveRole(role, stranger);
        same(6, entries());
        does(admin, abi.encodeCall(registry.revokeRole, (role, stranger)));
        does(admin, abi.encodeCall(registry.revokeRole, (role, stranger)));
        same(7, entries());
        does(arbiter, abi.encodeCall(registry.renounceRole, (role, arbiter)));
        same(8, entries());
        holds(!registry.hasRole(role, arbiter), "renounced");
    }

    function test_AdminPassesOnAfterADay_InThreeEntries() public {
        does(admin, abi.encodeCall(registry.beginDefaultAdminTransfer, (stranger)));
        (address next, uint48 schedule) = registry.pendingDefaultAdmin();
        same(abi.encode(stranger, NOW + 1 days), abi.encode(next, schedule));
        vm.warp(NOW + 1 days + 1);
        does(stranger, abi.encodeCall(registry.acceptDefaultAdminTransfer, ()));
        same(stranger, registry.defaultAdmin());
        same(8, entries());
        does(stranger, abi.encodeCall(registry.grantRole, (registry.ARBITER_ROLE(), sender)));
    }

    function test_PlansAreCancelled_EachInOneEntry() public {
        does(admin, abi.encodeCall(registry.beginDefaultAdminTransfer, (stranger)));
        does(admin, abi.encodeCall(registry.cancelDefaultAdminTransfer, ()));
        (address next, uint48 schedule) = registry.pendingDefaultAdmin();
        same(abi.encode(0, 0), abi.encode(next, schedule));
        does(admin, abi.encodeCall(registry.changeDefaultAdminDelay, (2 days)));
        (uint48 delay, uint48 from) = registry.pendingDefaultAdminDelay();
        same(abi.encode(2 days, NOW + 2 days), abi.encode(delay, from));
        does(admin, abi.encodeCall(registry.rollbackDefaultAdminDelay, ()));
        (delay, from) = registry.pendingDefaultAdminDelay();
        same(abi.encode(0, 0), abi.encode(delay, from));
        same(9, entries());
    }

    function testFuzz_RolesFollowTheModel(uint8[10] memory steps, address account) public {
        if (account == admin) account = stranger;
        IImageRegistry.RoleGrant[] memory all = roles();
        bool[4] memory has;
        for (uint256 i = 0; i < 4; i++) {
            has[i] = all[i].account == account;
        }
        uint256 expected = entries();
        for (uint256 i = 0; i < steps.length; i++) {
            uint256 which = steps[i] % 4;
            bool give = (steps[i] / 4) % 2 == 0;
            if (give) does(admin, abi.encodeCall(registry.grantRole, (all[which].role, account)));
            else does(admin, abi.encodeCall(registry.revokeRole, (all[which].role, account)));
            if (has[which] != give) expected++;
            has[which] = give;
            same(expected, entries());
            holds(registry.hasRole(all[which].role, account) == give, "as the last call said");
        }
    }

    function make(address admin_, IImageRegistry.RoleGrant[] memory grants) external {
        deploy(admin_, grants);
    }

    function entries() private view returns (uint40 seq) {
        (, seq) = registry.audit();
    }
}

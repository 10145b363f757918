// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../../src/IImageRegistry.sol";
import {IRegistry} from "../IRegistry.sol";
import {TypedData} from "../TypedData.sol";
import {KgcActions} from "./KgcActions.sol";

/// @notice Actions on roles, the admin and the pause; time, chain ids, and signatures that were used before.
abstract contract GovernanceActions is KgcActions {
    function pause() external tick {
        if (isPaused()) end();
        if (pauseLeftNow() < 1 days) {
            uint48 next = pauseLeftAt + 1 days - pauseLeft;
            bytes memory expected = abi.encodeWithSelector(IImageRegistry.PausedLately.selector, next);
            refuse(holder(keccak256("PAUSER_ROLE"), pauser), abi.encodeCall(registry.pause, ()), expected);
            pass(next - clock);
        }
        begin();
    }

    function unpause() external tick {
        if (!isPaused()) beginSooner();
        end();
    }

    /// @dev What a pause stops (I12): each of its nine acts, by whoever may do it at other times.
    function actWhilePaused(uint256 what, uint256 who) external tick {
        if (imageIds.length == 0 && isPaused()) end();
        bytes32 imageId = anyImage(who);
        if (!isPaused()) beginSooner();
        (address by, bytes memory data) = stopped(what % 9, imageId, who);
        refuse(by, data, abi.encodeWithSelector(IImageRegistry.RegistryPaused.selector, pausedUntil));
        if (who % 4 != 0) end();
    }

    function giveRole(uint256 role, uint256 who) external tick {
        (bytes32 name, address account) = roleOf(role, who);
        if (hasRole[name][account]) send(currentAdmin, abi.encodeCall(registry.revokeRole, (name, account)));
        send(currentAdmin, abi.encodeCall(registry.grantRole, (name, account)));
    }

    function takeRole(uint256 role, uint256 who) external tick {
        (bytes32 name, address account) = roleOf(role, who);
        holder(name, account);
        send(currentAdmin, abi.encodeCall(registry.revokeRole, (name, account)));
    }

    function renounceRole(uint256 role, uint256 who) external tick {
        (bytes32 name, address account) = roleOf(role, who);
        holder(name, account);
        send(account, abi.encodeCall(registry.renounceRole, (name, account)));
    }

    /// @dev No holder of another role gives or takes one, pauses, or points to a successor.
    function governForbidden(uint256 role, uint256 who) external tick {
        (bytes32 name, address account) = roleOf(role, who);
        address by = [judge, kgcs(who), verifiers(who), senders(who), relayers(who)][who % 5];
        bytes memory expected =
            abi.encodeWithSelector(IRegistry.AccessControlUnauthorizedAccount.selector, by, bytes32(0));
        refuse(by, abi.encodeCall(registry.grantRole, (name, account)), expected);
        refuse(by, abi.encodeCall(registry.revokeRole, (name, account)), expected);
        refuse(by, abi.encodeCall(registry.supersede, (address(vm))), expected);
        expected =
            abi.encodeWithSelector(IRegistry.AccessControlUnauthorizedAccount.selector, by, keccak256("PAUSER_ROLE"));
        refuse(by, abi.encodeCall(registry.pause, ()), expected);
    }

    /// @dev A transfer that is cancelled, a change of the delay that is rolled back.
    function planAdmin(uint48 delay) external tick {
        address other = admins(currentAdmin == admins(0) ? 1 : 0);
        send(currentAdmin, abi.encodeCall(registry.beginDefaultAdminTransfer, (other)));
        send(currentAdmin, abi.encodeCall(registry.cancelDefaultAdminTransfer, ()));
        send(currentAdmin, abi.encodeCall(registry.changeDefaultAdminDelay, (1 days + delay % 2 days)));
        send(currentAdmin, abi.encodeCall(registry.rollbackDefaultAdminDelay, ()));
    }

    /// @dev Too early first.
    function handAdminOver() external tick {
        address other = admins(currentAdmin == admins(0) ? 1 : 0);
        send(currentAdmin, abi.encodeCall(registry.beginDefaultAdminTransfer, (other)));
        pass(1 days - 12);
        bytes memory accept = abi.encodeCall(registry.acceptDefaultAdminTransfer, ());
        bytes memory expected =
            abi.encodeWithSelector(IRegistry.AccessControlEnforcedDefaultAdminDelay.selector, clock + 12);
        refuse(other, accept, expected);
        pass(13);
        send(other, accept);
        same(other, registry.defaultAdmin());
    }

    /// @dev The first time in a history; then never again.
    function supersede(uint256 who) external tick {
        bytes memory data = abi.encodeCall(registry.supersede, (address(this)));
        if (successor == address(0)) send(currentAdmin, data);
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.AlreadySuperseded.selector, address(this));
        refuse(currentAdmin, data, expected);
        expected =
            abi.encodeWithSelector(IRegistry.AccessControlUnauthorizedAccount.selector, relayers(who), bytes32(0));
        refuse(relayers(who), data, expected);
    }

    // ---- the world ----

    function wait(uint256 time) external tick {
        pass(time % 3 days);
    }

    function changeChain(uint256 which) external tick {
        chain = 31337 + which % 3;
        pass(0);
    }

    /// @dev A signed call that had its effect never has one again (I9): refused, or a registration that changes nothing.
    function replay(uint256 which) external tick {
        if (used.length == 0) relayLook(verifiers(which), lookOf(verifiers(which), anyImage(which), OTHER_HASH));
        bytes memory data = used[which % used.length];
        vm.prank(relayers(which));
        (bool done,) = address(registry).call(data);
        same(trail, slotZero());
        bytes4 selector = bytes4(data);
        bool singleUse = selector == registry.register.selector || selector == registry.registerBatch.selector
            || selector == registry.anchor.selector;
        holds(!done || singleUse, "a used signature is refused");
    }

    /// @dev A signature made for another chain.
    function relayElsewhere(uint256 which) external tick {
        address by = verifiers(which);
        IImageRegistry.Verification memory entry = lookOf(by, anyImage(which), OTHER_HASH);
        chain++;
        bytes memory signature = signed(by, TypedData.structHash(entry));
        chain--;
        bytes memory data = abi.encodeCall(registry.recordVerification, (entry, signature));
        refuse(relayers(which), data, abi.encodeWithSelector(IImageRegistry.InvalidSignature.selector, by));
    }

    // ---- how ----

    function begin() private {
        send(holder(keccak256("PAUSER_ROLE"), pauser), abi.encodeCall(registry.pause, ()));
        same(pausedUntil, registry.pausedUntil());
    }

    function beginSooner() private {
        if (pauseLeftNow() < 1 days) pass(pauseLeftAt + 1 days - pauseLeft - clock);
        begin();
    }

    function end() private {
        send(holder(keccak256("PAUSER_ROLE"), pauser), abi.encodeCall(registry.unpause, ()));
        same(0, registry.pausedUntil());
    }

    function roleOf(uint256 role, uint256 who) private view returns (bytes32, address) {
        if (role % 4 == 0) return (keccak256("VERIFIER_ROLE"), verifiers(who));
        if (role % 4 == 1) return (keccak256("KGC_ROLE"), kgcs(who));
        return role % 4 == 2 ? (keccak256("ARBITER_ROLE"), judge) : (keccak256("PAUSER_ROLE"), pauser);
    }

    function stopped(uint256 what, bytes32 imageId, uint256 who) private returns (address by, bytes memory data) {
        by = senderOf[imageId];
        if (what == 0) data = abi.encodeCall(registry.register, (fresh(who, who), ""));
        if (what == 1) {
            IImageRegistry.Item[] memory items = new IImageRegistry.Item[](1);
            data = abi.encodeCall(registry.registerBatch, (IImageRegistry.Batch(by, items, deadline()), ""));
        }
        if (what == 2) {
            data = abi.encodeCall(registry.anchor, (IImageRegistry.Anchor(by, OTHER_HASH, 1, hex"01", deadline()), ""));
        }
        if (what == 3) {
            IImageRegistry.Leaf memory none;
            data = abi.encodeCall(registry.materialize, (by, OTHER_HASH, none, new bytes32[](0)));
        }
        if (what == 4) data = abi.encodeCall(registry.grant, (imageId, readers(who), type(uint64).max));
        if (what == 5) {
            IImageRegistry.Grant memory given =
                IImageRegistry.Grant(imageId, reader, clock, accesses[imageId][reader].seq, by, 0, deadline());
            data = abi.encodeCall(registry.grantFor, (given, signed(by, TypedData.structHash(given))));
        }
        if (what == 6) data = abi.encodeCall(registry.setOperator, (speakers(who), true));
        if (what == 7) {
            uint64 version = images[imageId].capsules.version;
            data = abi.encodeCall(registry.updateCapsules, (imageId, version, OTHER_HASH, ""));
        }
        if (what == 8) {
            by = holder(keccak256("KGC_ROLE"), kgcs(who));
            data = abi.encodeCall(registry.anchorCapsules, (OTHER_HASH, 1, hex"01"));
        }
    }
}

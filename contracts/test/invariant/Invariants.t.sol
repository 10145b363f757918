// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Handler} from "./Handler.sol";

/// @notice Random histories. Each group acts on one subject, with the pause, the clock, the chain id and old signatures mixed in; `Everything` mixes all subjects.
/// What must hold is the same for all (`Handler.check` after each action, `Handler.checkAll` after a history): I1 to I13 of the test plan.
abstract contract Invariants {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Handler internal handler;
    bytes4[] private _actions;

    /// @dev The actions of the group.
    function actions() internal virtual;

    function setUp() public {
        handler = new Handler();
        actions();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), _actions);
    }

    function invariant_TheRegistryIsWhatItsEventsSay() public {
        handler.check();
    }

    function afterInvariant() public {
        handler.checkAll();
    }

    function add(bytes4 action) internal {
        _actions.push(action);
    }

    function records() internal {
        add(handler.register.selector);
        add(handler.registerFor.selector);
        add(handler.registerAgain.selector);
        add(handler.registerOtherContent.selector);
        add(handler.registerForged.selector);
        add(handler.registerBatch.selector);
        add(handler.registerBatchAgain.selector);
        add(handler.anchor.selector);
        add(handler.anchorFor.selector);
        add(handler.anchorAgain.selector);
        add(handler.anchorOtherCount.selector);
        add(handler.materialize.selector);
        add(handler.materializeAgain.selector);
        add(handler.materializeForged.selector);
    }

    function verifications() internal {
        add(handler.logValid.selector);
        add(handler.logInvalid.selector);
        add(handler.logByStranger.selector);
        add(handler.logFor.selector);
        add(handler.logCancelled.selector);
        add(handler.invalidateNonce.selector);
        add(handler.confirmFlag.selector);
        add(handler.dismissFlag.selector);
        add(handler.decideFlagFor.selector);
        add(handler.decideForbidden.selector);
    }

    function access() internal {
        add(handler.grant.selector);
        add(handler.grantFor.selector);
        add(handler.grantByOperator.selector);
        add(handler.revoke.selector);
        add(handler.revokeFor.selector);
        add(handler.grantHeldBack.selector);
        add(handler.operatorHeldBack.selector);
        add(handler.speakForbidden.selector);
        add(handler.setOperator.selector);
        add(handler.setOperatorFor.selector);
        add(handler.updateCapsules.selector);
        add(handler.updateCapsulesFor.selector);
    }

    function governance() internal {
        add(handler.publishKgcKey.selector);
        add(handler.publishForbidden.selector);
        add(handler.retireKgcKey.selector);
        add(handler.anchorLog.selector);
        add(handler.anchorCapsules.selector);
        add(handler.giveRole.selector);
        add(handler.takeRole.selector);
        add(handler.renounceRole.selector);
        add(handler.governForbidden.selector);
        add(handler.planAdmin.selector);
        add(handler.handAdminOver.selector);
        add(handler.supersede.selector);
    }

    function world() internal {
        add(handler.register.selector);
        add(handler.pause.selector);
        // Twice as often as `pause`, so that what a pause stops has its turn.
        add(handler.unpause.selector);
        add(handler.unpause.selector);
        add(handler.actWhilePaused.selector);
        add(handler.wait.selector);
        add(handler.changeChain.selector);
        add(handler.replay.selector);
        add(handler.relayElsewhere.selector);
    }
}

contract RecordsInvariants is Invariants {
    function actions() internal override {
        records();
        world();
    }
}

contract VerificationsInvariants is Invariants {
    function actions() internal override {
        verifications();
        world();
    }
}

contract AccessInvariants is Invariants {
    function actions() internal override {
        access();
        world();
    }
}

contract GovernanceInvariants is Invariants {
    function actions() internal override {
        governance();
        world();
    }
}

contract EverythingInvariants is Invariants {
    function actions() internal override {
        records();
        verifications();
        access();
        governance();
        world();
    }
}

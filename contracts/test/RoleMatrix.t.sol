// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {AnchoredBase} from "./AnchoredBase.sol";
import {IRegistry} from "./IRegistry.sol";
import {MerkleTree} from "./MerkleTree.sol";

/// @notice Who may do what: every actor at every function that changes state, each cell either done or refused with its error.
contract RoleMatrixTest is AnchoredBase {
    uint256 private constant ACTORS = 8;
    /// @dev The actors as bits; `row` names who may.
    uint256 private constant SENDER = 1;
    uint256 private constant OPERATOR = 2;
    uint256 private constant VERIFIER = 4;
    uint256 private constant ARBITER = 8;
    uint256 private constant PAUSER = 16;
    uint256 private constant KGC_ = 32;
    uint256 private constant ADMIN = 64;
    uint256 private constant STRANGER = 128;
    uint256 private constant ALL = 255;

    bytes32[] private _none;
    uint256 private _cells;

    function setUp() public override {
        super.setUp();
        registerSample();
        logLook(OTHER_HASH);
        anchorRoot(MerkleTree.leafHash(sampleLeaf(0)), 1);
        does(sender, abi.encodeCall(registry.setOperator, (operator, true)));
        does(kgc, abi.encodeCall(registry.publishKgcKey, (KGC, 1, OTHER_HASH, kgc)));
    }

    function test_EveryActorAtEveryFunction() public {
        asTheWalletItself();
        forAnImage();
        byRole();
        byAdmin();
        same(27 * ACTORS, _cells);
    }

    /// @dev A pauser, say, can do nothing but pause, whatever it calls and with whatever arguments.
    function testFuzz_RevertWhen_AnyOtherWalletActsAsAnother(address by, bytes32 word, uint40 number) public {
        for (uint256 i = 0; i < ACTORS; i++) {
            if (by == actor(i)) by = address(uint160(uint256(keccak256(abi.encode(by)))));
        }
        refused(by, abi.encodeCall(registry.grant, (sampleId(), by, type(uint64).max)), notSender(by));
        refused(by, abi.encodeCall(registry.updateCapsules, (sampleId(), 0, word, "")), notSender(by));
        refused(by, abi.encodeCall(registry.dismissFlag, (sampleId(), number)), notArbiter(by));
        refused(by, abi.encodeCall(registry.confirmFlag, (sampleId(), number)), notArbiter(by));
        refused(by, abi.encodeCall(registry.publishKgcKey, (word, 1, word, by)), lacks(by, registry.KGC_ROLE()));
        refused(by, abi.encodeCall(registry.anchorLog, (word, number, word)), lacks(by, registry.KGC_ROLE()));
        refused(by, abi.encodeCall(registry.grantRole, (word | bytes32(uint256(1)), by)), lacks(by, 0));
        refused(by, abi.encodeCall(registry.supersede, (by)), lacks(by, 0));
    }

    // ---- the rows ----

    /// @dev What every wallet may do in its own name, and nobody in another's.
    function asTheWalletItself() private {
        IImageRegistry.Registration memory registration = sample();
        registration.salt = OTHER_HASH;
        bytes memory forged = abi.encodeWithSelector(IImageRegistry.InvalidSignature.selector, sender);
        row(abi.encodeCall(registry.register, (registration, "")), SENDER, forged);
        row(abi.encodeCall(registry.registerBatch, (sampleBatch(0, 2), "")), SENDER, forged);
        row(abi.encodeCall(registry.anchor, (sampleAnchor(), "")), SENDER, forged);
        forged = abi.encodeWithSelector(IImageRegistry.InvalidSignature.selector, verifier);
        row(abi.encodeCall(registry.recordVerification, (look(OTHER_HASH), "")), VERIFIER, forged);
        row(materialization(MerkleTree.leafHash(sampleLeaf(0)), sampleLeaf(0), _none), ALL, bytes(""));
        row(abi.encodeCall(registry.setOperator, (reader, true)), ALL, bytes(""));
        row(abi.encodeCall(registry.setOperator, (reader, false)), ALL, bytes(""));
        row(abi.encodeCall(registry.invalidateNonce, ()), ALL, bytes(""));
    }

    function forAnImage() private {
        bytes4 error_ = IImageRegistry.NotSender.selector;
        rowOfImage(abi.encodeCall(registry.grant, (sampleId(), reader, NOW)), SENDER | OPERATOR, error_);
        rowOfImage(abi.encodeCall(registry.revoke, (sampleId(), reader)), SENDER | OPERATOR, error_);
        rowOfImage(abi.encodeCall(registry.updateCapsules, (sampleId(), 0, OTHER_HASH, "")), SENDER | OPERATOR, error_);
        error_ = IImageRegistry.NotArbiter.selector;
        rowOfImage(abi.encodeCall(registry.dismissFlag, (sampleId(), newestFlag(sampleId()))), SENDER | ARBITER, error_);
        rowOfImage(abi.encodeCall(registry.confirmFlag, (sampleId(), newestFlag(sampleId()))), ARBITER, error_);
    }

    function byRole() private {
        rowOfRole(abi.encodeCall(registry.publishKgcKey, (KGC, 2, OTHER_HASH, kgc)), KGC_, registry.KGC_ROLE());
        rowOfRole(abi.encodeCall(registry.retireKgcKey, (KGC, 1)), KGC_, registry.KGC_ROLE());
        rowOfRole(abi.encodeCall(registry.anchorLog, (LOG, 1, OTHER_HASH)), KGC_, registry.KGC_ROLE());
        rowOfRole(abi.encodeCall(registry.anchorCapsules, (ROOT, 1, CID)), KGC_, registry.KGC_ROLE());
        rowOfRole(abi.encodeCall(registry.pause, ()), PAUSER, registry.PAUSER_ROLE());
        pauseNow();
        rowOfRole(abi.encodeCall(registry.unpause, ()), PAUSER, registry.PAUSER_ROLE());
        does(pauser, abi.encodeCall(registry.unpause, ()));
    }

    function byAdmin() private {
        rowOfRole(abi.encodeCall(registry.supersede, (address(this))), ADMIN, bytes32(0));
        rowOfRole(abi.encodeCall(registry.grantRole, (registry.KGC_ROLE(), reader)), ADMIN, bytes32(0));
        rowOfRole(abi.encodeCall(registry.revokeRole, (registry.KGC_ROLE(), kgc)), ADMIN, bytes32(0));
        rowOfRole(abi.encodeCall(registry.beginDefaultAdminTransfer, (reader)), ADMIN, bytes32(0));
        rowOfRole(abi.encodeCall(registry.cancelDefaultAdminTransfer, ()), ADMIN, bytes32(0));
        rowOfRole(abi.encodeCall(registry.changeDefaultAdminDelay, (2 days)), ADMIN, bytes32(0));
        rowOfRole(abi.encodeCall(registry.rollbackDefaultAdminDelay, ()), ADMIN, bytes32(0));
        does(admin, abi.encodeCall(registry.beginDefaultAdminTransfer, (stranger)));
        vm.warp(NOW + 1 days + 1);
        rowOfCallers(
            abi.encodeCall(registry.acceptDefaultAdminTransfer, ()),
            STRANGER,
            IRegistry.AccessControlInvalidDefaultAdmin.selector
        );
    }

    // ---- the cells ----

    /// @dev Others are refused with `error_(the sample image, caller)`.
    function rowOfImage(bytes memory data, uint256 allowed, bytes4 error_) private {
        for (uint256 i = 0; i < ACTORS; i++) {
            cell(i, data, allowed, abi.encodeWithSelector(error_, sampleId(), actor(i)));
        }
    }

    /// @dev Others are refused for lack of a role.
    function rowOfRole(bytes memory data, uint256 allowed, bytes32 role) private {
        for (uint256 i = 0; i < ACTORS; i++) {
            cell(i, data, allowed, lacks(actor(i), role));
        }
    }

    function row(bytes memory data, uint256 allowed, bytes memory expected) private {
        for (uint256 i = 0; i < ACTORS; i++) {
            cell(i, data, allowed, expected);
        }
    }

    /// @dev Others are refused with `error_(caller)`.
    function rowOfCallers(bytes memory data, uint256 allowed, bytes4 error_) private {
        for (uint256 i = 0; i < ACTORS; i++) {
            cell(i, data, allowed, abi.encodeWithSelector(error_, actor(i)));
        }
    }

    function cell(uint256 index, bytes memory data, uint256 allowed, bytes memory expected) private {
        uint256 start = vm.snapshotState();
        if ((allowed >> index) & 1 == 1) does(actor(index), data);
        else refused(actor(index), data, expected);
        holds(vm.revertToState(start), "as before");
        _cells++;
    }

    function actor(uint256 index) private view returns (address) {
        return [sender, operator, verifier, arbiter, pauser, kgc, admin, stranger][index];
    }

    function lacks(address caller, bytes32 role) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRegistry.AccessControlUnauthorizedAccount.selector, caller, role);
    }

    function notSender(address caller) private view returns (bytes memory) {
        return abi.encodeWithSelector(IImageRegistry.NotSender.selector, sampleId(), caller);
    }

    function notArbiter(address caller) private view returns (bytes memory) {
        return abi.encodeWithSelector(IImageRegistry.NotArbiter.selector, sampleId(), caller);
    }
}

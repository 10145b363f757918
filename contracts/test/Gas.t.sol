// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {AnchoredBase} from "./AnchoredBase.sol";
import {TypedData} from "./TypedData.sol";

/// @notice Gas of each act as a transaction of its own: calldata and the 21,000 of every transaction included, on Prague rules, by actors that have acted before.
/// forge test compares it with contracts/gas, to the unit; `scripts/contract gas` writes that file.
/// forge-config: default.isolate = true
contract GasTest is AnchoredBase {
    bytes32 private _imageId;

    function setUp() public override {
        super.setUp();
        // Warm actors: nonces and the audit head are not zero, counters have moved.
        _imageId = registerSample();
        logLook(sample().contentHash);
        relayLook(sample().contentHash);
    }

    function test_Register() public {
        IImageRegistry.Registration memory registration = fresh("direct");
        costs("register, direct", sender, abi.encodeCall(registry.register, (registration, "")));
        registration = fresh("relayed");
        relays("register, relayed", registration);
        registration = fresh("relayed, spelled out");
        registration.cid = bytes.concat(hex"01701220", keccak256("a root"));
        registration.capsulesCid = bytes.concat(hex"01701220", keccak256("another"));
        relays("register, relayed, both CIDs spelled out", registration);
    }

    function test_Batch() public {
        IImageRegistry.Batch memory batch = sampleBatch(0, 100);
        bytes memory signature = signed(SENDER_KEY, TypedData.structHash(batch));
        bytes memory data = abi.encodeCall(registry.registerBatch, (batch, signature));
        costs("registerBatch, relayed, 100 images", relayer, data);
        batch = sampleBatch(100, 10);
        costs("registerBatch, direct, 10 images", sender, abi.encodeCall(registry.registerBatch, (batch, "")));
    }

    /// @dev A tree of 1,000 leaves has proofs of 10 siblings.
    function test_Anchor() public {
        IImageRegistry.Anchor memory anchor = sampleAnchor();
        bytes memory signature = signed(SENDER_KEY, TypedData.structHash(anchor));
        costs("anchor, relayed, 1000 images", relayer, abi.encodeCall(registry.anchor, (anchor, signature)));
        bytes32[] memory tree = anchorTree(1000);
        costs("materialize, of 1000 images", relayer, materialization(tree[0], sampleLeaf(7), proofOf(tree, 7)));
    }

    function test_Verification() public {
        IImageRegistry.Verification memory verification = look(sample().contentHash);
        verification.nonce = 0;
        verification.deadline = 0;
        bytes memory data = abi.encodeCall(registry.recordVerification, (verification, ""));
        costs("recordVerification, valid, direct", verifier, data);
        relayLook(sample().contentHash);
        vm.snapshotGasLastCall("recordVerification, valid, relayed");
        logLook(OTHER_HASH);
        vm.snapshotGasLastCall("recordVerification, invalid, raises a flag, direct");
        costs("dismissFlag, direct", sender, abi.encodeCall(registry.dismissFlag, (_imageId, newestFlag(_imageId))));
        logLook(OTHER_HASH);
        IImageRegistry.FlagDecision memory dismissal =
            IImageRegistry.FlagDecision(_imageId, newestFlag(_imageId), false, sender, NOW + 1 hours);
        bytes memory signature = signed(SENDER_KEY, TypedData.structHash(dismissal));
        costs("decideFlagFor, relayed", relayer, abi.encodeCall(registry.decideFlagFor, (dismissal, signature)));
        logLook(OTHER_HASH);
        costs("confirmFlag, direct", arbiter, abi.encodeCall(registry.confirmFlag, (_imageId, newestFlag(_imageId))));
        costs("invalidateNonce", verifier, abi.encodeCall(registry.invalidateNonce, ()));
    }

    function test_Grant() public {
        costs("grant, new, direct", sender, abi.encodeCall(registry.grant, (_imageId, reader, NOW + 30 days)));
        costs("grant, again, direct", sender, abi.encodeCall(registry.grant, (_imageId, reader, NOW + 31 days)));
        relayGrant(reader, 2);
        vm.snapshotGasLastCall("grant, again, relayed");
        relayGrant(stranger, 0);
        vm.snapshotGasLastCall("grant, new, relayed");
        costs("revoke, direct", sender, abi.encodeCall(registry.revoke, (_imageId, reader)));
        IImageRegistry.Revocation memory revocation =
            IImageRegistry.Revocation(_imageId, stranger, 1, sender, 0, NOW + 1 hours);
        bytes memory signature = signed(SENDER_KEY, TypedData.structHash(revocation));
        costs("revoke, relayed", relayer, abi.encodeCall(registry.revokeFor, (revocation, signature)));
    }

    function test_Operator() public {
        costs("setOperator, new, direct", sender, abi.encodeCall(registry.setOperator, (operator, true)));
        IImageRegistry.OperatorChange memory change =
            IImageRegistry.OperatorChange(sender, stranger, true, 0, NOW + 1 hours);
        bytes memory signature = signed(SENDER_KEY, TypedData.structHash(change));
        costs("setOperator, new, relayed", relayer, abi.encodeCall(registry.setOperatorFor, (change, signature)));
        costs("grant, new, by an operator", operator, abi.encodeCall(registry.grant, (_imageId, reader, NOW)));
    }

    function test_Capsules() public {
        bytes memory data = abi.encodeCall(registry.updateCapsules, (_imageId, 0, OTHER_HASH, ""));
        costs("updateCapsules, first, direct", sender, data);
        data = abi.encodeCall(registry.updateCapsules, (_imageId, 1, ROOT, ""));
        costs("updateCapsules, again, direct", sender, data);
        IImageRegistry.CapsulesUpdate memory update =
            IImageRegistry.CapsulesUpdate(_imageId, 2, OTHER_HASH, "", sender, 0, NOW + 1 hours);
        bytes memory signature = signed(SENDER_KEY, TypedData.structHash(update));
        costs(
            "updateCapsules, again, relayed", relayer, abi.encodeCall(registry.updateCapsulesFor, (update, signature))
        );
    }

    function test_KeyCenter() public {
        costs("publishKgcKey, first", kgc, abi.encodeCall(registry.publishKgcKey, (KGC, 1, OTHER_HASH, kgc)));
        costs("publishKgcKey, next", kgc, abi.encodeCall(registry.publishKgcKey, (KGC, 2, OTHER_HASH, kgc)));
        costs("retireKgcKey", kgc, abi.encodeCall(registry.retireKgcKey, (KGC, 1)));
        costs("anchorLog, first", kgc, abi.encodeCall(registry.anchorLog, (LOG, 1, OTHER_HASH)));
        costs("anchorLog, next", kgc, abi.encodeCall(registry.anchorLog, (LOG, 2, OTHER_HASH)));
        costs("anchorCapsules", kgc, abi.encodeCall(registry.anchorCapsules, (ROOT, 1000, CID)));
    }

    function test_Pause() public {
        costs("pause, first", pauser, abi.encodeCall(registry.pause, ()));
        costs("unpause", pauser, abi.encodeCall(registry.unpause, ()));
        costs("grantRole", admin, abi.encodeCall(registry.grantRole, (keccak256("KGC_ROLE"), stranger)));
    }

    // ---- what is sent ----

    /// @dev `caller` sends `data`, and what that cost is kept under `name`.
    function costs(string memory name, address caller, bytes memory data) private {
        vm.prank(caller);
        (bool done,) = address(registry).call(data);
        vm.snapshotGasLastCall(name);
        holds(done, name);
    }

    function relays(string memory name, IImageRegistry.Registration memory registration) private {
        bytes memory signature = sign(SENDER_KEY, registration);
        costs(name, relayer, abi.encodeCall(registry.register, (registration, signature)));
    }

    function fresh(bytes32 salt) private view returns (IImageRegistry.Registration memory registration) {
        registration = sample();
        registration.salt = keccak256(abi.encode(salt));
        registration.cid = "";
        registration.capsulesCid = "";
    }

    function relayLook(bytes32 observedHash) private {
        IImageRegistry.Verification memory verification = look(observedHash);
        bytes memory signature = sign(VERIFIER_KEY, verification);
        vm.prank(relayer);
        registry.recordVerification(verification, signature);
    }

    function relayGrant(address wallet, uint128 accessSeq) private {
        IImageRegistry.Grant memory grant =
            IImageRegistry.Grant(_imageId, wallet, NOW + 30 days, accessSeq, sender, 0, NOW + 1 hours);
        bytes memory signature = signed(SENDER_KEY, TypedData.structHash(grant));
        vm.prank(relayer);
        registry.grantFor(grant, signature);
    }
}

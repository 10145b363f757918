// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../../src/IImageRegistry.sol";
import {Symbolic} from "./Symbolic.sol";

/// @notice Eight properties, shown by Halmos for all values of their arguments. Each has a twin, `check_twin_`, whose claim is the property without what makes it true:
/// it must fail, or the property holds of nothing (no path reaches its end).
contract Checks is Symbolic {
    // ---- 1. image ids ----

    function check_IdsAreEqualOnlyForEqualSendersAndSalts(address a, bytes32 s, address b, bytes32 t) public view {
        bool equal = registry.imageIdOf(a, s) == registry.imageIdOf(b, t);
        if (a == b && s == t) assert(equal);
        else assert(!equal);
    }

    function check_twin_IdsAreNeverEqual(address a, bytes32 s, address b, bytes32 t) public view {
        assert(registry.imageIdOf(a, s) != registry.imageIdOf(b, t));
    }

    // ---- 2. what a verification says and does ----

    function check_AnEntryIsValidWhenTheHashesAreEqual(bytes32 contentHash, bytes32 observedHash, address by) public {
        (bool done, bool valid, IImageRegistry.Record memory record) = look(contentHash, observedHash, by);
        if (!done) return;
        assert(valid == (observedHash == contentHash));
        bool flagged = record.state == IImageRegistry.RecordState.Flagged;
        assert(flagged == (!valid && by == VERIFIER));
        assert(record.contentHash == contentHash && record.verifications == 1);
    }

    function check_twin_EveryEntryIsValid(bytes32 contentHash, bytes32 observedHash, address by) public {
        (bool done, bool valid,) = look(contentHash, observedHash, by);
        assert(!done || valid);
    }

    function check_twin_NoEntryRaisesAFlag(bytes32 contentHash, bytes32 observedHash, address by) public {
        (,, IImageRegistry.Record memory record) = look(contentHash, observedHash, by);
        assert(record.state == IImageRegistry.RecordState.Registered);
    }

    function look(bytes32 contentHash, bytes32 observedHash, address by)
        private
        returns (bool done, bool valid, IImageRegistry.Record memory record)
    {
        VM.assume(contentHash != 0);
        bytes32 imageId = register(contentHash);
        IImageRegistry.Verification memory entry =
            IImageRegistry.Verification(imageId, by, observedHash, uint64(NOW), 0, 0);
        VM.prank(by);
        bytes memory answer;
        (done, answer) = address(registry).call(abi.encodeCall(registry.recordVerification, (entry, "")));
        if (done) valid = abi.decode(answer, (bool));
        record = registry.recordOf(imageId);
    }

    // ---- 3. who is authorized ----

    function check_AccessIsAsGrantedAndRevoked(address wallet, uint64 expiry, bool granted, bool revoked, uint64 later)
        public
    {
        (bool lasts, bool authorized) = access(wallet, expiry, granted, revoked, later);
        if (wallet == SENDER) assert(authorized);
        else assert(authorized == (lasts && !revoked && NOW + later <= expiry));
    }

    function check_twin_NobodyIsAuthorized(address wallet, uint64 expiry, bool granted, bool revoked, uint64 later)
        public
    {
        VM.assume(wallet != SENDER);
        (, bool authorized) = access(wallet, expiry, granted, revoked, later);
        assert(!authorized);
    }

    function access(address wallet, uint64 expiry, bool granted, bool revoked, uint64 later)
        private
        returns (bool lasts, bool authorized)
    {
        bytes32 imageId = register(CONTENT);
        if (granted) lasts = send(SENDER, abi.encodeCall(registry.grant, (imageId, wallet, expiry)));
        if (revoked) send(SENDER, abi.encodeCall(registry.revoke, (imageId, wallet)));
        VM.assume(later < type(uint64).max - NOW);
        VM.warp(NOW + later);
        authorized = registry.isAuthorized(imageId, wallet);
    }

    // ---- 4. roles ----

    function check_RolesAloneOpenTheirFunctions(address caller, uint8 which) public {
        (bool done, address only) = govern(caller, which);
        assert(!done || caller == only);
    }

    function check_twin_NobodyMayGovern(address caller, uint8 which) public {
        (bool done,) = govern(caller, which);
        assert(!done);
    }

    function govern(address caller, uint8 which) private returns (bool done, address only) {
        bytes memory data;
        (data, only) = (abi.encodeCall(registry.supersede, (address(this))), ADMIN);
        if (which == 1) (data, only) = (abi.encodeCall(registry.pause, ()), PAUSER);
        if (which == 2) (data, only) = (abi.encodeCall(registry.publishKgcKey, (SALT, 1, SALT, KGC)), KGC);
        if (which == 3) (data, only) = (abi.encodeCall(registry.anchorLog, (SALT, 1, SALT)), KGC);
        if (which == 4) (data, only) = (abi.encodeCall(registry.anchorCapsules, (SALT, 1, hex"01")), KGC);
        if (which == 5) (data, only) = (abi.encodeCall(registry.grantRole, (registry.KGC_ROLE(), caller)), ADMIN);
        if (which == 6) (data, only) = (abi.encodeCall(registry.revokeRole, (registry.KGC_ROLE(), KGC)), ADMIN);
        if (which == 7) (data, only) = (abi.encodeCall(registry.beginDefaultAdminTransfer, (caller)), ADMIN);
        done = send(caller, data);
    }

    // ---- 5. nonces ----

    function check_NoncesOnlyRise(address caller, address wallet, bool cancels, uint256 nonce) public {
        (uint256 before, uint256 afterwards, bool done) = useNonce(caller, wallet, cancels, nonce);
        assert(afterwards >= before);
        if (done && cancels && caller == wallet) {
            assert(afterwards >> 192 == (before >> 192) + 1 && uint128(afterwards) == 0);
        }
        if (!done) assert(afterwards == before);
    }

    function check_twin_NoncesStay(address caller, address wallet, bool cancels, uint256 nonce) public {
        (uint256 before, uint256 afterwards,) = useNonce(caller, wallet, cancels, nonce);
        assert(afterwards == before);
    }

    function check_twin_NoSignatureIsTaken(address caller, address wallet, uint256 nonce) public {
        (uint256 before, uint256 afterwards,) = useNonce(caller, wallet, false, nonce);
        assert(afterwards == before);
    }

    /// @dev Any wallet cancels, or any 65 bytes are relayed as any verifier's signature.
    function useNonce(address caller, address wallet, bool cancels, uint256 nonce)
        private
        returns (uint256 before, uint256 afterwards, bool done)
    {
        bytes32 imageId = register(CONTENT);
        VM.assume(
            wallet != address(registry) && wallet != address(this) && wallet != address(VM) && wallet != address(SVM)
        );
        before = registry.nonces(wallet);
        IImageRegistry.Verification memory entry =
            IImageRegistry.Verification(imageId, wallet, CONTENT, uint64(NOW), nonce, uint64(NOW));
        bytes memory signature = SVM.createBytes(65, "signature");
        done = send(
            caller,
            cancels
                ? abi.encodeCall(registry.invalidateNonce, ())
                : abi.encodeCall(registry.recordVerification, (entry, signature))
        );
        afterwards = registry.nonces(wallet);
    }

    // ---- 6. leaves and inner nodes ----

    function check_NoInnerNodeIsALeaf(bytes32 a, bytes32 b, IImageRegistry.Leaf memory leaf) public {
        bytes32 root = keccak256(bytes.concat(a, b));
        leaf.cid = "";
        assert(!verifyLeaf(root, leaf));
    }

    function check_twin_NoRootIsALeaf(bytes32 root, IImageRegistry.Leaf memory leaf) public {
        leaf.cid = "";
        VM.assume(root != 0);
        assert(!verifyLeaf(root, leaf));
    }

    function verifyLeaf(bytes32 root, IImageRegistry.Leaf memory leaf) private returns (bool) {
        IImageRegistry.Anchor memory anchored = IImageRegistry.Anchor(SENDER, root, 1, hex"01", uint64(NOW));
        VM.prank(SENDER);
        registry.anchor(anchored, "");
        (bool done, bytes memory answer) =
            address(registry).call(abi.encodeCall(registry.verifyLeaf, (SENDER, root, leaf, new bytes32[](0))));
        return done && abi.decode(answer, (bool));
    }

    // ---- 7. registered again ----

    function check_RegisteringAgainChangesNothing(address caller, bytes32 contentHash, bytes32 rest, uint64 size)
        public
    {
        (bytes32 before, bytes32 afterwards, bytes32 found, bool done) = again(caller, SALT, contentHash, rest, size);
        assert(before == afterwards);
        assert(found == CONTENT);
        assert(done == (contentHash == CONTENT));
    }

    function check_twin_RegisteringChangesNothing(
        address caller,
        bytes32 salt,
        bytes32 contentHash,
        bytes32 rest,
        uint64 size
    ) public {
        (bytes32 before, bytes32 afterwards,,) = again(caller, salt, contentHash, rest, size);
        assert(before == afterwards);
    }

    /// @dev Everything but the id may differ, and who sends it.
    function again(address caller, bytes32 salt, bytes32 contentHash, bytes32 rest, uint64 size)
        private
        returns (bytes32 before, bytes32 afterwards, bytes32 found, bool done)
    {
        bytes32 imageId = register(CONTENT);
        before = trail();
        VM.assume(contentHash != 0);
        IImageRegistry.Registration memory second = registration(salt, contentHash);
        (second.headerHash, second.capsulesHash, second.size) = (rest, rest, size);
        done = send(caller, abi.encodeCall(registry.register, (second, "")));
        afterwards = trail();
        found = registry.recordOf(imageId).contentHash;
    }

    // ---- 8. the pause ----

    function check_APauseStopsItsActs(uint8 which, uint64 later) public {
        bool done = whilePaused(which, later);
        if (later <= 7 days) assert(!done);
    }

    function check_twin_APauseNeverEnds(uint8 which, uint64 later) public {
        assert(!whilePaused(which, later));
    }

    function whilePaused(uint8 which, uint64 later) private returns (bool) {
        bytes32 imageId = register(CONTENT);
        VM.prank(PAUSER);
        registry.pause();
        VM.assume(later < type(uint48).max - NOW);
        VM.warp(NOW + later);
        IImageRegistry.Anchor memory anchored = IImageRegistry.Anchor(SENDER, SALT, 1, hex"01", uint64(NOW));
        bytes memory data = abi.encodeCall(registry.register, (registration(CONTENT, CONTENT), ""));
        if (which == 1) data = abi.encodeCall(registry.anchor, (anchored, ""));
        if (which == 2) data = abi.encodeCall(registry.grant, (imageId, KGC, type(uint64).max));
        if (which == 3) data = abi.encodeCall(registry.setOperator, (KGC, true));
        if (which == 4) data = abi.encodeCall(registry.updateCapsules, (imageId, 0, SALT, ""));
        if (which == 5) return send(KGC, abi.encodeCall(registry.anchorCapsules, (SALT, 1, hex"01")));
        return send(SENDER, data);
    }
}

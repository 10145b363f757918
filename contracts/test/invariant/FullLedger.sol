// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../../src/IImageRegistry.sol";
import {Vm} from "../Cheats.sol";
import {Ledger} from "./Ledger.sol";

/// @notice The other half of the rules: access, operators and capsules (I7, I10), keys and logs of KGCs, roles, pause (I12), succession.
abstract contract FullLedger is Ledger {
    error UnknownEvent(bytes32 kind);

    struct Line {
        address publisher;
        uint32 lastEpoch;
    }

    mapping(bytes32 imageId => mapping(address wallet => IImageRegistry.Access)) internal accesses;
    mapping(address sender => mapping(address speaker => IImageRegistry.Operator)) internal operators;
    mapping(bytes32 kgcId => Line) internal lines;
    mapping(bytes32 kgcId => mapping(uint32 epoch => IImageRegistry.KgcKey)) internal keys;
    mapping(address kgc => mapping(bytes32 logId => IImageRegistry.LogHead)) internal logHeads;
    mapping(address kgc => mapping(bytes32 root => IImageRegistry.AnchorRecord)) internal capsuleAnchors;
    mapping(uint64 draw => bool) private _everDrawn;
    address internal currentAdmin;
    address internal successor;
    /// @dev Seconds of a pause that are there to be used, at the time when that last changed.
    uint48 internal pauseLeft = 7 days;
    uint48 internal pauseLeftAt = uint48(NOW);

    function takeOther(Vm.Log memory log) internal override {
        bytes32 kind = log.topics[0];
        if (kind == IImageRegistry.AccessGranted.selector) takeGranted(log);
        else if (kind == IImageRegistry.AccessRevoked.selector) takeRevoked(log);
        else if (kind == IImageRegistry.OperatorSet.selector) takeOperatorSet(log);
        else if (kind == IImageRegistry.CapsulesUpdated.selector) takeCapsulesUpdated(log);
        else if (kind == IImageRegistry.KgcKeyPublished.selector) takePublished(log);
        else if (kind == IImageRegistry.KgcKeyRetired.selector) takeRetired(log);
        else if (kind == IImageRegistry.LogAnchored.selector) takeLogAnchored(log);
        else if (kind == IImageRegistry.CapsulesAnchored.selector) takeCapsulesAnchored(log);
        else if (kind == IImageRegistry.RoleChanged.selector) takeRoleChanged(log);
        else if (kind == IImageRegistry.AdminPlanned.selector) takeAdminPlanned(log);
        else if (kind == IImageRegistry.Paused.selector) takePaused(log);
        else if (kind == IImageRegistry.Unpaused.selector) takeUnpaused(log);
        else if (kind == IImageRegistry.Superseded.selector) takeSuperseded(log);
        else revert UnknownEvent(kind);
    }

    // ---- access, operators, capsules ----

    function takeGranted(Vm.Log memory log) private {
        (bytes32 imageId, address reader_) = (log.topics[1], wallet(log.topics[2]));
        (uint64 expiry, uint128 accessSeq) = abi.decode(log.data, (uint64, uint128));
        requireOpen();
        requireSpeaker(imageId, wallet(log.topics[3]));
        holds(expiry >= clock, "no grant is over before it begins");
        same(accesses[imageId][reader_].seq + 1, accessSeq);
        accesses[imageId][reader_] = IImageRegistry.Access(expiry, accessSeq, uint64(height));
    }

    function takeRevoked(Vm.Log memory log) private {
        (bytes32 imageId, address reader_) = (log.topics[1], wallet(log.topics[2]));
        uint128 accessSeq = abi.decode(log.data, (uint128));
        requireSpeaker(imageId, wallet(log.topics[3]));
        requireDrawn(accesses[imageId][reader_].seq, accessSeq);
        accesses[imageId][reader_] = IImageRegistry.Access(0, accessSeq, uint64(height));
    }

    function takeOperatorSet(Vm.Log memory log) private {
        (address sender_, address speaker, bool allowed) =
            (wallet(log.topics[1]), wallet(log.topics[2]), log.topics[3] != 0);
        uint128 operatorSeq = abi.decode(log.data, (uint128));
        if (allowed) requireOpen();
        if (allowed) same(operators[sender_][speaker].seq + 1, operatorSeq);
        else requireDrawn(operators[sender_][speaker].seq, operatorSeq);
        operators[sender_][speaker] = IImageRegistry.Operator(allowed, operatorSeq);
    }

    function takeCapsulesUpdated(Vm.Log memory log) private {
        bytes32 imageId = log.topics[1];
        bytes32 hash = abi.decode(log.data, (bytes32));
        requireOpen();
        requireSpeaker(imageId, wallet(log.topics[3]));
        same(uint256(images[imageId].capsules.version) + 1, uint256(log.topics[2]));
        images[imageId].capsules = IImageRegistry.Capsules(hash, images[imageId].capsules.version + 1);
    }

    /// @dev Nobody but the sender, its speaker or a signature of theirs changes access and capsules (I10).
    function requireSpeaker(bytes32 imageId, address by) private view {
        address sender_ = existing(imageId).record.sender;
        holds(by == sender_ || operators[sender_][by].allowed, "only the sender and its operators speak for an image");
    }

    /// @dev The number after a revocation: higher, and no other revocation's, so that nobody can have foretold it.
    function requireDrawn(uint128 before, uint128 seq) private {
        same((before >> 96) + 1, seq >> 96);
        same(0, uint32(seq));
        uint64 draw = uint64(seq >> 32);
        holds(draw != 0 && !_everDrawn[draw], "a number is drawn once");
        _everDrawn[draw] = true;
    }

    // ---- KGCs ----

    function takePublished(Vm.Log memory log) private {
        (bytes32 kgcId, uint32 epoch, address publisher) =
            (log.topics[1], uint32(uint256(log.topics[2])), wallet(log.topics[3]));
        (bytes32 x25519, address receiptSigner) = abi.decode(log.data, (bytes32, address));
        requirePublisher(kgcId, publisher);
        same(lines[kgcId].lastEpoch + 1, epoch);
        lines[kgcId] = Line(publisher, epoch);
        keys[kgcId][epoch] = IImageRegistry.KgcKey(x25519, receiptSigner, epoch, false);
    }

    function takeRetired(Vm.Log memory log) private {
        (bytes32 kgcId, uint32 epoch) = (log.topics[1], uint32(uint256(log.topics[2])));
        requirePublisher(kgcId, wallet(log.topics[3]));
        IImageRegistry.KgcKey storage key = keys[kgcId][epoch];
        holds(key.epoch != 0 && !key.retired, "a key is retired once");
        key.retired = true;
    }

    function takeLogAnchored(Vm.Log memory log) private {
        (address by, bytes32 logId, uint64 logSeq) =
            (wallet(log.topics[1]), log.topics[2], uint64(uint256(log.topics[3])));
        requireRole("KGC_ROLE", by);
        holds(logSeq > logHeads[by][logId].seq, "a log only grows");
        logHeads[by][logId] = IImageRegistry.LogHead(abi.decode(log.data, (bytes32)), logSeq, clock);
    }

    function takeCapsulesAnchored(Vm.Log memory log) private {
        (address by, bytes32 root) = (wallet(log.topics[1]), log.topics[2]);
        requireOpen();
        requireRole("KGC_ROLE", by);
        holds(capsuleAnchors[by][root].count == 0, "a set of capsules is anchored once");
        capsuleAnchors[by][root] = IImageRegistry.AnchorRecord(abi.decode(log.data, (uint32)), clock);
    }

    function requirePublisher(bytes32 kgcId, address by) private view {
        address publisher = lines[kgcId].publisher;
        requireRole("KGC_ROLE", by);
        holds(by == publisher || !hasRole[keccak256("KGC_ROLE")][publisher], "one wallet publishes the keys of a KGC");
    }

    // ---- governance ----

    function takeRoleChanged(Vm.Log memory log) private {
        (bytes32 role, address account, bool granted) = (log.topics[1], wallet(log.topics[2]), log.topics[3] != 0);
        address by = abi.decode(log.data, (address));
        bool accepts = role == 0 && by == registry.defaultAdmin();
        bool constructs = by == address(this);
        holds(by == currentAdmin || accepts || constructs || by == account, "the admin gives and takes roles");
        holds(by != account || !granted || accepts, "an account gives up a role by itself, and no more");
        holds(hasRole[role][account] != granted, "only changes are events");
        hasRole[role][account] = granted;
        if (role == 0 && granted) currentAdmin = account;
    }

    function takeAdminPlanned(Vm.Log memory log) private view {
        (,, address by) = abi.decode(log.data, (uint48, uint48, address));
        same(currentAdmin, by);
    }

    function takePaused(Vm.Log memory log) private {
        uint48 until = abi.decode(log.data, (uint48));
        requireRole("PAUSER_ROLE", wallet(log.topics[1]));
        uint48 left = pauseLeftNow();
        holds(left >= 1 days, "as long without a pause as with one");
        same(clock + left, until);
        (pausedUntil, pauseLeft, pauseLeftAt) = (until, 0, until);
    }

    function takeUnpaused(Vm.Log memory log) private {
        requireRole("PAUSER_ROLE", wallet(log.topics[1]));
        holds(pausedUntil != 0, "only a pause is ended");
        if (clock < pausedUntil) (pauseLeft, pauseLeftAt) = (pausedUntil - clock, clock);
        pausedUntil = 0;
    }

    /// @dev A second of pause is given back in each second without.
    function pauseLeftNow() internal view returns (uint48 left) {
        if (clock < pauseLeftAt) return 0;
        left = pauseLeft + (clock - pauseLeftAt);
        if (left > 7 days) left = 7 days;
    }

    function takeSuperseded(Vm.Log memory log) private {
        same(currentAdmin, wallet(log.topics[2]));
        same(address(0), successor);
        successor = wallet(log.topics[1]);
    }

    function requireRole(string memory role, address account) internal view {
        holds(hasRole[keccak256(bytes(role))][account], "roles act alone");
    }
}

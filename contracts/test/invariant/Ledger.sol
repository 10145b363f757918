// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../../src/IImageRegistry.sol";
import {Auditor} from "../Auditor.sol";
import {Base} from "../Base.sol";
import {Vm} from "../Cheats.sol";

/// @notice Rebuilds the registry's whole state from its events alone, and refuses every event that the rules of `IImageRegistry` do not
/// allow in that state. This half: the chain (I5), records and anchors (I1, I3), the verification log and its flags (I4, I6, I11).
abstract contract Ledger is Base {
    struct Image {
        IImageRegistry.Record record;
        IImageRegistry.Flag flag;
        IImageRegistry.Capsules capsules;
        uint40 valid;
        uint40 invalid;
        uint40 invalidOfVerifiers;
    }

    /// @dev The chain's time, height and id: what is read from the block itself, the compiler may read before a cheat code changes it.
    uint48 internal clock = uint48(NOW);
    uint256 internal height = 100;
    uint256 internal chain = 31337;
    /// @dev What slot 0 must hold.
    bytes32 internal trail;
    uint40 internal numbered;
    /// @dev How many records there must be.
    uint256 internal recorded;
    uint48 internal pausedUntil;
    mapping(bytes32 imageId => Image) internal images;
    mapping(address wallet => uint256) internal nonces;
    mapping(address sender => mapping(bytes32 root => IImageRegistry.AnchorRecord)) internal anchors;
    mapping(bytes32 role => mapping(address account => bool)) internal hasRole;
    uint256 private _pendingItems;
    mapping(bytes32 imageId => mapping(uint64 flagId => mapping(address verifier => bool))) internal flaggedBy;
    mapping(uint256 nonce => bool) internal everNonce;
    bytes32 private _pendingFlag;
    address private _pendingVerifier;

    function takeOther(Vm.Log memory log) internal virtual;

    /// @dev Takes in all events of one transaction.
    function take(Vm.Log[] memory logs) internal {
        for (uint256 i = 0; i < logs.length; i++) {
            holds(logs[i].emitter == address(registry), "nobody else emits events");
            if (Auditor.isOpenZeppelins(logs[i].topics[0])) continue;
            if (logs[i].topics[0] != IImageRegistry.RegisteredInBatch.selector) {
                Auditor.Entry memory entry = Auditor.Entry(logs[i].topics, logs[i].data, height, clock);
                trail = bytes32(Auditor.next(uint256(trail), entry));
                numbered++;
                same(trail, Auditor.trailOf(entry));
            }
            takeOne(logs[i]);
        }
        holds(_pendingFlag == 0, "a verifier's invalid entry raises a flag");
        same(0, _pendingItems);
    }

    function takeOne(Vm.Log memory log) private {
        bytes32 kind = log.topics[0];
        if (kind == IImageRegistry.Registered.selector) takeRegistered(log);
        else if (kind == IImageRegistry.RegisteredInBatch.selector) takeRegisteredInBatch(log);
        else if (kind == IImageRegistry.BatchRegistered.selector) takeBatchRegistered(log);
        else if (kind == IImageRegistry.Anchored.selector) takeAnchored(log);
        else if (kind == IImageRegistry.Materialized.selector) takeMaterialized(log);
        else if (kind == IImageRegistry.Verified.selector) takeVerified(log);
        else if (kind == IImageRegistry.FlagRaised.selector) takeFlagRaised(log);
        else if (kind == IImageRegistry.FlagJoined.selector) takeFlagJoined(log);
        else if (kind == IImageRegistry.FlagConfirmed.selector) takeDecision(log, true);
        else if (kind == IImageRegistry.FlagDismissed.selector) takeDecision(log, false);
        else if (kind == IImageRegistry.NonceInvalidated.selector) takeNonceInvalidated(log);
        else takeOther(log);
    }

    // ---- records ----

    function takeRegistered(Vm.Log memory log) private {
        (bytes32 salt, bytes32 contentHash) = abi.decode(log.data, (bytes32, bytes32));
        takeRecord(log, salt, contentHash, clock);
    }

    function takeRegisteredInBatch(Vm.Log memory log) private {
        (bytes32 salt, bytes32 contentHash) = abi.decode(log.data, (bytes32, bytes32));
        takeRecord(log, salt, contentHash, clock);
        _pendingItems++;
    }

    function takeBatchRegistered(Vm.Log memory log) private {
        (uint256 count, uint256 skipped) = abi.decode(log.data, (uint256, uint256));
        for (uint256 i = 0; i < count; i++) {
            if ((skipped >> i) & 1 == 0) _pendingItems--;
        }
        holds(skipped >> count == 0, "only items are skipped");
    }

    function takeAnchored(Vm.Log memory log) private {
        (address sender_, bytes32 root) = (wallet(log.topics[1]), log.topics[2]);
        uint32 count = abi.decode(log.data, (uint32));
        requireOpen();
        holds(count != 0 && anchors[sender_][root].count == 0, "a root is anchored once");
        anchors[sender_][root] = IImageRegistry.AnchorRecord(count, clock);
    }

    function takeMaterialized(Vm.Log memory log) private {
        (bytes32 salt, bytes32 contentHash) = abi.decode(log.data, (bytes32, bytes32));
        IImageRegistry.AnchorRecord memory anchored = anchors[wallet(log.topics[2])][log.topics[3]];
        holds(anchored.count != 0, "a leaf has an anchor");
        takeRecord(log, salt, contentHash, anchored.anchoredAt);
    }

    function takeRecord(Vm.Log memory log, bytes32 salt, bytes32 contentHash, uint48 registeredAt) private {
        (bytes32 imageId, address sender_) = (log.topics[1], wallet(log.topics[2]));
        requireOpen();
        same(keccak256(abi.encode(chain, address(registry), sender_, salt)), imageId);
        IImageRegistry.Record storage record = images[imageId].record;
        holds(record.state == IImageRegistry.RecordState.Absent, "an image is recorded once");
        record.contentHash = contentHash;
        record.sender = sender_;
        record.registeredAt = registeredAt;
        record.state = IImageRegistry.RecordState.Registered;
        recorded++;
    }

    // ---- verifications and flags ----

    function takeVerified(Vm.Log memory log) private {
        (bytes32 imageId, address by, bool valid) = (log.topics[1], wallet(log.topics[2]), log.topics[3] != 0);
        (bytes32 observedHash, uint64 observedAt, uint256 nonce,, uint40 number, bytes memory signature) =
            abi.decode(log.data, (bytes32, uint64, uint256, uint64, uint40, bytes));
        Image storage image = existing(imageId);
        holds(valid == (observedHash == image.record.contentHash), "valid is what the hashes say");
        holds(observedAt <= clock + 60, "nobody sees the future");
        holds(observedAt + 60 >= image.record.registeredAt, "nor what is not there yet");
        same(++image.record.verifications, number);
        if (signature.length != 0) same(nonces[by]++, nonce);
        else same(0, nonce);
        if (valid) image.valid++;
        else image.invalid++;
        if (!valid && hasRole[keccak256("VERIFIER_ROLE")][by]) image.invalidOfVerifiers++;
        bool flags = !valid && hasRole[keccak256("VERIFIER_ROLE")][by];
        bool joins = image.record.state == IImageRegistry.RecordState.Flagged && !flaggedBy[imageId][image.flag.id][by];
        if (flags && (joins || image.record.state == IImageRegistry.RecordState.Registered)) {
            (_pendingFlag, _pendingVerifier) = (imageId, by);
        }
    }

    function takeFlagRaised(Vm.Log memory log) private {
        bytes32 imageId = log.topics[1];
        holds(imageId == _pendingFlag && wallet(log.topics[3]) == _pendingVerifier, "a flag has its entry");
        _pendingFlag = 0;
        Image storage image = existing(imageId);
        holds(image.record.state == IImageRegistry.RecordState.Registered, "one flag is open at a time");
        uint64 id = uint64(uint256(log.topics[2]));
        same((image.flag.id >> 32) + 1, id >> 32);
        image.flag = IImageRegistry.Flag(id, IImageRegistry.FlagState.Open, clock, 1, _pendingVerifier);
        flaggedBy[imageId][id][_pendingVerifier] = true;
        image.record.state = IImageRegistry.RecordState.Flagged;
        holds(id >> 32 <= image.invalidOfVerifiers, "no flag without an invalid entry of its own");
    }

    /// @dev Another verifier's entry while the flag is open; each counts once.
    function takeFlagJoined(Vm.Log memory log) private {
        bytes32 imageId = log.topics[1];
        holds(imageId == _pendingFlag && wallet(log.topics[3]) == _pendingVerifier, "who joins has its entry");
        _pendingFlag = 0;
        Image storage image = existing(imageId);
        same(IImageRegistry.FlagState.Open, image.flag.state);
        same(image.flag.id, uint256(log.topics[2]));
        holds(!flaggedBy[imageId][image.flag.id][_pendingVerifier], "a verifier counts once");
        flaggedBy[imageId][image.flag.id][_pendingVerifier] = true;
        image.flag.verifiers++;
    }

    function takeDecision(Vm.Log memory log, bool confirmed) private {
        (uint256 flagId, address by) = (uint256(log.topics[2]), wallet(log.topics[3]));
        Image storage image = existing(log.topics[1]);
        bool arbitrates = hasRole[keccak256("ARBITER_ROLE")][by];
        holds(arbitrates || (!confirmed && by == image.record.sender), "an arbiter or the sender decides");
        same(IImageRegistry.FlagState.Open, image.flag.state);
        same(image.flag.id, flagId);
        if (confirmed) image.flag.state = IImageRegistry.FlagState.Confirmed;
        else if (by == image.record.sender) image.flag.state = IImageRegistry.FlagState.DismissedBySender;
        else image.flag.state = IImageRegistry.FlagState.Dismissed;
        image.record.state = confirmed ? IImageRegistry.RecordState.Tampered : IImageRegistry.RecordState.Registered;
    }

    function takeNonceInvalidated(Vm.Log memory log) private {
        uint256 nonce = abi.decode(log.data, (uint256));
        address by = wallet(log.topics[1]);
        same((nonces[by] >> 192) + 1, nonce >> 192);
        holds(uint128(nonce) == 0 && !everNonce[nonce], "a nonce is drawn");
        everNonce[nonce] = true;
        nonces[by] = nonce;
    }

    // ---- what events are measured by ----

    function existing(bytes32 imageId) internal view returns (Image storage image) {
        image = images[imageId];
        holds(image.record.state != IImageRegistry.RecordState.Absent, "only recorded images have events");
    }

    /// @dev No act that a pause stops happens during one (I12).
    function requireOpen() internal view {
        holds(!isPaused(), "paused registries take nothing new");
    }

    function isPaused() internal view returns (bool) {
        return clock <= pausedUntil;
    }

    function wallet(bytes32 topic) internal pure returns (address) {
        return address(uint160(uint256(topic)));
    }
}

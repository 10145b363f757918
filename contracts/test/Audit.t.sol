// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {ImageRegistry} from "../src/ImageRegistry.sol";
import {Base, Vm} from "./Base.sol";

/// @notice The audit head, recomputed from the events alone as `IImageRegistry` states it.
contract AuditTest is Base {
    /// @dev One event as an auditor gets it from a node.
    struct Entry {
        bytes32[] topics;
        bytes data;
        uint256 blockNumber;
        uint256 time;
    }

    struct RegisteredData {
        bytes32 salt;
        bytes32 contentHash;
        bytes32 headerHash;
        uint64 size;
        bytes cid;
        bytes32 capsulesHash;
        bytes capsulesCid;
        uint64 deadline;
        bytes signature;
        uint40 seq;
        bytes26 head;
    }

    struct VerifiedData {
        bytes32 observedHash;
        uint64 observedAt;
        uint256 nonce;
        uint64 deadline;
        uint40 number;
        bytes signature;
        uint40 seq;
        bytes26 head;
    }

    Entry[] private _entries;

    function setUp() public override {
        vm.warp(NOW);
        vm.roll(100);
        vm.recordLogs();
        registry = new ImageRegistry(admin);
        collect();
        giveRole(registry.VERIFIER_ROLE(), verifier);
        giveRole(registry.ARBITER_ROLE(), arbiter);
        giveRole(registry.KGC_ROLE(), kgc);
        collect();
    }

    function test_TheHeadStartsFromChainAndContract() public view {
        holds(_entries[0].topics[0] == IImageRegistry.RoleChanged.selector, "the admin's role is the first entry");
        (, bytes26 head) = tail(_entries[0]);
        holds(head == next(firstHead(), 1, _entries[0]), "chained to the first head");
    }

    function test_EveryEventIsInTheChain() public {
        everyKind();
        same(0, uint256(breakAt(type(uint256).max)));
        (, uint40 seq) = registry.audit();
        same(_entries.length, seq);
    }

    function test_ADroppedEventIsDetected() public {
        everyKind();
        for (uint256 i = 0; i < _entries.length; i++) {
            holds(breakAt(i) != 0, "the chain breaks where an entry is missing");
        }
    }

    function test_AChangedEventIsDetected() public {
        everyKind();
        for (uint256 i = 0; i < _entries.length; i++) {
            bytes32 good = _entries[i].topics[1];
            _entries[i].topics[1] = ~good;
            same(i + 1, breakAt(type(uint256).max));
            _entries[i].topics[1] = good;
            _entries[i].time++;
            same(i + 1, breakAt(type(uint256).max));
            _entries[i].time--;
            _entries[i].blockNumber++;
            same(i + 1, breakAt(type(uint256).max));
            _entries[i].blockNumber--;
        }
    }

    function test_HeadAndNumberLieInSlotZero() public {
        registerSample();
        (bytes26 head, uint40 seq) = registry.audit();
        uint256 slot = uint256(vm.load(address(registry), 0));
        same(slot, (uint256(seq) << 208) | uint256(uint208(head)));
    }

    function testFuzz_AMixedHistoryIsInTheChain(uint8[20] memory steps) public {
        registerSample();
        collect();
        uint32 epoch;
        for (uint256 i = 0; i < steps.length; i++) {
            vm.warp(block.timestamp + steps[i]);
            vm.roll(block.number + steps[i] % 3);
            uint256 step = within(steps[i], 0, 6);
            if (step == 0) logLook(OTHER_HASH);
            else if (step == 1) logLook(sample().contentHash);
            else if (step == 2) grantReader();
            else if (step == 3) revokeReader();
            else if (step == 4) publish(++epoch);
            else if (step == 5) invalidate(steps[i] % 2 == 0 ? verifier : stranger);
            else registerAnother(keccak256(abi.encode(i)));
            collect();
        }
        same(0, breakAt(type(uint256).max));
        (, uint40 seq) = registry.audit();
        same(_entries.length, seq);
    }

    // ---- the auditor ----

    /// @dev 0 where the chain holds from the first head to the contract's, else the number of the first entry at which it does not;
    /// the entry `dropped` is passed over.
    function breakAt(uint256 dropped) private view returns (uint256) {
        bytes26 head = firstHead();
        uint40 seq = 0;
        for (uint256 i = 0; i < _entries.length; i++) {
            if (i == dropped) continue;
            seq++;
            head = next(head, seq, _entries[i]);
            (uint40 foundSeq, bytes26 foundHead) = tail(_entries[i]);
            if (foundSeq != seq || foundHead != head) return i + 1;
        }
        (bytes26 last, uint40 count) = registry.audit();
        return last == head && count == seq ? 0 : _entries.length + 1;
    }

    function firstHead() private view returns (bytes26) {
        return bytes26(keccak256(abi.encode("MedSeal audit v1", block.chainid, registry)));
    }

    function next(bytes26 head, uint40 seq, Entry storage entry) private view returns (bytes26) {
        bytes32 fieldsHash = keccak256(fields(entry));
        return bytes26(keccak256(abi.encode(head, entry.topics[0], seq, entry.blockNumber, entry.time, fieldsHash)));
    }

    /// @dev The event's arguments without the last two, as `abi.encode` gives them.
    function fields(Entry storage entry) private view returns (bytes memory) {
        bytes32[] memory topics = entry.topics;
        if (topics[0] == IImageRegistry.Registered.selector) {
            RegisteredData memory r = registered(entry);
            return abi.encode(
                topics[1],
                topics[2],
                r.salt,
                r.contentHash,
                r.headerHash,
                r.size,
                r.cid,
                r.capsulesHash,
                r.capsulesCid,
                r.deadline,
                r.signature
            );
        }
        if (topics[0] == IImageRegistry.Verified.selector) {
            VerifiedData memory v = verified(entry);
            return abi.encode(
                topics[1],
                topics[2],
                topics[3],
                v.observedHash,
                v.observedAt,
                v.nonce,
                v.deadline,
                v.number,
                v.signature
            );
        }
        // All others hold words only: the indexed ones, then the data without its last two.
        bytes memory words;
        for (uint256 i = 1; i < topics.length; i++) {
            words = bytes.concat(words, topics[i]);
        }
        bytes memory data = entry.data;
        return bytes.concat(words, part(data, 0, data.length - 64));
    }

    function tail(Entry storage entry) private view returns (uint40 seq, bytes26 head) {
        if (entry.topics[0] == IImageRegistry.Registered.selector) {
            return (registered(entry).seq, registered(entry).head);
        }
        if (entry.topics[0] == IImageRegistry.Verified.selector) return (verified(entry).seq, verified(entry).head);
        bytes memory data = entry.data;
        return abi.decode(part(data, data.length - 64, data.length), (uint40, bytes26));
    }

    /// @dev `data[from .. to]`.
    function part(bytes memory data, uint256 from, uint256 to) private pure returns (bytes memory cut) {
        cut = new bytes(to - from);
        for (uint256 i = from; i < to; i++) {
            cut[i - from] = data[i];
        }
    }

    function registered(Entry storage entry) private view returns (RegisteredData memory) {
        return abi.decode(bytes.concat(bytes32(uint256(32)), entry.data), (RegisteredData));
    }

    function verified(Entry storage entry) private view returns (VerifiedData memory) {
        return abi.decode(bytes.concat(bytes32(uint256(32)), entry.data), (VerifiedData));
    }

    /// @dev Keeps the registry's own events since the last call; OpenZeppelin's have no number.
    function collect() private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; i++) {
            if (logs[i].emitter != address(registry) || isOpenZeppelins(logs[i].topics[0])) continue;
            _entries.push(Entry(logs[i].topics, logs[i].data, block.number, block.timestamp));
        }
    }

    function isOpenZeppelins(bytes32 topic) private pure returns (bool) {
        return topic == keccak256("RoleGranted(bytes32,address,address)")
            || topic == keccak256("RoleRevoked(bytes32,address,address)");
    }

    // ---- a history ----

    /// @dev Every kind of event at least once, over several blocks.
    function everyKind() private {
        bytes32 arbiterRole = registry.ARBITER_ROLE();
        bytes32 imageId = registerSample();
        mine();
        registerAnother("relayed");
        grantReader();
        mine();
        revokeReader();
        logLook(sample().contentHash);
        IImageRegistry.Verification memory verification = look(OTHER_HASH);
        bytes memory signature = sign(VERIFIER_KEY, verification);
        vm.prank(relayer);
        registry.recordVerification(verification, signature);
        mine();
        vm.prank(sender);
        registry.dismissFlag(imageId, 1);
        logLook(OTHER_HASH);
        vm.prank(arbiter);
        registry.confirmFlag(imageId, 2);
        mine();
        publish(1);
        vm.prank(kgc);
        registry.retireKgcKey(KGC, 1);
        invalidate(verifier);
        vm.prank(admin);
        registry.revokeRole(arbiterRole, arbiter);
        mine();
    }

    function mine() private {
        collect();
        vm.warp(block.timestamp + 12);
        vm.roll(block.number + 1);
    }

    function registerAnother(bytes32 salt) private {
        IImageRegistry.Registration memory registration = sample();
        registration.salt = salt;
        registration.deadline = uint64(block.timestamp);
        bytes memory signature = sign(SENDER_KEY, registration);
        vm.prank(relayer);
        registry.register(registration, signature);
    }

    function grantReader() private {
        bytes32 imageId = sampleId();
        vm.prank(sender);
        registry.grant(imageId, reader, uint64(block.timestamp));
    }

    function revokeReader() private {
        bytes32 imageId = sampleId();
        vm.prank(sender);
        registry.revoke(imageId, reader);
    }

    function publish(uint32 epoch) private {
        vm.prank(kgc);
        registry.publishKgcKey(KGC, epoch, OTHER_HASH, kgc);
    }

    function invalidate(address wallet) private {
        vm.prank(wallet);
        registry.invalidateNonce();
    }
}

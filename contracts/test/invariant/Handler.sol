// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../../src/IImageRegistry.sol";
import {GovernanceActions} from "./GovernanceActions.sol";

/// @notice All actions on one registry, and what must hold after each of them.
contract Handler is GovernanceActions {
    uint256 private _turn;
    mapping(bytes32 counter => uint256) private _seen;

    /// @notice After every action: the chain, the money, the number of records, the image that was touched and one other.
    function check() external {
        same(trail, slotZero());
        (bytes26 head, uint40 seq) = registry.audit();
        same(numbered, seq);
        same(bytes32(head) >> 48, trail & bytes32(uint256(type(uint208).max)));
        same(0, address(registry).balance);
        same(imageIds.length, recorded);
        same(isPaused() ? pausedUntil : 0, registry.pausedUntil());
        same(successor, registry.supersededBy());
        same(currentAdmin, registry.defaultAdmin());
        checkWallets();
        if (imageIds.length == 0) return;
        checkImage(touched);
        checkImage(imageIds[_turn++ % imageIds.length]);
    }

    /// @notice After a history: everything in it.
    function checkAll() external {
        for (uint256 i = 0; i < imageIds.length; i++) {
            checkImage(imageIds[i]);
        }
        for (uint256 i = 0; i < SENDERS; i++) {
            for (uint256 j = 0; j < PAIR; j++) {
                IImageRegistry.Operator memory expected = operators[senders(i)][speakers(j)];
                IImageRegistry.Operator memory found = registry.operatorOf(senders(i), speakers(j));
                same(abi.encode(expected), abi.encode(found));
                rises(keccak256(abi.encode("operator", i, j)), found.seq);
            }
        }
        for (uint256 i = 0; i < PAIR; i++) {
            for (uint256 j = 0; j < 3; j++) {
                IImageRegistry.LogHead memory found = registry.logHeadOf(kgcs(i), bytes32(j));
                same(abi.encode(logHeads[kgcs(i)][bytes32(j)]), abi.encode(found));
            }
        }
        for (uint256 i = 0; i < 3; i++) {
            for (uint32 epoch = 1; epoch <= lines[kgcIdOf(i)].lastEpoch; epoch++) {
                same(abi.encode(keys[kgcIdOf(i)][epoch]), abi.encode(registry.kgcKey(kgcIdOf(i), epoch)));
            }
        }
    }

    /// @dev Nonces (I8) and roles are what the events made them.
    function checkWallets() private {
        uint256 i = _turn % SENDERS;
        address account = i < VERIFIERS ? verifiers(i) : senders(i);
        same(nonces[account], registry.nonces(account));
        rises(keccak256(abi.encode("nonce", account)), registry.nonces(account));
        checkRole("VERIFIER_ROLE", verifiers(i));
        checkRole("KGC_ROLE", kgcs(i));
        checkRole("ARBITER_ROLE", judge);
        checkRole("PAUSER_ROLE", pauser);
        holds(!registry.hasRole(0, admins(currentAdmin == admins(0) ? 1 : 0)), "there is one admin");
    }

    function checkRole(string memory name, address account) private view {
        bytes32 role = keccak256(bytes(name));
        holds(hasRole[role][account] == registry.hasRole(role, account), name);
    }

    function checkImage(bytes32 imageId) private {
        Image storage image = images[imageId];
        IImageRegistry.Record memory record = registry.recordOf(imageId);
        // I1, I2: as submitted, for ever.
        same(contentOf[imageId], record.contentHash);
        same(senderOf[imageId], record.sender);
        same(abi.encode(image.record), abi.encode(record));
        // I6: each entry was valid or not.
        rises(keccak256(abi.encode("entries", imageId)), record.verifications);
        same(uint256(image.valid) + image.invalid, record.verifications);
        checkFlag(imageId, record.state, image.invalidOfVerifiers);
        IImageRegistry.Capsules memory capsules = registry.capsulesOf(imageId);
        same(abi.encode(image.capsules), abi.encode(capsules));
        rises(keccak256(abi.encode("capsules", imageId)), capsules.version);
        checkAccess(imageId, record.sender);
        checkAccess(imageId, touchedReader);
        checkAccess(imageId, readers(_turn));
    }

    /// @dev The record's state is that of its newest flag, and no flag came without a verifier's invalid entry (I11).
    function checkFlag(bytes32 imageId, IImageRegistry.RecordState state, uint40 invalid) private {
        IImageRegistry.Flag memory flag = registry.flagOf(imageId);
        same(abi.encode(images[imageId].flag), abi.encode(flag));
        bool flagged = state == IImageRegistry.RecordState.Flagged;
        bool tampered = state == IImageRegistry.RecordState.Tampered;
        holds(flagged == (flag.state == IImageRegistry.FlagState.Open), "flagged while the flag is open");
        holds(tampered == (flag.state == IImageRegistry.FlagState.Confirmed), "tampered once it is confirmed");
        holds(flag.id >> 32 <= invalid, "a flag for an invalid entry");
        holds(flag.verifiers <= invalid, "and so for each of its verifiers");
        rises(keccak256(abi.encode("flag", imageId)), flag.id);
    }

    /// @dev The answer of `isAuthorized` follows from the grants and revocations (I7).
    function checkAccess(bytes32 imageId, address account) private {
        IImageRegistry.Access memory access = accesses[imageId][account];
        same(abi.encode(access), abi.encode(registry.accessOf(imageId, account)));
        bool expected = account == senderOf[imageId] || clock <= access.expiry;
        holds(expected == registry.isAuthorized(imageId, account), "access as granted and revoked");
        rises(keccak256(abi.encode("access", imageId, account)), access.seq);
    }

    function rises(bytes32 counter, uint256 value) private {
        holds(value >= _seen[counter], "counters only rise");
        _seen[counter] = value;
    }
}

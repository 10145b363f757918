// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../../src/IImageRegistry.sol";
import {TypedData} from "../TypedData.sol";
import {VerificationActions} from "./VerificationActions.sol";

/// @notice Actions on access, operators and capsules.
abstract contract AccessActions is VerificationActions {
    /// @dev The wallet whose access was changed last.
    address internal touchedReader;

    function grant(uint256 which, uint256 whom, uint256 time) external tick {
        onlyIf(!isPaused());
        grantNow(anyImage(which), anyReader(whom), time);
    }

    function grantFor(uint256 which, uint256 whom, uint256 time, bool byOperator) external tick {
        onlyIf(!isPaused());
        IImageRegistry.Grant memory given = grantOf(anyImage(which), anyReader(whom), time, byOperator);
        bytes memory signature = signed(given.by, TypedData.structHash(given));
        relay(abi.encodeCall(registry.grantFor, (given, signature)));
    }

    function grantByOperator(uint256 which, uint256 whom, uint256 time) external tick {
        onlyIf(!isPaused());
        bytes32 imageId = anyImage(which);
        address by = operatorFor(senderOf[imageId], which);
        send(by, abi.encodeCall(registry.grant, (imageId, anyReader(whom), expiryIn(time))));
    }

    function revoke(uint256 which, uint256 whom) external tick {
        bytes32 imageId = anyImage(which);
        send(senderOf[imageId], abi.encodeCall(registry.revoke, (imageId, anyReader(whom))));
    }

    function revokeFor(uint256 which, uint256 whom) external tick {
        (bytes32 imageId, address reader_) = (anyImage(which), anyReader(whom));
        IImageRegistry.Revocation memory taken = IImageRegistry.Revocation(
            imageId, reader_, accesses[imageId][reader_].seq, senderOf[imageId], 0, deadline()
        );
        bytes memory signature = signed(taken.by, TypedData.structHash(taken));
        relay(abi.encodeCall(registry.revokeFor, (taken, signature)));
    }

    /// @dev A grant that was signed before a revocation never acts after it, whatever number it names: the current one, or
    /// one that somebody foretold, by counting or by what earlier draws look like.
    function grantHeldBack(uint256 which, uint256 whom, uint256 time, uint256 foretold) external tick {
        onlyIf(!isPaused());
        IImageRegistry.Grant memory given = grantOf(anyImage(which), anyReader(whom), time, time % 2 == 0);
        if (foretold % 4 == 1) given.accessSeq += uint128(foretold % 16);
        else if (foretold % 4 == 2) given.accessSeq = (given.accessSeq >> 96) + 1 << 96;
        else if (foretold % 4 == 3) given.accessSeq += 1 << 96;
        bytes memory signature = signed(given.by, TypedData.structHash(given));
        send(given.by, abi.encodeCall(registry.revoke, (given.imageId, given.wallet)));
        bytes memory expected = abi.encodeWithSelector(
            IImageRegistry.StaleAccess.selector,
            given.imageId,
            given.wallet,
            given.accessSeq,
            accesses[given.imageId][given.wallet].seq
        );
        refuse(relayers(which), abi.encodeCall(registry.grantFor, (given, signature)), expected);
    }

    /// @dev Neither the admin, nor a role's holder, nor the reader, nor another sender grants, revokes or updates capsules (I10).
    function speakForbidden(uint256 which, uint256 whom) external tick {
        onlyIf(!isPaused());
        bytes32 imageId = anyImage(which);
        address by = [currentAdmin, judge, kgcs(which), pauser, verifiers(whom), relayers(whom)][whom % 6];
        address reader_ = anyReader(whom);
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.NotSender.selector, imageId, by);
        refuse(by, abi.encodeCall(registry.grant, (imageId, reader_, expiryIn(whom))), expected);
        refuse(by, abi.encodeCall(registry.revoke, (imageId, reader_)), expected);
        refuse(by, abi.encodeCall(registry.updateCapsules, (imageId, 0, OTHER_HASH, "")), expected);
    }

    function setOperator(uint256 who, uint256 which, bool allowed) external tick {
        onlyIf(!allowed || !isPaused());
        send(senders(who), abi.encodeCall(registry.setOperator, (speakers(which), allowed)));
    }

    function setOperatorFor(uint256 who, uint256 which, bool allowed) external tick {
        onlyIf(!allowed || !isPaused());
        (address by, address speaker) = (senders(who), speakers(which));
        IImageRegistry.OperatorChange memory change =
            IImageRegistry.OperatorChange(by, speaker, allowed, operators[by][speaker].seq, deadline());
        bytes memory signature = signed(by, TypedData.structHash(change));
        relay(abi.encodeCall(registry.setOperatorFor, (change, signature)));
    }

    /// @dev What an operator signed before its removal never acts after it, also where it is named again.
    function operatorHeldBack(uint256 which, uint256 whom, uint256 time) external tick {
        onlyIf(!isPaused());
        IImageRegistry.Grant memory given = grantOf(anyImage(which), anyReader(whom), time, true);
        if (time % 3 == 1) given.operatorSeq += uint128(time % 16);
        else if (time % 3 == 2) given.operatorSeq = ((given.operatorSeq >> 96) + 1 << 96) + 1;
        bytes memory signature = signed(given.by, TypedData.structHash(given));
        address by = senderOf[given.imageId];
        send(by, abi.encodeCall(registry.setOperator, (given.by, false)));
        send(by, abi.encodeCall(registry.setOperator, (given.by, true)));
        bytes memory expected = abi.encodeWithSelector(
            IImageRegistry.StaleOperator.selector, by, given.by, given.operatorSeq, operators[by][given.by].seq
        );
        refuse(relayers(which), abi.encodeCall(registry.grantFor, (given, signature)), expected);
    }

    function updateCapsules(uint256 which, bytes32 hash, bool byOperator) external tick {
        onlyIf(!isPaused() && hash != 0);
        bytes32 imageId = anyImage(which);
        address by = byOperator ? operatorFor(senderOf[imageId], which) : senderOf[imageId];
        uint64 version = images[imageId].capsules.version;
        send(by, abi.encodeCall(registry.updateCapsules, (imageId, version, hash, "")));
    }

    /// @dev And the same version a second time, which is stale.
    function updateCapsulesFor(uint256 which, bytes32 hash, uint256 cidLength) external tick {
        onlyIf(!isPaused() && hash != 0);
        bytes32 imageId = anyImage(which);
        IImageRegistry.CapsulesUpdate memory update;
        update.imageId = imageId;
        update.version = images[imageId].capsules.version;
        update.capsulesHash = hash;
        update.capsulesCid = new bytes(cidLength % 65);
        update.by = senderOf[imageId];
        update.deadline = deadline();
        bytes memory data =
            abi.encodeCall(registry.updateCapsulesFor, (update, signed(update.by, TypedData.structHash(update))));
        relay(data);
        bytes memory expected =
            abi.encodeWithSelector(IImageRegistry.StaleCapsules.selector, imageId, update.version, update.version + 1);
        refuse(relayers(which), data, expected);
    }

    // ---- what is sent ----

    function grantNow(bytes32 imageId, address reader_, uint256 time) internal {
        send(senderOf[imageId], abi.encodeCall(registry.grant, (imageId, reader_, expiryIn(time))));
        holds(registry.isAuthorized(imageId, reader_), "a grant lets its wallet in");
    }

    function grantOf(bytes32 imageId, address reader_, uint256 time, bool byOperator)
        internal
        returns (IImageRegistry.Grant memory)
    {
        address by = byOperator ? operatorFor(senderOf[imageId], time) : senderOf[imageId];
        uint128 operatorSeq = operators[senderOf[imageId]][by].seq;
        return IImageRegistry.Grant(
            imageId, reader_, expiryIn(time), accesses[imageId][reader_].seq, by, operatorSeq, deadline()
        );
    }

    function anyReader(uint256 whom) internal returns (address) {
        touchedReader = readers(whom);
        return touchedReader;
    }

    /// @dev From this second to six days ahead, and for ever now and then.
    function expiryIn(uint256 time) internal view returns (uint64) {
        return time % 7 == 0 ? type(uint64).max : clock + uint64(time % 6 days);
    }

    /// @dev Needs a registry that isn't paused where the speaker has yet to be named.
    function operatorFor(address by, uint256 which) internal returns (address speaker) {
        speaker = speakers(which);
        if (!operators[by][speaker].allowed) send(by, abi.encodeCall(registry.setOperator, (speaker, true)));
    }
}

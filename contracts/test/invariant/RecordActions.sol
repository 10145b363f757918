// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../../src/IImageRegistry.sol";
import {TypedData} from "../TypedData.sol";
import {Actors} from "./Actors.sol";

/// @notice Actions that make records, one by one and in batches. `imageIds` holds what they made, worked out here: no event told it.
abstract contract RecordActions is Actors {
    bytes32[] internal imageIds;
    mapping(bytes32 imageId => bytes32) internal contentOf;
    mapping(bytes32 imageId => address) internal senderOf;
    IImageRegistry.Registration[] private _registrations;
    mapping(address sender => IImageRegistry.Item[]) private _items;
    uint256 private _salts;

    function register(uint256 who, uint256 seed) external tick {
        onlyIf(!isPaused());
        recordNew(who, seed);
    }

    function registerFor(uint256 who, uint256 seed) external tick {
        onlyIf(!isPaused());
        IImageRegistry.Registration memory registration = fresh(who, seed);
        bytes memory signature = signed(registration.sender, TypedData.structHash(registration));
        relay(abi.encodeCall(registry.register, (registration, signature)));
        _registrations.push(registration);
        made(registration.sender, registration.salt, registration.contentHash);
    }

    function registerAgain(uint256 who, bytes32 noSignature) external tick {
        onlyIf(!isPaused());
        IImageRegistry.Registration memory registration = anyRegistration(who);
        sendInVain(relayers(who), abi.encodeCall(registry.register, (registration, abi.encode(noSignature))));
    }

    function registerOtherContent(uint256 who) external tick {
        onlyIf(!isPaused());
        IImageRegistry.Registration memory registration = anyRegistration(who);
        bytes32 imageId = idOf(registration.sender, registration.salt);
        registration.contentHash = ~registration.contentHash;
        bytes memory data = abi.encodeCall(registry.register, (registration, ""));
        refuse(registration.sender, data, abi.encodeWithSelector(IImageRegistry.RecordConflict.selector, imageId));
    }

    function registerForged(uint256 who, uint256 seed) external tick {
        onlyIf(!isPaused());
        IImageRegistry.Registration memory registration = fresh(who, seed);
        bytes memory signature = signed(senders(who % SENDERS + 1), TypedData.structHash(registration));
        bytes memory data = abi.encodeCall(registry.register, (registration, signature));
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.InvalidSignature.selector, registration.sender);
        refuse(relayers(seed), data, expected);
    }

    /// @dev One to five new images, and up to three of earlier batches: on another chain they are new as well.
    function registerBatch(uint256 who, uint256 count, uint256 seed) external tick {
        onlyIf(!isPaused());
        address by = senders(who);
        IImageRegistry.Item[] storage known = _items[by];
        uint256 old = within(seed, 0, known.length < 3 ? known.length : 3);
        IImageRegistry.Item[] memory items = new IImageRegistry.Item[](old + within(count, 1, 5));
        for (uint256 i = 0; i < items.length; i++) {
            if (i >= old) known.push(freshItem(seed));
            items[i] = i < old ? known[uint256(keccak256(abi.encode(seed, i))) % known.length] : known[known.length - 1];
        }
        sendBatch(IImageRegistry.Batch(by, items, deadline()), seed);
    }

    function registerBatchAgain(uint256 who, bytes calldata noSignature) external tick {
        onlyIf(!isPaused());
        address by = senders(who);
        IImageRegistry.Item[] storage known = _items[by];
        if (known.length == 0) known.push(freshItem(who));
        IImageRegistry.Batch memory batch = IImageRegistry.Batch(by, new IImageRegistry.Item[](1), deadline());
        batch.items[0] = known[who % known.length];
        if (contentOf[idOf(by, batch.items[0].salt)] == 0) sendBatch(batch, who);
        sendInVain(relayers(who), abi.encodeCall(registry.registerBatch, (batch, noSignature)));
    }

    // ---- for the other actions ----

    /// @dev A recorded image; the first is registered where there is none.
    function anyImage(uint256 which) internal returns (bytes32 imageId) {
        if (imageIds.length == 0) {
            onlyIf(!isPaused());
            recordNew(which, which);
        }
        imageId = imageIds[which % imageIds.length];
        touched = imageId;
    }

    function recordNew(uint256 who, uint256 seed) internal returns (bytes32 imageId) {
        IImageRegistry.Registration memory registration = fresh(who, seed);
        send(registration.sender, abi.encodeCall(registry.register, (registration, "")));
        _registrations.push(registration);
        return made(registration.sender, registration.salt, registration.contentHash);
    }

    /// @dev Remembers what must be recorded from now on.
    function made(address by, bytes32 salt, bytes32 contentHash) internal returns (bytes32 imageId) {
        imageId = idOf(by, salt);
        imageIds.push(imageId);
        contentOf[imageId] = contentHash;
        senderOf[imageId] = by;
        touched = imageId;
    }

    function idOf(address by, bytes32 salt) internal view returns (bytes32 imageId) {
        return keccak256(abi.encode(chain, address(registry), by, salt));
    }

    function freshSalt() internal returns (bytes32) {
        return keccak256(abi.encode("salt", ++_salts));
    }

    // ---- what is sent ----

    /// @dev Content repeats: one file may be registered by many, and twice by one under another salt.
    function fresh(uint256 who, uint256 seed) internal returns (IImageRegistry.Registration memory registration) {
        registration = sample();
        registration.sender = senders(who);
        registration.salt = freshSalt();
        registration.contentHash = keccak256(abi.encode("content", seed % 16));
        registration.size = uint64(within(seed, 1, type(uint64).max));
        if (seed % 2 == 0) registration.cid = "";
        if (seed % 3 == 0) registration.capsulesCid = new bytes(seed % 65);
        registration.deadline = deadline();
    }

    function freshItem(uint256 seed) private returns (IImageRegistry.Item memory) {
        bytes32 contentHash = keccak256(abi.encode("content", seed % 16));
        return IImageRegistry.Item(freshSalt(), contentHash, OTHER_HASH, OTHER_HASH, uint64(within(seed, 1, 1 << 20)));
    }

    function sendBatch(IImageRegistry.Batch memory batch, uint256 seed) private {
        if (seed % 2 == 0) {
            send(batch.sender, abi.encodeCall(registry.registerBatch, (batch, "")));
        } else {
            bytes memory signature = signed(batch.sender, TypedData.structHash(batch));
            relay(abi.encodeCall(registry.registerBatch, (batch, signature)));
        }
        for (uint256 i = 0; i < batch.items.length; i++) {
            IImageRegistry.Item memory item = batch.items[i];
            if (contentOf[idOf(batch.sender, item.salt)] == 0) made(batch.sender, item.salt, item.contentHash);
        }
    }

    /// @dev One that was registered on this chain: elsewhere it has another id.
    function anyRegistration(uint256 which) private returns (IImageRegistry.Registration memory) {
        uint256 count = _registrations.length;
        for (uint256 i = 0; i < count; i++) {
            IImageRegistry.Registration storage found = _registrations[(which % count + i) % count];
            if (contentOf[idOf(found.sender, found.salt)] != 0) return found;
        }
        recordNew(which, which);
        return _registrations[count];
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {Base} from "./Base.sol";
import {IRegistry} from "./IRegistry.sol";

/// @notice The keys of the Key Generation Centers: `publishKgcKey` and `retireKgcKey`.
contract KgcKeyTest is Base {
    bytes32 private constant KEY = keccak256("an X25519 key");
    address private constant SIGNER = address(0x516);
    address private constant OTHER_KGC = address(0x6C2);

    function setUp() public override {
        super.setUp();
        giveRole(registry.KGC_ROLE(), OTHER_KGC);
    }

    function test_RevertWhen_TheCallerHasNoRole() public {
        publish(kgc, 1, KEY);
        address[6] memory others = [admin, arbiter, pauser, verifier, sender, stranger];
        for (uint256 i = 0; i < others.length; i++) {
            bytes memory expected = abi.encodeWithSelector(
                IRegistry.AccessControlUnauthorizedAccount.selector, others[i], registry.KGC_ROLE()
            );
            refused(others[i], abi.encodeCall(registry.publishKgcKey, (KGC, 2, KEY, SIGNER)), expected);
            refused(others[i], abi.encodeCall(registry.retireKgcKey, (KGC, 1)), expected);
        }
    }

    function test_RevertWhen_TheEpochIsOutOfOrder() public {
        refusedEpoch(0, 1);
        refusedEpoch(2, 1);
        publish(kgc, 1, KEY);
        refusedEpoch(1, 2);
        refusedEpoch(3, 2);
    }

    function test_RevertWhen_AKeyOrItsSignerIsZero() public {
        bytes memory noKey = abi.encodeCall(registry.publishKgcKey, (KGC, 1, 0, SIGNER));
        refused(kgc, noKey, abi.encodeWithSelector(IImageRegistry.WeakKey.selector, 0));
        bytes memory noSigner = abi.encodeCall(registry.publishKgcKey, (KGC, 1, KEY, address(0)));
        refused(kgc, noSigner, IImageRegistry.ZeroAddress.selector);
    }

    /// @dev The list of libsodium, each also with the highest bit, which X25519 ignores.
    function test_RevertWhen_AKeyIsAPointOfSmallOrder() public {
        bytes32[7] memory weak = [
            bytes32(0),
            0x0100000000000000000000000000000000000000000000000000000000000000,
            0xe0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800,
            0x5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157,
            0xecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f,
            0xedffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f,
            0xeeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f
        ];
        for (uint256 i = 0; i < 14; i++) {
            bytes32 key = weak[i / 2] | bytes32(uint256(i % 2) << 7);
            bytes memory expected = abi.encodeWithSelector(IImageRegistry.WeakKey.selector, key);
            refused(kgc, abi.encodeCall(registry.publishKgcKey, (KGC, 1, key, SIGNER)), expected);
            // A bit off, it is a key like any.
            bytes32 other = key ^ bytes32(uint256(1) << 100);
            uint256 start = vm.snapshotState();
            publish(kgc, 1, other);
            holds(vm.revertToState(start), "as before");
        }
    }

    function test_RevertWhen_TheKeyIsUnknown() public {
        publish(kgc, 1, KEY);
        refusedUnknown(abi.encodeCall(registry.kgcKey, (KGC, 2)), KGC, 2);
        refusedUnknown(abi.encodeCall(registry.kgcKey, (KGC, 0)), KGC, 0);
        refusedUnknown(abi.encodeCall(registry.retireKgcKey, (KGC, 2)), KGC, 2);
        refusedUnknown(abi.encodeCall(registry.retireKgcKey, (KGC, 0)), KGC, 0);
        refusedUnknown(abi.encodeCall(registry.currentKgcKey, (OTHER_HASH)), OTHER_HASH, 0);
    }

    function test_RevertWhen_TheKeyIsRetiredTwice() public {
        publish(kgc, 1, KEY);
        does(kgc, abi.encodeCall(registry.retireKgcKey, (KGC, 1)));
        refused(
            kgc,
            abi.encodeCall(registry.retireKgcKey, (KGC, 1)),
            abi.encodeWithSelector(IImageRegistry.AlreadyRetired.selector, KGC, 1)
        );
    }

    function test_RevertWhen_TheKeysAreAnotherKgcs() public {
        publish(kgc, 1, KEY);
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.NotPublisher.selector, KGC, OTHER_KGC, kgc);
        refused(OTHER_KGC, abi.encodeCall(registry.publishKgcKey, (KGC, 2, KEY, SIGNER)), expected);
        refused(OTHER_KGC, abi.encodeCall(registry.retireKgcKey, (KGC, 1)), expected);
    }

    function test_AnotherTakesOverOnceThePublisherLostItsRole() public {
        publish(kgc, 1, KEY);
        does(admin, abi.encodeCall(registry.revokeRole, (registry.KGC_ROLE(), kgc)));
        does(OTHER_KGC, abi.encodeCall(registry.retireKgcKey, (KGC, 1)));
        publish(OTHER_KGC, 2, OTHER_HASH);
        giveRole(registry.KGC_ROLE(), kgc);
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.NotPublisher.selector, KGC, kgc, OTHER_KGC);
        refused(kgc, abi.encodeCall(registry.publishKgcKey, (KGC, 3, KEY, SIGNER)), expected);
        refused(kgc, abi.encodeCall(registry.retireKgcKey, (KGC, 1)), expected);
    }

    function test_PublishesAndRetires_AlsoWhilePaused() public {
        pauseNow();
        publish(kgc, 1, KEY);
        publish(kgc, 2, OTHER_HASH);
        same(abi.encode(KEY, SIGNER, 1, false), abi.encode(registry.kgcKey(KGC, 1)));
        same(abi.encode(OTHER_HASH, SIGNER, 2, false), abi.encode(registry.currentKgcKey(KGC)));
        does(kgc, abi.encodeCall(registry.retireKgcKey, (KGC, 2)));
        same(abi.encode(OTHER_HASH, SIGNER, 2, true), abi.encode(registry.currentKgcKey(KGC)));
        same(abi.encode(KEY, SIGNER, 1, false), abi.encode(registry.kgcKey(KGC, 1)));
    }

    function testFuzz_EpochsCountFromOneForEachKgc(bytes32 id, bytes32 key, address signer, uint8 keys) public {
        // No point of small order, some of which stand in the code where the fuzzer looks for values.
        key = keccak256(abi.encode(key));
        if (signer == address(0)) signer = SIGNER;
        uint32 count = uint32(within(keys, 1, 6));
        for (uint32 epoch = 1; epoch <= count; epoch++) {
            does(kgc, abi.encodeCall(registry.publishKgcKey, (id, epoch, key, signer)));
        }
        same(abi.encode(key, signer, count, false), abi.encode(registry.currentKgcKey(id)));
        refusedUnknown(abi.encodeCall(registry.currentKgcKey, (~id)), ~id, 0);
    }

    function testFuzz_OnePublisherAtATime(bool[8] memory steps) public {
        // true: the other one tries to publish; false: the publisher loses its role, and gets it back once the other has published.
        (address publisher, address other) = (kgc, OTHER_KGC);
        publish(publisher, 1, KEY);
        uint32 epoch = 1;
        bytes32 role = registry.KGC_ROLE();
        for (uint256 i = 0; i < steps.length; i++) {
            if (steps[i]) {
                bytes memory data = abi.encodeCall(registry.publishKgcKey, (KGC, epoch + 1, KEY, SIGNER));
                bytes4 error_ = IImageRegistry.NotPublisher.selector;
                refused(other, data, abi.encodeWithSelector(error_, KGC, other, publisher));
            } else {
                does(admin, abi.encodeCall(registry.revokeRole, (role, publisher)));
                publish(other, ++epoch, KEY);
                giveRole(role, publisher);
                (publisher, other) = (other, publisher);
            }
        }
        publish(publisher, epoch + 1, KEY);
    }

    function publish(address by, uint32 epoch, bytes32 key) private {
        does(by, abi.encodeCall(registry.publishKgcKey, (KGC, epoch, key, SIGNER)));
    }

    function refusedEpoch(uint32 epoch, uint32 expected) private {
        refused(
            kgc,
            abi.encodeCall(registry.publishKgcKey, (KGC, epoch, KEY, SIGNER)),
            abi.encodeWithSelector(IImageRegistry.EpochOutOfOrder.selector, KGC, epoch, expected)
        );
    }

    function refusedUnknown(bytes memory data, bytes32 id, uint32 epoch) private {
        refused(kgc, data, abi.encodeWithSelector(IImageRegistry.UnknownKgcKey.selector, id, epoch));
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IImageRegistry} from "../src/IImageRegistry.sol";
import {Base} from "./Base.sol";

/// @notice The keys of the Key Generation Centers.
contract KgcTest is Base {
    bytes32 private constant KEY = keccak256("an X25519 key");
    address private constant SIGNER = address(0x516);

    function test_RevertWhen_TheCallerHasNoRole() public {
        address[5] memory others = [admin, arbiter, verifier, sender, stranger];
        for (uint256 i = 0; i < others.length; i++) {
            bytes memory expected = abi.encodeWithSelector(
                IAccessControl.AccessControlUnauthorizedAccount.selector, others[i], registry.KGC_ROLE()
            );
            refused(others[i], abi.encodeCall(registry.publishKgcKey, (KGC, 1, KEY, SIGNER)), expected);
            refused(others[i], abi.encodeCall(registry.retireKgcKey, (KGC, 1)), expected);
        }
    }

    function test_RevertWhen_TheEpochIsOutOfOrder() public {
        refusedEpoch(0, 1);
        refusedEpoch(2, 1);
        publish(1, KEY);
        refusedEpoch(1, 2);
        refusedEpoch(3, 2);
    }

    function test_RevertWhen_AKeyIsZero() public {
        refused(
            kgc,
            abi.encodeCall(registry.publishKgcKey, (KGC, 1, 0, SIGNER)),
            abi.encodeWithSelector(IImageRegistry.ZeroKey.selector)
        );
        refused(
            kgc,
            abi.encodeCall(registry.publishKgcKey, (KGC, 1, KEY, address(0))),
            abi.encodeWithSelector(IImageRegistry.ZeroAddress.selector)
        );
    }

    function test_RevertWhen_TheKeyIsUnknown() public {
        publish(1, KEY);
        refusedUnknown(abi.encodeCall(registry.kgcKey, (KGC, 2)), KGC, 2);
        refusedUnknown(abi.encodeCall(registry.kgcKey, (KGC, 0)), KGC, 0);
        refusedUnknown(abi.encodeCall(registry.retireKgcKey, (KGC, 2)), KGC, 2);
        refusedUnknown(abi.encodeCall(registry.currentKgcKey, (OTHER_HASH)), OTHER_HASH, 0);
    }

    function test_RevertWhen_TheKeyIsRetiredTwice() public {
        publish(1, KEY);
        vm.prank(kgc);
        registry.retireKgcKey(KGC, 1);
        refused(
            kgc,
            abi.encodeCall(registry.retireKgcKey, (KGC, 1)),
            abi.encodeWithSelector(IImageRegistry.AlreadyRetired.selector, KGC, 1)
        );
    }

    function test_PublishesAndRetires() public {
        publish(1, KEY);
        publish(2, OTHER_HASH);
        same(abi.encode(KEY, SIGNER, 1, false), abi.encode(registry.kgcKey(KGC, 1)));
        same(abi.encode(OTHER_HASH, SIGNER, 2, false), abi.encode(registry.currentKgcKey(KGC)));
        vm.prank(kgc);
        registry.retireKgcKey(KGC, 2);
        same(abi.encode(OTHER_HASH, SIGNER, 2, true), abi.encode(registry.currentKgcKey(KGC)));
        same(abi.encode(KEY, SIGNER, 1, false), abi.encode(registry.kgcKey(KGC, 1)));
    }

    function testFuzz_EpochsCountFromOneForEachKgc(bytes32 id, bytes32 key, address signer, uint8 keys) public {
        if (key == 0) key = KEY;
        if (signer == address(0)) signer = SIGNER;
        uint32 count = uint32(within(keys, 1, 6));
        for (uint32 epoch = 1; epoch <= count; epoch++) {
            vm.prank(kgc);
            registry.publishKgcKey(id, epoch, key, signer);
        }
        same(abi.encode(key, signer, count, false), abi.encode(registry.currentKgcKey(id)));
        refusedUnknown(abi.encodeCall(registry.currentKgcKey, (~id)), ~id, 0);
    }

    function publish(uint32 epoch, bytes32 key) private {
        vm.prank(kgc);
        registry.publishKgcKey(KGC, epoch, key, SIGNER);
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

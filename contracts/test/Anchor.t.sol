// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {Base} from "./Base.sol";

/// @notice `anchor`: a root of many images, once for each sender.
contract AnchorTest is Base {
    function test_RevertWhen_TheSenderIsZero() public {
        IImageRegistry.Anchor memory anchor = sampleAnchor();
        anchor.sender = address(0);
        refused(anchor, abi.encodeWithSelector(IImageRegistry.ZeroAddress.selector));
    }

    function test_RevertWhen_TheRootIsZero() public {
        IImageRegistry.Anchor memory anchor = sampleAnchor();
        anchor.root = 0;
        refused(anchor, abi.encodeWithSelector(IImageRegistry.ZeroHash.selector));
    }

    function test_RevertWhen_TheCountIsZero() public {
        IImageRegistry.Anchor memory anchor = sampleAnchor();
        anchor.count = 0;
        refused(anchor, abi.encodeWithSelector(IImageRegistry.ZeroCount.selector));
    }

    function test_RevertWhen_TheCidHas0Or65Bytes() public {
        uint256[2] memory lengths = [uint256(0), 65];
        for (uint256 i = 0; i < lengths.length; i++) {
            IImageRegistry.Anchor memory anchor = sampleAnchor();
            anchor.leavesCid = new bytes(lengths[i]);
            refused(anchor, abi.encodeWithSelector(IImageRegistry.CidLength.selector, lengths[i]));
        }
    }

    function test_RevertWhen_TheRootIsAnchoredWithAnotherCount() public {
        sends(sampleAnchor());
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.AnchorConflict.selector, sender, ROOT);
        uint32[3] memory counts = [0, uint32(999), 1001];
        for (uint256 i = 0; i < counts.length; i++) {
            IImageRegistry.Anchor memory anchor = sampleAnchor();
            anchor.count = counts[i];
            refused(anchor, expected);
        }
    }

    function test_RevertWhen_SomebodyElseSendsItUnsigned() public {
        refused(
            stranger,
            abi.encodeCall(registry.anchor, (sampleAnchor(), "")),
            abi.encodeWithSelector(IImageRegistry.InvalidSignature.selector, sender)
        );
    }

    function test_RevertWhen_Paused_AlsoForTheSameAnchor() public {
        sends(sampleAnchor());
        pauseNow();
        bytes memory expected = abi.encodeWithSelector(IImageRegistry.RegistryPaused.selector, NOW + 7 days);
        IImageRegistry.Anchor memory anchor = sampleAnchor();
        refused(anchor, expected);
        anchor.root = OTHER_HASH;
        refused(anchor, expected);
    }

    function test_Anchors() public {
        same(abi.encode(0, 0), abi.encode(registry.anchorOf(sender, ROOT)));
        sends(sampleAnchor());
        same(abi.encode(1000, NOW), abi.encode(registry.anchorOf(sender, ROOT)));
        same(abi.encode(0, 0), abi.encode(registry.anchorOf(stranger, ROOT)));
    }

    function test_TheSameAnchorChangesNothing_WhoeverSendsIt() public {
        sends(sampleAnchor());
        vm.warp(NOW + 30 days);
        IImageRegistry.Anchor memory anchor = sampleAnchor();
        anchor.leavesCid = "";
        idle(stranger, abi.encodeCall(registry.anchor, (anchor, "not even a signature")));
    }

    function test_ARootIsEachSendersOwn() public {
        sends(sampleAnchor());
        IImageRegistry.Anchor memory anchor = sampleAnchor();
        (anchor.sender, anchor.count) = (stranger, 7);
        sends(anchor);
        same(7, registry.anchorOf(stranger, ROOT).count);
        same(1000, registry.anchorOf(sender, ROOT).count);
    }

    function testFuzz_Anchors(IImageRegistry.Anchor memory anchor, uint256 cidBytes, uint32 later) public {
        if (anchor.sender == address(0)) anchor.sender = sender;
        if (anchor.root == 0) anchor.root = ROOT;
        if (anchor.count == 0) anchor.count = 1;
        anchor.leavesCid = new bytes(within(cidBytes, 1, 64));
        vm.warp(NOW + uint256(later));
        sends(anchor);
        IImageRegistry.AnchorRecord memory anchored = registry.anchorOf(anchor.sender, anchor.root);
        same(abi.encode(anchor.count, block.timestamp), abi.encode(anchored));
        same(abi.encode(0, 0), abi.encode(registry.anchorOf(anchor.sender, ~anchor.root)));
    }

    function sends(IImageRegistry.Anchor memory anchor) private {
        does(anchor.sender, abi.encodeCall(registry.anchor, (anchor, "")));
    }

    function refused(IImageRegistry.Anchor memory anchor, bytes memory expected) private {
        refused(anchor.sender, abi.encodeCall(registry.anchor, (anchor, "")), expected);
    }
}

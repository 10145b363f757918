// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {AnchoredBase} from "./AnchoredBase.sol";
import {IRegistry} from "./IRegistry.sol";
import {MerkleTree} from "./MerkleTree.sol";

/// @notice Registers images of its own, a hundred at a time, through the front door.
contract Filler {
    function fill(IRegistry registry, uint256 from, uint256 count) external {
        IImageRegistry.Batch memory batch;
        batch.sender = address(this);
        for (uint256 done = 0; done < count; done += batch.items.length) {
            batch.items = new IImageRegistry.Item[](count - done < 100 ? count - done : 100);
            for (uint256 i = 0; i < batch.items.length; i++) {
                bytes32 word = bytes32(from + done + i + 1);
                batch.items[i] = IImageRegistry.Item(word, word, word, word, 1);
            }
            registry.registerBatch(batch, "");
        }
    }
}

/// @notice Every function that changes state costs the same, within 1 %, at 10, 1,000 and 100,000 records: real ones, made by `registerBatch`. Each call is a
/// transaction of its own (`--isolate`), about things that it finds for the first time.
/// forge-config: default.isolate = true
contract ScaleTest is AnchoredBase {
    uint256 private constant CALLS = 19;
    bytes32[] private _none;

    function test_GasIsTheSameAt10_1000And100000Records() public {
        Filler filler = new Filler();
        fill(filler, 0, 10);
        uint256[] memory few = costs(1);
        fill(filler, 10, 990);
        uint256[] memory some = costs(2);
        fill(filler, 1000, 99_000);
        same(1, uint256(registry.recordOf(registry.imageIdOf(address(filler), bytes32(uint256(100_000)))).state));
        uint256[] memory many = costs(3);
        for (uint256 i = 0; i < CALLS; i++) {
            near(few[i], some[i]);
            near(few[i], many[i]);
        }
    }

    /// @dev Within 1 %, and more than a transaction that does nothing.
    function near(uint256 expected, uint256 found) private pure {
        holds(expected > 21_000, "measured");
        uint256 apart = expected < found ? found - expected : expected - found;
        if (apart * 100 > expected) same(expected, found);
    }

    function fill(Filler filler, uint256 from, uint256 count) private {
        vm.pauseGasMetering();
        for (uint256 done = 0; done < count; done += 9900) {
            filler.fill(registry, from + done, count - done < 9900 ? count - done : 9900);
        }
        vm.resumeGasMetering();
    }

    /// @dev Gas of each call, about an image, an anchor and a log that no round before has touched.
    function costs(uint256 round) private returns (uint256[] memory gas) {
        gas = new uint256[](CALLS);
        IImageRegistry.Registration memory registration = sample();
        registration.salt = keccak256(abi.encode("round", round));
        bytes32 imageId = registry.imageIdOf(sender, registration.salt);
        gas[0] = cost(sender, abi.encodeCall(registry.register, (registration, "")));
        IImageRegistry.Registration memory relayed = sample();
        relayed.salt = keccak256(abi.encode("relayed", round));
        bytes memory signature = sign(SENDER_KEY, relayed);
        gas[1] = cost(relayer, abi.encodeCall(registry.register, (relayed, signature)));
        gas[2] = cost(sender, abi.encodeCall(registry.registerBatch, (sampleBatch(1000 * round, 10), "")));
        IImageRegistry.Verification memory verification = look(sample().contentHash);
        verification.imageId = imageId;
        gas[3] = cost(verifier, abi.encodeCall(registry.recordVerification, (verification, "")));
        verification.observedHash = OTHER_HASH;
        gas[4] = cost(verifier, abi.encodeCall(registry.recordVerification, (verification, "")));
        gas[5] = cost(sender, abi.encodeCall(registry.dismissFlag, (imageId, newestFlag(imageId))));
        cost(verifier, abi.encodeCall(registry.recordVerification, (verification, "")));
        gas[6] = cost(arbiter, abi.encodeCall(registry.confirmFlag, (imageId, newestFlag(imageId))));
        gas[7] = cost(sender, abi.encodeCall(registry.grant, (imageId, reader, NOW + 9)));
        gas[8] = cost(sender, abi.encodeCall(registry.revoke, (imageId, reader)));
        address other = address(uint160(uint256(keccak256(abi.encode("operator", round)))));
        gas[9] = cost(sender, abi.encodeCall(registry.setOperator, (other, true)));
        gas[10] = cost(sender, abi.encodeCall(registry.updateCapsules, (imageId, 0, OTHER_HASH, "")));
        anchoring(round, gas);
        bytes32 kgcId = keccak256(abi.encode("a KGC", round));
        gas[13] = cost(kgc, abi.encodeCall(registry.publishKgcKey, (kgcId, 1, OTHER_HASH, reader)));
        gas[14] = cost(kgc, abi.encodeCall(registry.retireKgcKey, (kgcId, 1)));
        gas[15] = cost(kgc, abi.encodeCall(registry.anchorLog, (kgcId, 1, OTHER_HASH)));
        gas[16] = cost(kgc, abi.encodeCall(registry.anchorCapsules, (kgcId, 7, CID)));
        gas[17] = cost(other, abi.encodeCall(registry.invalidateNonce, ()));
        gas[18] = cost(admin, abi.encodeCall(registry.grantRole, (registry.ARBITER_ROLE(), other)));
    }

    function anchoring(uint256 round, uint256[] memory gas) private {
        IImageRegistry.Leaf memory leaf = sampleLeaf(0);
        leaf.salt = keccak256(abi.encode("leaf", round));
        bytes32 root = MerkleTree.leafHash(leaf);
        gas[11] = cost(sender, abi.encodeCall(registry.anchor, (IImageRegistry.Anchor(sender, root, 1, CID, 0), "")));
        gas[12] = cost(stranger, materialization(root, leaf, _none));
    }

    function cost(address by, bytes memory data) private returns (uint256) {
        does(by, data);
        return vm.lastCallGas().gasTotalUsed;
    }
}

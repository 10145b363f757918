// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {Base, Vm} from "./Base.sol";
import {TypedData} from "./TypedData.sol";

/// @notice The cheat codes that only tests of vectors use.
interface VectorVm is Vm {
    function startPrank(address caller) external;
    function stopPrank() external;
    function parseJsonKeys(string calldata json, string calldata key) external pure returns (string[] memory);
    function setBlockhash(uint256 blockNumber, bytes32 blockHash) external;
    function prevrandao(bytes32 randomness) external;
    function toString(uint256 value) external pure returns (string memory);
}

/// @notice The types, hashes, signatures and audit words of tests/vectors/typed_data.json, which another program made. Frozen: a test that fails here says
/// that wallets and auditors of this version no longer understand the contract.
contract VectorsTest is Base {
    VectorVm private constant _VM = VectorVm(address(vm));

    string private _json;

    function setUp() public override {
        _json = vm.readFile("tests/vectors/typed_data.json");
        vm.chainId(vm.parseJsonUint(_json, ".domain.chainId"));
        vm.roll(vm.parseJsonUint(_json, ".audit.block"));
        vm.warp(vm.parseJsonUint(_json, ".audit.time"));
        _VM.setBlockhash(block.number - 1, vm.parseJsonBytes32(_json, ".audit.hashBefore"));
        _VM.prevrandao(vm.parseJsonBytes32(_json, ".audit.randao"));
        vm.recordLogs();
        IImageRegistry.RoleGrant[] memory grants = new IImageRegistry.RoleGrant[](2);
        grants[0] = IImageRegistry.RoleGrant(keccak256("VERIFIER_ROLE"), verificationOf().verifier);
        grants[1] = IImageRegistry.RoleGrant(keccak256("ARBITER_ROLE"), decisionOf().by);
        address admin_ = vm.parseJsonAddress(_json, ".admin");
        // `deployCode` doesn't use up a prank for one call.
        _VM.startPrank(vm.parseJsonAddress(_json, ".deployer"));
        registry = deploy(admin_, grants);
        _VM.stopPrank();
        same(vm.parseJsonAddress(_json, ".domain.verifyingContract"), address(registry));
    }

    // ---- declarations ----

    function test_TheDomainIsTheOneOfTheVectors() public view {
        (, string memory name, string memory version, uint256 chainId, address verifying,,) = registry.eip712Domain();
        same(bytes(vm.parseJsonString(_json, ".domain.name")), bytes(name));
        same(bytes(vm.parseJsonString(_json, ".domain.version")), bytes(version));
        same(vm.parseJsonUint(_json, ".domain.chainId"), chainId);
        same(vm.parseJsonAddress(_json, ".domain.verifyingContract"), verifying);
        same(bytes(vm.parseJsonString(_json, ".domainType")), bytes(TypedData.DOMAIN));
        bytes32 separator = TypedData.separator(block.chainid, address(registry));
        same(vm.parseJsonBytes32(_json, ".domainSeparator"), separator);
    }

    function test_TypeStringsAreThoseOfTheVectors() public view {
        sameType("Registration", TypedData.REGISTRATION);
        sameType("Item", TypedData.ITEM);
        sameType("Batch", TypedData.BATCH);
        sameType("Anchor", TypedData.ANCHOR);
        sameType("Verification", TypedData.VERIFICATION);
        sameType("FlagDecision", TypedData.FLAG_DECISION);
        sameType("Grant", TypedData.GRANT);
        sameType("Revocation", TypedData.REVOCATION);
        sameType("OperatorChange", TypedData.OPERATOR_CHANGE);
        sameType("CapsulesUpdate", TypedData.CAPSULES_UPDATE);
    }

    // ---- what is signed, and what is logged ----

    function test_HashesAreThoseOfTheVectors() public view {
        (uint256 chain, address at_) = (block.chainid, address(registry));
        sameHash("Item", TypedData.structHash(abi.decode(encoded("Item"), (IImageRegistry.Item))));
        sameDigest("Registration", TypedData.digest(registrationOf(), chain, at_));
        sameDigest("Batch", TypedData.digest(batchOf(), chain, at_));
        sameDigest("Anchor", TypedData.digest(anchorOf(), chain, at_));
        sameDigest("Verification", TypedData.digest(verificationOf(), chain, at_));
        sameDigest("FlagDecision", TypedData.digest(decisionOf(), chain, at_));
        sameDigest("OperatorChange", TypedData.digest(changeOf(), chain, at_));
        sameDigest("Grant", TypedData.digest(grantOf(), chain, at_));
        sameDigest("Revocation", TypedData.digest(revocationOf(), chain, at_));
        sameDigest("CapsulesUpdate", TypedData.digest(updateOf(), chain, at_));
    }

    /// @dev A trail fits where all fields of all events before it fit, so each act left exactly what the vectors say.
    function test_EverySignedActIsTakenAndLoggedAsInTheVectors() public {
        bytes32 imageId = registry.register(registrationOf(), signatureOf("Registration"));
        same(vm.parseJsonBytes32(_json, ".imageId"), imageId);
        same(2, registry.registerBatch(batchOf(), signatureOf("Batch")));
        registry.anchor(anchorOf(), signatureOf("Anchor"));
        holds(!registry.recordVerification(verificationOf(), signatureOf("Verification")), "the bytes were others");
        registry.decideFlagFor(decisionOf(), signatureOf("FlagDecision"));
        registry.setOperatorFor(changeOf(), signatureOf("OperatorChange"));
        registry.grantFor(grantOf(), signatureOf("Grant"));
        registry.revokeFor(revocationOf(), signatureOf("Revocation"));
        registry.updateCapsulesFor(updateOf(), signatureOf("CapsulesUpdate"));

        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 number = 0;
        for (uint256 i = 0; i < logs.length; i++) {
            if (!isNumbered(logs[i].topics[0])) continue;
            string memory path = string.concat(".audit.events[", _VM.toString(++number), "]");
            string memory name = vm.parseJsonString(_json, string.concat(path, ".event"));
            same(topicOf(name), logs[i].topics[0]);
            holds(contains(logs[i].data, vm.parseJsonBytes32(_json, string.concat(path, ".trail"))), name);
        }
        same(13, number);
        string memory newest = string.concat(".audit.events[", _VM.toString(number), "].trail");
        same(vm.parseJsonBytes32(_json, newest), vm.load(address(registry), 0));
    }

    // ---- what the vectors hold ----

    function encoded(string memory name) private view returns (bytes memory) {
        return vm.parseJsonBytes(_json, string.concat(".structs.", name, ".encoded"));
    }

    function signatureOf(string memory name) private view returns (bytes memory) {
        return vm.parseJsonBytes(_json, string.concat(".structs.", name, ".signature"));
    }

    function registrationOf() private view returns (IImageRegistry.Registration memory) {
        return abi.decode(encoded("Registration"), (IImageRegistry.Registration));
    }

    function batchOf() private view returns (IImageRegistry.Batch memory) {
        return abi.decode(encoded("Batch"), (IImageRegistry.Batch));
    }

    function anchorOf() private view returns (IImageRegistry.Anchor memory) {
        return abi.decode(encoded("Anchor"), (IImageRegistry.Anchor));
    }

    function verificationOf() private view returns (IImageRegistry.Verification memory) {
        return abi.decode(encoded("Verification"), (IImageRegistry.Verification));
    }

    function decisionOf() private view returns (IImageRegistry.FlagDecision memory) {
        return abi.decode(encoded("FlagDecision"), (IImageRegistry.FlagDecision));
    }

    function changeOf() private view returns (IImageRegistry.OperatorChange memory) {
        return abi.decode(encoded("OperatorChange"), (IImageRegistry.OperatorChange));
    }

    function grantOf() private view returns (IImageRegistry.Grant memory) {
        return abi.decode(encoded("Grant"), (IImageRegistry.Grant));
    }

    function revocationOf() private view returns (IImageRegistry.Revocation memory) {
        return abi.decode(encoded("Revocation"), (IImageRegistry.Revocation));
    }

    function updateOf() private view returns (IImageRegistry.CapsulesUpdate memory) {
        return abi.decode(encoded("CapsulesUpdate"), (IImageRegistry.CapsulesUpdate));
    }

    function topicOf(string memory name) private view returns (bytes32) {
        return vm.parseJsonBytes32(_json, string.concat(".events.", name, ".topic"));
    }

    // ---- asserts ----

    function sameType(string memory name, string memory typeString) private view {
        string memory path = string.concat(".structs.", name);
        same(bytes(vm.parseJsonString(_json, string.concat(path, ".typeString"))), bytes(typeString));
        same(vm.parseJsonBytes32(_json, string.concat(path, ".typeHash")), keccak256(bytes(typeString)));
    }

    function sameHash(string memory name, bytes32 hash) private view {
        same(vm.parseJsonBytes32(_json, string.concat(".structs.", name, ".structHash")), hash);
    }

    function sameDigest(string memory name, bytes32 digest) private view {
        same(vm.parseJsonBytes32(_json, string.concat(".structs.", name, ".digest")), digest);
    }

    /// @dev Events of OpenZeppelin's and the items of a batch have no number.
    function isNumbered(bytes32 topic) private pure returns (bool) {
        return topic != keccak256("RoleGranted(bytes32,address,address)")
            && topic != IImageRegistry.RegisteredInBatch.selector;
    }

    /// @dev Whether one of the words of `data` is `word`.
    function contains(bytes memory data, bytes32 word) private pure returns (bool) {
        for (uint256 start = 0; start < data.length; start += 32) {
            bytes32 found = 0;
            for (uint256 i = 0; i < 32; i++) {
                found |= bytes32(data[start + i]) >> (8 * i);
            }
            if (found == word) return true;
        }
        return false;
    }
}

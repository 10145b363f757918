// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IImageRegistry} from "../src/IImageRegistry.sol";
import {ImageRegistry} from "../src/ImageRegistry.sol";

/// @notice The cheat codes that deploying needs.
interface Vm {
    function startBroadcast() external;
    function stopBroadcast() external;
    function envOr(string calldata name, address fallback_) external view returns (address);
    function envOr(string calldata name, string calldata delimiter, address[] calldata fallback_)
        external
        view
        returns (address[] memory);
}

/// @notice Deploys `ImageRegistry`: forge script contracts/script/Deploy.s.sol --rpc-url URL --broadcast, with a wallet flag of forge.
/// `MEDSEAL_ADMIN` names the default admin; without it the deployer becomes it. `MEDSEAL_VERIFIERS`, `MEDSEAL_ARBITERS`, `MEDSEAL_PAUSERS` and `MEDSEAL_KGCS` name
/// the wallets that have the roles from the start, separated by commas.
contract Deploy {
    /// @notice Tells forge that this is a script.
    // forge-lint: disable-next-line(screaming-snake-case-const)
    bool public constant IS_SCRIPT = true;

    Vm private constant _VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    IImageRegistry.RoleGrant[] private _grants;

    /// @notice Deploys and returns the registry.
    function run() external returns (ImageRegistry registry) {
        address admin = _VM.envOr("MEDSEAL_ADMIN", msg.sender);
        _add("MEDSEAL_VERIFIERS", "VERIFIER_ROLE");
        _add("MEDSEAL_ARBITERS", "ARBITER_ROLE");
        _add("MEDSEAL_PAUSERS", "PAUSER_ROLE");
        _add("MEDSEAL_KGCS", "KGC_ROLE");
        _VM.startBroadcast();
        registry = new ImageRegistry(admin, _grants);
        _VM.stopBroadcast();
    }

    /// @dev The wallets that an environment variable names get the role.
    function _add(string memory variable, string memory role) private {
        address[] memory wallets = _VM.envOr(variable, ",", new address[](0));
        for (uint256 i = 0; i < wallets.length; i++) {
            _grants.push(IImageRegistry.RoleGrant(keccak256(bytes(role)), wallets[i]));
        }
    }
}

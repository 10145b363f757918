// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ImageRegistry} from "../src/ImageRegistry.sol";

/// @notice The cheat codes that deploying needs.
interface Vm {
    function startBroadcast() external;
    function stopBroadcast() external;
    function envOr(string calldata name, address fallback_) external view returns (address);
}

/// @notice Deploys `ImageRegistry`: forge script contracts/script/Deploy.s.sol --rpc-url URL --broadcast, with a wallet flag of forge.
/// `MEDSEAL_ADMIN` names the default admin; without it the deployer becomes it.
contract Deploy {
    /// @notice Tells forge that this is a script.
    // forge-lint: disable-next-line(screaming-snake-case-const)
    bool public constant IS_SCRIPT = true;

    Vm private constant _VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @notice Deploys and returns the registry.
    function run() external returns (ImageRegistry registry) {
        address admin = _VM.envOr("MEDSEAL_ADMIN", msg.sender);
        _VM.startBroadcast();
        registry = new ImageRegistry(admin);
        _VM.stopBroadcast();
    }
}

//! The code of a deployed contract, and what made it.

use super::deployment::{Deployment, DeploymentError};
use super::rpc::Rpc;
use alloy::primitives::Bytes;

/// Returns the contract's code, and what the transaction carried that made it.
///
/// # Errors
/// [`DeploymentError::NotADeployment`] if that made another contract, [`DeploymentError::Chain`].
pub async fn deployed_codes(rpc: &Rpc, deployment: &Deployment) -> Result<(Bytes, Bytes), DeploymentError> {
    let transaction = deployment.transaction;
    let receipt = rpc.receipt(transaction).await?;
    if receipt.and_then(|receipt| receipt.contract_address) != Some(deployment.address) {
        return Err(DeploymentError::NotADeployment { transaction, reason: "it made another contract, or none" });
    }
    Ok((rpc.code(deployment.address).await?, rpc.transaction_data(transaction).await?))
}

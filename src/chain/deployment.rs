//! Deploys the contract, and reads and writes the file that says where it is.

use super::error::ChainError;
use super::outbox::{Outbox, OutboxError, Submitted};
use super::rpc::Rpc;
use super::wallet::Wallet;
use crate::checksummed;
use crate::contract::ErrorKind;
use crate::contract::{Artifact, ArtifactError};
use crate::contract::{ConstructorArguments, Transaction};
use crate::files::{Existing, write_whole};
use alloy::eips::BlockNumberOrTag;
use alloy::primitives::{Address, B256, keccak256};
use alloy::rpc::types::Header;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Version of the file's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Schema {
    /// Version 1.
    #[default]
    #[serde(rename = "medseal/deployment/v1")]
    V1,
}

/// A deployed `ImageRegistry`, as it stands in `deployments/CHAINID.json`. It pins the chain and
/// the code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    /// Version of the file's format.
    pub schema: Schema,
    /// Its chain.
    pub chain_id: u64,
    /// Address of the contract.
    #[serde(with = "checksummed")]
    pub address: Address,
    /// Hash of the chain's block 0; files of older versions lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub genesis: Option<B256>,
    /// Number of the block in which it was made: no event is older.
    pub block: u64,
    /// Hash of that block; files of older versions lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_hash: Option<B256>,
    /// Hash of the transaction that made it.
    pub transaction: B256,
    /// keccak256 of its code.
    pub code_hash: B256,
    /// Wallet that made it.
    #[serde(with = "checksummed")]
    pub deployer: Address,
    /// What the constructor was given.
    pub arguments: ConstructorArguments,
}

/// Why there is no deployment.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeploymentError {
    /// The file can't be read or written.
    #[error("deployment file {}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not a deployment file.
    #[error("{} is not a deployment file", path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The file is for another chain than its name says.
    #[error("{}: expected chain id {expected}, found {found}", path.display())]
    OtherChain {
        /// Which file.
        path: PathBuf,
        /// The chain that its name says.
        expected: u64,
        /// The chain that it says.
        found: u64,
    },
    /// The transaction made no `ImageRegistry` of this build.
    #[error("transaction {transaction} deployed no ImageRegistry of this build: {reason}")]
    NotADeployment {
        /// Which transaction.
        transaction: B256,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The contract's build is not usable.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// The transaction was not sent or failed.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// The chain did not answer, or has other code at the new address.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

impl DeploymentError {
    /// The kind of failure, which decides the exit code.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            Self::OtherChain { .. } | Self::NotADeployment { .. } => ErrorKind::WrongChain,
            Self::Outbox(error) => error.kind(),
            Self::Chain(error) => error.kind(),
            _ => ErrorKind::Failure,
        }
    }
}

impl Deployment {
    /// The file of chain `chain_id` in `folder`.
    pub fn path(folder: &Path, chain_id: u64) -> PathBuf {
        folder.join(format!("{chain_id}.json"))
    }

    /// Returns the deployment on `chain_id` as `folder` has it.
    ///
    /// # Errors
    /// [`DeploymentError::Io`], [`DeploymentError::Malformed`], [`DeploymentError::OtherChain`].
    pub fn load(folder: &Path, chain_id: u64) -> Result<Self, DeploymentError> {
        let path = Self::path(folder, chain_id);
        let text =
            std::fs::read_to_string(&path).map_err(|source| DeploymentError::Io { path: path.clone(), source })?;
        let deployment: Self =
            serde_json::from_str(&text).map_err(|source| DeploymentError::Malformed { path: path.clone(), source })?;
        match deployment.chain_id {
            found if found == chain_id => Ok(deployment),
            found => Err(DeploymentError::OtherChain { path, expected: chain_id, found }),
        }
    }

    /// Whether it pins the chain by its blocks: files of older versions do not.
    pub fn pins_blocks(&self) -> bool {
        self.genesis.is_some() && self.block_hash.is_some()
    }

    /// The same with the blocks that this node has, which is taken at its word.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn with_pins(self, rpc: &Rpc) -> Result<Self, ChainError> {
        let (genesis, block_hash) = pins(rpc, self.block).await?;
        Ok(Self { genesis: Some(genesis), block_hash, ..self })
    }

    /// Checks that the chain is the one with this deployment: block 0, the block in which the
    /// contract was made, and its transaction there. Returns that block's header. What the file
    /// does not say is not checked.
    ///
    /// # Errors
    /// [`ChainError::WrongGenesis`], [`ChainError::WrongBlock`], [`ChainError::NoDeployment`], or
    /// the node does not answer.
    pub(super) async fn check_chain(&self, rpc: &Rpc) -> Result<Header, ChainError> {
        if let Some(expected) = self.genesis {
            let found = rpc.genesis().await?;
            if found != expected {
                return Err(ChainError::WrongGenesis { expected, found });
            }
        }
        let made_in = rpc.block(BlockNumberOrTag::Number(self.block)).await?;
        if let Some(expected) = self.block_hash {
            // Not the node's word for it, where the header is all that the hash is made of.
            let found = match made_in.header.hash {
                said if said == expected => made_in.header.inner.hash_slow(),
                said => said,
            };
            if found != expected {
                return Err(ChainError::WrongBlock { block: self.block, expected, found });
            }
        }
        if !made_in.transactions.hashes().any(|transaction| transaction == self.transaction) {
            return Err(ChainError::NoDeployment { transaction: self.transaction, block: self.block });
        }
        Ok(made_in.header)
    }

    /// Writes the file into `folder`, in place of an older one, whole or not at all; returns its
    /// path.
    ///
    /// # Errors
    /// [`DeploymentError::Io`].
    pub fn save(&self, folder: &Path) -> Result<PathBuf, DeploymentError> {
        let path = Self::path(folder, self.chain_id);
        let write = || {
            std::fs::create_dir_all(folder)?;
            let text = serde_json::to_string_pretty(self)? + "\n";
            write_whole(&path, text.as_bytes(), Existing::Replace)
        };
        write().map_err(|source| DeploymentError::Io { path: path.clone(), source })?;
        Ok(path)
    }
}

/// Deploys `ImageRegistry` in one transaction, roles included, and returns where it is, after its
/// code was compared with the build.
///
/// The outbox makes it idempotent: the same wallet, build and arguments on the same chain are the
/// same contract.
///
/// # Errors
/// [`DeploymentError`].
pub async fn deploy(
    rpc: &Rpc,
    outbox: &mut Outbox,
    wallet: &Wallet,
    arguments: ConstructorArguments,
) -> Result<Submitted<Deployment>, DeploymentError> {
    let artifact = Artifact::embedded()?;
    let data = artifact.init_code(&arguments);
    let job = format!("deploy:{}", keccak256(&data));
    let chain_id = outbox.chain_id();
    let receipt = match outbox.submit(rpc, wallet, &job, &Transaction { to: None, data }).await? {
        Submitted::Mined(receipt) => receipt,
        Submitted::Printed(unsent) => return Ok(Submitted::Printed(unsent)),
    };
    let method = "eth_getTransactionReceipt";
    let address =
        receipt.contract.ok_or_else(|| ChainError::BadAnswer { method, reason: "no contract address".into() })?;
    let code_hash = check_code(rpc, &artifact, address, chain_id).await?;
    let (genesis, block_hash) = pins(rpc, receipt.block_number).await?;
    Ok(Submitted::Mined(Deployment {
        schema: Schema::V1,
        chain_id,
        address,
        genesis: Some(genesis),
        block: receipt.block_number,
        block_hash,
        transaction: receipt.transaction,
        code_hash,
        deployer: wallet.address(),
        arguments,
    }))
}

/// Returns the deployment that a transaction of another tool made (`forge script`, a wallet), after
/// arguments and code were compared with the build.
///
/// # Errors
/// [`DeploymentError::NotADeployment`], [`DeploymentError::Chain`].
pub async fn adopt(rpc: &Rpc, transaction: B256) -> Result<Deployment, DeploymentError> {
    let other = |reason| DeploymentError::NotADeployment { transaction, reason };
    let artifact = Artifact::embedded()?;
    let receipt = rpc.receipt(transaction).await?.ok_or_else(|| other("it is not mined on this chain"))?;
    if !receipt.status() {
        return Err(other("it failed"));
    }
    let made = receipt.contract_address.zip(receipt.block_number);
    let (address, block) = made.ok_or_else(|| other("it made no contract itself"))?;
    let data = rpc.transaction_data(transaction).await?;
    let arguments =
        artifact.arguments(&data).ok_or_else(|| other("it carries another contract, or other arguments"))?;
    let chain_id = rpc.chain_id().await?;
    let code_hash = check_code(rpc, &artifact, address, chain_id).await?;
    let (genesis, block_hash) = pins(rpc, block).await?;
    Ok(Deployment {
        schema: Schema::V1,
        chain_id,
        address,
        genesis: Some(genesis),
        block,
        block_hash,
        transaction,
        code_hash,
        deployer: receipt.from,
        arguments,
    })
}

/// Hash of block 0, and of the block with this number; none of a chain whose headers are made in a
/// way of its own.
async fn pins(rpc: &Rpc, block: u64) -> Result<(B256, Option<B256>), ChainError> {
    let header = rpc.block(BlockNumberOrTag::Number(block)).await?.header;
    Ok((rpc.genesis().await?, Some(header.hash).filter(|hash| *hash == header.inner.hash_slow())))
}

/// Returns the hash of the code at `address`, which must be that of the build.
async fn check_code(rpc: &Rpc, artifact: &Artifact, address: Address, chain_id: u64) -> Result<B256, ChainError> {
    let code = rpc.code(address).await?;
    if code.is_empty() {
        return Err(ChainError::NoContract { address, chain_id });
    }
    let found = keccak256(&code);
    if !artifact.is_code(&code) {
        return Err(ChainError::WrongContract { address, expected: keccak256(artifact.deployed_code()), found });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::InitialRole;
    use crate::contract::bindings::Role;
    use alloy::primitives::address;

    const DEPLOYER: Address = address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266");

    fn deployment() -> Deployment {
        Deployment {
            schema: Schema::V1,
            chain_id: 31337,
            address: address!("5FbDB2315678afecb367f032d93F642f64180aa3"),
            genesis: Some(B256::repeat_byte(4)),
            block: 1,
            block_hash: Some(B256::repeat_byte(5)),
            transaction: B256::repeat_byte(2),
            code_hash: B256::repeat_byte(3),
            deployer: DEPLOYER,
            arguments: ConstructorArguments {
                admin: DEPLOYER,
                roles: vec![InitialRole { role: Role::Kgc, wallet: DEPLOYER }],
            },
        }
    }

    #[test]
    fn the_file_comes_back_and_is_camel_case_and_checksummed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = deployment().save(&folder.path().join("deployments")).expect("saved");
        assert_eq!(path, folder.path().join("deployments/31337.json"));
        assert_eq!(Deployment::load(&folder.path().join("deployments"), 31337).expect("loaded"), deployment());
        let json: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(&path).expect("text")).expect("JSON");
        assert_eq!(json["address"], "0x5FbDB2315678afecb367f032d93F642f64180aa3");
        assert_eq!(json["codeHash"], format!("0x{}", "03".repeat(32)));
        assert_eq!(json["arguments"]["admin"], "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
        assert_eq!(json["arguments"]["roles"][0]["role"], "KGC_ROLE");
        assert_eq!(json["arguments"]["roles"][0]["wallet"], json["arguments"]["admin"]);
        assert_eq!(
            (&json["genesis"], &json["blockHash"]),
            (&format!("0x{}", "04".repeat(32)).into(), &format!("0x{}", "05".repeat(32)).into())
        );
        let others = std::fs::read_dir(path.parent().expect("a folder")).expect("listed").count();
        assert_eq!(others, 1, "a draft was left");
    }

    #[test]
    fn a_file_that_says_something_else_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        assert_eq!(Deployment::load(folder, 31337).expect_err("absent").kind(), ErrorKind::NotFound);

        let path = deployment().save(folder).expect("saved");
        std::fs::copy(&path, folder.join("1.json")).expect("copied");
        let other = Deployment::load(folder, 1).expect_err("another chain");
        assert!(matches!(other, DeploymentError::OtherChain { expected: 1, found: 31337, .. }));
        assert_eq!(other.kind(), ErrorKind::WrongChain);

        let text = std::fs::read_to_string(&path).expect("text");
        for bad in [
            text.replace("0x5FbD", "0x5fbD"),
            text.replace("codeHash", "hash"),
            text.replace("KGC_ROLE", "KGC"),
            text.replace("/v1", "/v2"),
            text[..40].to_owned(),
        ] {
            assert_ne!(bad, text);
            std::fs::write(&path, bad).expect("written");
            assert!(matches!(Deployment::load(folder, 31337), Err(DeploymentError::Malformed { .. })));
        }
    }

    #[test]
    fn a_file_of_an_older_version_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let older = Deployment { genesis: None, block_hash: None, ..deployment() };
        let path = older.save(folder.path()).expect("saved");
        assert!(!std::fs::read_to_string(path).expect("text").contains("genesis"));
        let loaded = Deployment::load(folder.path(), 31337).expect("loaded");
        assert!(loaded == older && !loaded.pins_blocks() && deployment().pins_blocks());
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        std::fs::write(&file, "").expect("written");
        assert!(matches!(deployment().save(&file), Err(DeploymentError::Io { .. })));
    }
}

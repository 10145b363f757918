//! The client of `ImageRegistry`: reads it, and makes the transactions that the outbox sends.

use super::deployment::Deployment;
use super::error::ChainError;
use super::head::{Head, Profile};
use super::rpc::Rpc;
use crate::contract::bindings::IImageRegistry::{
    self as registry, Access, Capsules, Flag, KgcKey, LogHead, Operator, Record, RecordState,
};
use crate::contract::bindings::{IOpenZeppelin, Role};
use crate::contract::{AuditHead, Transaction};
use crate::envelope;
use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::primitives::{Address, B256, U256, keccak256};
use alloy::rpc::types::{Filter, TransactionRequest};
use alloy::sol_types::{Eip712Domain, SolCall};
use std::time::Duration;

mod contract_wallet;
mod log;
mod ranges;
mod reach;
mod times;

pub use ranges::{LogRange, LogRanges, READ_TIME, ReadBudget, ReadObserver, Reading};
pub use times::BlockTimes;

use ranges::ReadRules;

/// Client of a registry whose chain and code were checked. Reads are of the latest block unless the
/// method says otherwise.
#[derive(Debug, Clone)]
pub struct Registry {
    rpc: Rpc,
    chain_id: u64,
    address: Address,
    first: FirstBlock,
    code_hash: B256,
    profile: Profile,
    reading: ReadRules,
}

/// The block in which the contract was made.
#[derive(Debug, Clone, Copy)]
struct FirstBlock {
    number: u64,
    time: u64,
    /// As the deployment file has it.
    pinned: Option<B256>,
}

impl Registry {
    /// Returns the client, after the node was seen to serve the pinned chain with the pinned code
    /// at the pinned address.
    ///
    /// # Errors
    /// [`ChainError::WrongChain`], [`ChainError::NoContract`], [`ChainError::WrongContract`],
    /// [`ChainError::WrongGenesis`], [`ChainError::WrongBlock`], [`ChainError::NoDeployment`], or
    /// the node does not answer.
    pub async fn connect(rpc: Rpc, deployment: &Deployment, profile: Profile) -> Result<Self, ChainError> {
        let Deployment { chain_id, address, code_hash, block, block_hash, .. } = *deployment;
        // Of several nodes the file chooses, not the one that answers first.
        rpc.pin_chain(chain_id);
        rpc.pin_code(address, code_hash);
        if let Some(genesis) = deployment.genesis {
            rpc.pin_genesis(genesis);
        }
        rpc.check_chain_id(chain_id).await?;
        let code = rpc.code(address).await?;
        if code.is_empty() {
            return Err(ChainError::NoContract { address, chain_id });
        }
        let found = keccak256(&code);
        if found != code_hash {
            return Err(ChainError::WrongContract { address, expected: code_hash, found });
        }
        let time = deployment.check_chain(&rpc).await?.timestamp;
        let first = FirstBlock { number: block, time, pinned: block_hash };
        Ok(Self { rpc, chain_id, address, first, code_hash, profile, reading: ReadRules::default() })
    }

    /// The same client, which gives up a log after `time` of reading it (or a hundred requests for
    /// each second of that), and tells `observer` how far it has come.
    #[must_use]
    pub fn reading_for(self, time: Duration, observer: Option<ReadObserver>) -> Self {
        Self { reading: ReadRules { time, observer }, ..self }
    }

    /// The budget of a reading that begins now.
    pub(crate) fn read_budget(&self) -> ReadBudget {
        ReadBudget::new(self.reading.clone())
    }

    /// What `filter` asks for of the contract's logs in blocks `first ..= last`, range by range.
    pub(crate) fn ranges(&self, filter: Filter, budget: &ReadBudget, blocks: (u64, u64)) -> LogRanges {
        LogRanges::new(self.rpc.clone(), filter.address(self.address), budget.clone(), blocks)
    }

    /// The JSON-RPC client that it uses.
    pub fn rpc(&self) -> &Rpc {
        &self.rpc
    }

    /// The same registry as each node alone shows it.
    pub(crate) fn each(&self) -> Vec<Self> {
        self.rpc.each().into_iter().map(|rpc| Self { rpc, ..self.clone() }).collect()
    }

    /// The same client with another deadline for each call.
    pub(crate) fn with_deadline(self, deadline: Duration) -> Self {
        Self { rpc: self.rpc.with_deadline(deadline), ..self }
    }

    /// Id of its chain.
    pub fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// The contract's address.
    pub fn address(&self) -> Address {
        self.address
    }

    /// Number of the block in which the contract was made: no event is older.
    pub fn first_block(&self) -> u64 {
        self.first.number
    }

    /// Hash of that block, where the deployment file has it.
    pub fn first_hash(&self) -> Option<B256> {
        self.first.pinned
    }

    /// keccak256 of the contract's code, as pinned.
    pub fn code_hash(&self) -> B256 {
        self.code_hash
    }

    /// The chain's profile: what 'stale', 'confirmed' and 'final' mean on it.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// The EIP-712 domain of its signatures.
    pub fn domain(&self) -> Eip712Domain {
        envelope::signing_domain(self.chain_id, self.address)
    }

    /// The transaction that makes `call`, for [`Outbox::submit`](super::Outbox::submit).
    pub fn transaction(&self, call: &impl SolCall) -> Transaction {
        Transaction { to: Some(self.address), data: call.abi_encode().into() }
    }

    pub(super) async fn view<C: SolCall>(&self, call: C) -> Result<C::Return, ChainError> {
        self.view_at(BlockId::latest(), call).await
    }

    async fn view_at<C: SolCall>(&self, block: BlockId, call: C) -> Result<C::Return, ChainError> {
        let request = TransactionRequest::default().to(self.address).input(call.abi_encode().into());
        let answer = self.rpc.call(request, block).await?;
        // An address without code answers every call with no bytes.
        if answer.is_empty() {
            return Err(ChainError::NoContract { address: self.address, chain_id: self.chain_id });
        }
        C::abi_decode_returns_validate(&answer)
            .map_err(|error| ChainError::BadAnswer { method: C::SIGNATURE, reason: error.to_string() })
    }

    /// The record of an image.
    ///
    /// # Errors
    /// [`ChainError::UnknownImage`], or the node does not answer.
    pub async fn record(&self, image_id: B256) -> Result<Record, ChainError> {
        let record = self.view(registry::recordOfCall { imageId: image_id }).await?;
        match record.state {
            RecordState::Absent => Err(ChainError::UnknownImage { image_id }),
            _ => Ok(record),
        }
    }

    /// The record of an image as it was in the block with this hash.
    ///
    /// # Errors
    /// [`ChainError::UnknownImage`], or the node does not answer.
    pub async fn record_in(&self, block: B256, image_id: B256) -> Result<Record, ChainError> {
        let record = self.view_at(BlockId::hash(block), registry::recordOfCall { imageId: image_id }).await?;
        match record.state {
            RecordState::Absent => Err(ChainError::UnknownImage { image_id }),
            _ => Ok(record),
        }
    }

    /// The newest flag of an image as it was in the block with this hash; id 0 if there was none.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn flag_in(&self, block: B256, image_id: B256) -> Result<Flag, ChainError> {
        self.view_at(BlockId::hash(block), registry::flagOfCall { imageId: image_id }).await
    }

    /// Whether `observed` is the registered SHA-256 of the image.
    ///
    /// # Errors
    /// [`ChainError::UnknownImage`], or the node does not answer.
    pub async fn verify(&self, image_id: B256, observed: B256) -> Result<bool, ChainError> {
        self.view(registry::verifyCall { imageId: image_id, observedHash: observed }).await
    }

    /// The access word of (image, wallet); all zero where nothing was granted or revoked. Says
    /// nothing about the sender.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn access(&self, image_id: B256, wallet: Address) -> Result<Access, ChainError> {
        self.view(registry::accessOfCall { imageId: image_id, wallet }).await
    }

    /// The access word as it was in the block with this hash; a node that does not have the block
    /// refuses.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn access_in(&self, block: B256, image_id: B256, wallet: Address) -> Result<Access, ChainError> {
        self.view_at(BlockId::hash(block), registry::accessOfCall { imageId: image_id, wallet }).await
    }

    /// Last second of the access of (image, wallet) that counts at `head`: 0 for none. On a network
    /// a grant counts once the chain calls its block `safe`, and a revocation as soon as it is in
    /// `head`: the smaller of the two.
    ///
    /// # Errors
    /// [`ChainError::NoFinality`], or the node does not answer.
    pub async fn confirmed_expiry(&self, head: &Head, image_id: B256, wallet: Address) -> Result<u64, ChainError> {
        let newest = self.access_in(head.hash, image_id, wallet).await?.expiry;
        if newest == 0 || self.profile == Profile::Development {
            return Ok(newest);
        }
        match self.rpc.settled(BlockNumberOrTag::Safe).await? {
            Some(safe) if safe.number >= self.first.number => {
                Ok(newest.min(self.access_in(safe.hash, image_id, wallet).await?.expiry))
            }
            // No block with the contract in it is confirmed yet.
            _ => Ok(0),
        }
    }

    /// Whether `wallet` may have the image's key *by the time of the latest block*, which a
    /// development chain only makes when there is a transaction: who releases keys also compares
    /// [`Registry::access`] with its own clock.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn is_authorized(&self, image_id: B256, wallet: Address) -> Result<bool, ChainError> {
        self.view(registry::isAuthorizedCall { imageId: image_id, wallet }).await
    }

    /// The newest flag of an image; id 0 where there was none.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn flag(&self, image_id: B256) -> Result<Flag, ChainError> {
        self.view(registry::flagOfCall { imageId: image_id }).await
    }

    /// The audit head, and the number of events so far.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn audit(&self) -> Result<AuditHead, ChainError> {
        let audit = self.view(registry::auditCall {}).await?;
        Ok(AuditHead { head: audit.head, seq: audit.seq.to() })
    }

    /// The audit head as it was in the block with this hash.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn audit_in(&self, block: B256) -> Result<AuditHead, ChainError> {
        let audit = self.view_at(BlockId::hash(block), registry::auditCall {}).await?;
        Ok(AuditHead { head: audit.head, seq: audit.seq.to() })
    }

    /// A KGC's key of one epoch.
    ///
    /// # Errors
    /// [`ChainError::Revert`] with `UnknownKgcKey`, or the node does not answer.
    pub async fn kgc_key(&self, kgc_id: B256, epoch: u32) -> Result<KgcKey, ChainError> {
        self.view(registry::kgcKeyCall { kgcId: kgc_id, epoch }).await
    }

    /// The same as it was in a block.
    ///
    /// # Errors
    /// As [`Self::kgc_key`].
    pub async fn kgc_key_in(&self, block: B256, kgc_id: B256, epoch: u32) -> Result<KgcKey, ChainError> {
        self.view_at(BlockId::hash(block), registry::kgcKeyCall { kgcId: kgc_id, epoch }).await
    }

    /// A KGC's newest key, retired or not.
    ///
    /// # Errors
    /// [`ChainError::Revert`] with `UnknownKgcKey`, or the node does not answer.
    pub async fn current_kgc_key(&self, kgc_id: B256) -> Result<KgcKey, ChainError> {
        self.view(registry::currentKgcKeyCall { kgcId: kgc_id }).await
    }

    /// The nonce that `wallet`'s next relayed verification must carry.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn nonce(&self, wallet: Address) -> Result<U256, ChainError> {
        self.view(registry::noncesCall { wallet }).await
    }

    /// Whether `account` has `role`.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn has_role(&self, role: Role, account: Address) -> Result<bool, ChainError> {
        self.view(IOpenZeppelin::hasRoleCall { role: role.id(), account }).await
    }

    /// The default administrator.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn default_admin(&self) -> Result<Address, ChainError> {
        self.view(IOpenZeppelin::defaultAdminCall {}).await
    }

    /// The wallet that a hand-over makes the default administrator, if one is under way, and the
    /// second from which it may accept.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn pending_admin(&self) -> Result<(Option<Address>, u64), ChainError> {
        let pending = self.view(IOpenZeppelin::pendingDefaultAdminCall {}).await?;
        Ok((Some(pending.newAdmin).filter(|next| !next.is_zero()), pending.schedule.to()))
    }

    /// Whether `wallet` may speak for `sender`, and how often that was changed.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn operator(&self, sender: Address, wallet: Address) -> Result<Operator, ChainError> {
        self.view(registry::operatorOfCall { sender, wallet }).await
    }

    /// The number that `wallet` names in what it signs as an operator of `sender`; 0 where it is
    /// the sender itself.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn operator_seq(&self, sender: Address, wallet: Address) -> Result<u128, ChainError> {
        if wallet == sender { Ok(0) } else { Ok(self.operator(sender, wallet).await?.seq) }
    }

    /// Last second of the pause, unix seconds, if one is in force.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn paused_until(&self) -> Result<Option<u64>, ChainError> {
        let until: u64 = self.view(registry::pausedUntilCall {}).await?.to();
        Ok(Some(until).filter(|until| *until != 0))
    }

    /// The registry that replaces this one, if one was announced.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn successor(&self) -> Result<Option<Address>, ChainError> {
        let successor = self.view(registry::supersededByCall {}).await?;
        Ok(Some(successor).filter(|successor| !successor.is_zero()))
    }

    /// The capsules that replaced those of the registration, as it was in the block with this hash;
    /// version 0 where none did.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn capsules_in(&self, block: B256, image_id: B256) -> Result<Capsules, ChainError> {
        self.view_at(BlockId::hash(block), registry::capsulesOfCall { imageId: image_id }).await
    }

    /// The capsules that replaced those of the registration; version 0 where none did.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn capsules(&self, image_id: B256) -> Result<Capsules, ChainError> {
        self.view(registry::capsulesOfCall { imageId: image_id }).await
    }

    /// The newest head of a KGC's log that it anchored; number 0 where there is none.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn log_head(&self, kgc: Address, log_id: B256) -> Result<LogHead, ChainError> {
        self.view(registry::logHeadOfCall { kgc, logId: log_id }).await
    }
}

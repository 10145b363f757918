//! What happens in the demo, and what must hold after each act.

use super::Sabotage;
use super::avalanche::Avalanche;
use super::stage::{Actor, Stage};
use crate::audit::{AuditOptions, audit};
use crate::cli::error::CliError;
use crate::cli::output::{chain_of, say};
use crate::clock::{Clock, SystemClock};
use crate::contract::bindings::IImageRegistry::{
    FlagState, IImageRegistryEvents as Event, RecordState, confirmFlagCall, grantCall, revokeCall, setOperatorCall,
};
use crate::contract::flag_number;
use crate::envelope::SealedImage;
use crate::imaging::Image;
use crate::keygen::Vit;
use crate::metrics::{entropy, quality};
use crate::pipeline::{
    OpenedImage, PipelineError, Reader, Sealed, Signers, Verdict, fetch, lookup, observe, record_verification,
};
use crate::view::Code;
use alloy::primitives::{Address, B256};
use alloy::sol_types::SolCall;
use indicatif::ProgressBar;
use std::path::{Path, PathBuf};

/// A day, for grants.
const DAY_SECS: u64 = 86_400;

/// One scan and what became of it.
pub(super) struct Scan {
    pub(super) name: String,
    pub(super) file: Vec<u8>,
    pub(super) image: Option<Image>,
    pub(super) sealed: Sealed,
    /// The record that the story goes on with: the sealed one, unless `--break` changed it.
    pub(super) image_id: B256,
    pub(super) gas: u64,
    /// Entropy of the ciphertext, as it was read back from the store.
    pub(super) entropy: Option<f64>,
    pub(super) avalanche: Option<Avalanche>,
    pub(super) mse: Option<f64>,
    /// What was checked, and whether it held.
    pub(super) checks: Vec<Line>,
}

/// One claim.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) what: String,
    pub(super) holds: bool,
}

impl Scan {
    /// Whether every check of this scan held.
    pub(super) fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.holds)
    }

    fn check(&mut self, what: &str, holds: bool) {
        if !holds {
            say(&format!("{}: does not hold: {what}", self.name));
        }
        self.checks.push(Line { what: what.to_owned(), holds });
    }
}

/// The demo as it goes.
pub(super) struct Story<'a> {
    pub(super) stage: &'a Stage,
    pub(super) paths: &'a [PathBuf],
    pub(super) sabotage: Option<Sabotage>,
    pub(super) vit: Vit,
    pub(super) scans: Vec<Scan>,
    lines: Vec<Line>,
}

impl<'a> Story<'a> {
    pub(super) fn new(stage: &'a Stage, paths: &'a [PathBuf], sabotage: Option<Sabotage>, vit: Vit) -> Self {
        Self { stage, paths, sabotage, vit, scans: Vec::new(), lines: Vec::new() }
    }

    /// The claims that are not about one scan alone.
    pub(super) fn lines(&self) -> Vec<Line> {
        self.lines.clone()
    }

    pub(super) fn check(&mut self, what: impl Into<String>, holds: bool) {
        self.lines.push(Line { what: what.into(), holds });
    }

    /// The scan that is tampered with: one in the middle.
    fn victim(&self) -> usize {
        self.paths.len() / 2
    }

    /// The verifier reads chain and store afresh, and logs what it sees.
    pub(super) async fn verify_all(&mut self, bar: &ProgressBar) -> Result<(), CliError> {
        if self.sabotage == Some(Sabotage::Byte) {
            self.flip_stored_byte(0).await?;
        }
        let mut verifier = self.stage.actor("verifier").await?;
        for index in 0..self.scans.len() {
            bar.set_message(format!("verifying {}", self.scans[index].name));
            let (valid, gas) = self.verify(&mut verifier, index).await?;
            let (registry, store) = self.stage.afresh().await?;
            let scan = &mut self.scans[index];
            scan.check("verification logged on chain says valid", valid);
            scan.gas += gas;
            let stored = lookup(&registry, scan.image_id).await?;
            let registered = stored.record.contentHash == scan.sealed.job.content_hash;
            scan.check("the record holds the hash that the sender computed", registered);
            if let Ok(bytes) = fetch(&store, &stored).await {
                let sealed = SealedImage::decode(&bytes).map_err(PipelineError::from)?;
                scan.entropy = entropy::of_bytes(&sealed.ciphertext());
            }
            bar.inc(1);
        }
        Ok(())
    }

    /// Returns the contract's judgement on the stored bytes, and what asking cost.
    async fn verify(&self, verifier: &mut Actor, index: usize) -> Result<(bool, u64), CliError> {
        let (registry, store) = self.stage.afresh().await?;
        let id = self.scans[index].image_id;
        let observation = observe(&registry, &store, &lookup(&registry, id).await?).await?;
        let Some(observed) = observation.observed else { return Ok((false, 0)) };
        let now = SystemClock.unix_secs();
        let signers = Signers::one(verifier.wallet.clone());
        let recorded = record_verification(&registry, &mut verifier.outbox, &signers, id, observed, now).await?;
        let recorded = recorded.mined().expect("the demo's wallets send");
        let agree = recorded.valid == matches!(observation.verdict, Verdict::Valid);
        Ok((recorded.valid && agree, recorded.receipt.gas_used))
    }

    /// A hostile storage node changes one byte: it is noticed, logged and flagged, and nothing is
    /// opened.
    pub(super) async fn tamper(&mut self) -> Result<(), CliError> {
        let victim = self.victim();
        let (id, name) = (self.scans[victim].image_id, self.scans[victim].name.clone());
        self.flip_stored_byte(victim).await?;
        let mut verifier = self.stage.actor("verifier").await?;
        let (valid, gas) = self.verify(&mut verifier, victim).await?;
        self.scans[victim].gas += gas;
        let (registry, _) = self.stage.afresh().await?;
        let (flag, record) = (registry.flag(id).await?, registry.record(id).await?);
        self.check(format!("{name}: one stored byte was changed, and verification says invalid"), !valid);
        self.check(
            format!("{name}: the mismatch is in the log on chain: {} entries", record.verifications),
            record.verifications.to::<u64>() == 2,
        );
        self.check(
            format!("{name}: flag {} is raised on chain", flag_number(flag.id)),
            record.state == RecordState::Flagged && flag.state == FlagState::Open,
        );
        let sender = self.stage.actor("sender").await?;
        let refused = self.open(&sender, id).await;
        self.check(format!("{name}: open refuses, even the sender"), is_refused(&refused, Code::Tampered));
        let mut arbiter = self.stage.actor("admin").await?;
        let call = confirmFlagCall { imageId: id, flagId: flag.id };
        self.scans[victim].gas += submit(&mut arbiter, &format!("confirm:{id}"), &call).await?;
        let (registry, _) = self.stage.afresh().await?;
        let (flag, record) = (registry.flag(id).await?, registry.record(id).await?);
        self.check(
            format!("{name}: the arbiter confirmed the flag, and the image counts as tampered"),
            record.state == RecordState::Tampered && flag.state == FlagState::Confirmed,
        );
        Ok(())
    }

    /// Changes one byte of a stored sealed image, as whoever owns the disk can.
    async fn flip_stored_byte(&self, index: usize) -> Result<(), CliError> {
        let (_, store) = self.stage.afresh().await?;
        let cid = self.scans[index].sealed.job.cid.parse().map_err(PipelineError::from)?;
        let path = store.block_path(&cid);
        let failed = |act| {
            let path = path.clone();
            move |source| CliError::File { act, path, source }
        };
        let mut bytes = std::fs::read(&path).map_err(failed("read"))?;
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, bytes).map_err(failed("change"))
    }

    /// An operator whom the sender allowed grants, a second wallet opens, a third one is refused;
    /// every file is compared with its original.
    pub(super) async fn open_all(&mut self, bar: &ProgressBar) -> Result<(), CliError> {
        let (mut sender, reader, stranger) =
            (self.stage.actor("sender").await?, self.stage.actor("reader").await?, self.stage.actor("stranger").await?);
        let mut operator = self.stage.actor("operator").await?;
        let call = setOperatorCall { operator: operator.wallet.address(), allowed: true };
        submit(&mut sender, "operator", &call).await?;
        let before = self.open(&reader, self.scans[0].image_id).await;
        if self.sabotage != Some(Sabotage::Byte) {
            self.check("the second wallet is refused before it has a grant", is_refused(&before, Code::NotAuthorized));
        }
        for index in 0..self.scans.len() {
            bar.set_message(format!("opening {}", self.scans[index].name));
            bar.inc(1);
            if index == self.victim() {
                continue;
            }
            if self.sabotage != Some(Sabotage::Grant) || index != 1 {
                let expiry = SystemClock.unix_secs() + DAY_SECS;
                let id = self.scans[index].image_id;
                let call = grantCall { imageId: id, wallet: reader.wallet.address(), expiry };
                self.scans[index].gas += submit(&mut operator, &format!("grant:{id}"), &call).await?;
            }
            let opened = self.open(&reader, self.scans[index].image_id).await;
            self.compare(index, opened)?;
        }
        let first = self.scans[self.victim() + 1].image_id;
        let by = self.granted_by(first).await?;
        self.check("the grants are an operator's, whom the sender allowed", by == Some(operator.wallet.address()));
        let refused = self.open(&stranger, first).await;
        self.check("a third wallet, without a grant, is refused", is_refused(&refused, Code::NotAuthorized));
        let call = revokeCall { imageId: first, wallet: reader.wallet.address() };
        submit(&mut sender, &format!("revoke:{first}"), &call).await?;
        let refused = self.open(&reader, first).await;
        self.check(
            "the second wallet is refused after its grant was revoked",
            is_refused(&refused, Code::NotAuthorized),
        );
        Ok(())
    }

    /// Who gave the newest grant of an image, by the log.
    async fn granted_by(&self, id: B256) -> Result<Option<Address>, CliError> {
        let (registry, _) = self.stage.afresh().await?;
        let events = registry.events(id).await?;
        Ok(events.into_iter().rev().find_map(|event| match event.event {
            Event::AccessGranted(granted) => Some(granted.by),
            _ => None,
        }))
    }

    /// The audit trail, recomputed from the log alone, ends in the contract's own head.
    pub(super) async fn audit(&mut self) -> Result<(), CliError> {
        let (registry, _) = self.stage.afresh().await?;
        let (holds, events) = match audit(&registry, &AuditOptions::default(), |_| Ok(())).await {
            Ok(audited) => (true, audited.read),
            Err(error) => {
                say(&format!("the audit trail: {}", chain_of(&error)));
                (false, 0)
            }
        };
        self.check(format!("the audit trail recomputed from {events} events ends in the contract's own head"), holds);
        Ok(())
    }

    fn compare(&mut self, index: usize, opened: Result<OpenedImage, CliError>) -> Result<(), CliError> {
        let scan = &mut self.scans[index];
        let what = "the second wallet opened it byte for byte";
        match opened {
            Ok(opened) => {
                scan.check(what, *opened.file == scan.file);
                if let (Some(plain), Some(image)) = (&scan.image, &opened.image) {
                    scan.mse = quality::mse(plain, image)?;
                }
            }
            Err(error) => {
                say(&format!("{}: {}", scan.name, chain_of(&error)));
                scan.check(what, false);
            }
        }
        Ok(())
    }

    async fn open(&self, actor: &Actor, id: B256) -> Result<OpenedImage, CliError> {
        let (registry, store) = self.stage.afresh().await?;
        let (wallet, key_centers) = (&actor.wallet, self.stage.key_centers());
        let reader = Reader { registry: &registry, wallet, key_centers, store: &store, clock: &SystemClock };
        Ok(reader.open(id).await?)
    }
}

async fn submit(actor: &mut Actor, job: &str, call: &impl SolCall) -> Result<u64, CliError> {
    let registry = actor.session.registry().await?;
    let transaction = registry.transaction(call);
    Ok(actor.outbox.send(registry.rpc(), &actor.wallet, job, &transaction).await?.gas_used)
}

fn is_refused<T>(result: &Result<T, CliError>, code: Code) -> bool {
    result.as_ref().err().is_some_and(|error| error.code() == code)
}

pub(super) fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

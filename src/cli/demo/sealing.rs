//! The demo's first act: the sender seals and stores, and a relayer registers all of it under one
//! signature.

use super::Sabotage;
use super::acts::{Scan, Story, name_of};
use super::avalanche::avalanche;
use super::stage::Actor;
use crate::cli::error::CliError;
use crate::clock::SystemClock;
use crate::contract::bindings::IImageRegistry::{Registration, registerCall};
use crate::imaging::{Limits, decode};
use crate::pipeline::{Finished, Grouping, MAX_BATCH, Mode, PipelineError, Run, Sealed, Sender, Signers, Source};
use alloy::primitives::{B256, Bytes};
use indicatif::ProgressBar;

/// A file, and its sealed image where it is registered.
type File = (String, Vec<u8>);

impl Story<'_> {
    /// The sender seals and stores; a relayer, who only ever sees signatures, registers all files
    /// of one block in one transaction.
    pub(super) async fn seal_all(&mut self, bar: &ProgressBar) -> Result<(), CliError> {
        let mut sender = self.stage.actor("sender").await?;
        let (files, sealed, transactions) = self.seal_and_register(&sender, bar).await?;
        for ((name, file), sealed) in files.into_iter().zip(sealed) {
            let image = decode(&file, &Limits::default()).map_err(PipelineError::from)?.into_image();
            let (image_id, gas) = (sealed.job.image_id, sealed.registered.gas);
            let avalanche = image.as_ref().and_then(avalanche);
            let checks = Vec::new();
            self.scans.push(Scan {
                name,
                file,
                image,
                sealed,
                image_id,
                gas,
                entropy: None,
                avalanche,
                mse: None,
                checks,
            });
        }
        if self.sabotage == Some(Sabotage::Hash) {
            let wrong = self.register_wrong_hash(&mut sender, &self.scans[1]).await?;
            self.scans[1].image_id = wrong;
        }
        self.check_registered(transactions).await
    }

    /// Returns the files, what became of each, and in how many transactions they should be
    /// registered.
    async fn seal_and_register(
        &mut self,
        sender: &Actor,
        bar: &ProgressBar,
    ) -> Result<(Vec<File>, Vec<Sealed>, usize), CliError> {
        let mut relayer = self.stage.actor("relayer").await?;
        let (registry, store, jobs) =
            (sender.session.registry().await?, sender.session.store()?, sender.session.jobs());
        let signers = Signers { signer: sender.wallet.clone(), payer: relayer.wallet.clone() };
        let sender = Sender {
            registry: &registry,
            signers: &signers,
            outbox: &mut relayer.outbox,
            key_centers: self.stage.key_centers(),
            store: &store,
            vit: &mut self.vit,
            jobs: &jobs,
            clock: &SystemClock,
            limits: &Limits::default(),
        };
        let mut run = Run::new(sender, Grouping::Batches(MAX_BATCH));
        let mut files = Vec::new();
        for path in self.paths {
            let name = name_of(path);
            bar.set_message(format!("sealing {name}"));
            let file =
                std::fs::read(path).map_err(|source| CliError::File { act: "read", path: path.clone(), source })?;
            run.add(&Source { name: &name, bytes: &file, mode: Mode::Auto, again: false }, &|_| {}).await;
            files.push((name, file));
            bar.inc(1);
        }
        bar.set_message("registering");
        let Finished { files: results, transactions, .. } = run.finish().await;
        let mut sealed = Vec::new();
        for result in results {
            sealed.push(result?.mined().expect("the demo's wallets send"));
        }
        Ok((files, sealed, transactions))
    }

    /// What the chain, asked afresh, says of it.
    async fn check_registered(&mut self, transactions: usize) -> Result<(), CliError> {
        let (registry, _) = self.stage.afresh().await?;
        let (count, expected) = (registry.image_count().await?, self.scans.len());
        self.check(format!("{expected} images are {expected} records on chain"), count == expected);
        let (mut signed, mut seen) = (true, Vec::new());
        for scan in &self.scans {
            let logged = registry.registration(scan.sealed.job.image_id).await?;
            signed &= logged.kind.signature().is_some_and(|(signature, _)| signature.len() == 65);
            seen.push(logged.place.transaction);
        }
        seen.sort_unstable();
        seen.dedup();
        let plural = if transactions == 1 { "" } else { "s" };
        let what =
            format!("a relayer registered them in {transactions} transaction{plural}, under the sender's signature");
        self.check(what, signed && seen.len() == transactions);
        Ok(())
    }

    /// `--break hash`: a record of the same stored bytes, with another hash.
    async fn register_wrong_hash(&self, sender: &mut Actor, scan: &Scan) -> Result<B256, CliError> {
        let (job, salt) = (&scan.sealed.job, B256::repeat_byte(0xbb));
        let mut wrong = job.content_hash;
        wrong.0[0] ^= 1;
        let bytes = |cid: &str| {
            let cid: crate::storage::Cid = cid.parse().map_err(PipelineError::from)?;
            Ok::<Bytes, CliError>(cid.to_bytes().into())
        };
        let registration = Registration {
            sender: sender.wallet.address(),
            salt,
            contentHash: wrong,
            headerHash: job.header_hash,
            size: job.size,
            cid: bytes(&job.cid)?,
            capsulesHash: job.capsules_hash,
            capsulesCid: bytes(&job.capsules_cid)?,
            deadline: 0,
        };
        let call = registerCall { registration, signature: Bytes::new() };
        self.stage.register(sender, "break:hash", &call).await?;
        let registry = sender.session.registry().await?;
        Ok(crate::envelope::image_id(registry.chain_id(), registry.address(), sender.wallet.address(), salt))
    }
}

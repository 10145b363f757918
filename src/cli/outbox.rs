//! `medseal outbox`: transactions that are signed and not mined.

use super::error::CliError;
use super::output::{Outcome, address, table};
use super::session::Session;
use super::settings::Settings;
use crate::chain::outbox::{Job, Offer};
use crate::view::{JobEndView, OutboxView};
use alloy::primitives::utils::format_ether;

/// What this program signed for a wallet is on disk until it is mined for good. Here its owner sees
/// it, changes its price, or takes its number back.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    act: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List the jobs that are not done, with what each may cost
    List {
        /// List those that are done, too
        #[arg(long)]
        all: bool,
    },
    /// Sign a job's transaction anew, with the same number and the fees of now, and send it
    Reprice(Named),
    /// Take a job's number back with a payment of nothing to the wallet's own address
    Cancel(Named),
}

#[derive(Debug, clap::Args)]
struct Named {
    /// The job as the list names it, or the number of its transaction
    #[arg(value_name = "JOB")]
    job: String,
}

pub(super) async fn run(args: &Args, settings: &Settings) -> Result<Outcome, CliError> {
    let session = Session::connect(settings, "sender").await?;
    let wallet = session.wallet()?;
    let mut outbox = session.outbox_as_it_is(&wallet).await?;
    let (rpc, by) = (session.rpc(), address(wallet.address()));
    match &args.act {
        Verb::List { all } => {
            let offered = |job: Job| job.offer().map(|offer| (job, offer));
            let jobs = outbox.jobs(*all)?.into_iter().map(offered).collect::<Result<Vec<_>, _>>()?;
            let text = match jobs.is_empty() {
                true => format!("nothing of {by} waits on chain {}", session.chain_id()),
                false => listed(&jobs),
            };
            Ok(Outcome::new(OutboxView::new(wallet.address(), session.chain_id(), &jobs), text))
        }
        Verb::Reprice(Named { job }) => {
            let job = outbox.named(job)?.id;
            let mined = outbox.reprice(rpc, &wallet, &job).await?;
            let text = format!("{job} is mined in block {} ({})", mined.block_number, mined.transaction);
            Ok(Outcome::new(JobEndView { job, cancelled: false, transaction: Some(mined.transaction) }, text))
        }
        Verb::Cancel(Named { job }) => {
            let job = outbox.named(job)?.id;
            let transaction = outbox.cancel(rpc, &wallet, &job).await?;
            let text = match transaction {
                Some(hash) => format!("{job} is cancelled: its number was used for nothing ({hash})"),
                None => format!("{job} is cancelled: there was no number to take back"),
            };
            Ok(Outcome::new(JobEndView { job, cancelled: true, transaction }, text))
        }
    }
}

fn listed(jobs: &[(Job, Option<Offer>)]) -> String {
    let mut rows = vec![["job", "state", "number", "transaction", "at most ETH"].map(str::to_owned).to_vec()];
    for (job, offer) in jobs {
        let mut state = job.state.name().to_owned();
        if offer.is_some_and(|offer| offer.cancels) {
            state.push_str(", cancelling");
        }
        let of = |show: fn(&Offer) -> String| offer.as_ref().map_or_else(|| "-".to_owned(), show);
        let (number, hash) = (of(|offer| offer.nonce.to_string()), of(|offer| offer.transaction.to_string()));
        rows.push(vec![job.id.clone(), state, number, hash, of(|offer| format_ether(offer.cost))]);
    }
    table(&rows).trim_end().to_owned()
}

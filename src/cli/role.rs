//! `medseal role`: who has which role, and who is the administrator.

use super::act::Act;
use super::error::CliError;
use super::output::{Outcome, address, table};
use super::session::Session;
use super::settings::Settings;
use super::signers::Relay;
use crate::chain::{Registry, Submitted};
use crate::clock::SystemClock;
use crate::contract::bindings::IImageRegistry::IImageRegistryEvents as Event;
use crate::contract::bindings::IOpenZeppelin::{
    acceptDefaultAdminTransferCall, beginDefaultAdminTransferCall, cancelDefaultAdminTransferCall, grantRoleCall,
    revokeRoleCall,
};
use crate::contract::bindings::Role;
use crate::view::{AdministeredView, AdministrationView, RoleChangeView, RoleView, RolesView};
use alloy::primitives::Address;
use alloy::sol_types::SolCall;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    act: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List who has which role, from the log on chain
    List,
    /// Give a wallet a role [the administrator]
    Give(Change),
    /// Take a role away [the administrator]
    Take(Change),
    /// Begin to hand the administration over: the new administrator accepts it a day later [the
    /// administrator]
    HandOver {
        /// The new administrator
        #[arg(value_name = "WALLET")]
        wallet: Address,
    },
    /// Take over the administration that was handed over [the new administrator]
    Accept,
    /// Cancel a hand-over [the administrator]
    Cancel,
}

#[derive(Debug, clap::Args)]
struct Change {
    /// Which role
    #[arg(value_name = "ROLE")]
    role: Named,
    /// The wallet that gets or loses it
    #[arg(value_name = "WALLET")]
    wallet: Address,
}

/// The roles as the command line names them.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Named {
    /// Its invalid verifications raise flags
    Verifier,
    /// Confirms and dismisses flags
    Arbiter,
    /// Pauses and ends a pause
    Pauser,
    /// Publishes keys of Key Generation Centers, anchors their logs
    Kgc,
}

impl From<Named> for Role {
    fn from(named: Named) -> Self {
        match named {
            Named::Verifier => Self::Verifier,
            Named::Arbiter => Self::Arbiter,
            Named::Pauser => Self::Pauser,
            Named::Kgc => Self::Kgc,
        }
    }
}

pub(super) async fn run(args: &Args, settings: &Settings) -> Result<Outcome, CliError> {
    match &args.act {
        Verb::List => list(&Session::connect(settings, "admin").await?.registry().await?).await,
        Verb::Give(change) => set(change, true, settings).await,
        Verb::Take(change) => set(change, false, settings).await,
        Verb::HandOver { wallet } => {
            let call = beginDefaultAdminTransferCall { newAdmin: *wallet };
            administer("hand-over", &call, settings).await
        }
        Verb::Accept => administer("accept", &acceptDefaultAdminTransferCall {}, settings).await,
        Verb::Cancel => administer("cancel", &cancelDefaultAdminTransferCall {}, settings).await,
    }
}

/// Gives or takes a role, unless that is how it stands.
async fn set(change: &Change, give: bool, settings: &Settings) -> Result<Outcome, CliError> {
    let mut act = Act::begin(settings, "admin", &Relay::default()).await?;
    let (role, account) = (Role::from(change.role), change.wallet);
    let already = act.registry.has_role(role, account).await? == give;
    let mut receipt = None;
    if !already {
        let verb = if give { "give" } else { "take" };
        let job = numbered(&act.registry, &format!("role:{verb}:{}:{account}", role.name())).await?;
        let submitted = match give {
            true => act.submit(&job, &grantRoleCall { role: role.id(), account }).await?,
            false => act.submit(&job, &revokeRoleCall { role: role.id(), account }).await?,
        };
        receipt = match submitted {
            Submitted::Mined(receipt) => Some(receipt),
            Submitted::Printed(unsent) => return act.print(unsent),
        };
    }
    let has = if give { "has" } else { "has no" };
    let text = format!("{} {has} {}", address(account), role.name());
    let object = RoleChangeView { role: RoleView::from((role, account)), given: give, already };
    Ok(Outcome::new(act.json(object, receipt.as_ref()), text))
}

/// A step of the administration from one wallet to another.
async fn administer(step: &str, call: &impl SolCall, settings: &Settings) -> Result<Outcome, CliError> {
    let mut act = Act::begin(settings, "admin", &Relay::default()).await?;
    let job = numbered(&act.registry, &format!("admin:{step}:{}", act.by())).await?;
    let receipt = match act.submit(&job, call).await? {
        Submitted::Mined(receipt) => receipt,
        Submitted::Printed(unsent) => return act.print(unsent),
    };
    let (administration, text) = administration(&act.registry).await?;
    Ok(Outcome::new(act.json(AdministeredView { administration }, Some(&receipt)), text))
}

/// The same act may follow itself: the number of events so far makes the job another one.
async fn numbered(registry: &Registry, job: &str) -> Result<String, CliError> {
    let seq = registry.audit().await?.seq;
    Ok(format!("{job}:{}:{seq}", registry.address()))
}

async fn list(registry: &Registry) -> Result<Outcome, CliError> {
    let mut holders: Vec<(Role, Address)> = Vec::new();
    for event in registry.log(registry.head(&SystemClock).await?.number).await? {
        let Event::RoleChanged(changed) = event.event else { continue };
        let Some(role) = Role::ALL.into_iter().find(|role| role.id() == changed.role) else { continue };
        holders.retain(|holder| *holder != (role, changed.account));
        if changed.granted {
            holders.push((role, changed.account));
        }
    }
    let (administration, text) = administration(registry).await?;
    let mut rows = vec![vec!["role".to_owned(), "wallet".to_owned()]];
    rows.extend(holders.iter().map(|(role, wallet)| vec![role.name().to_owned(), address(*wallet)]));
    let view = RolesView { roles: holders.into_iter().map(RoleView::from).collect(), administration };
    Ok(Outcome::new(view, format!("{text}\n{}", table(&rows))))
}

/// Who administers, and who is to.
async fn administration(registry: &Registry) -> Result<(AdministrationView, String), CliError> {
    let admin = registry.default_admin().await?;
    let (next, schedule) = registry.pending_admin().await?;
    let view = AdministrationView::new(admin, next.map(|next| (next, schedule)));
    let mut text = format!("administrator {}", address(admin));
    if let Some(next) = next {
        text += &format!("; {} may accept after {schedule} (unix seconds)", address(next));
    }
    Ok((view, text))
}

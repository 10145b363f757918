//! The command line: flags in, exit code out. One file for each command.

mod access;
mod act;
mod actors;
mod anchored;
mod audit;
mod capsules;
mod check;
mod completions;
mod core_dumps;
mod demo;
mod deploy;
mod doctor;
mod error;
mod evidence;
mod exit;
mod explain;
mod flag;
mod hints;
mod input;
mod keygen_report;
mod kgc;
mod man;
mod materialize;
mod measure;
mod node;
mod nodes;
mod open;
mod operator;
mod output;
mod page;
mod pins;
mod printed;
mod refusal;
mod registry;
mod relay;
mod role;
mod seal;
mod session;
mod settings;
mod show;
mod signers;
mod store;
mod transformer;
mod verify;
mod watch;

use error::CliError;
use output::{Outcome, Talk};
use settings::{Flags, Settings};

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Seals medical images: a key of their own, ciphertext under its IPFS address, and a record on chain that anybody can check.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 110)]
struct Cli {
    /// Print one JSON object on stdout
    #[arg(long, global = true)]
    json: bool,
    /// Say more on stderr
    #[arg(long, short, global = true)]
    verbose: bool,
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The whole story on this machine: seal, store, register, verify, tamper, flag, open
    Demo(demo::Args),
    /// Run the development chain and keep it
    Node(node::Args),
    /// Deploy ImageRegistry and write the deployment file
    Deploy(deploy::Args),
    /// Seal, store and register files, or all files of a folder; a second start finishes what the first one began
    Seal(seal::Args),
    /// Make anchored images records
    Materialize(materialize::Args),
    /// Fetch, check, ask for the key and decrypt
    Open(open::Args),
    /// Check the stored bytes against the record on chain
    Verify(verify::Args),
    /// Allow a wallet to be given an image's key
    Grant(access::GrantArgs),
    /// End a wallet's access; a key that was given stays given
    Revoke(access::RevokeArgs),
    /// Who may grant, revoke and update capsules for a sender
    Operator(operator::Args),
    /// For whom an image's key is sealed
    Capsules(capsules::Args),
    /// A record, its events and its flag
    Show(show::Args),
    /// The whole event log, proved complete: list, summary, page
    Audit(audit::Args),
    /// One file that proves a record, its verifications and its flags, for years without a node
    Evidence(evidence::Args),
    /// What a file of evidence proves, given a block's hash; asks nobody
    Check(check::Args),
    /// The registry's events as they come, each once; a webhook or a command is told of flags
    Watch(watch::Args),
    /// What becomes of a flag
    Flag(flag::Args),
    /// Who has which role, and who is the administrator
    Role(role::Args),
    /// The registry as a whole: its pause and its successor
    Registry(registry::Args),
    /// The Key Generation Center
    Kgc(kgc::Args),
    /// Entropy, NPCR, UACI, MSE, PSNR, SSIM, NC and correlation of a pair of images
    Measure(measure::Args),
    /// What the keys of a folder's images are worth, against fair coins
    KeygenReport(keygen_report::Args),
    /// Where the sealed images and their capsules lie, each read and checked, and bringing them back to all their nodes
    Pins(pins::Args),
    /// Move what is stored between this machine and IPFS nodes
    Store(store::Args),
    /// Submit what somebody else signed, checked before any gas is spent
    Relay(relay::Args),
    /// Say what a call, a transaction or typed data of the registry does
    Explain(explain::Args),
    /// What is reachable, which versions, what is wrong and how to mend it
    Doctor,
    /// Print the completion script of a shell: bash, zsh or fish
    Completions(completions::Args),
    /// Print the manual page, or write a page for each command
    Man(man::Args),
}

impl Command {
    fn name(&self) -> &'static str {
        match self {
            Self::Demo(_) => "demo",
            Self::Node(_) => "node",
            Self::Deploy(_) => "deploy",
            Self::Seal(_) => "seal",
            Self::Materialize(_) => "materialize",
            Self::Open(_) => "open",
            Self::Verify(_) => "verify",
            Self::Grant(_) => "grant",
            Self::Revoke(_) => "revoke",
            Self::Operator(_) => "operator",
            Self::Capsules(_) => "capsules",
            Self::Show(_) => "show",
            Self::Audit(_) => "audit",
            Self::Evidence(_) => "evidence",
            Self::Check(_) => "check",
            Self::Watch(_) => "watch",
            Self::Flag(_) => "flag",
            Self::Role(_) => "role",
            Self::Registry(_) => "registry",
            Self::Kgc(_) => "kgc",
            Self::Measure(_) => "measure",
            Self::KeygenReport(_) => "keygen-report",
            Self::Pins(_) => "pins",
            Self::Store(_) => "store",
            Self::Relay(_) => "relay",
            Self::Explain(_) => "explain",
            Self::Doctor => "doctor",
            Self::Completions(_) => "completions",
            Self::Man(_) => "man",
        }
    }
}

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    core_dumps::switch_off();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(output::print_usage(&error)),
    };
    // One thread for all that waits: pieces of answers are not handed from thread to thread. What computes has threads of its own.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("threads can be started");
    let result = runtime.block_on(dispatch(&cli));
    // A blocked read of a dead node must not keep the process alive.
    runtime.shutdown_background();
    ExitCode::from(output::print(cli.command.name(), cli.json, result))
}

async fn dispatch(cli: &Cli) -> Result<Outcome, CliError> {
    let settings = Settings::resolve(&cli.flags)?;
    settings.external_signer.check(cli.command.name())?;
    match command(cli, &settings).await {
        // An image that the chain does not know may stand under an anchor.
        Err(error) => Err(match error.unknown_image() {
            Some(image_id) => anchored::anchored_only(image_id, &settings).await.unwrap_or(error),
            None => error,
        }),
        done => {
            if done
                .as_ref()
                .is_ok_and(|done| settings.external_signer.print.is_some() && done.json.get("printed").is_none())
            {
                output::say("note: nothing is to be signed or sent, so nothing of that is printed");
            }
            done
        }
    }
}

async fn command(cli: &Cli, settings: &Settings) -> Result<Outcome, CliError> {
    let talk = Talk { json: cli.json, verbose: cli.verbose };
    match &cli.command {
        Command::Demo(args) => demo::run(args, settings, talk).await,
        Command::Node(args) => node::run(args, settings, talk).await,
        Command::Deploy(args) => deploy::run(args, settings, talk).await,
        Command::Seal(args) => seal::run(args, settings, talk).await,
        Command::Materialize(args) => materialize::run(args, settings).await,
        Command::Open(args) => open::run(args, settings).await,
        Command::Verify(args) => verify::run(args, settings).await,
        Command::Grant(args) => access::grant(args, settings).await,
        Command::Revoke(args) => access::revoke(args, settings).await,
        Command::Operator(args) => operator::run(args, settings).await,
        Command::Capsules(args) => capsules::run(args, settings).await,
        Command::Show(args) => show::run(args, settings).await,
        Command::Audit(args) => audit::run(args, settings, talk).await,
        Command::Evidence(args) => evidence::run(args, settings, talk).await,
        Command::Check(args) => check::run(args, settings, talk),
        Command::Watch(args) => watch::run(args, settings, talk).await,
        Command::Flag(args) => flag::run(args, settings).await,
        Command::Role(args) => role::run(args, settings).await,
        Command::Registry(args) => registry::run(args, settings).await,
        Command::Kgc(args) => kgc::run(args, settings).await,
        Command::Measure(args) => measure::run(args),
        Command::KeygenReport(args) => keygen_report::run(args, settings, talk),
        Command::Pins(args) => pins::run(args, settings).await,
        Command::Store(args) => store::run(args, settings).await,
        Command::Relay(args) => relay::run(args, settings).await,
        Command::Explain(args) => explain::run(args, settings),
        Command::Doctor => doctor::run(settings).await,
        Command::Completions(args) => Ok(completions::run(args)),
        Command::Man(args) => man::run(args),
    }
}

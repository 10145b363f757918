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
mod key_center;
mod keygen_report;
mod kgc;
mod kgc_anchoring;
mod kgc_backup;
mod kgc_published;
mod kgc_rewrap;
mod kgc_rotate;
mod kgc_serve;
mod kgc_status;
mod man;
mod materialize;
mod measure;
mod node;
mod nodes;
mod open;
mod operator;
mod outbox;
mod output;
mod page;
mod pins;
mod printed;
mod refusal;
mod registry;
mod relay;
mod role;
mod said;
mod seal;
mod session;
mod settings;
mod show;
mod signers;
mod stdio;
mod store;
mod transformer;
mod verify;
mod watch;

use error::CliError;
use output::{Outcome, Talk};
use settings::{Flags, Settings};

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Seals medical images: each gets its own key, its ciphertext is stored under an IPFS address, and
/// anybody can check it against its record on chain.
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
    /// Show every step on this machine: seal, store, register, verify, tamper, flag, open
    Demo(demo::Args),
    /// Run the development chain and keep its state
    Node(node::Args),
    /// Deploy ImageRegistry and write the deployment file
    Deploy(deploy::Args),
    /// Seal, store and register files, or all files of a folder; run it again to finish an
    /// interrupted run
    Seal(seal::Args),
    /// Give anchored images a record on chain
    Materialize(materialize::Args),
    /// Open an image: fetch and check it, ask for its key, and decrypt it
    Open(open::Args),
    /// Check the stored bytes against the record on chain
    Verify(verify::Args),
    /// Allow a wallet to get an image's key
    Grant(access::GrantArgs),
    /// End a wallet's access; a key that it already got cannot be taken back
    Revoke(access::RevokeArgs),
    /// Let a wallet grant, revoke and update capsules for a sender
    Operator(operator::Args),
    /// Show for whom an image's key is sealed, or seal it for more readers
    Capsules(capsules::Args),
    /// Show a record, its events and its flag
    Show(show::Args),
    /// Prove the whole event log complete; list it, sum it up, write a page
    Audit(audit::Args),
    /// Write one file that proves a record, its verifications and its flags, for years and without
    /// a node
    Evidence(evidence::Args),
    /// Check an evidence file against a block's hash; opens no connection
    Check(check::Args),
    /// Print the registry's events as they come, each once; send flags to a webhook or a program
    Watch(watch::Args),
    /// Show, confirm or dismiss a flag
    Flag(flag::Args),
    /// List, give and take roles, and hand over the administration
    Role(role::Args),
    /// Show the registry, pause it, or name its successor
    Registry(registry::Args),
    /// Keys and log of the Key Generation Center (KGC)
    Kgc(kgc::Args),
    /// Measure a pair of images: entropy, NPCR, UACI, MSE, PSNR, SSIM, NC and correlation
    Measure(measure::Args),
    /// Measure how random the keys of a folder's images are, compared with fair coins
    KeygenReport(keygen_report::Args),
    /// Check every replica of the sealed images and their capsules, and repair what is damaged or
    /// missing
    Pins(pins::Args),
    /// Move what is stored between this machine and IPFS nodes
    Store(store::Args),
    /// Submit a request that somebody else signed; it is checked before any gas is spent
    Relay(relay::Args),
    /// List signed transactions that are not mined, change their price, or cancel them
    Outbox(outbox::Args),
    /// Say what a call, a transaction or typed data of the registry does
    Explain(explain::Args),
    /// Check settings, nodes and versions; say what is wrong and how to mend it
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
            Self::Outbox(_) => "outbox",
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
    stdio::listen(cli.verbose);
    // One thread for all that waits: pieces of answers are not handed from thread to thread. What
    // computes has threads of its own.
    let mut runtime = match &cli.command {
        Command::Kgc(args) if args.serves() => tokio::runtime::Builder::new_multi_thread(),
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime = runtime.enable_all().build().expect("threads can be started");
    let result = runtime.block_on(dispatch(&cli));
    // A blocked read of a dead node must not keep the process alive.
    runtime.shutdown_background();
    ExitCode::from(output::print(cli.command.name(), cli.json, result))
}

async fn dispatch(cli: &Cli) -> Result<Outcome, CliError> {
    let settings = Settings::resolve(&cli.flags)?;
    settings.external_signer.check(cli.command.name())?;
    match command(cli, &settings).await {
        // An image that the chain does not know may be anchored.
        Err(error) => Err(match error.unknown_image() {
            Some(image_id) => anchored::anchored_only(image_id, &settings).await.unwrap_or(error),
            None => error,
        }),
        done => {
            if done
                .as_ref()
                .is_ok_and(|done| settings.external_signer.print.is_some() && done.json.get("printed").is_none())
            {
                output::say("note: there is nothing to sign or send, so --print has nothing to print");
            }
            done
        }
    }
}

async fn command(cli: &Cli, settings: &Settings) -> Result<Outcome, CliError> {
    let talk = Talk { json: cli.json, verbose: cli.verbose };
    match &cli.command {
        Command::Demo(args) => demo::run(args, settings, talk).await,
        Command::Node(args) => node::run(args, settings).await,
        Command::Deploy(args) => deploy::run(args, settings).await,
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
        Command::Outbox(args) => outbox::run(args, settings).await,
        Command::Explain(args) => explain::run(args, settings),
        Command::Doctor => doctor::run(settings).await,
        Command::Completions(args) => Ok(completions::run(args)),
        Command::Man(args) => man::run(args),
    }
}

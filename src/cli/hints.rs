//! Hints: what to do when something failed. Long because it is a table: a row for each code.

use super::error::CliError;
use super::{actors, refusal};
use crate::imaging::ImagingError;
use crate::pipeline::PipelineError;
use crate::storage::StoreError;
use crate::view::Code;

/// What there is to do about a failure.
enum Hint {
    /// The message says all there is.
    Nothing,
    /// The same whatever led to it.
    Always(&'static str),
    /// As the error says.
    By(fn(&CliError) -> Option<String>),
}
use Hint::{Always, By, Nothing};

/// A row for each code, in the order of [`Code::ALL`].
const HINTS: [(Code, Hint); Code::ALL.len()] = [
    // What was asked.
    (Code::Usage, Always("medseal --help")),
    (Code::Settings, Always("medseal --help says what each setting takes; .env.example names them all")),
    (Code::NoWallet, By(no_wallet)),
    (Code::ReaderKey, Always("give 32 bytes in hex, as medseal capsules new-key prints them")),
    (
        Code::Webhook,
        Always(
            "give --webhook an https URL (http on this machine alone, or with --insecure), and its secret in a file of mode 600 with 16 bytes or more",
        ),
    ),
    // Files and images.
    (Code::FileNotFound, Always("check the path; the folder of an output must exist")),
    (Code::File, Always("check the path and who may write there; --home names another state folder")),
    (Code::Output, Always("what the command did is done, and its result was not written: make room where stdout goes")),
    (Code::OutputExists, Always("--force overwrites it")),
    (Code::NothingStored, Always("--home or --ipfs-api names another store")),
    (Code::NothingToSeal, By(nothing_to_seal)),
    (Code::TooFewImages, Always("name a folder with images (subfolders count), or generate some: --phantoms 100")),
    (Code::Image, By(image)),
    (Code::NotComparable, Always("name two images of the same size, or an image and its own sealed image")),
    (Code::Figure, Nothing),
    (Code::State, Always("look at the state folder, which must be writable; --home names another")),
    (Code::JobBusy, Nothing),
    // Keys.
    (
        Code::Model,
        Always(
            "leave --model out to use the built-in one; to use another one that you trust, list its SHA-256 in MEDSEAL_MODELS, or as models in your own medseal.toml",
        ),
    ),
    (
        Code::Engine,
        Always(
            "leave --onnx-runtime out to use the built-in engine, or name ONNX Runtime's library, 1.24 or later: scripts/setup --python has one",
        ),
    ),
    (Code::Keygen, Nothing),
    (Code::Capsule, Always("the key capsules are damaged, or belong to another image: they cannot open this one")),
    (
        Code::NoCapsule,
        Always("somebody who can open the image must seal its key for this one: medseal capsules add ID KEY"),
    ),
    (
        Code::NoEarlierCapsules,
        Always("medseal capsules show ID names the newest version; earlier ones are those below it, down to 0"),
    ),
    // The Key Generation Center.
    (
        Code::Kgc,
        Always(
            "check that this is the Key Generation Center that the image was sealed to, and that the clocks are right; --home names another state folder",
        ),
    ),
    (
        Code::KgcUnreachable,
        Always("is `medseal kgc serve` running there? --kgc-url names it, --kgc-ca the authority of its certificate"),
    ),
    (Code::KgcNotReady, Always("try again; its operator sees at /readyz what is wrong")),
    (Code::KgcAnswer, Always("nothing was opened or sealed; ask whoever runs the key center which URL is right")),
    (
        Code::KgcSet,
        Always(
            "see what the message says of each key center; --kgc-url URL,URL,URL names them, in any order; then run the same command again",
        ),
    ),
    (Code::NotAuthorized, Always("the image's sender can allow it: medseal grant ID WALLET")),
    (Code::KgcKey, Always("publish the KGC's key: medseal kgc publish")),
    (Code::KgcMissing, Always("medseal kgc init makes one; --home names another state folder")),
    (Code::KgcExists, Always("it is never overwritten: without it the images sealed to it are lost")),
    (Code::KgcPassphrase, Always("set MEDSEAL_KGC_PASSWORD to a file that holds the passphrase")),
    (
        Code::KgcKeyFile,
        Always("look at the key file, or restore it from its backup; --home names another state folder"),
    ),
    (
        Code::KgcBackup,
        Always("nothing was restored; try another backup, or other shares of the same one: medseal kgc drill FILE ..."),
    ),
    (Code::KgcEpoch, Always("medseal kgc status lists the epochs; medseal kgc rewrap --all frees images of old ones")),
    (Code::Listen, Always("--listen names another address or port")),
    (Code::Tls, Always("both are PEM files; the key's has mode 600")),
    (
        Code::KgcLog,
        Always(
            "the log no longer holds every key that the KGC released: restore log and .state from a backup; if there is none, medseal kgc new-log",
        ),
    ),
    // The store.
    (
        Code::Tampered,
        Always("the store does not hold the bytes that were registered: medseal verify ID --record logs this on chain"),
    ),
    (
        Code::OtherSize,
        Always("the record and the bytes under its address contradict each other: ask its sender; nothing is logged"),
    ),
    (
        Code::NotStored,
        Always(
            "the bytes are not in this store, so they were neither checked nor logged; --home or --ipfs-api names another store",
        ),
    ),
    (Code::StoreUnavailable, Always("look at the state folder, which must be writable; --home names another")),
    (Code::Store, Always("look at the state folder, which must be writable; --home names another")),
    (Code::Car, Always("make it again with medseal store export, or ipfs dag export with one of our CIDs")),
    (
        Code::TooFewReplicas,
        Always(
            "start the missing nodes or name more (--ipfs-api), then run the same command again; or ask for fewer replicas (--replicas)",
        ),
    ),
    (
        Code::IpfsUnreachable,
        Always("is the IPFS node running (ipfs daemon)? --ipfs-api names others; medseal doctor says more"),
    ),
    (
        Code::IpfsToken,
        Always("set MEDSEAL_IPFS_TOKEN_FILE to a file with the token that the node's API.Authorizations names"),
    ),
    (
        Code::IpfsFull,
        Always(
            "nothing is lost: make room at the node (ipfs repo gc, or a larger disk), then run the same command again",
        ),
    ),
    (Code::IpfsRefused, Always("the node's own log says more (ipfs daemon); medseal doctor looks at its settings")),
    (Code::IpfsWrong, Always("look at --ipfs-api: it must be the RPC of a Kubo node, not a gateway or a web page")),
    // The node and its chain.
    (
        Code::Unreachable,
        Always("is the node running? medseal node starts a development chain; --rpc-url names another"),
    ),
    (
        Code::NodeBusy,
        Always(
            "the node turns requests away: wait a minute and run the same command again, or name more nodes (--rpc-url URL,URL)",
        ),
    ),
    (Code::WrongChain, Always("look at --rpc-url, --chain-id and the deployment file")),
    (Code::Chain, Always("look at --rpc-url: it must be an Ethereum node")),
    (
        Code::Fees,
        Always("nothing was signed: ask another node (--rpc-url), or wait until the chain's own blocks show such fees"),
    ),
    (
        Code::Clock,
        Always(
            "set this machine's clock (timedatectl set-ntp true), or see whether the node has the newest block: medseal doctor",
        ),
    ),
    (
        Code::NoFinality,
        Always(
            "the profile network needs a chain with safe and finalized blocks, as proof of stake has them; for a single node use --profile development",
        ),
    ),
    (
        Code::ChainReset,
        Always("nothing was deleted: to start over on the new chain, use another --home or move that file away"),
    ),
    (Code::ChainMoved, Always("run the same command again")),
    (
        Code::ReorgTooDeep,
        Always("find out why the chain was replaced; then start over with --from-start (audit) or --anew (watch)"),
    ),
    (
        Code::NoBlock,
        Always(
            "leave --block out, or name a block from the registry's deployment to the newest; a hash must be one that this node knows",
        ),
    ),
    (
        Code::Node,
        Always(
            "anvil comes with Foundry (getfoundry.sh), or with scripts/setup in a checkout; --anvil names it; --port takes another port",
        ),
    ),
    // The contract.
    (Code::NotDeployed, Always("deploy it with medseal deploy, or point --deployments to the folder with the file")),
    (Code::Deployment, Always("look at the deployment file; medseal deploy --deployments DIR writes another")),
    (
        Code::NotADeployment,
        Always("give the transaction that deployed the contract on this chain: forge keeps it in its broadcast folder"),
    ),
    (
        Code::SourceDiffers,
        Always(
            "check out the sources, and use the compiler, that the deployment was made from; else do not use this contract",
        ),
    ),
    (
        Code::Sources,
        Always(
            "--sources names the folder with foundry.toml, --solc the compiler: in a checkout, after scripts/setup, scripts/tools/solc",
        ),
    ),
    (Code::RoleMissing, Always("the registry's administrator can give it: medseal role give ROLE WALLET")),
    (Code::UnknownImage, Always("look at the id, and whether it was registered on this chain")),
    (Code::AnchoredOnly, Always("medseal materialize ID gives it a record: anybody may do that")),
    (Code::UnknownKgcKey, Always("publish the KGC's key: medseal kgc publish")),
    (Code::UnknownFlag, Always("medseal flag show ID says whether there is one")),
    (Code::UnknownAnchor, Always("look at the root, and whether it was anchored on this chain by this sender")),
    (
        Code::Paused,
        Always(
            "wait until the pause ends, or end it with medseal registry unpause; reading, verifying and revoking go on",
        ),
    ),
    (Code::Reverted, By(reverted)),
    // Wallets and transactions.
    (Code::Wallet, Always("look at --keystore, --password-file and --dev-account")),
    (Code::OutboxBusy, Always("wait for the other command, which signs with the same wallet")),
    (Code::NoFunds, Always("send the wallet enough for the fees, then run the same command again")),
    (
        Code::FeeCeiling,
        Always("compare the price with another node's (--rpc-url); if it is right, --fee-ceiling ETH allows more"),
    ),
    (
        Code::GasCap,
        Always(
            "a wallet contract decides itself how much gas its answer takes; --gas-cap N of medseal relay, or MEDSEAL_RELAY_GAS, allows more",
        ),
    ),
    (
        Code::ForeignPending,
        Always(
            "wait until it is mined, or cancel it where it was sent, then run the same command again; --after-pending sends behind it",
        ),
    ),
    (Code::UnknownJob, Always("medseal outbox list names the jobs; --all lists those that are done, too")),
    (Code::NotWaiting, Always("medseal outbox list shows what waits")),
    (Code::Cancelled, Always("run the command again if it is to be done after all")),
    (
        Code::Refused,
        Always("nothing is lost: run the same command to send it again, or see medseal outbox list | reprice | cancel"),
    ),
    (
        Code::NotMined,
        Always("run the same command again: it goes on from here; medseal outbox reprice or cancel changes what waits"),
    ),
    (
        Code::NotFinal,
        Always(
            "nothing is lost: run the same command again to go on waiting, or with --wait mined to wait no longer; check that the chain finalizes",
        ),
    ),
    (Code::Transaction, Always("run the same command again: it goes on from here")),
    (Code::Leaves, Always("seal the files in smaller groups")),
    // Requests that an external wallet signs.
    (Code::NotACall, Always("check that the bytes are a call of ImageRegistry, and not of another contract")),
    (Code::NotARequest, Always("give what medseal --print typed-data or --print request printed, unchanged")),
    (Code::OtherRegistry, Always("look at the deployment file: the request is for another chain or contract")),
    (Code::Signature, Always("the wallet that the request names must sign exactly the output of --print typed-data")),
    (Code::Deadline, Always("print and sign the request again; check that the clocks are right")),
    (
        Code::Nonce,
        Always(
            "print and sign the request again: another one of this wallet was submitted or cancelled in the meantime",
        ),
    ),
    (
        Code::Overtaken,
        Always("medseal show ID says what happened; if you still want the change, print and sign the request again"),
    ),
    (Code::NotSignable, Always("--print tx prints the transaction for the wallet to send")),
    (Code::NotPrinted, Always("print the typed data again (--print typed-data), and sign that")),
    // Audit, evidence and watch.
    (
        Code::LogIncomplete,
        Always(
            "this node does not serve the whole log as it was written: keep its answer, and ask another node (--rpc-url)",
        ),
    ),
    (
        Code::ReadLimit,
        Always(
            "ask another node (--rpc-url); if the log is that long, MEDSEAL_READ_TIME gives it more seconds, and a hundred requests with each",
        ),
    ),
    (
        Code::Unproven,
        Always(
            "nothing that this node says of this block can be relied on: ask another one (--rpc-url); an old block needs an archive node",
        ),
    ),
    (Code::OtherBlock, By(other_block)),
    (
        Code::NotEvidence,
        Always("give the whole file that medseal evidence wrote; a newer format needs a newer medseal"),
    ),
    (
        Code::EvidenceInvalid,
        Always("the file was changed, or made up: do not rely on it, and ask for another one (medseal evidence ID)"),
    ),
    (Code::OtherFile, Always("this is not the file that was registered, whatever its name")),
    (Code::WatchBusy, Always("wait for the other watch to end, or give this one another name: --name NAME")),
    (
        Code::Untold,
        Always("the program that read the output ended; run the same command again to get the remaining events"),
    ),
    (
        Code::NotDelivered,
        Always("nothing is lost: check the receiver, then run the same command again; the deliveries keep their ids"),
    ),
    // Faults of ours.
    (Code::Fault, Nothing),
    (Code::Request, Nothing),
];

// A code without its row does not compile.
const _: () = {
    let mut row = 0;
    while row < HINTS.len() {
        assert!(HINTS[row].0 as usize == row, "the rows are not in the order of the codes");
        row += 1;
    }
};

impl CliError {
    /// What to do about it, where there is something to do.
    pub(super) fn hint(&self) -> Option<String> {
        match HINTS[self.code() as usize].1 {
            Nothing => None,
            Always(hint) => Some(hint.to_owned()),
            By(hint) => hint(self),
        }
    }
}

/// The hint that goes with a code whatever led to it.
pub(super) fn of(code: Code) -> Option<&'static str> {
    match HINTS[code as usize].1 {
        Always(hint) => Some(hint),
        Nothing | By(_) => None,
    }
}

fn no_wallet(_: &CliError) -> Option<String> {
    let actors = actors::DEVELOPMENT_ACTORS.map(|(name, _)| name).join(", ");
    Some(format!(
        "name a keystore (--keystore, ETH_KEYSTORE), or on a development chain --dev-account or --as with one of {actors}"
    ))
}

fn nothing_to_seal(error: &CliError) -> Option<String> {
    let hint = match error {
        CliError::NoScans => {
            "--scans DIR names a folder with three DICOM files or more; scripts/setup fetches some into a checkout"
        }
        _ => "name files, or a folder with files in it: subfolders are not searched",
    };
    Some(hint.to_owned())
}

fn image(error: &CliError) -> Option<String> {
    let hint = match error {
        CliError::Pipeline(PipelineError::Imaging(ImagingError::Empty)) => "there is nothing in the file to protect",
        CliError::Pipeline(PipelineError::Imaging(ImagingError::NotExpressible { .. })) => "leave --pixels out",
        CliError::Pipeline(
            PipelineError::Imaging(ImagingError::FileTooLarge { .. })
            | PipelineError::Store(StoreError::TooLarge { .. }),
        )
        | CliError::Store(StoreError::TooLarge { .. }) => {
            "no form holds more than 4 GiB: split the file (split -b 4000M FILE) and seal its parts"
        }
        CliError::Pipeline(PipelineError::Imaging(_)) => "--raw seals the file as plain bytes, without looking inside",
        CliError::Pipeline(PipelineError::NoPixels { .. }) => "leave --pixels out to seal the file itself",
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Two nodes disagree, or a file of evidence and the hash that was given for its block.
fn other_block(error: &CliError) -> Option<String> {
    let hint = match error {
        CliError::Evidence(_) => {
            "look at the hash: it must come from somebody whom you trust, and belong to the block that the evidence names"
        }
        _ => "the nodes are of two chains, or one of them lies: find out which before anything else",
    };
    Some(hint.to_owned())
}

fn reverted(error: &CliError) -> Option<String> {
    let general = || "medseal show ID says who the sender is and what happened to the image".to_owned();
    Some(error.revert().and_then(refusal::hint).unwrap_or_else(general))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::ChainError;
    use crate::contract::Revert;
    use crate::contract::bindings::IImageRegistry::{IImageRegistryErrors as Errors, NotSender, ZeroSize};
    use crate::evidence::EvidenceError;
    use alloy::primitives::{Address, B256};

    #[test]
    fn all_codes_but_five_have_a_hint() {
        let without = HINTS.iter().filter(|(_, hint)| matches!(hint, Nothing)).map(|(code, _)| code.name());
        assert_eq!(without.collect::<Vec<_>>(), ["FIGURE", "JOB_BUSY", "KEYGEN", "FAULT", "REQUEST"]);
        let by = HINTS.iter().filter(|(_, hint)| matches!(hint, By(_))).map(|(code, _)| code.name());
        assert_eq!(by.collect::<Vec<_>>(), ["NO_WALLET", "NOTHING_TO_SEAL", "IMAGE", "REVERTED", "OTHER_BLOCK"]);
        assert_eq!(of(Code::Usage), Some("medseal --help"));
    }

    #[test]
    fn hints_go_by_the_error_where_it_says_more() {
        let hint = |error: &CliError| error.hint().expect("a hint");
        let nobody = hint(&CliError::NoWallet { actor: "nobody".to_owned(), chain_id: 31337 });
        assert!(nobody.contains("--dev-account") && nobody.contains("admin, sender, reader"), "{nobody}");
        let empty = hint(&PipelineError::from(ImagingError::Empty).into());
        assert_eq!(empty, "there is nothing in the file to protect");
        let too_large = ImagingError::FileTooLarge { found: (4 << 30) + 1, limit: 4 << 30 };
        let too_large =
            [PipelineError::from(too_large), StoreError::TooLarge { limit: 4 << 30, found: 5 << 30 }.into()];
        for error in too_large.map(CliError::from) {
            let split = hint(&error);
            assert!(error.code() == Code::Image && split.contains("split -b 4000M"), "{split}");
        }
        let (expected, found) = (B256::repeat_byte(1), B256::repeat_byte(2));
        let given = hint(&EvidenceError::OtherBlock { expected, found }.into());
        assert!(given.starts_with("look at the hash"), "{given}");
        let endpoint = "http://b.example".to_owned();
        let nodes = hint(&crate::audit::AuditError::OtherBlock { block: 1, expected, found, endpoint }.into());
        assert!(nodes.starts_with("the nodes are of two chains"), "{nodes}");
    }

    #[test]
    fn a_refusal_of_the_contract_has_the_hint_of_its_error_or_the_general_one() {
        let hint = |error: Errors| CliError::from(ChainError::Revert(Box::new(Revert::Registry(error)))).hint();
        let not_sender = hint(Errors::NotSender(NotSender { imageId: B256::ZERO, caller: Address::ZERO }));
        assert!(not_sender.is_some_and(|hint| hint.contains("medseal operator allow")));
        let zero_size = hint(Errors::ZeroSize(ZeroSize {}));
        assert!(zero_size.is_some_and(|hint| hint.starts_with("medseal show ID")));
    }
}

//! What the command line says there is to do when something failed.

use super::error::CliError;
use super::{actors, refusal};
use crate::imaging::ImagingError;
use crate::pipeline::PipelineError;
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
    (Code::FileNotFound, Always("look at the path; the folder of an output must be there")),
    (Code::File, Always("look at the path and at who may write there; --home names another state folder")),
    (Code::OutputExists, Always("--force overwrites it")),
    (Code::NothingStored, Always("--home or --ipfs-api names another store")),
    (Code::NothingToSeal, By(nothing_to_seal)),
    (
        Code::TooFewImages,
        Always("name a folder with images in it or in its folders, or take generated ones: --phantoms 100"),
    ),
    (Code::Image, By(image)),
    (Code::NotComparable, Always("name two images of one size, or an image and its own sealed image")),
    (Code::Figure, Nothing),
    (Code::State, Always("look at the state folder, which must be writable; --home names another")),
    (Code::JobBusy, Nothing),
    // Keys.
    (
        Code::Model,
        Always(
            "leave --model out for the built-in one; to another one that you trust, give its SHA-256 in MEDSEAL_MODELS, or as models in medseal.toml",
        ),
    ),
    (
        Code::Engine,
        Always(
            "leave --onnx-runtime out for the built-in engine, or name ONNX Runtime's library, 1.24 or later: scripts/setup --python has one",
        ),
    ),
    (Code::Keygen, Nothing),
    (Code::Capsule, Always("the key capsules are damaged, or another image's: nothing can be opened with them")),
    (Code::NoCapsule, Always("whoever can open the image seals it for this key: medseal capsules add ID KEY")),
    // The Key Generation Center.
    (
        Code::Kgc,
        Always(
            "is it the Key Generation Center that the image was sealed to, and are the clocks right? --home names another",
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
        Code::KgcLog,
        Always(
            "what the KGC gave out is not all in its log any more: put log and .state back from a backup; if there is none, medseal kgc new-log",
        ),
    ),
    // The store.
    (
        Code::Tampered,
        Always("the store does not hold what was registered: medseal verify ID --record logs it on chain"),
    ),
    (
        Code::OtherSize,
        Always("the record and what lies under its address contradict each other: ask its sender; nothing is logged"),
    ),
    (
        Code::NotStored,
        Always(
            "the bytes are not in this store: --home or --ipfs-api names another; nothing is said about them, and nothing is logged",
        ),
    ),
    (Code::StoreUnavailable, Always("look at the state folder, which must be writable; --home names another")),
    (Code::Store, Always("look at the state folder, which must be writable; --home names another")),
    (Code::Car, Always("make it anew with medseal store export, or ipfs dag export with one of our CIDs")),
    (
        Code::TooFewReplicas,
        Always(
            "start the nodes that are away or name more (--ipfs-api), then the same command again; or ask for fewer (--replicas)",
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
        Always("nothing is lost: make room at the node (ipfs repo gc, or a larger disk), and the same command goes on"),
    ),
    (Code::IpfsRefused, Always("the node's own log says more (ipfs daemon); medseal doctor looks at its settings")),
    (Code::IpfsWrong, Always("look at --ipfs-api: it must be the RPC of a Kubo node, not a gateway or a web page")),
    // The node and its chain.
    (
        Code::Unreachable,
        Always("is the node running? medseal node starts a development chain; --rpc-url names another"),
    ),
    (Code::WrongChain, Always("look at --rpc-url, --chain-id and the deployment file")),
    (Code::Chain, Always("look at --rpc-url: it must be an Ethereum node")),
    (
        Code::NoFinality,
        Always(
            "the profile network needs a chain that calls blocks safe and finalized, as proof of stake does; for a node that stands alone, --profile development",
        ),
    ),
    (
        Code::ChainReset,
        Always("nothing was deleted: with another --home, or that file moved away, the new chain begins anew"),
    ),
    (Code::ChainMoved, Always("the same command again")),
    (
        Code::ReorgTooDeep,
        Always("find out why the chain was replaced; then --from-start (audit) or --anew (watch) begins anew"),
    ),
    (Code::NoBlock, Always("leave --block out, or name a block from the registry's own to the newest")),
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
        Always("give the transaction that made the contract, on this chain: forge keeps it under its broadcast folder"),
    ),
    (Code::RoleMissing, Always("its administrator gives it: medseal role give ROLE WALLET")),
    (Code::UnknownImage, Always("look at the id, and whether it was registered on this chain")),
    (Code::AnchoredOnly, Always("medseal materialize ID makes it a record: anybody may")),
    (Code::UnknownKgcKey, Always("publish the KGC's key: medseal kgc publish")),
    (Code::UnknownFlag, Always("medseal flag show ID says whether there is one")),
    (Code::UnknownAnchor, Always("look at the root, and whether it was anchored on this chain by this sender")),
    (
        Code::Paused,
        Always("wait until it ends, or for medseal registry unpause; reading, verifying and revoking go on"),
    ),
    (Code::Reverted, By(reverted)),
    // Wallets and transactions.
    (Code::Wallet, Always("look at --keystore, --password-file and --dev-account")),
    (Code::OutboxBusy, Always("wait for the other command, which signs with the same wallet")),
    (Code::NoFunds, Always("send the wallet enough for the fees; the same command then goes on")),
    (
        Code::Refused,
        Always("nothing is lost: the signed transaction stands in the outbox, and the same command tries again"),
    ),
    (Code::NotMined, Always("the same command again goes on from here")),
    (
        Code::NotFinal,
        Always(
            "nothing is lost: the same command again goes on waiting, and --wait mined does without; is the chain finalizing?",
        ),
    ),
    (Code::Transaction, Always("the same command again goes on from here")),
    (Code::Leaves, Always("seal the files in smaller groups")),
    // What somebody else signs.
    (Code::NotACall, Always("look at the bytes, and whether they are for ImageRegistry and not for another contract")),
    (Code::NotARequest, Always("give what medseal --print typed-data or --print request printed, unchanged")),
    (Code::OtherRegistry, Always("look at the deployment file: the request is for another chain or contract")),
    (Code::Signature, Always("the wallet that the request names signs exactly what medseal --print typed-data gave")),
    (Code::Deadline, Always("print and sign it anew; are the clocks right?")),
    (Code::Nonce, Always("print and sign it anew: something else of this wallet was submitted or cancelled meanwhile")),
    (Code::Overtaken, Always("medseal show ID says what happened; where it is still wanted, print and sign it anew")),
    (Code::NotSignable, Always("--print tx prints the transaction for the wallet to send")),
    (Code::NotPrinted, Always("print the typed data anew (--print typed-data), and sign that")),
    // Audit, evidence and watch.
    (
        Code::LogIncomplete,
        Always(
            "this node does not give the whole log as it was written: ask another one (--rpc-url), and keep what it gave",
        ),
    ),
    (
        Code::Unproven,
        Always(
            "no word of this node on this block can be relied on: ask another one (--rpc-url); an old block needs an archive node",
        ),
    ),
    (Code::OtherBlock, By(other_block)),
    (Code::NotEvidence, Always("give the file that medseal evidence wrote, whole; a newer form needs a newer medseal")),
    (
        Code::EvidenceInvalid,
        Always("the file was changed, or made up: do not rely on it, and ask for another one (medseal evidence ID)"),
    ),
    (Code::OtherFile, Always("this file is not what was registered, whatever it is called")),
    (Code::WatchBusy, Always("wait for the other watch, or name this one: --name")),
    (Code::Untold, Always("whoever read the output went away; the same command goes on with what was not told")),
    (
        Code::NotDelivered,
        Always("nothing is lost: the same command tries again, under the same ids; is the receiver well?"),
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
        _ => "name files, or a folder with files in it: folders in folders are not looked into",
    };
    Some(hint.to_owned())
}

fn image(error: &CliError) -> Option<String> {
    let hint = match error {
        CliError::Pipeline(PipelineError::Imaging(ImagingError::Empty)) => "there is nothing in the file to protect",
        CliError::Pipeline(PipelineError::Imaging(ImagingError::NotExpressible { .. })) => "leave --pixels out",
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
            "look at the hash: it must come from somebody whom you trust, and be of the block that the evidence is of"
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

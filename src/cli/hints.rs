//! What the command line says there is to do when something failed.

use super::error::CliError;
use super::{actors, refusal};
use crate::imaging::ImagingError;
use crate::pipeline::PipelineError;

impl CliError {
    /// What to do about it, where there is something to do.
    pub(super) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Pipeline(PipelineError::Imaging(ImagingError::Empty)) => "there is nothing in the file to protect",
            Self::Pipeline(PipelineError::Imaging(ImagingError::NotExpressible { .. })) => "leave --pixels out",
            Self::Pipeline(PipelineError::Imaging(_)) => "--raw seals the file as plain bytes, without looking inside",
            Self::Pipeline(PipelineError::NoPixels { .. }) => "leave --pixels out to seal the file itself",
            Self::Pipeline(PipelineError::KgcKey { .. }) => "publish the KGC's key: medseal kgc publish",
            _ => return self.revert().and_then(refusal::hint).or_else(|| self.hint_by_class()),
        };
        Some(hint.to_owned())
    }

    fn hint_by_class(&self) -> Option<String> {
        let actors = actors::DEVELOPMENT_ACTORS.map(|(name, _)| name).join(", ");
        let hint = match self.class().0 {
            "NO_WALLET" => {
                return Some(format!(
                    "name a keystore (--keystore, ETH_KEYSTORE), or on a development chain --dev-account or --as with one of {actors}"
                ));
            }
            "NOT_DEPLOYED" => "deploy it with medseal deploy, or point --deployments to the folder with the file",
            "ANCHORED_ONLY" => "medseal materialize ID makes it a record: anybody may",
            "READER_KEY" => "give 32 bytes in hex, as medseal capsules new-key prints them",
            "NO_CAPSULE" => "whoever can open the image seals it for this key: medseal capsules add ID KEY",
            "LEAVES" => "seal the files in smaller groups",
            "KGC_LOG" => {
                "what the KGC gave out is not all in its log any more: put log and .state back from a backup; if there is none, medseal kgc new-log"
            }
            "ROLE_MISSING" => "its administrator gives it: medseal role give ROLE WALLET",
            "OUTPUT_EXISTS" => "--force overwrites it",
            "CAPSULE" => "the key capsules are damaged, or another image's: nothing can be opened with them",
            "NO_FUNDS" => "send the wallet enough for the fees; the same command then goes on",
            "REFUSED" => {
                "nothing is lost: the signed transaction stands in the outbox, and the same command tries again"
            }
            "TAMPERED" => "the store does not hold what was registered: medseal verify ID --record logs it on chain",
            "OTHER_SIZE" => {
                "the record and what lies under its address contradict each other: ask its sender; nothing is logged"
            }
            "NOT_AUTHORIZED" => "the image's sender can allow it: medseal grant ID WALLET",
            "UNKNOWN_IMAGE" => "look at the id, and whether it was registered on this chain",
            "UNREACHABLE" => "is the node running? medseal node starts a development chain; --rpc-url names another",
            "WRONG_CHAIN" => "look at --rpc-url, --chain-id and the deployment file",
            "KGC_MISSING" => "medseal kgc init makes one; --home names another state folder",
            "KGC_EXISTS" => "it is never overwritten: without it the images sealed to it are lost",
            "KGC_PASSPHRASE" => "set MEDSEAL_KGC_PASSWORD to a file that holds the passphrase",
            "SETTINGS" => "medseal --help says what each setting takes; .env.example names them all",
            "FILE_NOT_FOUND" => "look at the path; the folder of an output must be there",
            "FILE" => "look at the path and at who may write there; --home names another state folder",
            "NOTHING_STORED" => "--home or --ipfs-api names another store",
            "IPFS_UNREACHABLE" => {
                "is the IPFS node running (ipfs daemon)? --ipfs-api names others; medseal doctor says more"
            }
            "IPFS_TOKEN" => {
                "set MEDSEAL_IPFS_TOKEN_FILE to a file with the token that the node's API.Authorizations names"
            }
            "IPFS_FULL" => {
                "nothing is lost: make room at the node (ipfs repo gc, or a larger disk), and the same command goes on"
            }
            "IPFS_REFUSED" => "the node's own log says more (ipfs daemon); medseal doctor looks at its settings",
            "IPFS_WRONG" => "look at --ipfs-api: it must be the RPC of a Kubo node, not a gateway or a web page",
            "TOO_FEW_REPLICAS" => {
                "start the nodes that are away or name more (--ipfs-api), then the same command again; or ask for fewer (--replicas)"
            }
            "CAR" => "make it anew with medseal store export, or ipfs dag export with one of our CIDs",
            "NOTHING_TO_SEAL" => "name files, or a folder with files in it: folders in folders are not looked into",
            "TOO_FEW_IMAGES" => {
                "name a folder with images in it or in its folders, or take generated ones: --phantoms 100"
            }
            "NOT_STORED" => {
                "the bytes are not in this store: --home or --ipfs-api names another; nothing is said about them, and nothing is logged"
            }
            "STATE" | "STORE" | "STORE_UNAVAILABLE" => {
                "look at the state folder, which must be writable; --home names another"
            }
            "CHAIN_RESET" => {
                "nothing was deleted: with another --home, or that file moved away, the new chain begins anew"
            }
            "OUTBOX_BUSY" => "wait for the other command, which signs with the same wallet",
            "NOT_FINAL" => {
                "nothing is lost: the same command again goes on waiting, and --wait mined does without; is the chain finalizing?"
            }
            "NO_FINALITY" => {
                "the profile network needs a chain that calls blocks safe and finalized, as proof of stake does; for a node that stands alone, --profile development"
            }
            "NOT_MINED" | "TRANSACTION" => "the same command again goes on from here",
            "DEPLOYMENT" => "look at the deployment file; medseal deploy --deployments DIR writes another",
            "NOT_A_DEPLOYMENT" => {
                "give the transaction that made the contract, on this chain: forge keeps it under its broadcast folder"
            }
            "NOT_A_CALL" => "look at the bytes, and whether they are for ImageRegistry and not for another contract",
            "OTHER_REGISTRY" => "look at the deployment file: the request is for another chain or contract",
            "SIGNATURE" => "the wallet that the request names signs exactly what medseal --print typed-data gave",
            "DEADLINE" => "print and sign it anew; are the clocks right?",
            "NONCE" => "print and sign it anew: something else of this wallet was submitted or cancelled meanwhile",
            "OVERTAKEN" => "medseal show ID says what happened; where it is still wanted, print and sign it anew",
            "NOT_A_REQUEST" => "give what medseal --print typed-data or --print request printed, unchanged",
            "NOT_SIGNABLE" => "--print tx prints the transaction for the wallet to send",
            "NOT_PRINTED" => "print the typed data anew (--print typed-data), and sign that",
            "CHAIN" => "look at --rpc-url: it must be an Ethereum node",
            "REVERTED" => "medseal show ID says who the sender is and what happened to the image",
            "KGC" => {
                "is it the Key Generation Center that the image was sealed to, and are the clocks right? --home names another"
            }
            "KGC_KEY_FILE" => "look at the key file, or restore it from its backup; --home names another state folder",
            "WALLET" => "look at --keystore, --password-file and --dev-account",
            "NOT_COMPARABLE" => "name two images of one size, or an image and its own sealed image",
            "LOG_INCOMPLETE" => {
                "this node does not give the whole log as it was written: ask another one (--rpc-url), and keep what it gave"
            }
            "UNPROVEN" => {
                "no word of this node on this block can be relied on: ask another one (--rpc-url); an old block needs an archive node"
            }
            "OTHER_BLOCK" if matches!(self, Self::Evidence(_)) => {
                "look at the hash: it must come from somebody whom you trust, and be of the block that the evidence is of"
            }
            "OTHER_BLOCK" => "the nodes are of two chains, or one of them lies: find out which before anything else",
            "NOT_EVIDENCE" => "give the file that medseal evidence wrote, whole; a newer form needs a newer medseal",
            "EVIDENCE_INVALID" => {
                "the file was changed, or made up: do not rely on it, and ask for another one (medseal evidence ID)"
            }
            "OTHER_FILE" => "this file is not what was registered, whatever it is called",
            "REORG_TOO_DEEP" => {
                "find out why the chain was replaced; then --from-start (audit) or --anew (watch) begins anew"
            }
            "CHAIN_MOVED" => "the same command again",
            "NO_BLOCK" => "leave --block out, or name a block from the registry's own to the newest",
            "WATCH_BUSY" => "wait for the other watch, or name this one: --name",
            "UNTOLD" => "whoever read the output went away; the same command goes on with what was not told",
            "WEBHOOK" => {
                "give --webhook an https URL (http on this machine alone, or with --insecure), and its secret in a file of mode 600 with 16 bytes or more"
            }
            "NOT_DELIVERED" => {
                "nothing is lost: the same command tries again, under the same ids; is the receiver well?"
            }
            "MODEL" => {
                "leave --model out for the built-in one; to another one that you trust, give its SHA-256 in MEDSEAL_MODELS, or as models in medseal.toml"
            }
            "ENGINE" => {
                "leave --onnx-runtime out for the built-in engine, or name ONNX Runtime's library, 1.24 or later: scripts/setup --python has one"
            }
            "NODE" => "scripts/setup installs anvil; --anvil names another; --port takes another port",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

//! The table of error codes: each one's stable name and what it means to whoever asked.
//!
//! The command line adds the exit code of a meaning (`cli/exit.rs`) and the hint of a code
//! (`cli/hints.rs`).

use crate::contract::ErrorKind;
use serde::{Serialize, Serializer};
use std::fmt;

/// What a failure means to whoever asked. The command line has an exit code for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It failed, and none of the others says how.
    Failure,
    /// What was asked makes no sense.
    Usage,
    /// Stored or given bytes are not what was registered, or prove nothing.
    Invalid,
    /// Whoever asks may not.
    NotAuthorized,
    /// There is no such image, file, key or block.
    NotFound,
    /// A node can't be reached, is behind, or has not come so far yet.
    Unreachable,
    /// Another chain, another contract, or none.
    WrongChain,
    /// What was to be made is there already.
    Exists,
}

impl Meaning {
    /// Every meaning.
    pub const ALL: [Self; 8] = [
        Self::Failure,
        Self::Usage,
        Self::Invalid,
        Self::NotAuthorized,
        Self::NotFound,
        Self::Unreachable,
        Self::WrongChain,
        Self::Exists,
    ];
}

impl From<ErrorKind> for Meaning {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Failure => Self::Failure,
            ErrorKind::NotAuthorized => Self::NotAuthorized,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::Unreachable => Self::Unreachable,
            ErrorKind::WrongChain => Self::WrongChain,
        }
    }
}

/// Makes [`Code`] of the table's rows.
macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident $name:literal $meaning:expr;)+) => {
        /// A stable name for a kind of failure.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $($(#[$doc])* $code,)+
        }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$code),+];

            /// The name that programs go by.
            pub fn name(self) -> &'static str {
                match self { $(Self::$code => $name,)+ }
            }

            /// What it means; none where only the error itself can tell.
            pub fn meaning(self) -> Option<Meaning> {
                use Meaning::*;
                match self { $(Self::$code => $meaning,)+ }
            }
        }
    };
}

codes! {
    // What was asked.
    /// The command line makes no sense.
    Usage "USAGE" Some(Usage);
    /// A setting is missing, unknown, or of no use.
    Settings "SETTINGS" Some(Usage);
    /// There is no wallet for the one who is to act.
    NoWallet "NO_WALLET" Some(Usage);
    /// A reader's key is no X25519 public key.
    ReaderKey "READER_KEY" Some(Usage);
    /// Webhook or secret can't be used.
    Webhook "WEBHOOK" Some(Usage);

    // Files and images.
    /// A file that is to be read, or the folder of one that is to be written, is not there.
    FileNotFound "FILE_NOT_FOUND" Some(NotFound);
    /// A file can't be read or written.
    File "FILE" Some(Failure);
    /// The result can't be printed.
    Output "OUTPUT" Some(Failure);
    /// An output is there already.
    OutputExists "OUTPUT_EXISTS" Some(Exists);
    /// Nothing is stored that could be moved.
    NothingStored "NOTHING_STORED" Some(NotFound);
    /// No file was named, or an empty folder.
    NothingToSeal "NOTHING_TO_SEAL" Some(Failure);
    /// There are too few images to compare.
    TooFewImages "TOO_FEW_IMAGES" Some(Failure);
    /// A file can't be decoded or sealed in the form that was asked for.
    Image "IMAGE" Some(Failure);
    /// The images have no samples in common.
    NotComparable "NOT_COMPARABLE" Some(Failure);
    /// A picture can't be drawn.
    Figure "FIGURE" Some(Failure);
    /// State on disk can't be read or written.
    State "STATE" Some(Failure);
    /// Another process seals the same file.
    JobBusy "JOB_BUSY" Some(Failure);

    // Keys.
    /// The model is none that may be run, or its output is of no use.
    Model "MODEL" Some(Invalid);
    /// The engine can't be loaded, or can't run the model.
    Engine "ENGINE" Some(Failure);
    /// No image key could be derived.
    Keygen "KEYGEN" Some(Failure);
    /// Key capsules are damaged, or another image's.
    Capsule "CAPSULE" Some(Invalid);
    /// The image's key is not sealed for this holder.
    NoCapsule "NO_CAPSULE" Some(NotAuthorized);
    /// There are no earlier capsules to go back to.
    NoEarlierCapsules "NO_EARLIER_CAPSULES" Some(NotFound);

    // The Key Generation Center.
    /// It refused, or its answer is of no use.
    Kgc "KGC" Some(Failure);
    /// It does not answer at its URL.
    KgcUnreachable "KGC_UNREACHABLE" Some(Unreachable);
    /// It answers, and can give nothing now.
    KgcNotReady "KGC_NOT_READY" Some(Unreachable);
    /// What answers at its URL is not the KGC that the chain knows, or its receipt proves nothing.
    KgcAnswer "KGC_ANSWER" Some(Invalid);
    /// Too few of the image's KGCs gave what was asked for.
    KgcSet "KGC_SET" Some(Failure);
    /// The wallet has no access to the image now.
    NotAuthorized "NOT_AUTHORIZED" Some(NotAuthorized);
    /// Its key on chain is another one, or retired.
    KgcKey "KGC_KEY" Some(Failure);
    /// It has no key file.
    KgcMissing "KGC_MISSING" Some(NotFound);
    /// It has a key file already.
    KgcExists "KGC_EXISTS" Some(Exists);
    /// The passphrase of its key file is wrong or missing.
    KgcPassphrase "KGC_PASSPHRASE" Some(NotAuthorized);
    /// Its key file can't be used.
    KgcKeyFile "KGC_KEY_FILE" Some(Failure);
    /// A backup of its keys is damaged, not whole, or locked otherwise.
    KgcBackup "KGC_BACKUP" Some(Invalid);
    /// An epoch's keys are needed still, are not there, or are too many.
    KgcEpoch "KGC_EPOCH" Some(Failure);
    /// Its service can't listen at its address.
    Listen "LISTEN" Some(Failure);
    /// Certificate or key of its service can't be used.
    Tls "TLS" Some(Failure);
    /// Its release log is not the one whose head was anchored.
    KgcLog "KGC_LOG" Some(Invalid);

    // The store.
    /// What is stored, or was sealed, is not what was registered.
    Tampered "TAMPERED" Some(Invalid);
    /// What is stored under a record's CID has another size than was signed.
    OtherSize "OTHER_SIZE" Some(Invalid);
    /// The store works, and the object is not in it.
    NotStored "NOT_STORED" Some(NotFound);
    /// The store can't be read or written now.
    StoreUnavailable "STORE_UNAVAILABLE" Some(Unreachable);
    /// The store failed in another way.
    Store "STORE" Some(Failure);
    /// A CAR file can't be taken.
    Car "CAR" Some(Failure);
    /// Fewer IPFS nodes keep the object than were asked for.
    TooFewReplicas "TOO_FEW_REPLICAS" Some(Unreachable);
    /// No IPFS node answers.
    IpfsUnreachable "IPFS_UNREACHABLE" Some(Unreachable);
    /// An IPFS node wants a token, or another one.
    IpfsToken "IPFS_TOKEN" Some(NotAuthorized);
    /// An IPFS node's disk is full.
    IpfsFull "IPFS_FULL" Some(Failure);
    /// An IPFS node refused or failed.
    IpfsRefused "IPFS_REFUSED" Some(Failure);
    /// What answers is no IPFS node as it is needed here.
    IpfsWrong "IPFS_WRONG" Some(Failure);

    // The node and its chain.
    /// No node answers in time, or it is behind.
    Unreachable "UNREACHABLE" Some(Unreachable);
    /// The node, or what stands before it, has no time now.
    NodeBusy "NODE_BUSY" Some(Unreachable);
    /// A node serves another chain or contract.
    WrongChain "WRONG_CHAIN" Some(WrongChain);
    /// A node's answer is of no use.
    Chain "CHAIN" Some(Failure);
    /// A node asks for fees that its own blocks do not bear out.
    Fees "FEES" Some(Failure);
    /// This machine's clock and the chain's are too far apart.
    Clock "CLOCK" Some(Failure);
    /// The chain calls no block safe or final.
    NoFinality "NO_FINALITY" Some(Failure);
    /// The chain began anew, or went back.
    ChainReset "CHAIN_RESET" Some(WrongChain);
    /// The chain was replaced while it was read.
    ChainMoved "CHAIN_MOVED" Some(Unreachable);
    /// The chain was replaced deeper than can be followed.
    ReorgTooDeep "REORG_TOO_DEEP" Some(Failure);
    /// There is no such block, or what was asked for is younger.
    NoBlock "NO_BLOCK" Some(NotFound);
    /// The development chain does not run.
    Node "NODE" None;

    // The contract.
    /// No deployment file for the chain.
    NotDeployed "NOT_DEPLOYED" Some(WrongChain);
    /// A deployment file or the contract's build can't be used.
    Deployment "DEPLOYMENT" None;
    /// The transaction deployed no `ImageRegistry` of this build.
    NotADeployment "NOT_A_DEPLOYMENT" Some(WrongChain);
    /// The contract on chain, or the build, is not what the sources give.
    SourceDiffers "SOURCE_DIFFERS" Some(WrongChain);
    /// The contract's sources can't be compiled.
    Sources "SOURCES" Some(Failure);
    /// A contract that is deployed already lacks a role that was asked for.
    RoleMissing "ROLE_MISSING" Some(Failure);
    /// No such image on chain.
    UnknownImage "UNKNOWN_IMAGE" Some(NotFound);
    /// The image is anchored and has no record yet.
    AnchoredOnly "ANCHORED_ONLY" Some(NotFound);
    /// The contract knows no such key of a Key Generation Center.
    UnknownKgcKey "UNKNOWN_KGC_KEY" Some(NotFound);
    /// The contract knows no such flag.
    UnknownFlag "UNKNOWN_FLAG" Some(NotFound);
    /// The contract knows no such anchor.
    UnknownAnchor "UNKNOWN_ANCHOR" Some(NotFound);
    /// The contract is paused.
    Paused "PAUSED" Some(Failure);
    /// The contract refused for another reason.
    Reverted "REVERTED" None;

    // Wallets and transactions.
    /// The wallet can't be used.
    Wallet "WALLET" None;
    /// Another process signs with the same wallet.
    OutboxBusy "OUTBOX_BUSY" Some(Failure);
    /// The wallet can't pay.
    NoFunds "NO_FUNDS" Some(Failure);
    /// A transaction may cost more than its owner allows; nothing was signed.
    FeeCeiling "FEE_CEILING" Some(Failure);
    /// A transaction may take more gas than its relayer allows; nothing was signed.
    GasCap "GAS_CAP" Some(Failure);
    /// Another program's transaction of the same wallet is not mined yet.
    ForeignPending "FOREIGN_PENDING" Some(Unreachable);
    /// The outbox has no such job.
    UnknownJob "UNKNOWN_JOB" Some(NotFound);
    /// Nothing of the job waits for a block.
    NotWaiting "NOT_WAITING" Some(Failure);
    /// The job was cancelled.
    Cancelled "CANCELLED" Some(Failure);
    /// The node does not take a transaction, this one or one before it.
    Refused "REFUSED" None;
    /// A transaction was sent and is in no block yet.
    NotMined "NOT_MINED" Some(Unreachable);
    /// A transaction is not yet as deep in the chain as was waited for.
    NotFinal "NOT_FINAL" Some(Unreachable);
    /// A transaction failed in another way.
    Transaction "TRANSACTION" Some(Failure);
    /// A list of leaves can't be made.
    Leaves "LEAVES" Some(Failure);

    // What somebody else signs.
    /// The bytes are no call of the registry.
    NotACall "NOT_A_CALL" Some(Failure);
    /// The text is no request, or none that the registry takes.
    NotARequest "NOT_A_REQUEST" Some(Failure);
    /// The request is for another registry.
    OtherRegistry "OTHER_REGISTRY" Some(WrongChain);
    /// The signature is not the signer's, or has a form that is not taken.
    Signature "SIGNATURE" None;
    /// The request came too late, or is good for too long.
    Deadline "DEADLINE" Some(Failure);
    /// The request's number was used up.
    Nonce "NONCE" Some(Failure);
    /// Something else was done with the same image or wallet first.
    Overtaken "OVERTAKEN" Some(Failure);
    /// The act takes no signature.
    NotSignable "NOT_SIGNABLE" Some(Failure);
    /// No typed data was printed that the signature could be of.
    NotPrinted "NOT_PRINTED" Some(Failure);

    // Audit, evidence and watch.
    /// The log is not the whole log.
    LogIncomplete "LOG_INCOMPLETE" Some(Invalid);
    /// The log is longer than what is read of one, or the node takes too long over it.
    ReadLimit "READ_LIMIT" Some(Unreachable);
    /// What a node says does not follow from the block's header.
    Unproven "UNPROVEN" Some(Invalid);
    /// A block has another hash than was expected.
    OtherBlock "OTHER_BLOCK" Some(Invalid);
    /// The file is no evidence.
    NotEvidence "NOT_EVIDENCE" Some(Invalid);
    /// The evidence does not hold.
    EvidenceInvalid "EVIDENCE_INVALID" Some(Invalid);
    /// The sealed image is not the one that was registered.
    OtherFile "OTHER_FILE" Some(Invalid);
    /// Another process has the same watch.
    WatchBusy "WATCH_BUSY" Some(Failure);
    /// Whoever read the events went away.
    Untold "UNTOLD" Some(Failure);
    /// Deliveries wait: the receiver does not take them.
    NotDelivered "NOT_DELIVERED" Some(Unreachable);

    // Faults of ours.
    /// What was sealed does not come back, or was stored under another address.
    Fault "FAULT" Some(Failure);
    /// A request to the Key Generation Center can't be made, or the record's address is none.
    Request "REQUEST" Some(Failure);
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

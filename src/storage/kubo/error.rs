//! Errors of an IPFS node.

use std::time::Duration;

use crate::storage::Cid;

/// Most characters of a node's own message that are passed on.
const WORDS: usize = 300;

/// Why a node failed, or its answer is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IpfsError {
    /// No connection.
    #[error("no connection")]
    Unreachable(#[source] reqwest::Error),
    /// No answer within the deadline.
    #[error("no {what} within {} s", after.as_secs_f32())]
    Timeout {
        /// What was waited for.
        what: &'static str,
        /// How long.
        after: Duration,
    },
    /// It wants a token, or another one.
    #[error("it refuses us (HTTP {status}), {}", if *token { "the token included" } else { "and no token is set" })]
    NotAuthorized {
        /// 401 or 403.
        status: u16,
        /// Whether a token was sent.
        token: bool,
    },
    /// It points elsewhere. Content and token go only where the settings say.
    #[error("it points to another address (HTTP {status}), which is not followed")]
    Redirected {
        /// 3xx.
        status: u16,
    },
    /// No Kubo answers like that.
    #[error("it answers HTTP {status}, which no IPFS node does here")]
    Http {
        /// The status.
        status: u16,
    },
    /// It refused, and says why.
    #[error("it refuses: {message}")]
    Refused {
        /// Its message, shortened.
        message: String,
    },
    /// Its disk is full.
    #[error("its disk is full: {message}")]
    Full {
        /// Its message, shortened.
        message: String,
    },
    /// An error after it had begun a successful answer.
    #[error("it failed after it had begun to answer: {message}")]
    InAnswer {
        /// Its message, shortened.
        message: String,
    },
    /// The answer ended in the middle.
    #[error("its answer was cut off")]
    Cut(#[source] reqwest::Error),
    /// The answer is longer than any valid one.
    #[error("its answer is longer than {limit} bytes")]
    TooLong {
        /// How much was read.
        limit: u64,
    },
    /// The answer does not decode.
    #[error("its answer to {call} is not understood")]
    NotAnAnswer {
        /// What was asked.
        call: &'static str,
    },
    /// It returned another CID than the bytes have.
    #[error("expected it to answer {expected}, found {found}")]
    OtherCid {
        /// The address that was computed here.
        expected: Cid,
        /// Its own, shortened.
        found: String,
    },
    /// It says that it stored the object, and does not keep it.
    #[error("it accepted {cid}, and does not pin it")]
    NotPinned {
        /// The object.
        cid: Cid,
    },
}

impl IpfsError {
    /// What `message` of a node says.
    pub(super) fn refused(message: &str) -> Self {
        let full = ["no space left on device", "disk quota exceeded"].iter().any(|sign| message.contains(sign));
        let message = words(message);
        if full { Self::Full { message } } else { Self::Refused { message } }
    }

    /// Whether the node itself could not be talked to, so that the next call would wait in vain
    /// too.
    pub(super) fn is_away(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Timeout { .. })
    }
}

/// A node's message, fit to be shown: short, on one line, without terminal control characters.
pub(super) fn words(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.trim().chars().take(WORDS).map(plain).collect()
}

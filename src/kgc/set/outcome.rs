//! What came of asking the KGCs of a set.

use std::fmt::{Display, Formatter, Result as Written};
use std::time::Duration;

use alloy::primitives::B256;

use crate::envelope::capsules::CapsuleError;
use crate::kgc::{KeyRequestError, KgcError};

/// What came of asking one KGC.
#[derive(Debug)]
#[non_exhaustive]
pub enum How {
    /// What it gave fits.
    Answered,
    /// It had not answered when nobody waited any longer.
    Slow {
        /// How long it was waited for.
        after: Duration,
    },
    /// Nothing answers there, or the chain could not be asked who it is.
    Unreachable(KgcError),
    /// It refused, and said why.
    Refused(KgcError),
    /// What it gave does not fit: which check it failed.
    Wrong(KgcError),
    /// It answered, and its receipt could not be kept on this machine.
    NotKept(KgcError),
    /// Its address leads to a KGC that holds nothing of this image.
    NotOfThisImage,
    /// Its address leads to a KGC that has answered at another address.
    SameAs {
        /// The other address.
        place: String,
    },
    /// No address of it is known here.
    NoAddress,
}

/// A KGC, and what came of asking it.
#[derive(Debug)]
pub struct KgcOutcome {
    /// Its id, where it is known.
    pub id: Option<B256>,
    /// Where it was asked, if it was.
    pub place: Option<String>,
    /// What came of it.
    pub how: How,
}

impl How {
    /// How an error is reported.
    pub(super) fn of(error: KgcError) -> Self {
        match error {
            KgcError::NoAnswer { .. } | KgcError::Chain(_) => Self::Unreachable(error),
            KgcError::Receipt(_)
            | KgcError::AnswerNotAuthentic
            | KgcError::BadAnswer { .. }
            | KgcError::OtherHome { .. }
            | KgcError::ShareWrong(_)
            | KgcError::Url { .. } => Self::Wrong(error),
            KgcError::ReceiptNotKept { .. } => Self::NotKept(error),
            _ => Self::Refused(error),
        }
    }

    /// One word for it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Slow { .. } => "slow",
            Self::Unreachable(_) => "unreachable",
            Self::Refused(_) => "refused",
            Self::Wrong(_) => "wrong",
            Self::NotKept(_) => "not kept",
            Self::NotOfThisImage => "not of this image",
            Self::SameAs { .. } => "the same as another",
            Self::NoAddress => "no address",
        }
    }
}

impl Display for How {
    fn fmt(&self, f: &mut Formatter<'_>) -> Written {
        f.write_str(self.name())?;
        match self {
            Self::Answered => Ok(()),
            Self::Slow { after } => write!(f, " (no answer within {:.1} s)", after.as_secs_f64()),
            Self::Refused(error) => write!(f, " ({}: {})", error.reason().name(), with_causes(error)),
            Self::Unreachable(error) | Self::Wrong(error) | Self::NotKept(error) => {
                write!(f, " ({})", with_causes(error))
            }
            Self::NotOfThisImage => f.write_str(" (this key center holds nothing of its key)"),
            Self::SameAs { place } => write!(f, " ({place} leads to this key center too)"),
            Self::NoAddress => f.write_str(" (it holds a part of the key: name its URL too)"),
        }
    }
}

impl Display for KgcOutcome {
    fn fmt(&self, f: &mut Formatter<'_>) -> Written {
        f.write_str("key center")?;
        if let Some(id) = self.id {
            write!(f, " {id}")?;
        }
        if let Some(place) = &self.place {
            write!(f, " at {place}")?;
        }
        write!(f, ": {}", self.how)
    }
}

fn with_causes(error: &KgcError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

/// What a set of KGCs did, for whoever asked it.
#[derive(Debug)]
#[non_exhaustive]
pub enum SetNote<'a> {
    /// A KGC that did not answer as it should, where enough others did.
    Member(&'a KgcOutcome),
    /// An image is sealed to fewer KGCs than were named.
    Fewer {
        /// How many of them it takes to open it.
        threshold: u8,
        /// To how many it is sealed.
        sealed: usize,
        /// How many were named.
        named: usize,
    },
    /// An image is sealed to as many KGCs as it takes to open it.
    NoneToSpare {
        /// How many.
        sealed: usize,
    },
}

impl Display for SetNote<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Written {
        match self {
            Self::Member(outcome) => write!(f, "note: {outcome}"),
            Self::Fewer { threshold, sealed, named } => {
                write!(f, "note: sealed to {sealed} of the {named} key centers, of which it takes {threshold} to open")
            }
            Self::NoneToSpare { sealed } => write!(
                f,
                "warning: sealed to {sealed} key centers and it takes all of them to open: if one of them is lost, so is the image"
            ),
        }
    }
}

/// Why a set of KGCs gives no key, or no partials.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KgcSetError {
    /// Too few of them gave what was asked for.
    #[error("it takes {needed} of {number} key centers, and {answered} answered: {}", each(members))]
    TooFew {
        /// How many it takes.
        needed: usize,
        /// How many there are.
        number: usize,
        /// How many answered.
        answered: usize,
        /// What came of each.
        members: Vec<KgcOutcome>,
    },
    /// The capsules cannot be read, or their shares put together.
    #[error("the key capsules give no image key")]
    Capsules(#[from] CapsuleError),
    /// The request cannot be signed.
    #[error(transparent)]
    Request(#[from] KeyRequestError),
    /// All shares are those that the sender committed to, and they give another key.
    #[error(
        "each key center gave the share that the sender committed to, and the shares give no key of this image: its sender is at fault"
    )]
    SenderAtFault,
    /// A threshold that cannot be, of that many KGCs.
    #[error("expected a threshold of 1 to {number} for as many key centers, found {threshold}")]
    Threshold {
        /// The threshold.
        threshold: u8,
        /// How many KGCs there are.
        number: usize,
    },
    /// Several KGCs to seal to, and nobody said how many of them it takes to open.
    #[error("{number} key centers are named, and not how many of them it takes to open")]
    NoThreshold {
        /// How many KGCs there are.
        number: usize,
    },
}

fn each(members: &[KgcOutcome]) -> String {
    members.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

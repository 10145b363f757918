//! What became of a transaction: mined, or printed for somebody else to sign or send.

use super::job::MinedTransaction;
use crate::contract::Transaction;
use alloy::primitives::Address;

/// What became of an act on chain; `T` is what the act gives once its transaction is mined.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "what is printed was not sent: somebody has to be told"]
pub enum Submitted<T = MinedTransaction> {
    /// The transaction is in the chain.
    Mined(T),
    /// Nothing was sent: the wallet only prints.
    Printed(Unsent),
}

/// A transaction for somebody else to sign or send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsent {
    /// Who is to send it; zero where anybody may.
    pub from: Address,
    /// What is to be sent.
    pub transaction: Transaction,
}

impl<T> Submitted<T> {
    /// What the mined act gives; `None` where it was printed.
    pub fn mined(self) -> Option<T> {
        match self {
            Self::Mined(mined) => Some(mined),
            Self::Printed(_) => None,
        }
    }

    /// The same with what `then` makes of a mined act.
    pub fn map<U>(self, then: impl FnOnce(T) -> U) -> Submitted<U> {
        match self {
            Self::Mined(mined) => Submitted::Mined(then(mined)),
            Self::Printed(unsent) => Submitted::Printed(unsent),
        }
    }
}

//! What a node says when it does not take signed bytes.

/// Errors of JSON-RPC itself and "limit exceeded" say nothing about the transaction.
pub(super) fn is_about_the_transaction(code: i64) -> bool {
    !matches!(code, -32700 | -32600 | -32601 | -32602 | -32005)
}

/// Why a node does not take signed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Known,
    NonceTooLow,
    NoFunds,
    Other,
}

impl Refusal {
    /// Nodes say it in words only: anvil, Geth, Reth, Nethermind, Besu.
    pub(super) fn read(message: &str) -> Self {
        let message = message.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|words| message.contains(words));
        if has(&["already known", "alreadyknown", "already imported", "known transaction"]) {
            Self::Known
        } else if has(&["nonce too low"]) {
            Self::NonceTooLow
        } else if has(&["insufficient funds", "insufficientfunds", "upfront cost exceeds account balance"]) {
            Self::NoFunds
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_nodes_are_understood() {
        for (message, refusal) in [
            ("already known", Refusal::Known),
            ("transaction already imported", Refusal::Known),
            ("AlreadyKnown", Refusal::Known),
            ("known transaction: 12ab", Refusal::Known),
            ("nonce too low", Refusal::NonceTooLow),
            ("nonce too low: next nonce 5, tx nonce 4", Refusal::NonceTooLow),
            ("Insufficient funds for gas * price + value", Refusal::NoFunds),
            ("insufficient funds for gas * price + value: address 0x01 have 0 want 21000", Refusal::NoFunds),
            ("InsufficientFunds, Balance is 0", Refusal::NoFunds),
            ("Upfront cost exceeds account balance", Refusal::NoFunds),
            ("replacement transaction underpriced", Refusal::Other),
            ("max fee per gas less than block base fee", Refusal::Other),
            ("", Refusal::Other),
        ] {
            assert_eq!(Refusal::read(message), refusal, "{message}");
        }
    }
}

//! Who signs an act, who pays for it, and whether its transaction is sent or printed: decided here,
//! once for each act.

use crate::chain::Wallet;
use crate::chain::sign;
use crate::contract::typed_data::Signable;
use alloy::primitives::{Address, Bytes};
use alloy::sol_types::Eip712Domain;

/// What is printed instead of sending a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Printing {
    /// Typed data for the one who acts to sign; anybody may pay.
    TypedData,
    /// The transaction for the one who pays to send.
    Transaction,
}

/// Whom an act could be by, and what is asked for: what [`Signers`] are decided from.
#[derive(Debug, Clone, Default)]
pub struct Parties {
    /// The wallet whose key is here, if one is.
    pub own: Option<Wallet>,
    /// Who acts, where one was named; its key may be somebody else's.
    pub from: Option<Address>,
    /// Who pays, where one was named.
    pub relayer: Option<Wallet>,
    /// Whether the signature of the one who acts came back.
    pub is_signed: bool,
    /// What is printed instead of sent, if anything is.
    pub printing: Option<Printing>,
}

impl Parties {
    /// Who signs and who pays; `None` where nobody is there to act, or to pay for what was signed.
    pub fn signers(self) -> Option<Signers> {
        let Self { own, from, relayer, is_signed, printing } = self;
        let signer = match from {
            Some(from) if own.as_ref().is_none_or(|own| own.address() != from) => {
                Wallet::external_signer(from, own.clone())
            }
            _ => own.clone()?,
        };
        let payer = match (printing, relayer) {
            (Some(Printing::TypedData), _) => Wallet::external_signer(Address::ZERO, None),
            (_, Some(relayer)) => relayer,
            (_, None) if is_signed => own?,
            (_, None) => signer.clone(),
        };
        let payer = if printing == Some(Printing::Transaction) { payer.print_only() } else { payer };
        Some(Signers { signer, payer })
    }
}

/// Who acts, and who sends the transaction and pays for it.
#[derive(Debug, Clone)]
pub struct Signers {
    /// Who acts: by its signature, or by its own transaction.
    pub signer: Wallet,
    /// Who sends the transaction: the one who acts, or a relayer that only ever sees a signature.
    pub payer: Wallet,
}

impl Signers {
    /// One wallet that acts and pays.
    pub fn one(wallet: Wallet) -> Self {
        Self { payer: wallet.clone(), signer: wallet }
    }

    /// Whether another wallet pays than the one that acts.
    pub fn is_relayed(&self) -> bool {
        self.signer.address() != self.payer.address()
    }

    /// The signature of the one who acts where another pays; empty where the transaction is its
    /// own.
    pub fn signature(&self, message: &impl Signable, domain: &Eip712Domain) -> Bytes {
        if self.is_relayed() { sign(message, domain, &self.signer) } else { Bytes::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(index: usize) -> Wallet {
        Wallet::development(index, 31337).expect("a development key")
    }

    /// Who acts, who pays, and whether that is printed.
    fn decided(parties: Parties) -> Option<(Address, Address, bool)> {
        let Signers { signer, payer } = parties.signers()?;
        Some((signer.address(), payer.address(), payer.prints_only()))
    }

    fn own() -> Parties {
        Parties { own: Some(key(1)), ..Parties::default() }
    }

    #[test]
    fn one_who_acts_alone_pays_and_a_named_relayer_pays_for_it() {
        let (own_address, relayer) = (key(1).address(), key(6));
        assert_eq!(decided(own()), Some((own_address, own_address, false)));
        let relayed = Parties { relayer: Some(relayer.clone()), ..own() };
        assert_eq!(decided(relayed), Some((own_address, relayer.address(), false)));
        assert_eq!(decided(Parties { from: Some(own_address), ..own() }), Some((own_address, own_address, false)));
        assert_eq!(decided(Parties::default()), None);
    }

    #[test]
    fn what_is_to_be_printed_is_never_sent() {
        for printing in [Printing::TypedData, Printing::Transaction] {
            for relayer in [None, Some(key(6))] {
                for from in [None, Some(key(1).address()), Some(Address::repeat_byte(9))] {
                    for is_signed in [false, true] {
                        let relayer = relayer.clone();
                        let parties = Parties { relayer, from, is_signed, printing: Some(printing), ..own() };
                        let (signer, payer, prints) = decided(parties).expect("somebody acts");
                        assert!(prints, "{printing:?} of {signer} by {payer}");
                        assert_eq!(signer, from.unwrap_or(key(1).address()));
                        assert_eq!(printing == Printing::TypedData, payer.is_zero());
                    }
                }
            }
        }
    }

    #[test]
    fn a_signature_that_came_back_is_paid_for_by_the_wallet_that_is_here() {
        let from = Some(Address::repeat_byte(9));
        let signed = Parties { from, is_signed: true, ..own() };
        assert_eq!(decided(signed.clone()), Some((Address::repeat_byte(9), key(1).address(), false)));
        assert_eq!(decided(Parties { own: None, ..signed.clone() }), None, "nobody is there to pay");
        let relayed = Parties { own: None, relayer: Some(key(6)), ..signed };
        assert_eq!(decided(relayed), Some((Address::repeat_byte(9), key(6).address(), false)));
    }

    #[test]
    fn an_external_signer_stays_one_when_its_transactions_are_printed() {
        let from = Some(Address::repeat_byte(9));
        let parties = Parties { from, printing: Some(Printing::Transaction), ..own() };
        assert_eq!(decided(parties), Some((Address::repeat_byte(9), Address::repeat_byte(9), true)));
    }
}

//! Where the contract keeps what: the storage slots of `ImageRegistry` and its base contracts, and
//! what their words say. A contract with another layout would match neither a proof nor the audit.

use alloy::primitives::{Address, B256, U256, keccak256};
use alloy::sol_types::SolValue;

/// Slot numbers of the contract's variables.
pub(crate) mod slot {
    pub(crate) const ROLES: u8 = 1;
    pub(crate) const PENDING_ADMIN: u8 = 2;
    pub(crate) const ADMIN: u8 = 3;
    pub(crate) const PAUSE: u8 = 4;
    pub(crate) const RECORDS: u8 = 7;
    pub(crate) const ANCHORS: u8 = 8;
    pub(crate) const LINES: u8 = 9;
    pub(crate) const KGC_KEYS: u8 = 10;
    pub(crate) const LOGS: u8 = 11;
    pub(crate) const CAPSULE_ANCHORS: u8 = 12;
    pub(crate) const FLAGS: u8 = 13;
    pub(crate) const NONCES: u8 = 14;
    pub(crate) const JOINED: u8 = 15;
    pub(crate) const ACCESS: u8 = 16;
    pub(crate) const OPERATORS: u8 = 17;
    pub(crate) const CAPSULES: u8 = 18;
}

/// Bits of an address.
pub(crate) const ADDRESS: usize = 160;
/// Bits of a time.
pub(crate) const TIME: usize = 48;

/// A slot's key in the contract's storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotKey(B256);

impl SlotKey {
    pub(crate) fn plain(slot: u8) -> Self {
        Self(B256::with_last_byte(slot))
    }

    /// The slot of `key` in the mapping at this slot.
    pub(crate) fn at(self, key: impl Into<B256>) -> Self {
        Self(keccak256((key.into(), self.0).abi_encode_packed()))
    }

    /// The next slot.
    #[must_use]
    pub fn next(self) -> Self {
        Self(B256::from(U256::from_be_bytes(self.0.0).wrapping_add(U256::from(1))))
    }

    /// The first of the two slots of an image's record.
    pub fn of_record(image: B256) -> Self {
        Self::plain(slot::RECORDS).at(image)
    }

    /// The slot of the access of (image, wallet).
    pub fn of_access(image: B256, wallet: Address) -> Self {
        Self::plain(slot::ACCESS).at(image).at(wallet.into_word())
    }

    /// The first of the two slots of the capsules that replaced those of the registration.
    pub fn of_capsules(image: B256) -> Self {
        Self::plain(slot::CAPSULES).at(image)
    }

    /// The slot that says who published a KGC's key, and its newest epoch.
    pub fn of_publisher(kgc: B256) -> Self {
        Self::plain(slot::LINES).at(kgc)
    }

    /// The first of the two slots of a KGC's key of one epoch.
    pub fn of_kgc_key(kgc: B256, epoch: u32) -> Self {
        Self::plain(slot::KGC_KEYS).at(kgc).at(U256::from(epoch))
    }

    /// The first of the two slots of the newest head of a log that this wallet anchored.
    pub fn of_log(anchored_by: Address, log: B256) -> Self {
        Self::plain(slot::LOGS).at(anchored_by.into_word()).at(log)
    }

    /// The key that nodes are asked for.
    pub fn key(self) -> B256 {
        self.0
    }

    /// The key in the trie.
    pub(crate) fn hashed(self) -> B256 {
        keccak256(self.0)
    }
}

/// Bits `from ..` of a word, `bits` of them.
pub(crate) fn bits(word: U256, from: usize, bits: usize) -> U256 {
    (word >> from) & ((U256::from(1) << bits) - U256::from(1))
}

/// The address in a word's lowest bits; none where it is zero.
pub fn address_in(word: U256) -> Option<Address> {
    let address = bits(word, 0, ADDRESS);
    (!address.is_zero()).then(|| Address::from_word(address.into()))
}

/// What the access slot of (image, wallet) says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AccessWord {
    /// Last second of the access, unix seconds; 0 for none.
    pub expiry: u64,
    /// Rises by one with each grant, and is drawn anew with each revocation.
    pub seq: u128,
    /// The block that wrote it.
    pub block: u64,
}

impl From<U256> for AccessWord {
    fn from(word: U256) -> Self {
        Self { expiry: bits(word, 0, 64).to(), seq: bits(word, 64, 128).to(), block: bits(word, 192, 64).to() }
    }
}

/// Whether the second slot of a KGC's key says that the key may still be gone by: there is one, and
/// it is not retired.
pub fn is_key_in_use(word: U256) -> bool {
    address_in(word).is_some() && bits(word, ADDRESS + 32, 8).is_zero()
}

/// A number of 64 bits in a word's lowest bits.
pub fn number_in(word: U256) -> u64 {
    bits(word, 0, 64).to()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_word_is_read_as_the_contract_packs_it() {
        let word: U256 = (U256::from(7_u64) << 192) | (U256::from(u128::MAX - 1) << 64) | U256::from(1_900_000_000_u64);
        let access = AccessWord::from(word);
        assert_eq!(access, AccessWord { expiry: 1_900_000_000, seq: u128::MAX - 1, block: 7 });
        assert_eq!(AccessWord::from(U256::ZERO), AccessWord::default());
    }

    #[test]
    fn a_key_is_in_use_until_it_is_retired() {
        let signer = U256::from_be_bytes(Address::repeat_byte(0xd4).into_word().0);
        let published = signer | (U256::from(3) << 160);
        assert!(is_key_in_use(published));
        assert!(!is_key_in_use(published | (U256::from(1) << 192)));
        assert!(!is_key_in_use(U256::ZERO));
        assert_eq!(address_in(published), Some(Address::repeat_byte(0xd4)));
    }
}

//! Wallets: a keystore file, or a public key of the development chain.

use super::keystore::{self, BadParameter, Fault};
use crate::contract::ErrorKind;
use crate::contract::typed_data::{Signable, digest};
use crate::files::read_secret;
use alloy::consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy::network::TxSignerSync;
use alloy::primitives::{Address, B256, Bytes, b256};
use alloy::signers::SignerSync;
use alloy::signers::local::{LocalSignerError, PrivateKeySigner};
use alloy::sol_types::Eip712Domain;
use eth_keystore::KeystoreError;
use std::io::Read;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Private keys of anvil's accounts (`anvil/README.md`), known to the whole world.
const DEVELOPMENT_KEYS: [B256; 10] = [
    b256!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"),
    b256!("59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"),
    b256!("5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"),
    b256!("7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6"),
    b256!("47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"),
    b256!("8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba"),
    b256!("92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e"),
    b256!("4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356"),
    b256!("dbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97"),
    b256!("2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6"),
];

/// Whether this is the id of a development chain: 31337 (anvil) or 1337 (`geth --dev`).
pub fn is_development_chain(chain_id: u64) -> bool {
    matches!(chain_id, 31337 | 1337)
}

/// Why there is no wallet.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WalletError {
    /// The passphrase's file can't be read. Its name is not repeated: it may be the passphrase, put
    /// where its file's name belongs.
    #[error(
        "can't read the file that password_file (ETH_PASSWORD) names, which takes a file's path and not the passphrase itself"
    )]
    PassphraseFile {
        /// Why.
        source: std::io::Error,
    },
    /// A file that can't be read.
    #[error("can't read {}", path.display())]
    Unreadable {
        /// The keystore.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no V3 keystore, or holds no key of a wallet.
    #[error("keystore {} does not open", path.display())]
    Keystore {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A parameter of the keystore is out of bounds; nothing was derived with it.
    #[error("keystore {}: {parameter}", path.display())]
    KeystoreParameter {
        /// The file.
        path: PathBuf,
        /// Which parameter.
        parameter: BadParameter,
    },
    /// The keystore has another passphrase.
    #[error("the passphrase does not open keystore {}", path.display())]
    WrongPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// The development keys are public: they are for development chains only.
    #[error("development key {index} is public and refused on chain {chain_id}; expected chain 31337 or 1337")]
    NotDevelopmentChain {
        /// Which key.
        index: usize,
        /// Where it was to be used.
        chain_id: u64,
    },
    /// There are ten development keys.
    #[error("no development key {index}; expected 0 to 9")]
    NoSuchKey {
        /// What was asked for.
        index: usize,
    },
}

impl WalletError {
    /// What it means to whoever called.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Unreadable { source, .. } | Self::PassphraseFile { source }
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                ErrorKind::NotFound
            }
            Self::NotDevelopmentChain { .. } => ErrorKind::WrongChain,
            Self::WrongPassphrase { .. } => ErrorKind::NotAuthorized,
            _ => ErrorKind::Failure,
        }
    }
}

/// What opens a keystore.
pub enum Passphrase<'a> {
    /// A file that its owner alone may read, and whose text is the passphrase; white space at its
    /// end is not part of it, as in `cast`.
    File(&'a Path),
    /// The passphrase itself.
    Text(&'a str),
}

/// What a wallet does here.
#[derive(Clone, Copy)]
enum Use {
    /// Its key is here: it signs and sends.
    Sends,
    /// Its key is here; its transactions are only printed.
    PrintsOnly,
    /// Somebody else has its key: what it would sign or send is only printed.
    ExternalSigner(Address),
}

/// A key that signs. Prints as its address.
#[derive(Clone)]
pub struct Wallet(PrivateKeySigner, Use);

impl std::fmt::Debug for Wallet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Wallet({})", self.address())
    }
}

impl Wallet {
    /// Returns the wallet of a V3 keystore file (`cast wallet import`, `geth account new`).
    ///
    /// # Errors
    /// [`WalletError::Unreadable`], [`WalletError::Keystore`]; [`WalletError::KeystoreParameter`]
    /// before anything is derived; [`WalletError::WrongPassphrase`].
    pub fn from_keystore(path: &Path, passphrase: &Passphrase<'_>) -> Result<Self, WalletError> {
        let unreadable = |path: &Path| {
            let path = path.to_path_buf();
            move |source| WalletError::Unreadable { path, source }
        };
        let text = match passphrase {
            Passphrase::File(file) => {
                let text = read_secret(file).map_err(|source| WalletError::PassphraseFile { source })?;
                Zeroizing::new(text.trim_end().to_owned())
            }
            Passphrase::Text(text) => Zeroizing::new((*text).to_owned()),
        };
        let mut file = Vec::new();
        let mut start = std::fs::File::open(path).map_err(unreadable(path))?.take(keystore::MAX_FILE_BYTES);
        start.read_to_end(&mut file).map_err(unreadable(path))?;
        let owned = || path.to_path_buf();
        keystore::check(&file).map_err(|fault| match fault {
            Fault::Form(error) => WalletError::Keystore { path: owned(), source: error.into() },
            Fault::Parameter(parameter) => WalletError::KeystoreParameter { path: owned(), parameter },
        })?;
        PrivateKeySigner::decrypt_keystore(path, text.as_bytes()).map(|key| Self(key, Use::Sends)).map_err(|source| {
            match source {
                LocalSignerError::EthKeystoreError(KeystoreError::MacMismatch) => {
                    WalletError::WrongPassphrase { path: owned() }
                }
                source => WalletError::Keystore { path: owned(), source: source.into() },
            }
        })
    }

    /// Returns anvil's account `index`, 0 to 9, for use on `chain_id`.
    ///
    /// # Errors
    /// [`WalletError::NotDevelopmentChain`], [`WalletError::NoSuchKey`].
    pub fn development(index: usize, chain_id: u64) -> Result<Self, WalletError> {
        if !is_development_chain(chain_id) {
            return Err(WalletError::NotDevelopmentChain { index, chain_id });
        }
        let key = DEVELOPMENT_KEYS.get(index).ok_or(WalletError::NoSuchKey { index })?;
        Ok(Self(PrivateKeySigner::from_bytes(key).expect("the ten keys are on the curve"), Use::Sends))
    }

    /// The same wallet, whose transactions are printed instead of sent
    /// ([`Submitted::Printed`](super::Submitted::Printed)).
    #[must_use]
    pub fn print_only(self) -> Self {
        if self.prints_only() { self } else { Self(self.0, Use::PrintsOnly) }
    }

    /// A wallet whose key somebody else has: it signs nothing here, and its transactions are
    /// printed instead of sent. What a Key Generation Center asks of somebody who seals for it is
    /// signed by the key of `helper`, or by one made for the moment.
    #[must_use]
    pub fn external_signer(address: Address, helper: Option<Self>) -> Self {
        let key = helper.map_or_else(PrivateKeySigner::random, |helper| helper.0);
        Self(key, Use::ExternalSigner(address))
    }

    /// Whether its transactions are printed instead of sent.
    pub fn prints_only(&self) -> bool {
        !matches!(self.1, Use::Sends)
    }

    /// Who signs.
    pub fn address(&self) -> Address {
        match self.1 {
            Use::ExternalSigner(address) => address,
            Use::Sends | Use::PrintsOnly => self.0.address(),
        }
    }

    /// The key itself, for those that sign by alloy's trait.
    pub fn signer(&self) -> &PrivateKeySigner {
        &self.0
    }

    /// The signature of a 32-byte digest: `r || s || v`, 65 bytes, v 27 or 28. Empty, which no
    /// contract takes, where somebody else has the key.
    pub fn sign_digest(&self, digest: B256) -> Bytes {
        if matches!(self.1, Use::ExternalSigner(_)) {
            return Bytes::new();
        }
        let signature = self.0.sign_hash_sync(&digest).expect("a local key signs every digest");
        signature.as_bytes().into()
    }

    pub(super) fn sign_transaction(&self, mut transaction: TxEip1559) -> TxEnvelope {
        let signature = self.0.sign_transaction_sync(&mut transaction).expect("a local key signs every transaction");
        transaction.into_signed(signature).into()
    }
}

/// The wallet's signature of [`digest`]: `r || s || v`, 65
/// bytes, v 27 or 28.
pub fn sign(message: &impl Signable, domain: &Eip712Domain, wallet: &Wallet) -> Bytes {
    wallet.sign_digest(digest(message, domain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::bindings::IImageRegistry::Verification;
    use crate::envelope::signing_domain;
    use alloy::primitives::Signature;

    /// `cast wallet import` of development key 0 with passphrase "correct horse".
    const KEYSTORE: &str = include_str!("testdata/keystore.json");

    #[test]
    fn development_keys_are_for_development_chains() {
        let first = Wallet::development(0, 31337).expect("key 0");
        assert_eq!(format!("{first:?}"), "Wallet(0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266)");
        let last = Wallet::development(9, 1337).expect("key 9");
        assert_eq!(last.address().to_string(), "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720");
        assert!(matches!(Wallet::development(10, 31337), Err(WalletError::NoSuchKey { index: 10 })));
        for chain_id in [0, 1, 31336, 11155111] {
            let refused = Wallet::development(0, chain_id).expect_err("no development chain");
            assert!(matches!(refused, WalletError::NotDevelopmentChain { index: 0, chain_id: id } if id == chain_id));
            assert_eq!(refused.kind(), ErrorKind::WrongChain);
        }
    }

    #[test]
    fn a_keystore_opens_with_its_passphrase_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let keystore = folder.path().join("key.json");
        let password = folder.path().join("password");
        std::fs::write(&keystore, KEYSTORE).expect("written");
        std::fs::write(&password, "correct horse\n").expect("written");
        let refused = Wallet::from_keystore(&keystore, &Passphrase::File(&password)).expect_err("others can read it");
        assert!(matches!(refused, WalletError::PassphraseFile { .. }), "{refused:?}");
        std::fs::set_permissions(&password, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("set");
        let expected = Wallet::development(0, 31337).expect("key 0").address();
        for passphrase in [Passphrase::Text("correct horse"), Passphrase::File(&password)] {
            assert_eq!(Wallet::from_keystore(&keystore, &passphrase).expect("opens").address(), expected);
        }
        let wrong = Wallet::from_keystore(&keystore, &Passphrase::Text("correct horse\n")).expect_err("another");
        assert!(matches!(wrong, WalletError::WrongPassphrase { .. }), "{wrong:?}");
        assert_eq!(wrong.kind(), ErrorKind::NotAuthorized);
        let absent = Wallet::from_keystore(&folder.path().join("none"), &Passphrase::Text(""));
        assert_eq!(absent.expect_err("no file").kind(), ErrorKind::NotFound);
        let no_keystore = Wallet::from_keystore(&password, &Passphrase::Text("correct horse"));
        assert!(matches!(no_keystore, Err(WalletError::Keystore { .. })));
    }

    #[test]
    fn a_keystore_that_asks_for_too_much_is_refused_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("key.json");
        for (parameter, value) in [("dklen", "16"), ("n", "67108864"), ("n", "8193")] {
            let before = if parameter == "n" { "8192" } else { "32" };
            let text = KEYSTORE.replace(&format!("\"{parameter}\":{before}"), &format!("\"{parameter}\":{value}"));
            std::fs::write(&file, text).expect("written");
            let refused = Wallet::from_keystore(&file, &Passphrase::Text("correct horse")).expect_err(parameter);
            assert!(
                matches!(&refused, WalletError::KeystoreParameter { parameter: bad, .. } if bad.name == parameter),
                "{refused}"
            );
            assert_eq!(refused.kind(), ErrorKind::Failure);
        }
    }

    #[test]
    fn a_signature_is_of_one_message_chain_and_contract() {
        const REGISTRY: Address = Address::repeat_byte(0x11);
        let verification =
            || Verification { imageId: B256::repeat_byte(1), observedAt: 7, deadline: 9, ..Default::default() };
        let wallet = Wallet::development(0, 31337).expect("a development key");
        let signature = sign(&verification(), &signing_domain(5, REGISTRY), &wallet);
        assert_eq!(signature.len(), 65);
        let signature = Signature::from_raw(&signature).expect("65 bytes");
        let signer_of = |message: &Verification, domain: &Eip712Domain| {
            signature.recover_address_from_prehash(&digest(message, domain)).ok()
        };
        assert_eq!(signer_of(&verification(), &signing_domain(5, REGISTRY)), Some(wallet.address()));
        assert_ne!(signer_of(&verification(), &signing_domain(6, REGISTRY)), Some(wallet.address()));
        assert_ne!(signer_of(&verification(), &signing_domain(5, Address::ZERO)), Some(wallet.address()));
        let later = Verification { deadline: 10, ..verification() };
        assert_ne!(signer_of(&later, &signing_domain(5, REGISTRY)), Some(wallet.address()));
    }
}

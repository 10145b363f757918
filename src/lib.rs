//! MedSeal seals medical images: the system of EB-TDLM (Patel & Dwivedi 2025) on real cryptography, IPFS addresses and an Ethereum chain.
//!
//! This page is the map of the house. The README is for those who use it; [`envelope`] fixes every byte; the contract's manual
//! is `contracts/src/IImageRegistry.sol`.
//!
//! # The pipeline
//!
//! ```text
//!                 file
//!                  |  imaging: decode, split
//!                  v
//!      samples, head, tail ------------------------------------.
//!                  |  keygen: integer fold                     |
//!                  v                                           |
//!      8 KiB fold --> ViT (ONNX) --> Tout                      |
//!                  |                  |                        v
//!      kgc:     partial ---> HKDF <--- r (sender)     envelope: description, frames
//!                             |                                |
//!                             v Ke                             v
//!      envelope:   capsules <-+-> cipher: permute, substitute, diffuse
//!                  |                                           |
//!                  |  storage: put, read back, hash            v
//!                  '--------------> CIDs <-------------- sealed image
//!                                     |
//!      chain:      register -> verify -> grant -> (kgc) release -> open
//! ```
//!
//! # Modules
//!
//! Arrows point one way: [`cli`] -> [`pipeline`] -> the parts. `imaging`, `keygen`, `cipher`, `envelope` and `metrics` are pure: no network,
//! clock, path or hidden randomness; what they need of these is handed to them.
//!
//! | module | takes -> gives | never sees |
//! | --- | --- | --- |
//! | [`imaging`] | a file's bytes -> [`imaging::Image`], and where its samples stand | keys, file names |
//! | [`keygen`] | samples, partials, `r` -> [`keygen::Fold`], [`keygen::Tout`], [`cipher::ImageKey`] | the KGC's root, wallets |
//! | [`cipher`] | [`cipher::ImageKey`], samples -> frames, and back | file formats, who is asking |
//! | [`envelope`] | description, samples, key -> sealed image and capsules, and back | wallets' private keys, the chain |
//! | [`kgc`] | signed requests -> partials and image keys, HPKE-sealed to who asked | samples, fold, `Tout`, `r` |
//! | [`storage`] | bytes -> [`storage::Cid`], and back | plaintext, keys |
//! | [`chain`] | calls, typed data, wallets -> receipts, records, events | plaintext, image keys |
//! | [`notify`] | a line about an event -> a webhook or a program that took it | the chain, keys |
//! | [`metrics`] | images, ciphertext -> numbers, each with its ideal value and band | keys |
//! | [`evaluation`] | images -> pictures for people | keys |
//! | [`pipeline`] | a file -> its record; an image id -> its file; an image id -> a verdict | settings, the terminal |
//! | [`view`] | what a part gave or refused -> how it looks as JSON: a record, an event, an audit, an act, an error's code | the network, files, exit codes |
//! | [`clock`] | -> unix seconds | |
//! | [`cli`] | a command line -> text or JSON, and an exit code | |
//!
//! # Invariants
//!
//! 1. What is sealed comes back byte for byte: [`pipeline::prepare`] then [`pipeline::rebuild`] is the identity. (`--pixels` seals samples, and says so.)
//! 2. A changed sealed image never yields output. [`envelope::SealedImage::parse`] accepts one encoding; the key commitment is checked before any
//!    frame, and nothing is given out before every frame has passed.
//! 3. The security claim rests on HKDF-SHA256, AES-256-GCM-SIV and HPKE alone. Permutation, S-box and transformer add to them; secrecy
//!    never depends on them.
//! 4. `Ke` is derived once, at sealing, and then carried by capsules: floats differ between engines.
//! 5. A signature acts once, on one chain, in one contract, before its deadline. A record is never changed; every event is in the audit head.
//! 6. The KGC gives a key only to a wallet that signed a fresh request and is authorised on chain now; it logs before it answers.
//! 7. Nothing is registered before it was read back from the store and hashed ([`pipeline::Sender`]).
//! 8. Every transaction is on disk, signed, before it is sent ([`chain::Outbox`]); a second start finishes what the first one began.
//! 9. Without the KGC's key file no image opens; with a backup of it every image does.
//! 10. No patient data, file name or pixel is on chain, in a log or in a public header.
//!
//! # From the paper to the code
//!
//! | paper | here |
//! | --- | --- |
//! | 4.1 Key Generation Center | [`kgc::KeyCenter`], [`kgc::LocalKeyCenter`] |
//! | 4.1 Data Sender, Data User | [`pipeline::Sender`], [`pipeline::Reader`] |
//! | 4.1 Cloud Server | [`storage::Store`], [`storage::LocalStore`] |
//! | 4.1 Blockchain Network | [`chain::Registry`]; `ImageRegistry.sol` |
//! | the image's samples, as the model's input | [`keygen::fold_image`], [`keygen::fold_bytes`] -> [`keygen::Fold`] |
//! | eq. (1)-(4): patches, embedding, positions, attention | [`keygen::Vit`] |
//! | `Tout` | [`keygen::Tout`] |
//! | eq. (4): `Ke = Decoder(Tout)` | [`keygen::derive`] -> [`cipher::ImageKey`]. DIFFERENCE: `Tout` is one of four inputs of HKDF |
//! | eq. (5) permutation, (10) its inverse | [`cipher::Permutation`] |
//! | eq. (6) S-box, (9) its inverse | [`cipher::SBox`] |
//! | eq. (7) XOR with the keystream, (8) its inverse | [`cipher::FrameCipher`], by AES-256-GCM-SIV |
//! | Algorithm 1: key, encryption, decryption | [`pipeline::Sender::seal`], [`pipeline::Reader::open`] |
//! | Algorithm 1, verification: SSIM, PSNR | [`metrics::quality`] |
//! | Algorithm 2: store the hash | [`pipeline::Sender::seal`], `ImageRegistry.register` |
//! | Algorithm 2: verify, flag, log | [`pipeline::observe`], [`pipeline::record_verification`], `ImageRegistry.recordVerification` |
//! | eq. (11) entropy | [`metrics::entropy`] |
//! | eq. (12) NPCR, eq. (13) UACI | [`metrics::differential`] |
//! | eq. (14) time | [`pipeline::Timings`] |
//! | correlation of adjacent pixels | [`metrics::correlation`] |
//! | MSE, PSNR, SSIM, NC | [`metrics::quality`] |
//! | figure 3 | [`evaluation::figures`] |
//!
//! # Example
//!
//! A file is sealed and opened again, without network, chain or store. In life the KGC issues `partial`, and `salt` and `r` are random.
//!
//! ```
//! use alloy::primitives::{Address, B256};
//! use medseal::envelope::{ImageContext, SealedImage, Sealing, seal};
//! use medseal::imaging::{Format, Limits, encode, phantom};
//! use medseal::keygen::{DeriveInputs, Partial, SenderSecret, Vit, derive};
//! use medseal::pipeline::{Mode, prepare, rebuild};
//!
//! let file = encode(&phantom(64, 64, 8, 1), Format::Png)?;
//! let prepared = prepare(&file, "phantom.png", Mode::Auto, &Limits::default())?;
//! let mut vit = Vit::embedded()?;
//!
//! let (salt, kgc_id) = (B256::repeat_byte(1), B256::repeat_byte(2));
//! let context = ImageContext::new(31337, Address::repeat_byte(3), Address::repeat_byte(4), salt);
//! let key = derive(&DeriveInputs {
//!     salt: &salt,
//!     partials: &[(kgc_id, Partial::from_bytes([5; 32]))],
//!     sender_secret: &SenderSecret::from_bytes([6; 32]),
//!     fold: &prepared.fold,
//!     tout: &vit.tout(&prepared.fold)?,
//!     model_digest: &vit.model_digest(),
//!     context: &context,
//! })?;
//! let mut sealed = seal(&Sealing {
//!     context: &context,
//!     salt,
//!     key: &key,
//!     model_digest: vit.model_digest().0,
//!     description: &prepared.description,
//!     payload: &prepared.payload,
//! })?;
//!
//! let opened = SealedImage::parse(&sealed)?.open(&key)?;
//! assert_eq!(rebuild(&opened.description, &opened.payload)?, file);
//!
//! *sealed.last_mut().expect("it has bytes") ^= 1;
//! assert!(SealedImage::parse(&sealed)?.open(&key).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod audit;
pub mod chain;
mod checksummed;
pub mod cipher;
pub mod cli;
pub mod clock;
pub mod contract;
pub mod envelope;
pub mod evaluation;
pub mod evidence;
mod files;
pub mod imaging;
pub mod keygen;
pub mod kgc;
pub mod metrics;
pub mod notify;
pub mod pipeline;
pub mod storage;
pub mod view;
pub mod watch;
pub mod words;

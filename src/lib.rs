//! MedSeal seals medical images: the system of EB-TDLM (Patel & Dwivedi 2025) on real cryptography,
//! IPFS addresses and an Ethereum chain.
//!
//! This page is the map of the crate. The README is for users; `src/envelope/FORMAT.md` fixes every
//! byte; the contract's manual is `contracts/src/IImageRegistry.sol`.
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
//! A module imports only modules further down this list. Each line says what goes in, what comes
//! out, and what it never handles.
//!
//! - [`cli`]: a command line -> text or JSON, and an exit code. Never a rule: it calls the modules
//!   below.
//! - [`server`]: HTTP requests -> calls of the rooms below, and their answers as JSON. Never a
//!   rule.
//! - [`view`]: what a part gave or refused -> what a program is told of it: JSON, a code and its
//!   meaning. Never the network, files or exit codes.
//! - [`pipeline`]: a file -> its record; an image id -> its file, or a verdict. Never settings or
//!   the terminal.
//! - [`watch`]: a registry and a memory on disk -> each event once, and its retraction if the chain
//!   drops it. Never how a receiver is called.
//! - [`evidence`]: a node's proofs -> one file; that file and a block hash -> the proven history of
//!   one image. Never wallets or storage; the check needs no network.
//! - [`audit`]: the registry's whole log -> proof that no event is missing or altered, and its
//!   totals. Never wallets or storage.
//! - [`notify`]: what waits for a receiver in the watch's memory -> a webhook's POST or a program's
//!   run. Never the chain or keys.
//! - [`kgc`]: signed requests -> partials and image keys, HPKE-sealed to the requester. Never
//!   samples, the fold, `Tout` or `r`.
//! - [`evaluation`]: images -> figures and surveys for people. Never users' keys.
//! - [`chain`]: calls, typed data, wallets -> receipts, records, events. Never plaintext or image
//!   keys.
//! - [`contract`]: events, calls, reverts and signed requests as bytes -> typed values, and back.
//!   Pure.
//! - [`storage`]: bytes -> [`storage::Cid`], and back. Never plaintext or keys.
//! - [`metrics`]: images, ciphertext -> numbers, each with its ideal value and band. Never keys of
//!   users. Pure.
//! - [`keygen`]: samples, partials, `r` -> [`keygen::Fold`], [`keygen::Tout`],
//!   [`cipher::ImageKey`]. Never the KGC's root secret or wallets. Pure, but for loading ONNX
//!   Runtime from a path where one is given.
//! - [`envelope`]: description, samples, key -> sealed image and capsules, and back. Never wallets'
//!   private keys or the chain. Pure.
//! - [`cipher`]: [`cipher::ImageKey`], samples -> frames, and back. Never file formats or who asks.
//!   Pure.
//! - [`imaging`]: a file's bytes -> [`imaging::Image`], and where its samples are in the file.
//!   Never keys or file names. Pure.
//! - [`words`]: somebody else's words -> one line that can be shown.
//! - [`clock`]: nothing -> unix seconds.
//!
//! 'Pure' modules use no network, clock or file, and no randomness but what the caller hands in.
//!
//! # Invariants
//!
//! 1. What is sealed comes back byte for byte: [`pipeline::prepare`], then [`pipeline::rebuild`] is
//!    the identity. (`--pixels` seals the samples alone, and says so.)
//! 2. A changed sealed image never yields output. [`envelope::SealedImage::decode`] accepts one
//!    encoding; the key commitment is checked before any frame, and no output is given before every
//!    frame has passed.
//! 3. The security claim rests on HKDF-SHA256, AES-256-GCM-SIV and HPKE alone. Permutation, S-box
//!    and transformer add to them; secrecy never depends on them.
//! 4. `Ke` is derived once, at sealing, and then carried by capsules: floats differ between
//!    engines.
//! 5. A signature acts once, on one chain, in one contract, before its deadline. A record is never
//!    changed; every event is in the audit head.
//! 6. The KGC gives a key only to a wallet that signed a fresh request and is authorised on chain
//!    now; it logs before it answers.
//! 7. Nothing is registered before it was read back from the store and hashed
//!    ([`pipeline::Sender`]).
//! 8. Every transaction is on disk, signed, before it is sent ([`chain::Outbox`]); after a crash
//!    the next run finishes what the last one began.
//! 9. Without the KGC's key file no image opens; with a backup of it every image does.
//! 10. No patient data, file name or pixel is on chain, in a log or in a public header.
//!
//! # From the paper to the code
//!
//! Actors (4.1):
//!
//! - Key Generation Center: [`kgc::KeyCenter`], [`kgc::LocalKeyCenter`]
//! - Data Sender, Data User: [`pipeline::Sender`], [`pipeline::Reader`]
//! - Cloud Server: [`storage::Store`], [`storage::LocalStore`], [`storage::KuboStore`]
//! - Blockchain Network: [`chain::Registry`]; `ImageRegistry.sol`
//!
//! Equations; a search for `eq. (5)` finds the code of eq. (5):
//!
//! - The model's input: [`keygen::fold_image`], [`keygen::fold_bytes`] -> [`keygen::Fold`]
//! - eq. (1) patches, eq. (2) embedding and positions, eq. (3) attention: [`keygen::Vit`], whose
//!   model is made by `onnx/network.py` -> [`keygen::Tout`]
//! - eq. (4) `Ke = Decoder(Tout)`: [`keygen::derive`] -> [`cipher::ImageKey`].
//!   DIFFERENCE: `Tout` is one of four inputs of HKDF
//! - eq. (5) permutation, eq. (10) its inverse: [`cipher::Permutation`]
//! - eq. (6) S-box, eq. (9) its inverse: [`cipher::SBox`]
//! - eq. (7) XOR with the keystream, eq. (8) its inverse: [`cipher::FrameCipher`], by
//!   AES-256-GCM-SIV
//! - eq. (11) entropy: [`metrics::entropy`]
//! - eq. (12) NPCR, eq. (13) UACI: [`metrics::differential`]
//! - eq. (14) time: [`pipeline::Timings`], measured in [`pipeline::Sender`]
//!
//! Algorithms, measures and figures:
//!
//! - Algorithm 1, key, encryption, decryption: [`pipeline::Run`],
//!   [`pipeline::Reader::open`]
//! - Algorithm 1, verification by SSIM and PSNR: [`metrics::quality`]
//! - Algorithm 2, store the hash: [`pipeline::Run`], `ImageRegistry.register`
//! - Algorithm 2, verify, flag, log: [`pipeline::observe`], [`pipeline::record_verification`],
//!   `ImageRegistry.recordVerification`
//! - Algorithm 2, notify the user or administrator: [`watch::Watcher`], [`notify::Dispatcher`]
//! - Correlation of adjacent pixels: [`metrics::correlation`]
//! - MSE, PSNR, SSIM, NC: [`metrics::quality`]
//! - Figure 3: [`evaluation::figures`]
//!
//! # Example
//!
//! A file is sealed and opened again, without network, chain or store. In real use the KGC issues
//! `partial`, and `salt` and `r` are random.
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
//! let opened = SealedImage::decode(&sealed)?.open(&key)?;
//! assert_eq!(rebuild(&opened.description, &opened.payload)?, file);
//!
//! *sealed.last_mut().expect("it has bytes") ^= 1;
//! assert!(SealedImage::decode(&sealed)?.open(&key).is_err());
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
mod http;
pub mod imaging;
pub mod keygen;
pub mod kgc;
pub mod metrics;
pub mod notify;
pub mod pipeline;
pub mod server;
pub mod storage;
pub mod view;
pub mod watch;
pub mod words;

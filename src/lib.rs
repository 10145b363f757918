//! MedSeal seals medical images: the system of EB-TDLM (Patel & Dwivedi 2025) on real cryptography, IPFS addresses and an Ethereum chain.

pub mod chain;
pub mod cipher;
pub mod envelope;
pub mod evaluation;
pub mod imaging;
pub mod keygen;
pub mod metrics;
pub mod storage;
pub mod kgc;

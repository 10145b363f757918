//! MedSeal seals medical images: the system of EB-TDLM (Patel & Dwivedi 2025) on real cryptography, IPFS addresses and an Ethereum chain.

pub mod chain;
pub mod cipher;
pub mod cli;
pub mod clock;
pub mod envelope;
pub mod evaluation;
mod files;
pub mod imaging;
pub mod keygen;
pub mod kgc;
pub mod metrics;
pub mod pipeline;
pub mod storage;

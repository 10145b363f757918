//! What the table says, and which row an error finds.

use super::{Code, Meaning, Problem};
use crate::chain::{ChainError, DeploymentError, NodeError, OutboxError, WalletError};
use crate::contract::bindings::IImageRegistry::IImageRegistryErrors;
use crate::contract::bindings::IImageRegistry::{NotSender, RegistryPaused};
use crate::contract::{RequestError, Revert};
use crate::kgc::{ChainViewError, KgcError};
use crate::pipeline::PipelineError;
use alloy::primitives::Bytes;
use alloy::primitives::{Address, B256, aliases::U48};
use std::path::PathBuf;

#[test]
fn names_are_each_of_one_code() {
    let mut names: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Code::ALL.len());
    assert_eq!(serde_json::json!({ "code": Code::UnknownImage }).to_string(), r#"{"code":"UNKNOWN_IMAGE"}"#);
}

/// Every code whose meaning only the error tells, with two meanings.
#[test]
fn some_errors_tell_what_their_code_does_not() {
    let absent = || std::io::Error::from(std::io::ErrorKind::NotFound);
    let full = || std::io::Error::from(std::io::ErrorKind::StorageFull);
    let (path, signer) = (PathBuf::from("x"), Address::ZERO);
    let io = |source| Problem::from(&DeploymentError::Io { path: path.clone(), source });
    let behind = |source| {
        let source = Box::new(source);
        Problem::from(&OutboxError::Behind { job: "b".into(), before: "a".into(), nonce: 0, source })
    };
    let not_sender = IImageRegistryErrors::NotSender(NotSender { imageId: B256::ZERO, caller: signer });
    let found = [
        io(absent()),
        io(full()),
        (&NodeError::NoBinary).into(),
        (&NodeError::PortTaken { port: 1 }).into(),
        behind(OutboxError::Chain(ChainError::Behind { found: 1, expected: 2 })),
        behind(OutboxError::Busy { path: path.clone() }),
        (&Revert::Registry(not_sender)).into(),
        (&Revert::Unknown(Bytes::from_static(&[1]))).into(),
        (&RequestError::UpperS { signer }).into(),
        (&RequestError::SignatureLength { found: 0 }).into(),
        (&WalletError::NotDevelopmentChain { index: 0, chain_id: 1 }).into(),
        (&WalletError::NoSuchKey { index: 10 }).into(),
    ];
    use Meaning::{Failure, NotAuthorized, NotFound, Unreachable, WrongChain};
    let expected = [
        (Code::Deployment, [NotFound, Failure]),
        (Code::Node, [NotFound, Failure]),
        (Code::Refused, [Unreachable, Failure]),
        (Code::Reverted, [NotAuthorized, Failure]),
        (Code::Signature, [NotAuthorized, Failure]),
        (Code::Wallet, [WrongChain, Failure]),
    ];
    let pairs = expected.iter().flat_map(|(code, meanings)| meanings.map(|meaning| (*code, meaning)));
    assert_eq!(found.map(|problem| (problem.code, problem.meaning)).to_vec(), pairs.collect::<Vec<_>>());
    let open: Vec<_> = Code::ALL.iter().copied().filter(|code| code.meaning().is_none()).collect();
    let mut named = expected.map(|(code, _)| code);
    named.sort_unstable_by_key(|code| *code as usize);
    assert_eq!(open, named);
}

#[test]
fn causes_give_their_code_to_what_they_break() {
    let paused = || Revert::Registry(IImageRegistryErrors::RegistryPaused(RegistryPaused { until: U48::from(1) }));
    let chain = |revert| ChainError::Revert(Box::new(revert));
    let together = PipelineError::Together { images: 2, source: std::sync::Arc::new(chain(paused()).into()) };
    assert_eq!(Problem::from(&together).code, Code::Paused);
    let view = ChainViewError::Unreachable { source: Box::new(ChainError::WrongChain { expected: 1, found: 2 }) };
    assert_eq!(Problem::from(&KgcError::Chain(view)).code, Code::WrongChain);
    let mined = |reason| OutboxError::Reverted { transaction: B256::ZERO, reason: Box::new(reason) };
    assert_eq!(Problem::from(&mined(paused())).code, Code::Paused);
    assert_eq!(Problem::from(&mined(Revert::Unknown(Bytes::new()))).code, Code::Transaction);
}

//! Wallet contracts that show one face to whoever tries and another to whoever pays, and clocks
//! that are wrong.

use crate::chain::{World, block_time, wallet};
use alloy::primitives::{Address, Bytes, U256, hex};
use alloy::sol_types::SolCall;
use medseal::chain::{ChainError, OutboxError, Payer, RelayError, Wallet};
use medseal::clock::Clock;
use medseal::contract::bindings::IImageRegistry::{Registration, registerCall};
use medseal::contract::{Call, ErrorKind, Request, RequestError};
use medseal::pipeline::{PipelineError, Relayed, Relaying, record_verification, relay};
use medseal::storage::LocalStore;
use serde_json::json;
use std::sync::Mutex;

const SIGNER: Address = Address::repeat_byte(0x5a);
const GAS_CAP: u64 = 1_000_000;

struct At(u64);

impl Clock for At {
    fn unix_secs(&self) -> u64 {
        self.0
    }
}

/// Leaves ERC-1271's yes on the stack.
const YES: &str = "631626ba7e60e01b";
/// Returns the word on the stack.
const RETURN: &str = "5f5260205ff3";

/// A registration that a wallet contract signed, whose code is this.
async fn signed_by(world: &World, code: &str) -> (Request, Bytes) {
    world.raw("anvil_setCode", json!([SIGNER, format!("0x{code}")])).await;
    let deadline = block_time(&world.registry).await + 3600;
    let registration = Registration { sender: SIGNER, deadline, ..crate::chain::registration(&wallet(1), 7) };
    let call = registerCall { registration, signature: Bytes::from_static(b"anything") };
    Request::of_call(&Call::decode(&call.abi_encode()).unwrap()).expect("a request")
}

async fn relayed(
    world: &World,
    (request, signature): &(Request, Bytes),
    gas_cap: u64,
    told: &Mutex<Vec<(u64, U256)>>,
) -> Result<Relayed, PipelineError> {
    let payer = wallet(6);
    let clock = At(block_time(&world.registry).await);
    let relaying = Relaying { gas_cap, told: &|gas, wei| told.lock().unwrap().push((gas, wei)), clock: &clock };
    let store = LocalStore::open(world.folder.path().join("store")).unwrap();
    let mut outbox = world.outbox(&payer).await;
    relay(&world.registry, &mut outbox, &payer, request, signature, &store, &relaying).await
}

#[tokio::test]
async fn a_wallet_that_answers_the_registry_alone_is_taken() {
    let world = World::start().await;
    let registry = hex::encode(world.registry.address());
    let request = signed_by(&world, &format!("{YES}3373{registry}1402{RETURN}")).await;
    let told = Mutex::new(vec![]);
    relayed(&world, &request, GAS_CAP, &told).await.expect("as the contract takes it");
    let told = told.into_inner().unwrap();
    assert!(matches!(told[..], [(gas, wei)] if gas <= GAS_CAP && wei > U256::from(gas)), "{told:?}");
    assert_eq!(world.registry.image_count().await.unwrap(), 1);
}

#[tokio::test]
async fn a_wallet_that_says_yes_only_where_nobody_pays_costs_nothing() {
    let world = World::start().await;
    let before = world.rpc.balance(wallet(6).address()).await.unwrap();
    // Yes, at gas price 0; and no, always.
    for code in [format!("{YES}3a1502{RETURN}"), format!("5f{RETURN}")] {
        let request = signed_by(&world, &code).await;
        let told = Mutex::new(vec![]);
        let refused = relayed(&world, &request, GAS_CAP, &told).await.expect_err("it says no");
        assert!(
            matches!(
                refused,
                PipelineError::Relay(RelayError::Request(RequestError::Signature { signer: SIGNER, .. }))
            ),
            "{refused:?}"
        );
        assert_eq!(told.into_inner().unwrap(), []);
    }
    assert_eq!((world.count(&wallet(6)).await, world.rpc.balance(wallet(6).address()).await.unwrap()), (0, before));
}

#[tokio::test]
async fn a_dear_answer_is_capped_by_who_relays_it() {
    let world = World::start().await;
    // 1 MiB of memory: 2.2 million gas.
    let request = signed_by(&world, &format!("{YES}5f52621000005ff3")).await;
    let told = Mutex::new(vec![]);
    let refused = relayed(&world, &request, GAS_CAP, &told).await.expect_err("too dear");
    assert!(
        matches!(refused, PipelineError::Relay(RelayError::TooMuchGas { signer: SIGNER, cap: GAS_CAP })),
        "{refused:?}"
    );
    // A little less than it takes.
    let refused = relayed(&world, &request, 2_280_000, &told).await.expect_err("too dear");
    let is_capped = matches!(
        refused,
        PipelineError::Relay(RelayError::TooMuchGas { .. }) | PipelineError::Outbox(OutboxError::TooMuchGas { .. })
    );
    assert!(is_capped, "{refused:?}");
    assert_eq!(world.count(&wallet(6)).await, 0);
    relayed(&world, &request, 8_000_000, &told).await.expect("its relayer allows it");
    assert_eq!(world.registry.image_count().await.unwrap(), 1);
}

#[tokio::test]
async fn a_clock_that_is_wrong_signs_nothing() {
    let world = World::start().await;
    let (signer, now) = (wallet(5), block_time(&world.registry).await);
    let check = async |time| world.registry.checked_time(time).await;
    assert_eq!(check(now).await.unwrap(), now);
    for wrong in [0, 1970, now - 3600, now + 3600, now + 4_000_000_000, u64::MAX] {
        let error = check(wrong).await.expect_err("minutes apart");
        assert!(matches!(error, ChainError::Clock { local, .. } if local == wrong), "{error}");
        assert_eq!(error.kind(), ErrorKind::Failure);
        assert_eq!(verified_at(&world, &signer, wrong).await.expect_err("a wrong clock"), "Clock");
        let request = signed_by(&world, &format!("{YES}{RETURN}")).await;
        let payer = Payer { address: signer.address(), gas_cap: GAS_CAP };
        let refused = world.registry.check_request(&request.0, &request.1, wrong, &payer).await.unwrap_err();
        assert!(matches!(refused, RelayError::Chain(ChainError::Clock { .. })), "{refused}");
    }
    assert_eq!(world.count(&signer).await, 0);
}

/// The name of the error of a verification that is logged at this time.
async fn verified_at(world: &World, verifier: &Wallet, time: u64) -> Result<(), String> {
    let signers = medseal::pipeline::Signers::one(verifier.clone());
    let (registry, mut outbox) = (&world.registry, world.outbox(verifier).await);
    let id = world.image_id(verifier, 7);
    match record_verification(registry, &mut outbox, &signers, id, id, time).await {
        Ok(_) => Ok(()),
        Err(PipelineError::Chain(error)) => Err(crate::common::variant(&error)),
        Err(error) => Err(error.to_string()),
    }
}

//! What `doctor` says of the chain: its nodes, its rules, its finality, its clock, the wallet and
//! the registry.

use super::super::output::address;
use super::super::session::Session;
use super::node::{self, Chain};
use super::{Finding, State};
use crate::chain::{ChainError, Profile, Registry, Rpc};
use crate::cli::error::CliError;
use crate::cli::settings::Settings;
use crate::clock::{Clock, SystemClock};
use alloy::eips::BlockNumberOrTag;
use alloy::primitives::{Address, U256};
use serde_json::json;

/// Gas of the dearest act, with what the outbox adds: a relayed batch of 100 images
/// (contracts/README.md).
const BATCH_GAS: u64 = 6_600_000;
/// Gas of one image alone, relayed.
const IMAGE_GAS: u64 = 115_000;
/// A program of PUSH0, MCOPY and TSTORE, which Cancun's rules have and older ones have not.
const CANCUN: &str = "0x5f5f5f5e5f5f5d5f5ff3";
/// Blocks from the newest to the final one: four epochs; a full node keeps the state of as many.
const MOST_UNSETTLED: u64 = 128;
/// Seconds that a block may be ahead of this machine's clock.
const MOST_AHEAD_SECS: u64 = 15;
/// Blocks over which the time between blocks is measured.
const MEASURED: u64 = 32;
/// Fewer blocks in one question for events make reading a log of months a matter of hours.
const LEAST_RANGE: u64 = 100;

/// Looks at the chain, and returns the registry on it if there is one.
pub(super) async fn look(settings: &Settings, findings: &mut Vec<Finding>) -> Option<Registry> {
    let session = match Session::connect(settings, "sender").await {
        Ok(session) => session,
        Err(error) => {
            findings.push(Finding::failed("node", &error));
            return None;
        }
    };
    let rpc = session.rpc();
    if let Err(error) = nodes(&session, findings).await {
        findings.push(Finding::failed("node", &error.into()));
    }
    let said = [
        ("rules", rules(rpc).await),
        ("gas limit", gas_limit(rpc).await),
        ("finality", finality(rpc, session.profile()).await),
        ("clock", clock(rpc, session.profile()).await),
        ("block time", block_time(rpc, session.profile()).await),
    ];
    for (what, said) in said {
        findings.extend(said.unwrap_or_else(|error| Some(Finding::failed(what, &error.into()))));
    }
    findings.push(wallet(&session).await.unwrap_or_else(|error| Finding::failed("wallet", &error)));
    let registry = match session.registry().await {
        Ok(registry) => registry,
        Err(error) => {
            findings.push(Finding::failed("registry", &error));
            return None;
        }
    };
    let count = registry.image_count().await.map(|count| count.to_string());
    let count = count.unwrap_or_else(|error| error.to_string());
    findings.push(Finding::good("registry", format!("{}, {count} records", address(registry.address()))));
    findings.push(logs(rpc, registry.address()).await.unwrap_or_else(|error| Finding::failed("logs", &error.into())));
    Some(registry)
}

async fn nodes(session: &Session, findings: &mut Vec<Finding>) -> Result<(), ChainError> {
    let rpc = session.rpc();
    let chain = Chain {
        id: session.chain_id(),
        genesis: rpc.genesis().await?,
        head: rpc.latest().await?.number,
        is_network: session.profile() != Profile::Development,
    };
    for one in rpc.each() {
        node::look(&one, &chain, findings).await;
    }
    Ok(())
}

type Said = Result<Option<Finding>, ChainError>;

/// Whether the chain runs what the contract is compiled for.
async fn rules(rpc: &Rpc) -> Said {
    let what = "rules";
    Ok(Some(match rpc.raw("eth_call", vec![json!({ "data": CANCUN }), json!("latest")]).await {
        Ok(_) => Finding::good(what, "Cancun's or later: PUSH0, MCOPY and TSTORE run"),
        Err(ChainError::Revert(_) | ChainError::Refused { .. }) => Finding::wrong(
            what,
            "older than Cancun: the contract cannot run there",
            "set shanghaiTime and cancunTime in the genesis of all nodes, or update them",
        ),
        Err(error) => return Err(error),
    }))
}

/// Whether a batch of 100 images has room in a block.
async fn gas_limit(rpc: &Rpc) -> Said {
    let (what, limit) = ("gas limit", rpc.latest().await?.gas_limit);
    Ok(Some(if limit >= BATCH_GAS {
        Finding::good(what, format!("{limit}: a batch of 100 images needs {BATCH_GAS}"))
    } else {
        let mend = format!(
            "start the nodes with --miner.gaslimit 30000000, or seal with --batch {}",
            (limit * 100 / BATCH_GAS).max(1)
        );
        Finding::wrong(what, format!("{limit}: a batch of 100 images needs {BATCH_GAS}"), mend)
    }))
}

/// How far the final block is behind the newest.
async fn finality(rpc: &Rpc, profile: Profile) -> Said {
    let what = "finality";
    if profile == Profile::Development {
        return Ok(Some(Finding::good(what, "profile development: what is mined is done")));
    }
    let head = rpc.latest().await?.number;
    let (safe, finalized) =
        (rpc.settled(BlockNumberOrTag::Safe).await?, rpc.settled(BlockNumberOrTag::Finalized).await?);
    let Some(finalized) = finalized.map(|header| header.number) else {
        let mend = Some("wait: after three epochs it must be there".to_owned());
        return Ok(Some(Finding::not_good(what, State::Absent, "the chain is too young to have a final block", mend)));
    };
    let distance = head.saturating_sub(finalized);
    let safe = safe.map_or(0, |header| header.number);
    let found = format!("block {head}, safe {safe}, finalized {finalized}: {distance} blocks behind");
    Ok(Some(if distance <= MOST_UNSETTLED {
        Finding::good(what, found)
    } else {
        let mend = "the network does not agree: two thirds of the stake must be up and reach each other";
        Finding::wrong(what, found, mend)
    }))
}

/// Whether the newest block is of our time.
async fn clock(rpc: &Rpc, profile: Profile) -> Said {
    let (what, header, now) = ("clock", rpc.latest().await?, SystemClock.unix_secs());
    let (age, ahead) = (now.saturating_sub(header.timestamp), header.timestamp.saturating_sub(now));
    Ok(Some(match profile.head_age_secs() {
        _ if ahead > MOST_AHEAD_SECS => {
            let found = format!("the newest block is {ahead} s ahead of this machine's clock");
            Finding::wrong(what, found, "set the clocks of both: timedatectl set-ntp true")
        }
        Some(allowed) if age > allowed => {
            let found = format!("the newest block is {age} s old, at most {allowed} are allowed: no key is released");
            let mend =
                "check that the network makes blocks, and that this machine's clock is right: timedatectl set-ntp true";
            Finding::wrong(what, found, mend)
        }
        Some(_) => Finding::good(what, format!("the newest block is {age} s old")),
        None => return Ok(None),
    }))
}

/// Whether blocks come as often as the settings say.
async fn block_time(rpc: &Rpc, profile: Profile) -> Said {
    let Profile::Network { block_time_secs } = profile else { return Ok(None) };
    let newest = rpc.latest().await?;
    if newest.number <= MEASURED {
        return Ok(None);
    }
    let older = json!(format!("{:#x}", newest.number - MEASURED));
    let older = rpc.raw("eth_getBlockByNumber", vec![older, json!(false)]).await?;
    let digits = older["timestamp"].as_str().unwrap_or_default().trim_start_matches("0x");
    let Ok(older) = u64::from_str_radix(digits, 16) else { return Ok(None) };
    let measured = newest.timestamp.saturating_sub(older).div_ceil(MEASURED).max(1);
    let found = format!("a block every {measured} s, the settings say {block_time_secs}");
    Ok(Some(if measured > 3 * block_time_secs || 2 * measured < block_time_secs {
        let mend = format!("set MEDSEAL_BLOCK_TIME={measured}: deadlines and the age of the head go by it");
        Finding::wrong("block time", found, mend)
    } else {
        Finding::good("block time", found)
    }))
}

/// Who acts, and how far the money goes.
async fn wallet(session: &Session) -> Result<Finding, CliError> {
    let (wallet, rpc) = (session.wallet()?, session.rpc());
    let (balance, price) = (rpc.balance(wallet.address()).await?, rpc.gas_price().await?);
    let found = format!("{} with {balance} wei", address(wallet.address()));
    let image = U256::from(price) * U256::from(IMAGE_GAS);
    if image.is_zero() || balance >= U256::from(price) * U256::from(BATCH_GAS) {
        return Ok(Finding::good("wallet", found));
    }
    let found = format!("{found}: at today's price enough for {} images", balance / image);
    Ok(Finding::wrong("wallet", found, "send it ether, or let a relayer submit"))
}

/// How many blocks may be asked for events at once.
async fn logs(rpc: &Rpc, registry: Address) -> Result<Finding, ChainError> {
    let head = rpc.latest().await?.number;
    let mut blocks = head + 1;
    loop {
        let from = format!("{:#x}", head + 1 - blocks);
        let filter = json!({ "address": registry, "fromBlock": from, "toBlock": format!("{head:#x}") });
        match rpc.raw("eth_getLogs", vec![filter]).await {
            Ok(_) if blocks == head + 1 => {
                return Ok(Finding::good("logs", format!("all {blocks} blocks in one question")));
            }
            Ok(_) if blocks >= LEAST_RANGE => {
                return Ok(Finding::good("logs", format!("about {blocks} blocks in one question: read in pieces")));
            }
            Ok(_) => {
                let mend = "raise the node's limit on ranges of eth_getLogs, or use a node of your own";
                return Ok(Finding::wrong("logs", format!("only {blocks} blocks in one question"), mend));
            }
            Err(ChainError::Refused { .. }) if blocks > 1 => blocks = blocks.div_ceil(2),
            Err(error) => return Err(error),
        }
    }
}

//! What nodes lie about to whoever sends.

use crate::chain::proxy::Fault;
use alloy::primitives::B256;
use serde_json::{Value, json};

pub(super) type Rule = Box<dyn FnMut(&Value) -> Fault + Send>;

pub(super) fn alter(change: impl FnOnce(&mut Value) + Send + 'static) -> Fault {
    Fault::Alter(Box::new(change))
}

/// Answers every question of this method with the same.
pub(super) fn always(method: &'static str, answer: Value) -> Rule {
    Box::new(move |request| if request["method"] == method { Fault::Answer(answer.clone()) } else { Fault::None })
}

/// Takes signed bytes and drops them, and does this to every other answer.
pub(super) fn dropping(mut rule: impl FnMut(&Value) -> Fault + Send + 'static) -> Rule {
    Box::new(move |request| match request["method"].as_str() {
        Some("eth_sendRawTransaction") => Fault::Answer(json!(B256::repeat_byte(1))),
        _ => rule(request),
    })
}

/// Every block, and the history, have this base fee.
pub(super) fn base_fee(request: &Value, wei: &str) -> Fault {
    let wei = wei.to_owned();
    match request["method"].as_str() {
        Some("eth_feeHistory") => alter(move |history| {
            for base in history["baseFeePerGas"].as_array_mut().expect("a list") {
                *base = json!(wei);
            }
        }),
        Some("eth_getBlockByNumber") => alter(move |block| block["baseFeePerGas"] = json!(wei)),
        _ => Fault::None,
    }
}

/// The history shows this tip in every block.
pub(super) fn rewards(request: &Value, wei: &'static str) -> Fault {
    match request["method"].as_str() {
        Some("eth_feeHistory") => alter(move |history| {
            let blocks = history["baseFeePerGas"].as_array().expect("a list").len() - 1;
            history["reward"] = json!(vec![[wei]; blocks]);
        }),
        _ => Fault::None,
    }
}

/// Counts of the sender's transactions, of the chain or the pool alone where `block` says so.
pub(super) fn counts(block: Option<&'static str>, count: &'static str) -> Rule {
    Box::new(move |request| {
        let is_asked = block.is_none_or(|block| request["params"][1] == block);
        match request["method"] == "eth_getTransactionCount" && is_asked {
            true => Fault::Answer(json!(count)),
            false => Fault::None,
        }
    })
}

pub(super) fn refusing(code: i64, message: &'static str) -> Rule {
    Box::new(move |request| match request["method"].as_str() {
        Some("eth_sendRawTransaction") => Fault::Refuse(code, message),
        _ => Fault::None,
    })
}

/// A receipt for whatever is asked.
pub(super) fn receipts(status: &'static str) -> Rule {
    dropping(move |request| match request["method"].as_str() {
        Some("eth_getTransactionReceipt") => Fault::Answer(json!({
            "transactionHash": request["params"][0], "transactionIndex": "0x0", "status": status, "type": "0x2",
            "blockHash": B256::repeat_byte(0xbb), "blockNumber": "0x2", "from": format!("0x{}", "11".repeat(20)),
            "to": null, "contractAddress": null, "cumulativeGasUsed": "0x1", "gasUsed": "0x1",
            "effectiveGasPrice": "0x1", "logs": [], "logsBloom": format!("0x{}", "00".repeat(256)),
        })),
        _ => Fault::None,
    })
}

/// Every lie, by name.
pub(super) fn lies() -> Vec<(&'static str, Rule)> {
    [of_gas(), of_fees(), of_numbers(), of_what_was_sent(), of_the_chain()].into_iter().flatten().collect()
}

fn of_gas() -> Vec<(&'static str, Rule)> {
    let estimate = |gas: &str| always("eth_estimateGas", json!(gas));
    vec![
        ("gas 0", estimate("0x0")),
        ("gas 21000", estimate("0x5208")),
        (
            "gas that runs out",
            dropping(|request| match request["method"].as_str() {
                Some("eth_estimateGas") => Fault::Answer(json!("0xc350")),
                _ => Fault::None,
            }),
        ),
        ("gas 2^64 - 1", estimate("0xffffffffffffffff")),
        ("gas 2^64", estimate("0x10000000000000000")),
        ("gas of a whole block", estimate("0x1c9c380")),
        (
            "gas above every block",
            dropping(|request| match request["method"].as_str() {
                Some("eth_estimateGas") => Fault::Answer(json!("0x3b9aca00")),
                Some("eth_getBlockByNumber") => alter(|block| block["gasLimit"] = json!("0xffffffffffffffff")),
                _ => Fault::None,
            }),
        ),
    ]
}

fn of_fees() -> Vec<(&'static str, Rule)> {
    let tip = |wei: &str| always("eth_maxPriorityFeePerGas", json!(wei));
    let huge = "0xffffffffffffffffffffffffffffffff";
    vec![
        (
            "base fee 10^18 in the history",
            Box::new(|request| match request["method"].as_str() {
                Some("eth_feeHistory") => base_fee(request, "0xde0b6b3a7640000"),
                _ => Fault::None,
            }),
        ),
        ("base fee 10^18", Box::new(|request| base_fee(request, "0xde0b6b3a7640000"))),
        ("base fee 2^64 - 1", Box::new(|request| base_fee(request, "0xffffffffffffffff"))),
        ("base fee 2^128 - 1", Box::new(move |request| base_fee(request, huge))),
        ("base fee 0", Box::new(|request| base_fee(request, "0x0"))),
        ("base fee 300 gwei", dropping(|request| base_fee(request, "0x45d964b800"))),
        (
            "no base fee",
            Box::new(|request| match request["method"].as_str() {
                Some("eth_feeHistory") => alter(|history| history["baseFeePerGas"] = json!([])),
                _ => Fault::None,
            }),
        ),
        ("tip 0.1 ETH", tip("0x16345785d8a0000")),
        ("tip 2^128 - 1", tip(huge)),
        ("tip 0", tip("0x0")),
        ("tip of 1000 gwei in the history", dropping(|request| rewards(request, "0xe8d4a51000"))),
        ("tip of 2^128 - 1 in the history", Box::new(move |request| rewards(request, huge))),
    ]
}

fn of_numbers() -> Vec<(&'static str, Rule)> {
    vec![
        ("number 5000", counts(None, "0x1388")),
        (
            "number 5000, then nothing",
            dropping({
                let mut counts = counts(None, "0x1388");
                move |request| counts(request)
            }),
        ),
        ("number 2^63", counts(None, "0x8000000000000000")),
        ("number 2^64 - 1", counts(None, "0xffffffffffffffff")),
        ("number 2^64 - 1 in the pool", counts(Some("pending"), "0xffffffffffffffff")),
        ("number 5000 in the pool", counts(Some("pending"), "0x1388")),
        ("number 0", counts(None, "0x0")),
    ]
}

fn of_what_was_sent() -> Vec<(&'static str, Rule)> {
    vec![
        ("a made-up receipt", receipts("0x1")),
        ("a made-up receipt of a failure", receipts("0x0")),
        ("sent, and dropped", dropping(|_| Fault::None)),
        ("already known", refusing(-32000, "already known")),
        ("number too low", refusing(-32000, "nonce too low")),
        (
            "number too low, and used up",
            Box::new({
                let (mut sent, mut rule) = (false, refusing(-32000, "nonce too low"));
                move |request| match request["method"].as_str() {
                    Some("eth_getTransactionCount") if sent => Fault::Answer(json!("0x2328")),
                    Some(method) => {
                        sent |= method == "eth_sendRawTransaction";
                        rule(request)
                    }
                    None => Fault::None,
                }
            }),
        ),
        ("no money", refusing(-32000, "insufficient funds for gas * price + value")),
        ("too cheap", refusing(-32000, "transaction underpriced")),
        ("too little gas", refusing(-32000, "intrinsic gas too low")),
        (
            "taken, and called refused",
            Box::new(|request| match request["method"].as_str() {
                Some("eth_sendRawTransaction") => Fault::LoseAnswer,
                _ => Fault::None,
            }),
        ),
    ]
}

fn of_the_chain() -> Vec<(&'static str, Rule)> {
    vec![
        (
            "another block 0",
            Box::new(|request| match request["params"][0].as_str() {
                Some("earliest") => alter(|block| block["hash"] = json!(B256::repeat_byte(9))),
                _ => Fault::None,
            }),
        ),
        ("another chain", always("eth_chainId", json!("0x1"))),
        (
            "a head of 2^64 - 1",
            Box::new(|request| match request["method"].as_str() {
                Some("eth_getBlockByNumber") => alter(|block| block["number"] = json!("0xffffffffffffffff")),
                _ => Fault::None,
            }),
        ),
    ]
}

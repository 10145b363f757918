//! Signers that are not ours: two independent clients, with plain wallets and with a wallet
//! contract (ERC-1271), everything sent by a second account.

use super::external_signer::{Client, printed, sign_with};
use super::{World, fetched, png, wallet};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// The account that pays for what others signed, and the reader whom they grant.
const RELAYER: usize = 6;
const READER: usize = 2;

impl World {
    /// How many transactions an account has sent.
    fn sent(&self, who: &str) -> u64 {
        let count = self.ask("eth_getTransactionCount", json!([who, "latest"]));
        u64::from_str_radix(count.as_str().expect("hex").trim_start_matches("0x"), 16).expect("a number")
    }

    /// Deploys a wallet contract (`contracts/test/OwnedWallet.sol`) of a development account.
    fn contract_wallet(&self, owner: usize) -> String {
        let _tools = (fetched("node_modules/solc"), fetched("node_modules/viem"));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/wallet.mjs");
        let output = Command::new("node").arg(script).arg(wallet(owner)).output().expect("node starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let code = String::from_utf8(output.stdout).expect("text");
        let sent = self.ask("eth_sendTransaction", json!([{ "from": wallet(9), "data": code.trim() }]));
        let receipt = self.ask("eth_getTransactionReceipt", json!([sent]));
        let address = receipt["contractAddress"].as_str().expect("a contract").parse().expect("an address");
        alloy::primitives::Address::to_checksum(&address, None)
    }

    /// Has what a command prints for `signer` signed by an account and relayed; a signature of
    /// anybody else is refused, and costs nothing.
    fn signed_and_relayed(&self, command: &[&str], signer: &str, client: Client, key: usize) -> Value {
        let command = [command, &["--from", signer]].concat();
        let typed = printed(self, &[&command[..], &["--print", "typed-data"]].concat());
        self.write("typed.json", typed.to_string());
        let paid = self.sent(&wallet(RELAYER));
        let strangers = sign_with(client, &typed, 3);
        self.refused(&["relay", "typed.json", "--signature", &strangers], 4, "SIGNATURE");
        assert_eq!(self.sent(&wallet(RELAYER)), paid, "a refused request costs nothing");
        let signature = sign_with(client, &typed, key);
        let request = printed(self, &[&command[..], &["--signature", &signature, "--print", "request"]].concat());
        self.write("request.json", request.to_string());
        let relayed = self.medseal(&["relay", "request.json"]).result();
        assert_eq!((&relayed["by"], &relayed["relayer"]), (&signer.into(), &wallet(RELAYER).into()), "{relayed}");
        let transaction = self.ask("eth_getTransactionByHash", json!([relayed["transaction"]]));
        let from = transaction["from"].as_str().expect("an address");
        assert!(from.eq_ignore_ascii_case(&wallet(RELAYER)), "{transaction}");
        relayed
    }

    /// A registration, a verification and a grant of `signer`, each signed by a client with the key
    /// of an account, and what MedSeal says of them.
    fn acts_of(&self, signer: &str, client: Client, key: usize) {
        let (before, reader) = (self.sent(signer), wallet(READER));
        let file = format!("{client:?}-{signer}.png");
        self.write(&file, png(9, 9, u64::from(client as u8) + 10 * key as u64));
        assert_eq!(self.signed_and_relayed(&["seal", &file], signer, client, key)["type"], "Registration");
        let sealed = self.medseal(&["seal", &file, "--from", signer, "--print", "typed-data"]).result();
        let id = sealed["images"][0]["imageId"].as_str().expect("it is registered by now");
        assert_eq!(self.signed_and_relayed(&["verify", id, "--record"], signer, client, key)["type"], "Verification");
        assert_eq!(self.signed_and_relayed(&["grant", id, &reader], signer, client, key)["type"], "Grant");

        let show = self.medseal(&["show", id, "--wallet", &reader]).result();
        assert_eq!((&show["record"]["sender"], &show["record"]["verifications"]), (&signer.into(), &1.into()));
        assert_eq!(show["access"]["authorized"], true);
        let named = |event: &str, field: &str| {
            let events = show["events"].as_array().expect("a list");
            events.iter().find(|found| found["event"] == event).map(|found| found[field].clone())
        };
        assert_eq!(named("Verified", "verifier"), Some(signer.into()), "{show}");
        assert_eq!(named("Verified", "valid"), Some(true.into()), "{show}");
        assert_eq!(named("AccessGranted", "by"), Some(signer.into()), "{show}");
        assert_eq!(self.sent(signer), before, "the signer itself sends nothing");
    }
}

#[test]
fn what_viem_and_python_sign_is_relayed_by_a_second_account_as_the_signers() {
    let world = World::new();
    world.acts_of(&wallet(1), Client::Viem, 1);
    world.acts_of(&wallet(8), Client::Python, 8);
}

#[test]
fn what_the_owner_of_a_wallet_contract_signs_is_relayed_as_the_contracts() {
    let world = World::new();
    let contract = world.contract_wallet(8);
    world.acts_of(&contract, Client::Viem, 8);
    world.acts_of(&contract, Client::Python, 8);
}

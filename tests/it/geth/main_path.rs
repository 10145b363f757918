//! What people do, on Geth: deploy, seal, verify, grant, open, revoke.

use super::{Geth, wallet};
use crate::cli::{Run, png, program};
use serde_json::Value;

impl Geth {
    /// Runs `medseal` as an actor with a development account.
    fn medseal(&self, actor: &str, account: usize, args: &[&str]) -> Run {
        let mut command = program(self.folder.path());
        command.env("ETH_RPC_URL", &self.url).args(args);
        Run::of(command.args(["--as", actor, "--dev-account", &account.to_string(), "--json"]))
    }
}

#[test]
fn seal_register_verify_tamper_grant_open() {
    let Some(geth) = Geth::start() else { return };
    let address = |index: usize| wallet(index).address().to_checksum(None);
    let (reader, verifier, kgc) = (address(2), address(5), address(4));
    let deployed = geth.medseal("admin", 0, &["deploy", "--verifier", &verifier, "--kgc", &kgc]).result();
    assert_eq!(deployed["chainId"], super::CHAIN_ID);
    geth.medseal("kgc", 4, &["kgc", "init", "--no-passphrase"]).result();
    for seed in 0..3 {
        let folder = geth.path("scans");
        std::fs::create_dir_all(&folder).expect("made");
        std::fs::write(folder.join(format!("{seed}.png")), png(40, 30, seed)).expect("written");
    }
    let sealed = geth.medseal("sender", 1, &["seal", "scans"]).result();
    let images = sealed["images"].as_array().expect("images").clone();
    assert_eq!((images.len(), &sealed["failed"]), (3, &serde_json::json!([])));
    let id = images[0]["imageId"].as_str().expect("an id").to_owned();

    let verified = geth.medseal("verifier", 5, &["verify", &id, "--record"]).result();
    assert_eq!(verified["valid"], true, "{verified}");
    geth.medseal("reader", 2, &["open", &id, "-o", "no.png"]).refusal(4, "NOT_AUTHORIZED");
    geth.medseal("sender", 1, &["grant", &id, &reader]).result();
    geth.medseal("reader", 2, &["open", &id, "-o", "opened.png"]).result();
    let bytes = |name: &str| std::fs::read(geth.path(name)).expect("a file");
    assert!(bytes("opened.png") == bytes("scans/0.png"), "it did not come back byte for byte");
    geth.medseal("sender", 1, &["revoke", &id, &reader]).result();
    geth.medseal("reader", 2, &["open", &id, "-o", "no.png"]).refusal(4, "NOT_AUTHORIZED");

    let shown = geth.medseal("stranger", 3, &["show", &id]).result();
    let kinds: Vec<&str> = shown["events"].as_array().expect("events").iter().filter_map(kind).collect();
    assert_eq!(kinds, ["RegisteredInBatch", "Verified", "AccessGranted", "AccessRevoked"]);
    let again = geth.medseal("sender", 1, &["seal", "scans"]).result();
    assert!(again["images"].as_array().expect("images").iter().all(|image| image["already"] == true), "{again}");
}

fn kind(event: &Value) -> Option<&str> {
    event["event"].as_str()
}

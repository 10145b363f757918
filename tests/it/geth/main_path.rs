//! What people do, on Geth: deploy, seal, verify, grant, open, revoke.

use super::{Geth, wallet};
use crate::cli::{Run, png, program};
use medseal::storage::{Cid, LocalStore};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;

impl Geth {
    /// Runs `medseal` as an actor with a development account.
    pub(super) fn medseal(&self, actor: &str, account: usize, args: &[&str]) -> Run {
        let mut command = program(self.folder.path());
        command.env("ETH_RPC_URL", &self.url).args(args);
        Run::of(command.args(["--as", actor, "--dev-account", &account.to_string(), "--json"]))
    }

    /// Changes a byte of what the store has under `cid`, one block.
    pub(super) fn alter(&self, cid: &str) {
        let store = LocalStore::open(self.path(".medseal/store")).expect("the store");
        let path = store.block_path(&cid.parse::<Cid>().expect("a CID"));
        let mut bytes = std::fs::read(&path).expect("a block");
        bytes[100] ^= 1;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("writable");
        std::fs::write(&path, bytes).expect("written");
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
    assert_eq!(verified["verdict"], "valid", "{verified}");
    let tampered = images[1]["imageId"].as_str().expect("an id");
    geth.alter(images[1]["cid"].as_str().expect("a CID"));
    let invalid = geth.medseal("verifier", 5, &["verify", tampered, "--record"]).result_with(3);
    assert_eq!((&invalid["verdict"], &invalid["recorded"]["flag"]), (&"invalid".into(), &1.into()), "{invalid}");
    geth.medseal("sender", 1, &["open", tampered, "-o", "no.png"]).refusal(3, "TAMPERED");

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
    // The one that the store had lost is sealed anew.
    let already: Vec<bool> =
        again["images"].as_array().expect("images").iter().map(|image| image["already"] == true).collect();
    assert_eq!(already, [true, false, true], "{again}");
}

fn kind(event: &Value) -> Option<&str> {
    event["event"].as_str()
}

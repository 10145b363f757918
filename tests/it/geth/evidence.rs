//! Evidence on Geth, whose headers and storage are as Ethereum's rules have them.

use super::{Geth, wallet};
use crate::cli::png;
use serde_json::json;

#[test]
fn evidence_of_geths_own_headers_proofs_and_receipts() {
    let Some(geth) = Geth::start() else { return };
    let address = |index: usize| wallet(index).address().to_checksum(None);
    geth.medseal("admin", 0, &["deploy", "--verifier", &address(5), "--kgc", &address(4)]).result();
    geth.medseal("kgc", 4, &["kgc", "init", "--no-passphrase"]).result();
    std::fs::write(geth.path("a.png"), png(40, 30, 1)).expect("written");
    let sealed = geth.medseal("sender", 1, &["seal", "a.png"]).result();
    let id = sealed["images"][0]["imageId"].as_str().expect("an id").to_owned();
    geth.medseal("verifier", 5, &["verify", &id, "--record"]).result();
    geth.alter(sealed["images"][0]["cid"].as_str().expect("a CID"));
    geth.medseal("verifier", 5, &["verify", &id, "--record"]).result_with(3);
    geth.medseal("sender", 1, &["flag", "dismiss", &id]).result();
    for (headers, linked) in [("0", false), ("8192", true)] {
        let args = ["evidence", &id, "-o", "evidence", "--force", "--headers", headers];
        let written = geth.medseal("stranger", 3, &args).result();
        assert_eq!((&written["receipts"], &written["linked"]), (&json!(5), &json!(linked)), "{written}");
        let hash = written["blockHash"].as_str().expect("a hash");
        let proves =
            geth.medseal("stranger", 3, &["check", "evidence", "--block-hash", hash]).result()["proves"].take();
        let valid: Vec<&serde_json::Value> =
            proves["verifications"].as_array().expect("a list").iter().map(|one| &one["valid"]).collect();
        assert_eq!(valid, [&json!(true), &json!(false)]);
        assert_eq!(
            (&proves["flags"][0]["state"], &proves["record"]["state"]),
            (&json!("dismissed"), &json!("registered"))
        );
    }
}

//! Flags, roles, the pause, the administration and the successor.

use super::{World, png, wallet};
use serde_json::{Value, json};

/// A world with an image whose stored bytes were changed; its flag is raised.
fn flagged() -> (World, String) {
    let world = World::new();
    world.write("a.png", png(9, 9, 1));
    let image = world.seal("a.png", &[]);
    let id = image["imageId"].as_str().expect("an id").to_owned();
    let block = world.block(&image);
    let mut bytes = std::fs::read(&block).expect("a block");
    bytes[99] ^= 1;
    std::fs::write(&block, bytes).expect("written");
    (world, id)
}

#[test]
fn a_flag_is_dismissed_raised_again_and_confirmed_for_ever() {
    let (world, id) = flagged();
    assert_eq!(world.medseal(&["flag", "show", &id]).result()["flag"], Value::Null);
    world.refused(&["flag", "confirm", &id], 5, "UNKNOWN_FLAG");
    world.medseal(&["verify", &id, "--record"]).result_with(3);
    let shown = world.medseal(&["flag", "show", &id]).result();
    assert_eq!(
        (&shown["flag"]["id"], &shown["flag"]["state"], &shown["state"]),
        (&json!(1), &json!("open"), &json!("flagged"))
    );

    for verb in ["confirm", "dismiss"] {
        let refusal = world.refused(&["flag", verb, &id, "--as", "stranger"], 4, "REVERTED");
        assert!(refusal.message.contains("NotArbiter"), "{}", refusal.message);
        world.refused(&["flag", verb, &id, "2"], 5, "UNKNOWN_FLAG");
    }
    // The sender dismisses it, through a relayer; it can't confirm.
    world.refused(&["flag", "confirm", &id, "--as", "sender"], 4, "REVERTED");
    let dismissed = world.medseal(&["flag", "dismiss", &id, "1", "--as", "sender", "--relayer", "relayer"]).result();
    assert_eq!((&dismissed["state"], &dismissed["by"]), (&json!("registered"), &json!(wallet(1))));
    let refusal = world.refused(&["flag", "dismiss", &id], 1, "REVERTED");
    assert!(refusal.message.contains("FlagNotOpen") && refusal.hint.contains("flag show"), "{}", refusal.message);

    world.medseal(&["verify", &id, "--record"]).result_with(3);
    let confirmed = world.medseal(&["flag", "confirm", &id]).result();
    assert_eq!((&confirmed["flag"], &confirmed["state"]), (&json!(2), &json!("tampered")));
    world.refused(&["flag", "dismiss", &id, "2"], 1, "REVERTED");
    let unknown = format!("0x{}", "11".repeat(32));
    world.refused(&["flag", "show", &unknown], 5, "UNKNOWN_IMAGE");
}

#[test]
fn roles_are_given_taken_and_listed() {
    let world = World::new();
    let stranger = wallet(3);
    let listed = |role: &str| {
        let roles = world.medseal(&["role", "list"]).result()["roles"].clone();
        let holders = roles.as_array().expect("a list").iter().filter(|given| given["role"] == role);
        holders.map(|given| given["wallet"].as_str().expect("a wallet").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed("VERIFIER_ROLE"), [wallet(5)]);
    let refusal = world.refused(&["role", "give", "verifier", &stranger, "--as", "stranger"], 4, "REVERTED");
    assert!(refusal.hint.contains("administrator"), "{}", refusal.hint);
    assert_eq!(world.medseal(&["role", "give", "verifier", &stranger]).result()["already"], false);
    assert_eq!(world.medseal(&["role", "give", "verifier", &stranger]).result()["already"], true);
    assert_eq!(listed("VERIFIER_ROLE"), [wallet(5), stranger.clone()]);
    for already in [false, true] {
        assert_eq!(world.medseal(&["role", "take", "verifier", &stranger]).result()["already"], already);
    }
    // Given again after it was taken: another transaction.
    assert_eq!(world.medseal(&["role", "give", "verifier", &stranger]).result()["already"], false);
    assert_eq!(listed("VERIFIER_ROLE"), [wallet(5), stranger]);
}

#[test]
fn a_deployment_that_lacks_a_role_says_so() {
    let world = World::new();
    let refusal = world.refused(&["deploy", "--verifier", &wallet(3)], 1, "ROLE_MISSING");
    assert!(refusal.hint.contains("medseal role give"), "{}", refusal.hint);
    world.refused(&["deploy", "--admin", &wallet(3)], 2, "SETTINGS");
    assert_eq!(world.medseal(&["deploy", "--kgc", &wallet(4)]).result()["already"], true);
}

#[test]
fn a_cold_administrator_is_named_with_the_roles() {
    let world = World::bare();
    let cold = wallet(9);
    let deployed = world.medseal(&["deploy", "--admin", &cold, "--kgc", &wallet(4), "--pauser", &wallet(3)]).result();
    assert_eq!((&deployed["admin"], deployed["roles"].as_array().map(Vec::len)), (&json!(cold), Some(2)));
    let count = world.ask("eth_getTransactionCount", json!([wallet(0), "latest"]));
    assert_eq!(count, "0x1", "one transaction");
    let file: Value = serde_json::from_slice(&world.read("deployments/31337.json")).expect("JSON");
    assert_eq!(file["arguments"]["roles"][0], json!({ "role": "PAUSER_ROLE", "wallet": wallet(3) }));
    let listed = world.medseal(&["role", "list"]).result();
    assert_eq!((&listed["administration"]["admin"], &listed["roles"][1]["role"]), (&json!(cold), &json!("KGC_ROLE")));
}

#[test]
fn a_pause_stops_what_it_should_and_no_more() {
    let (world, id) = flagged();
    world.write("b.png", png(9, 9, 2));
    let reader = wallet(2);
    world.medseal(&["grant", &id, &reader]).result();
    world.refused(&["registry", "pause", "--as", "stranger"], 4, "REVERTED");
    world.refused(&["registry", "unpause"], 1, "REVERTED");
    let paused = world.medseal(&["registry", "pause"]).result();
    assert!(paused["pausedUntil"].as_u64().is_some_and(|until| until > 1_000_000_000), "{paused}");
    let refusal = world.refused(&["grant", &id, &reader], 1, "PAUSED");
    assert!(refusal.hint.contains("unpause"), "{}", refusal.hint);
    world.medseal(&["seal", "b.png"]).refusal(1, "PAUSED");
    world.refused(&["operator", "allow", &wallet(7)], 1, "PAUSED");
    // Verifying, flags, revoking and removing go on.
    world.medseal(&["verify", &id, "--record"]).result_with(3);
    world.medseal(&["flag", "confirm", &id]).result();
    world.medseal(&["revoke", &id, &reader]).result();
    world.medseal(&["operator", "remove", &wallet(7)]).result();
    assert_eq!(world.medseal(&["registry", "unpause"]).result()["pausedUntil"], Value::Null);
    // What was sealed and stored is registered now.
    world.seal("b.png", &[]);
    // The unused time was given back; twice at once makes no longer pause.
    assert!(world.medseal(&["registry", "pause"]).result()["pausedUntil"].is_u64());
    let refusal = world.refused(&["registry", "pause"], 1, "REVERTED");
    assert!(refusal.message.contains("PausedLately"), "{}", refusal.message);
}

#[test]
fn the_administration_is_handed_over_in_two_steps_a_day_apart() {
    let world = World::new();
    let next = wallet(9);
    world.refused(&["role", "hand-over", &next, "--as", "stranger"], 4, "REVERTED");
    let begun = world.medseal(&["role", "hand-over", &next]).result();
    assert_eq!(begun["administration"]["next"], next.as_str());
    let accept = ["role", "accept", "--dev-account", "9"];
    let refusal = world.refused(&accept, 1, "REVERTED");
    assert!(
        refusal.message.contains("EnforcedDefaultAdminDelay") && refusal.hint.contains("a day"),
        "{}",
        refusal.message
    );
    assert_eq!(world.medseal(&["role", "cancel"]).result()["administration"]["next"], Value::Null);
    world.medseal(&["role", "hand-over", &next]).result();
    world.ask("evm_increaseTime", json!([86_401]));
    world.ask("evm_mine", json!([]));
    world.refused(&["role", "accept", "--as", "stranger"], 4, "REVERTED");
    assert_eq!(world.medseal(&accept).result()["administration"]["admin"], next.as_str());
    world.refused(&["role", "give", "kgc", &wallet(3)], 4, "REVERTED");
    // The other one points to a successor, once, and only to a contract.
    world.refused(&["registry", "supersede", &wallet(3), "--dev-account", "9"], 1, "REVERTED");
    let elsewhere = world.medseal(&["deploy", "--deployments", "other", "--as", "stranger"]).result();
    let successor = elsewhere["address"].as_str().expect("an address");
    let supersede = ["registry", "supersede", successor, "--dev-account", "9"];
    assert_eq!(world.medseal(&supersede).result()["successor"], successor);
    world.refused(&supersede, 1, "REVERTED");
    assert_eq!(world.medseal(&["registry", "show"]).result()["successor"], successor);
}

//! Who may open.

use super::{World, png, wallet};

#[test]
fn a_reader_opens_between_grant_and_revoke() {
    let world = World::new();
    world.write("a.png", png(9, 9, 1));
    world.write("b.png", png(9, 9, 2));
    let (a, b) = (world.seal("a.png", &[]), world.seal("b.png", &[]));
    let (a, b) = (a["imageId"].as_str().expect("an id"), b["imageId"].as_str().expect("an id"));
    let reader = wallet(2);
    let refused = |id: &str, actor: &str| {
        let refusal = world.refused(&["open", id, "-o", "opened", "--as", actor], 4, "NOT_AUTHORIZED");
        assert!(refusal.hint.contains("medseal grant"), "{}", refusal.hint);
    };
    let opens = |id: &str, file: &str| {
        world.medseal(&["open", id, "-o", "opened", "--as", "reader"]).result();
        assert!(world.read("opened") == world.read(file), "{file}");
        std::fs::remove_file(world.path("opened")).expect("removed");
    };
    refused(a, "reader");

    let granted = world.medseal(&["grant", a, &reader]).result();
    assert_eq!(granted["wallet"], reader.as_str());
    opens(a, "a.png");
    refused(a, "stranger");
    // A grant is for one image.
    refused(b, "reader");
    let show = world.medseal(&["show", a, "--wallet", &reader]).result();
    assert_eq!((&show["access"]["authorized"], &show["access"]["expiry"]), (&true.into(), &granted["expiry"]));

    world.medseal(&["revoke", a, &reader]).result();
    refused(a, "reader");
    assert_eq!(world.medseal(&["show", a, "--wallet", &reader]).result()["access"]["authorized"], false);
    // And again: the same words are a new grant.
    world.medseal(&["grant", a, &reader]).result();
    opens(a, "a.png");
    let show = world.medseal(&["show", a, "--wallet", &reader]).result();
    let seq: u128 = show["access"]["seq"].as_str().expect("text").parse().expect("a number");
    assert_eq!((seq >> 96, seq & 0xffff_ffff), (1, 1), "a revocation, and a grant since");
    // The sender needs none, and a stranger is still none.
    world.medseal(&["open", a, "-o", "opened"]).result();
    std::fs::remove_file(world.path("opened")).expect("removed");
    refused(a, "stranger");
}

#[test]
fn a_grant_ends_at_its_second() {
    let world = World::new();
    world.write("a.png", png(9, 9, 1));
    let image = world.seal("a.png", &[]);
    let id = image["imageId"].as_str().expect("an id");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time").as_secs();
    let until = (now + 100).to_string();
    world.medseal(&["grant", id, &wallet(2), "--until", &until]).result();
    world.medseal(&["open", id, "-o", "opened", "--as", "reader"]).result();
    std::fs::remove_file(world.path("opened")).expect("removed");
    // The later of block time and clock counts; a request that is signed now lives longer than
    // that.
    world.ask("evm_increaseTime", serde_json::json!([101]));
    world.ask("evm_mine", serde_json::json!([]));
    world.refused(&["open", id, "-o", "opened", "--as", "reader"], 4, "NOT_AUTHORIZED");
    world.refused(&["grant", id, &wallet(2), "--until", &until], 1, "REVERTED");
}

#[test]
fn only_the_sender_grants_and_revokes() {
    let world = World::new();
    world.write("a.png", png(9, 9, 1));
    let image = world.seal("a.png", &[]);
    let id = image["imageId"].as_str().expect("an id");
    for command in ["grant", "revoke"] {
        let refusal = world.refused(&[command, id, &wallet(3), "--as", "stranger"], 4, "REVERTED");
        assert!(refusal.message.contains("NotSender"), "{}", refusal.message);
        let unknown = format!("0x{}", "11".repeat(32));
        world.refused(&[command, &unknown, &wallet(3)], 5, "UNKNOWN_IMAGE");
    }
}

//! Who speaks for a sender, and who submits what was signed.

use super::{World, png, wallet};

const SENDER: usize = 1;
const OPERATOR: usize = 7;
const RELAYER: usize = 6;

fn world() -> (World, String) {
    let world = World::new();
    world.write("a.png", png(9, 9, 1));
    let image = world.seal("a.png", &[]);
    let id = image["imageId"].as_str().expect("an id").to_owned();
    (world, id)
}

#[test]
fn an_operator_grants_and_revokes_as_long_as_it_may() {
    let (world, id) = world();
    let (operator, reader) = (wallet(OPERATOR), wallet(2));
    let grant = ["grant", &id, &reader, "--as", "operator"];
    let refusal = world.refused(&grant, 4, "REVERTED");
    assert!(refusal.hint.contains("medseal operator allow"), "{}", refusal.hint);
    assert_eq!(world.medseal(&["operator", "show", &operator]).result()["allowed"], false);

    let allowed = world.medseal(&["operator", "allow", &operator]).result();
    assert_eq!((&allowed["sender"], &allowed["already"]), (&wallet(SENDER).into(), &false.into()));
    assert_eq!(world.medseal(&["operator", "allow", &operator]).result()["already"], true);
    let shown = world.medseal(&["operator", "show", &operator, "--of", &wallet(SENDER), "--as", "stranger"]).result();
    assert_eq!((&shown["allowed"], &shown["seq"]), (&true.into(), &"1".into()));

    let granted = world.medseal(&grant).result();
    assert_eq!((&granted["by"], &granted["relayer"]), (&operator.as_str().into(), &serde_json::Value::Null));
    world.medseal(&["open", &id, "-o", "opened", "--as", "reader"]).result();
    std::fs::remove_file(world.path("opened")).expect("removed");
    world.medseal(&["revoke", &id, &reader, "--as", "operator"]).result();
    world.refused(&["open", &id, "-o", "opened", "--as", "reader"], 4, "NOT_AUTHORIZED");
    // It speaks for the sender, and is not given the key itself.
    world.refused(&["open", &id, "-o", "opened", "--as", "operator"], 4, "NOT_AUTHORIZED");

    world.medseal(&["operator", "remove", &operator]).result();
    world.refused(&grant, 4, "REVERTED");
    assert_eq!(counted(&world.medseal(&["operator", "show", &operator]).result()["seq"]), (1, 0));
}

/// How often something was taken away, and what was counted since.
fn counted(seq: &serde_json::Value) -> (u128, u128) {
    let seq: u128 = seq.as_str().expect("text").parse().expect("a number");
    (seq >> 96, seq & 0xffff_ffff)
}

#[test]
fn what_was_signed_is_submitted_by_a_relayer() {
    let (world, id) = world();
    let (operator, reader, relayer) = (wallet(OPERATOR), wallet(2), wallet(RELAYER));
    let count = |index: usize| world.ask("eth_getTransactionCount", serde_json::json!([wallet(index), "latest"]));
    let before = [SENDER, OPERATOR, 5].map(count);
    let lines: [&[&str]; 5] = [
        &["operator", "allow", &operator],
        &["grant", &id, &reader, "--as", "operator"],
        &["grant", &id, &reader],
        &["revoke", &id, &reader],
        &["operator", "remove", &operator],
    ];
    for line in lines {
        let result = world.medseal(&[line, &["--relayer", "relayer"]].concat()).result();
        let by = if line.contains(&"--as") { &operator } else { &wallet(SENDER) };
        assert_eq!((&result["by"], &result["relayer"]), (&by.as_str().into(), &relayer.as_str().into()), "{line:?}");
    }
    assert_eq!(counted(&world.medseal(&["show", &id, "--wallet", &reader]).result()["access"]["seq"]), (1, 0));
    let verified = world.medseal(&["verify", &id, "--record", "--relayer", "relayer"]).result();
    assert_eq!((&verified["recorded"]["by"], &verified["recorded"]["valid"]), (&wallet(5).into(), &true.into()));
    // And again: each names the nonce of its day.
    let verified = world.medseal(&["verify", &id, "--record", "--relayer", "relayer"]).result();
    assert_eq!((&verified["recorded"]["number"], &verified["recorded"]["relayer"]), (&2.into(), &relayer.into()));
    assert_eq!([SENDER, OPERATOR, 5].map(count), before, "they only signed");
    // Nothing can be relayed that is not logged.
    assert_eq!(world.talk(&["verify", &id, "--relayer", "relayer"]).code, 2);
    world.refused(&["grant", &id, &reader, "--relayer", "nobody"], 2, "NO_WALLET");
}

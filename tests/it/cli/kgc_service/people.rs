//! What people see of it.

use super::super::{CHAIN_ID, Run, World, fetched, png, wallet};
use super::{Elsewhere, Serving};
use medseal::chain::Wallet;
use medseal::cipher::ImageKey;
use medseal::envelope::SealedImage;
use medseal::kgc::{LogHead, release_log_id};
use medseal::storage::{Cid, LocalStore};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// A certificate for 127.0.0.1, its key, and the authority that signed it, in the world's folder.
fn certificates(world: &World) {
    let certified = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate");
    world.write("cert.pem", certified.cert.pem());
    world.write("key.pem", certified.signing_key.serialize_pem());
}

fn lines(world: &World) -> Vec<Value> {
    let log = String::from_utf8(world.read(".medseal/kgc/release.log")).expect("text");
    log.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The head on chain is that of the log, and the receipt is a line under it.
fn is_anchored(world: &World, receipt: &Value) {
    let text = String::from_utf8(world.read(".medseal/kgc/release.log")).expect("text");
    let heads: Vec<LogHead> = text
        .lines()
        .scan(LogHead::EMPTY, |head, line| {
            *head = head.after(line.as_bytes());
            Some(*head)
        })
        .collect();
    assert_eq!(lines(world).last().expect("lines")["kind"], "stopped");
    let kgc_id = lines(world)[0]["kgcId"].as_str().expect("an id").parse().expect("an id");
    let anchorer = wallet(4).parse().expect("a wallet");
    let anchored = world.runtime.block_on(world.registry().log_head(anchorer, release_log_id(kgc_id, "")));
    let anchored = anchored.expect("an answer");
    assert_eq!((anchored.seq, anchored.head), (5, heads[4].head));
    let place = usize::try_from(receipt["logSeq"].as_u64().expect("a place")).expect("small");
    assert_eq!(receipt["logHead"], json!(heads[place - 1].head));
}

/// What an auditor finds who is given the log.
fn is_audited(world: &World) {
    let text = String::from_utf8(world.read(".medseal/kgc/release.log")).expect("text");
    // An auditor who is given the log finds it whole, or the line that was changed, cut or moved.
    let audit = ["audit", "--kgc-log", ".medseal/kgc/release.log"];
    let whole = world.medseal(&audit).result()["kgcLog"].take();
    assert_eq!(
        (&whole["lines"], &whole["anchored"], &whole["anchoredBy"]),
        (&json!(5), &json!(1), &json!([wallet(4)]))
    );
    let lines: Vec<&str> = text.lines().collect();
    let (changed, doubled) = (lines[2].replacen("refused", "release", 1), [&lines[..2], &lines[1..]].concat());
    let cases: [(&str, Vec<&str>); 4] = [
        ("line 3 was changed", vec![lines[0], lines[1], &changed, lines[3], lines[4]]),
        ("lines 3 to 3 are missing", vec![lines[0], lines[1], lines[3], lines[4]]),
        ("line 2 stands twice", doubled),
        ("the log ends with line 4, line 5 was anchored", lines[..4].to_vec()),
    ];
    for (words, lines) in cases {
        world.write("shown.log", lines.join("\n") + "\n");
        let refusal = world.refused(&["audit", "--kgc-log", "shown.log"], 3, "KGC_LOG");
        assert!(refusal.message.contains(words), "{words}: {}", refusal.message);
    }
}

#[test]
fn two_people_on_two_machines_seal_and_open_over_tls() {
    let world = World::new();
    certificates(&world);
    let serving = Serving::start(&world, &["--tls-cert", "cert.pem", "--tls-key", "key.pem", "--anchor-every", "0"]);
    assert!(serving.url.starts_with("https://"), "{}", serving.url);
    let ca = world.path("cert.pem").display().to_string();
    let url = serving.url.clone();
    let kgc = ["--kgc-url", &url, "--kgc-ca", &ca];
    let with = |args: &[&str]| [args, &kgc].concat().into_iter().map(str::to_owned).collect::<Vec<_>>();
    let run = |machine: &Elsewhere, args: &[&str]| {
        machine.medseal(&with(args).iter().map(String::as_str).collect::<Vec<_>>())
    };

    let (sender, reader) = (Elsewhere::of(&world), Elsewhere::of(&world));
    let scan = png(40, 30, 1);
    std::fs::write(sender.folder.path().join("scan.png"), &scan).expect("written");
    let sealed = run(&sender, &["seal", "scan.png"]).result();
    let id = sealed["images"][0]["imageId"].as_str().expect("an id").to_owned();
    assert!(!sender.folder.path().join(".medseal/kgc").exists(), "the sender has no key center of its own");

    reader.fetch_from(sender.folder.path());
    let open = ["open", &id, "-o", "opened", "--force", "--as", "stranger"];
    let refusal = run(&reader, &open).refusal(4, "NOT_AUTHORIZED");
    assert!(refusal.message.contains("not-authorised"), "{}", refusal.message);
    assert!(!reader.folder.path().join("opened").exists());
    run(&sender, &["grant", &id, &wallet(3)]).result();
    run(&reader, &open).result();
    assert!(std::fs::read(reader.folder.path().join("opened")).expect("opened") == scan);

    // Each has its receipts; the log has the same lines, in order.
    let issued = sender.receipts("sender");
    let mut given = reader.receipts("stranger");
    given.sort_by_key(|receipt| receipt["logSeq"].as_u64());
    assert_eq!((issued.len(), given.len()), (1, 2));
    assert_eq!((&issued[0]["decision"], &issued[0]["logSeq"]), (&json!(1), &json!(2)));
    assert_eq!((&given[0]["decision"], &given[0]["reason"]), (&json!(3), &json!("not-authorised")));
    assert_eq!((&given[1]["decision"], &given[1]["reason"]), (&json!(2), &json!("")));
    let log = lines(&world);
    let kinds: Vec<_> = log.iter().map(|line| line["kind"].as_str().expect("a kind")).collect();
    assert_eq!(kinds, ["opened", "issue", "release", "release"]);
    for receipt in issued.iter().chain(&given) {
        let line = &log[usize::try_from(receipt["logSeq"].as_u64().expect("a place")).expect("small") - 1];
        for field in ["requestDigest", "imageId", "answerHash", "reason", "blockHash"] {
            assert_eq!(line[field], receipt[field], "{field}");
        }
    }
    // The refusal stands on chain once the log's head is anchored.
    serving.stop();
    world.medseal(&["kgc", "anchor"]).result();
    is_anchored(&world, &given[0]);
    is_audited(&world);

    // Nobody there any more.
    let gone = run(&reader, &open).refusal(6, "KGC_UNREACHABLE");
    assert!(gone.hint.contains("kgc serve"), "{}", gone.hint);
}

#[test]
fn a_key_center_that_is_not_the_chains_is_noticed() {
    let (world, other) = (World::new(), World::new());
    world.write("a.png", png(9, 9, 1));
    let id = world.seal("a.png", &[])["imageId"].as_str().expect("an id").to_owned();
    // A service of a key center that this chain does not know.
    let serving = Serving::start(&other, &["--anchor-every", "0"]);
    let open = ["open", &id, "-o", "opened", "--kgc-url", &serving.url];
    world.medseal(&open).refusal(5, "UNKNOWN_KGC_KEY");
    // One without TLS beyond this machine, a second on one log, one whose key is not on chain.
    let refuse = |args: &[&str], exit, code| world.refused(&[&["kgc", "serve"], args].concat(), exit, code);
    let refusal = refuse(&["--listen", "0.0.0.0:0"], 2, "SETTINGS");
    assert!(refusal.message.contains("--tls-cert"), "{}", refusal.message);
    refuse(&["--operators", "0.0.0.0:0"], 2, "SETTINGS");
    refuse(&["--instance", "../x"], 2, "USAGE");
    refuse(&["--anchor-every", "18446744073709551615"], 2, "USAGE");
    let printing = refuse(&["--print", "tx", "--from", "0x1111111111111111111111111111111111111111"], 2, "SETTINGS");
    assert!(printing.message.contains("--anchor-every 0"), "{}", printing.message);
    let own = Serving::start(&world, &["--anchor-every", "0"]);
    let second = world.medseal(&["kgc", "serve", "--listen", "127.0.0.1:0"]).refusal(2, "SETTINGS");
    assert!(second.message.contains("--instance"), "{}", second.message);
    let east = Serving::start(&world, &["--anchor-every", "0", "--instance", "east"]);
    for url in [&own.url, &east.url] {
        world.medseal(&["open", &id, "-o", "opened", "--force", "--kgc-url", url]).result();
    }
    assert!(world.path(".medseal/kgc/release-east.log").is_file());
    drop(east);
    // Each has its log, and its own place on chain.
    let logs =
        [&[][..], &["--instance", "east"]].map(|more| world.medseal(&[&["kgc", "anchor"], more].concat()).result());
    assert_ne!(logs[0]["logId"], logs[1]["logId"]);
    let again = world.medseal(&["kgc", "anchor", "--instance", "east"]).result();
    assert_eq!((&again["already"], &again["logId"]), (&json!(true), &logs[1]["logId"]));
    let kept = world.medseal(&["kgc", "new-log", "--instance", "east"]).result();
    assert_eq!((&kept["already"], &kept["seq"]), (&json!(true), &again["seq"]));
    drop(own);
    std::fs::rename(world.path(".medseal/kgc/kgc.json"), world.path("kgc.json")).expect("moved");
    world.medseal(&["kgc", "init", "--no-passphrase", "--offline"]).result();
    let unknown = world.medseal(&["kgc", "serve", "--listen", "127.0.0.1:0"]);
    assert_ne!(unknown.code, 0, "{}", unknown.stdout);
}

/// A client in another language, from the OpenAPI document and FORMAT.md alone.
#[test]
fn an_independent_client_gets_a_key_and_checks_its_receipt() {
    let world = World::new();
    world.write("a.png", png(20, 20, 1));
    let image = world.seal("a.png", &[]);
    let id = image["imageId"].as_str().expect("an id");
    let capsules: Cid =
        world.medseal(&["show", id]).result()["capsules"]["cid"].as_str().expect("a CID").parse().expect("one");
    let capsules = LocalStore::open(world.path(".medseal/store")).expect("the store").block_path(&capsules);
    fetched("node_modules/@hpke/core");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/kgc.mjs");
    let lines = std::fs::read_to_string(&script).expect("the client").lines().count();
    assert!(lines < 120, "{lines} lines");
    let serving = Serving::start(&world, &["--anchor-every", "0"]);
    let ask = |account: usize| -> Value {
        let key = Wallet::development(account, CHAIN_ID).expect("a development key").signer().to_bytes();
        let mut command = Command::new("node");
        command.arg(&script).args([&world.node.rpc_url(), &serving.url, &world.registry().address().to_string()]);
        command.arg(key.to_string()).arg(id).arg(world.block(&image)).arg(&capsules);
        let run = Run::of(&mut command);
        assert_eq!(run.code, 0, "{}", run.stderr);
        serde_json::from_str(&run.stdout).expect("JSON")
    };
    let given = ask(1);
    assert_eq!(given["receipt"]["decision"], 2, "{given}");
    let key: alloy::primitives::B256 = given["key"].as_str().expect("a key").parse().expect("32 bytes");
    let sealed = std::fs::read(world.block(&image)).expect("the sealed image");
    let opened = SealedImage::decode(&sealed).expect("whole").open(&ImageKey::from_bytes(key.0));
    opened.expect("its own key");
    let refused = ask(5);
    assert_eq!(refused["problem"], "/problems/not-authorised", "{refused}");
    assert_eq!(refused["receipt"]["reason"], "not-authorised", "{refused}");
}

#[test]
fn a_folder_of_scans_waits_for_its_turn() {
    let world = World::new();
    let serving = Serving::start(&world, &["--anchor-every", "0", "--issue-rate", "20"]);
    std::fs::create_dir(world.path("scans")).expect("made");
    for scan in 0..22 {
        world.write(&format!("scans/{scan}.png"), png(9, 9, scan));
    }
    let sealed = world.medseal(&["seal", "scans", "--kgc-url", &serving.url]).result();
    assert_eq!((sealed["images"].as_array().map(Vec::len), &sealed["failed"]), (Some(22), &serde_json::json!([])));
    let url = format!("{}/metrics", serving.operators);
    let metrics = world.runtime.block_on(async { reqwest::get(url).await.expect("an answer").text().await });
    let metrics = metrics.expect("text");
    let refused = metrics.lines().find(|line| line.contains("rate-limited"));
    assert!(refused.is_some_and(|line| line.contains("act=\"issue\"")), "{metrics}");
}

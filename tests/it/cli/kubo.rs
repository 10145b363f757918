//! The command line on real IPFS nodes.

use super::{Run, World, png};
use crate::kubo::node::{Node, flip};
use serde_json::Value;

/// A world whose settings name these nodes, each object at so many of them.
struct Nodes {
    world: World,
    nodes: Vec<Node>,
    replicas: &'static str,
}

impl Nodes {
    fn start(count: usize, replicas: &'static str) -> Option<Self> {
        let nodes = (0..count).map(|_| Node::start()).collect::<Option<Vec<_>>>()?;
        Some(Self { world: World::new(), nodes, replicas })
    }

    fn medseal(&self, args: &[&str]) -> Run {
        let urls = self.nodes.iter().map(Node::url).collect::<Vec<_>>().join(",");
        let mut command = self.world.command(args);
        Run::of(command.env("IPFS_API", urls).env("MEDSEAL_REPLICAS", self.replicas).arg("--json"))
    }

    fn seal(&self, path: &str) -> Vec<Value> {
        self.medseal(&["seal", path]).result()["images"].as_array().expect("images").clone()
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

fn findings<'a>(doctor: &'a Value, what: &str) -> Vec<&'a Value> {
    doctor["findings"].as_array().expect("findings").iter().filter(|finding| finding["what"] == what).collect()
}

#[test]
fn every_command_works_as_on_the_folder() {
    let Some(mut net) = Nodes::start(1, "1") else { return };
    net.world.write("a.png", png(33, 21, 1));
    let image = net.seal("a.png").remove(0);
    let (id, cid) = (text(&image, "imageId"), text(&image, "cid"));
    assert!(!net.world.path(".medseal/store").exists(), "nothing lies in the folder");
    // The node itself says the same.
    let stored = net.nodes[0].ipfs(&["cat", cid]);
    assert_eq!(crate::common::sha256(&stored).to_string(), text(&image, "contentHash"));
    let pins = String::from_utf8(net.nodes[0].ipfs(&["pin", "ls", "-q", "-t", "recursive"])).expect("text");
    assert!(pins.lines().any(|line| line == cid));
    assert_eq!(net.medseal(&["show", id]).result()["pinned"], true);
    assert_eq!(net.medseal(&["verify", id, "--record"]).result()["verdict"], "valid");
    net.medseal(&["open", id, "-o", "opened"]).result();
    assert!(net.world.read("opened") == net.world.read("a.png"));
    assert_eq!(net.seal("a.png").remove(0)["already"], true);

    let block = net.nodes[0].block_path(&cid.parse().expect("a CID"));
    net.nodes[0].stop();
    flip(&block, 200);
    net.nodes[0].run();
    let seen = net.medseal(&["verify", id, "--record"]).result_with(3);
    assert_eq!((&seen["verdict"], &seen["recorded"]["flag"]), (&"invalid".into(), &1.into()));
    let mut altered = stored.clone();
    altered[200] ^= 1;
    assert_eq!(text(&seen, "observedHash"), crate::common::sha256(&altered).to_string());
    net.medseal(&["open", id, "-o", "again"]).refusal(3, "TAMPERED");
    let pins = net.medseal(&["pins", id]).result_with(3);
    assert_eq!(
        (&pins["objects"][0]["nodes"][0]["held"], &pins["objects"][0]["part"]),
        (&"damaged".into(), &"sealedImage".into())
    );
    assert_eq!(pins["objects"][1]["nodes"][0]["held"], "whole");

    net.nodes[0].kill();
    for args in [&["verify", id][..], &["open", id, "-o", "again"], &["seal", "a.png"], &["pins"]] {
        let refusal = net.medseal(args).refusal(6, "IPFS_UNREACHABLE");
        assert!(refusal.hint.contains("ipfs daemon") && refusal.message.contains(&net.nodes[0].url()), "{args:?}");
    }
    let doctor = net.medseal(&["doctor"]).result_with(1);
    assert_eq!(findings(&doctor, "ipfs")[0]["state"], "wrong");
    assert!(findings(&doctor, "ipfs")[0]["mend"].as_str().is_some_and(|mend| mend.contains("ipfs daemon")));
}

#[test]
fn two_replicas_survive_a_node_and_are_made_again() {
    let Some(mut net) = Nodes::start(3, "2") else { return };
    for number in 0..4 {
        net.world.write(&format!("first/{number}.png"), png(16, 16, number));
        net.world.write(&format!("second/{number}.png"), png(16, 16, 100 + number));
    }
    let mut images = net.seal("first");
    net.nodes[0].kill();
    images.extend(net.seal("second"));
    let short = net.medseal(&["pins"]).result_with(1);
    assert_eq!(short["objects"].as_array().map(Vec::len), Some(16), "8 images and their capsules");
    assert!((1..=8).contains(&short["tooFew"].as_u64().expect("a number")), "{}", short["tooFew"]);
    // A file sealed before is brought back with what is there.
    let again = net.seal("first");
    assert!(again.iter().all(|image| image["already"] == true), "{again:?}");
    assert_eq!(net.medseal(&["pins"]).result()["tooFew"], 0);
    // And everything, at any time.
    net.nodes[1].kill();
    net.nodes[0].run();
    let failed = net.medseal(&["pins"]).result_with(1);
    assert!(failed["tooFew"].as_u64().is_some_and(|few| few > 0));
    let repaired = net.medseal(&["pins", "--repair"]).result();
    assert_eq!(repaired["tooFew"], 0);
    assert!(repaired["objects"].as_array().expect("objects").iter().any(|object| object["repaired"]["before"] == 1));
    net.nodes[2].kill();
    let few = net.medseal(&["pins", "--repair"]).result_with(6);
    assert_eq!(few["objects"][0]["failure"]["code"], "TOO_FEW_REPLICAS");
    net.world.write("third.png", png(16, 16, 200));
    let refusal = net.medseal(&["seal", "third.png"]).refusal(6, "TOO_FEW_REPLICAS");
    assert!(refusal.message.contains(&net.nodes[1].url()), "{}", refusal.message);
    net.nodes[1].run();
    net.nodes[2].run();
    images.extend(net.seal("third.png"));
    let mut opened = 0;
    for image in &images {
        let id = text(image, "imageId");
        net.medseal(&["open", id, "-o", "opened", "--force"]).result();
        assert!(net.world.read("opened") == net.world.read(text(image, "file")), "{id}");
        opened += 1;
    }
    eprintln!("{opened} of {} images opened byte for byte", images.len());
    assert_eq!(net.world.records(), 9);
}

#[test]
fn a_store_moves_to_nodes_and_back() {
    let Some(net) = Nodes::start(2, "2") else { return };
    let world = &net.world;
    world.write("a.png", png(40, 30, 1));
    let image = world.seal("a.png", &[]);
    let (id, cid) = (text(&image, "imageId"), text(&image, "cid"));
    let exported = world.medseal(&["store", "export", "all.car"]).result();
    assert_eq!((&exported["objects"], &exported["blocks"]), (&2.into(), &2.into()));
    world.medseal(&["store", "export", "all.car"]).refusal(8, "OUTPUT_EXISTS");

    net.medseal(&["show", id]).result();
    net.medseal(&["open", id, "-o", "opened"]).refusal(5, "NOT_STORED");
    let imported = net.medseal(&["store", "import", "all.car"]).result();
    assert_eq!((&imported["objects"], &imported["bytes"]), (&exported["objects"], &exported["bytes"]));
    std::fs::rename(world.path(".medseal/store"), world.path("old")).expect("moved away");
    net.medseal(&["open", id, "-o", "opened"]).result();
    assert!(world.read("opened") == world.read("a.png"));
    for node in &net.nodes {
        node.ipfs(&["repo", "gc"]);
        assert_eq!(crate::common::sha256(node.ipfs(&["cat", cid])).to_string(), text(&image, "contentHash"));
    }
    assert_eq!(net.medseal(&["pins"]).result()["tooFew"], 0);

    // Back, as an IPFS node itself exports it.
    std::fs::write(world.path("theirs.car"), net.nodes[0].ipfs(&["dag", "export", cid])).expect("written");
    assert_eq!(world.medseal(&["store", "import", "theirs.car"]).result()["objects"], 1);
    assert_eq!(world.medseal(&["verify", id]).result()["verdict"], "valid");
    net.medseal(&["store", "export", "back.car"]).result();
    assert_eq!(world.medseal(&["store", "import", "back.car"]).result()["objects"], 2);
    world.medseal(&["open", id, "-o", "opened", "--force"]).result();

    world.write("bad.car", "no CAR file");
    net.medseal(&["store", "import", "bad.car"]).refusal(1, "CAR");
    world.medseal(&["store", "import", "none.car"]).refusal(5, "FILE_NOT_FOUND");
    world.medseal(&["store", "export", "none.car", "--home", "empty"]).refusal(5, "NOTHING_STORED");
}

#[test]
fn doctor_says_what_is_wrong_with_a_node_and_how_to_mend_it() {
    let open = Node::start_with(&[], |config| {
        // As the configuration says; the daemon itself listens on this machine alone.
        config["Addresses"]["API"] = "/ip4/0.0.0.0/tcp/5001".into();
        config["Datastore"]["StorageMax"] = "1KB".into();
    });
    let good = Node::start_with(&[], |config| config["Datastore"]["Spec"]["mounts"][0]["sync"] = true.into());
    let (Some(open), Some(good)) = (open, good) else { return };
    let net = Nodes { world: World::new(), nodes: vec![open, good], replicas: "2" };
    net.world.write("a.png", png(16, 16, 1));
    net.seal("a.png");
    let doctor = net.medseal(&["doctor"]).result_with(1);
    let state = |what: &str| findings(&doctor, what).iter().map(|finding| text(finding, "state")).collect::<Vec<_>>();
    assert_eq!(state("ipfs"), ["good", "good"]);
    assert!(text(findings(&doctor, "ipfs")[0], "found").contains("Kubo 0.42.0, 2 objects pinned for us, 0 peers"));
    assert_eq!(state("ipfs api"), ["wrong", "good"]);
    assert_eq!(state("ipfs disk"), ["wrong", "good"]);
    assert_eq!(state("ipfs sync"), ["absent", "good"]);
    assert_eq!(state("replicas"), ["good"]);
    assert!(text(findings(&doctor, "replicas")[0], "found").starts_with("2 objects, each pinned at 2 of 2 nodes"));
    for (what, mend) in
        [("ipfs api", "API.Authorizations"), ("ipfs disk", "ipfs repo gc"), ("ipfs sync", "\"sync\": true")]
    {
        assert!(text(findings(&doctor, what)[0], "mend").contains(mend), "{what}");
    }
    net.nodes[1].ipfs(&["pin", "rm", text(&net.seal("a.png")[0], "cid")]);
    let doctor = net.medseal(&["doctor"]).result_with(1);
    assert_eq!(text(findings(&doctor, "replicas")[0], "state"), "wrong");
    assert_eq!(text(findings(&doctor, "replicas")[0], "mend"), "medseal pins --repair");
    net.medseal(&["pins", "--repair"]).result();
}

#[test]
fn settings_that_name_no_nodes_are_refused() {
    let world = World::bare();
    let pins = |args: &[&str]| world.medseal(&[&["pins"], args].concat()).refusal(2, "SETTINGS").message;
    assert!(pins(&["--ipfs-api", "http://me:secret@127.0.0.1:1"]).contains("no user name"));
    assert!(!pins(&["--ipfs-api", "http://me:secret@127.0.0.1:1"]).contains("secret"));
    assert!(pins(&["--ipfs-api", "http://127.0.0.1:1,ftp://x"]).contains("address 2"));
    assert!(pins(&["--ipfs-api", "http://127.0.0.1:1,http://127.0.0.1:1"]).contains("each node once"));
    assert!(pins(&["--ipfs-api", "http://127.0.0.1:1", "--replicas", "2"]).contains("1 to 1 replicas"));
    assert!(pins(&["--ipfs-api", "http://127.0.0.1:1", "--replicas", "two"]).contains("\"two\""));
    assert!(pins(&["--replicas", "2"]).contains("ipfs_api"));
    world.write("token", "one\ntwo\nthree\n");
    let token = ["--ipfs-api", "http://127.0.0.1:1,http://127.0.0.1:2", "--ipfs-token-file", "token"];
    assert!(pins(&token).contains("found 3"));
    world.write("token", "two words\n");
    assert!(pins(&token).contains("line 1"));
    assert!(!pins(&token).contains("words\n"));
    world
        .medseal(&["pins", "--ipfs-api", "http://127.0.0.1:1", "--ipfs-token-file", "no"])
        .refusal(5, "FILE_NOT_FOUND");
    let doctor = world.medseal(&["doctor", "--ipfs-api", "http://me:secret@127.0.0.1:1"]);
    assert!(doctor.result_with(1)["wrong"].as_u64().is_some_and(|wrong| wrong > 0));
    assert!(!doctor.stdout.contains("secret"));
}

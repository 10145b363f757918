//! A file on disk says nothing about chain and store: both are asked before anything counts as
//! sealed.

use super::{World, node_options, png, wallet};
use medseal::chain::DevNode;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Stdio;

fn opens(world: &World, image: &Value, file: &str) {
    let id = image["imageId"].as_str().expect("an id");
    world.medseal(&["open", id, "-o", "opened", "--force"]).result();
    assert!(world.read("opened") == world.read(file), "{file} did not come back byte for byte");
}

/// Makes a job that is ready and was never sent, for want of money; returns its folder.
fn unsent(world: &World, file: &str) -> PathBuf {
    world.ask("anvil_setBalance", json!([wallet(1), "0x0"]));
    assert_ne!(world.medseal(&["seal", file]).code, 0);
    world.ask("anvil_setBalance", json!([wallet(1), "0x56bc75e2d63100000"]));
    let jobs = std::fs::read_dir(world.path(".medseal/sender/jobs")).expect("jobs");
    let mut folders = jobs.map(|job| job.expect("a job").path()).filter(|job| job.join("sealed.msl").exists());
    folders.next().expect("a ready job")
}

#[test]
fn what_the_store_lost_is_sealed_anew() {
    let world = World::new();
    world.write("a.png", png(9, 9, 1));
    let first = world.seal("a.png", &[]);
    std::fs::remove_dir_all(world.path(".medseal/store")).expect("removed");
    let second = world.seal("a.png", &[]);
    assert_eq!(second["already"], false);
    assert_eq!(second["renewedBecause"], "the store had lost what was registered");
    assert_ne!(first["imageId"], second["imageId"], "another salt");
    opens(&world, &second, "a.png");
    assert_eq!(world.seal("a.png", &[])["already"], true);
    // A byte that was changed is as good as lost.
    let block = world.block(&second);
    let mut bytes = std::fs::read(&block).expect("stored");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&block, bytes).expect("changed");
    let third = world.seal("a.png", &[]);
    assert_ne!(third["imageId"], second["imageId"]);
    opens(&world, &third, "a.png");
}

#[test]
fn what_the_chain_lost_is_registered_again() {
    let mut world = World::new();
    world.write("a.png", png(9, 9, 1));
    let first = world.seal("a.png", &[]);
    world.node = world.runtime.block_on(DevNode::start(&node_options())).expect("anvil");
    std::fs::remove_dir_all(world.path(".medseal/outbox")).expect("moved away, as the error says");
    world.medseal(&["deploy"]).result();
    world.medseal(&["kgc", "publish"]).result();
    let second = world.seal("a.png", &[]);
    assert_eq!((&second["already"], &second["imageId"]), (&json!(false), &first["imageId"]), "the same sealed image");
    opens(&world, &second, "a.png");
}

#[test]
fn what_a_replaced_kgc_could_not_open_is_sealed_anew() {
    let world = World::new();
    world.write("a.png", png(9, 9, 1));
    unsent(&world, "a.png");
    std::fs::remove_dir_all(world.path(".medseal/kgc")).expect("removed");
    world.medseal(&["kgc", "init", "--no-passphrase"]).result();
    let image = world.seal("a.png", &[]);
    assert_eq!(image["renewedBecause"], "the KGC had another key when the unfinished files were made");
    opens(&world, &image, "a.png");
}

#[test]
fn damaged_files_of_a_ready_job_never_stick() {
    let world = World::new();
    let damages = ["sealed.msl", "sealed.keys"].into_iter().flat_map(|file| [(file, true), (file, false)]);
    for (number, (file, changed)) in (0..).zip(damages) {
        let name = format!("{number}.png");
        world.write(&name, png(9, 9, number));
        let path = unsent(&world, &name).join(file);
        if changed {
            std::fs::write(&path, b"MEDSEAL\n").expect("written");
        } else {
            std::fs::remove_file(&path).expect("removed");
        }
        std::fs::remove_dir_all(world.path(".medseal/store")).expect("removed");
        let image = world.seal(&name, &[]);
        assert_eq!(image["renewedBecause"], "the unfinished files were damaged or gone", "{file}, changed: {changed}");
        opens(&world, &image, &name);
    }
}

#[test]
fn another_wallet_does_not_finish_this_ones_job() {
    let world = World::new();
    world.write("a.png", png(9, 9, 1));
    unsent(&world, "a.png");
    let image = world.seal("a.png", &["--dev-account", "8"]);
    let shown = world.medseal(&["show", image["imageId"].as_str().expect("an id")]).result();
    assert_eq!(shown["record"]["sender"], wallet(8), "the id that was printed is that of the record");
    world.seal("a.png", &[]);
    assert_eq!(world.records(), 2, "each wallet its own");
}

#[test]
fn two_at_once_seal_each_file_once() {
    const FILES: usize = 8;
    let world = World::new();
    for number in 0..FILES {
        world.write(&format!("scans/{number}.png"), png(20, 20, number as u64));
    }
    let start = |args: &[&str]| {
        let mut command = world.command(args);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts")
    };
    let mut both = [start(&["seal", "scans"]), start(&["seal", "scans", "--relayer", "relayer"])];
    for child in &mut both {
        child.wait().expect("it ends");
    }
    let images = world.medseal(&["seal", "scans"]).result();
    let images = images["images"].as_array().expect("images").clone();
    assert_eq!((images.len(), world.records()), (FILES, FILES as u64));
    for image in &images {
        opens(&world, image, image["file"].as_str().expect("a name"));
    }
}

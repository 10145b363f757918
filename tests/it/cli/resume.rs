//! A second start finishes what the first one began: one record for each file, whatever killed the
//! first.

use super::{World, png};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// The jobs of the sender: folder, and description where it stands already.
fn jobs(world: &World) -> Vec<(PathBuf, Option<Value>)> {
    let Ok(entries) = std::fs::read_dir(world.path(".medseal/sender/jobs")) else { return Vec::new() };
    let read = |path: PathBuf| {
        let text = std::fs::read(path.join("job.json")).ok();
        (path, text.map(|text| serde_json::from_slice(&text).expect("whole, where it is there")))
    };
    entries.map(|entry| read(entry.expect("an entry").path())).collect()
}

fn start(world: &World, args: &[&str]) -> Child {
    world.command(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts")
}

/// SIGKILL, and the end of it.
fn kill(mut child: Child) {
    child.kill().expect("killed");
    child.wait().expect("ended");
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what} did not happen");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn opens(world: &World, image: &Value) {
    let (file, id) = (image["file"].as_str().expect("a name"), image["imageId"].as_str().expect("an id"));
    world.medseal(&["open", id, "-o", "opened", "--force"]).result();
    assert!(world.read("opened") == world.read(file), "{file} did not come back byte for byte");
}

#[test]
fn kill_minus_nine_at_any_time() {
    const FILES: usize = 24;
    const KILLS: usize = 8;
    const SEED: u64 = 0x006d_6564_7365_616c;
    let world = World::new();
    for number in 0..FILES {
        let side = 10 + u32::try_from(number).expect("small");
        world.write(&format!("scans/{number:02}.png"), png(side, 40, number as u64));
    }
    // xorshift64: how long after the next sign of life each run is killed.
    let mut random = SEED;
    let mut delay = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        Duration::from_millis(random % 60)
    };
    let mut interrupted = 0;
    for _ in 0..KILLS {
        let begun = jobs(&world).len();
        let mut child = start(&world, &["seal", "scans", "--batch", "3"]);
        wait_until("another job", || jobs(&world).len() > begun || child.try_wait().expect("a child").is_some());
        std::thread::sleep(delay());
        kill(child);
        let records = world.records();
        interrupted += usize::from(records > 0 && records < FILES as u64);
    }
    assert!(interrupted > 0, "no kill came between the first record and the last (seed {SEED:#x})");
    let result = world.medseal(&["seal", "scans", "--batch", "5"]).result();
    let images = result["images"].as_array().expect("images");
    assert_eq!((images.len(), world.records()), (FILES, FILES as u64), "seed {SEED:#x}: {result}");
    for image in images {
        opens(&world, image);
    }
    // Done is done.
    let again = world.medseal(&["seal", "scans"]).result();
    assert!(again["images"].as_array().expect("images").iter().all(|image| image["already"] == true));
    assert_eq!(world.records(), FILES as u64);
    assert!(jobs(&world).iter().all(|(folder, _)| !folder.join("sealed.msl").exists()), "only descriptions are kept");
}

#[test]
fn killed_while_the_transaction_waits() {
    let world = World::new();
    world.write("a.png", png(9, 9, 1));
    world.ask("evm_setAutomine", json!([false]));
    let child = start(&world, &["seal", "a.png"]);
    let pending = || world.ask("eth_getBlockTransactionCountByNumber", json!(["pending"])) != json!("0x0");
    wait_until("a transaction in the pool", pending);
    kill(child);
    let begun = jobs(&world);
    let [(_, Some(job))] = begun.as_slice() else { panic!("expected one job, found {begun:?}") };
    assert_eq!(job["registered"], Value::Null);
    world.ask("evm_setAutomine", json!([true]));
    world.ask("evm_mine", json!([]));
    let image = world.seal("a.png", &[]);
    assert_eq!((&image["imageId"], world.records()), (&job["imageId"], 1));
    opens(&world, &image);
}

#[test]
fn finished_but_never_sent() {
    let world = World::new();
    world.write("a.png", png(9, 9, 1));
    // Without money nothing is sent: the job is ready, and the chain knows nothing of it.
    let (sender, balance) = (super::wallet(1), world.ask("eth_getBalance", json!([super::wallet(1), "latest"])));
    world.ask("anvil_setBalance", json!([sender, "0x0"]));
    let run = world.medseal(&["seal", "a.png"]);
    assert_ne!(run.code, 0, "{}", run.stdout);
    assert!(
        run.json()["error"]["message"].as_str().expect("a message").to_lowercase().contains("fund"),
        "{}",
        run.stdout
    );
    let begun = jobs(&world);
    let [(folder, Some(job))] = begun.as_slice() else { panic!("expected one job, found {begun:?}") };
    assert_eq!((&job["registered"], world.records()), (&Value::Null, 0));
    let sealed = std::fs::read(folder.join("sealed.msl")).expect("kept");
    world.ask("anvil_setBalance", json!([sender, balance]));
    let image = world.seal("a.png", &[]);
    for name in ["imageId", "contentHash", "salt", "cid", "capsulesCid"] {
        assert_eq!(image[name], job[name], "{name}: it is the same sealed image");
    }
    assert_eq!((&image["already"], world.records()), (&false.into(), 1));
    assert!(std::fs::read(world.block(&image)).expect("stored") == sealed);
    opens(&world, &image);
}

#[test]
fn registered_but_not_noted() {
    let world = World::new();
    world.write("a.png", png(9, 9, 1));
    let first = world.seal("a.png", &[]);
    // As if it had been killed after the transaction was mined and before that was written down.
    let begun = jobs(&world);
    let [(folder, Some(job))] = begun.as_slice() else { panic!("expected one job, found {begun:?}") };
    let mut job = job.clone();
    job["registered"] = Value::Null;
    let sealed = std::fs::read(world.block(&first)).expect("stored");
    let mut capsules = first.clone();
    capsules["cid"] = first["capsulesCid"].clone();
    std::fs::write(folder.join("job.json"), job.to_string()).expect("written");
    std::fs::write(folder.join("sealed.msl"), sealed).expect("written");
    std::fs::copy(world.block(&capsules), folder.join("sealed.keys")).expect("copied");
    let second = world.seal("a.png", &[]);
    for name in ["imageId", "contentHash", "transaction", "block", "gas"] {
        assert_eq!(first[name], second[name], "{name}");
    }
    assert_eq!((&second["already"], world.records()), (&false.into(), 1));
    assert!(!folder.join("sealed.msl").exists() && !folder.join("sealed.keys").exists());
}

#[test]
fn half_a_job_is_begun_anew() {
    let world = World::new();
    world.write("a.png", png(9, 9, 1));
    let first = world.seal("a.png", &["--again"]);
    let begun = jobs(&world);
    let [(folder, Some(_))] = begun.as_slice() else { panic!("expected one job, found {begun:?}") };
    // Files, and no description: they may not be whole.
    std::fs::remove_file(folder.join("job.json")).expect("removed");
    std::fs::write(folder.join("sealed.msl"), b"half").expect("written");
    std::fs::write(folder.join(".tmpXYZ"), b"h").expect("written");
    let second = world.seal("a.png", &[]);
    assert_ne!(first["imageId"], second["imageId"], "another salt");
    opens(&world, &second);
    // A damaged description is an error, not a new image.
    std::fs::write(folder.join("job.json"), "{").expect("written");
    let refusal = world.refused(&["seal", "a.png"], 1, "STATE");
    assert!(refusal.message.contains("does not describe a job"), "{}", refusal.message);
    std::fs::remove_dir_all(folder).expect("removed");
    // A ready job whose file was changed is not registered.
    world.write("b.png", png(9, 9, 2));
    world.ask("anvil_setBalance", json!([super::wallet(1), "0x0"]));
    assert_ne!(world.medseal(&["seal", "b.png"]).code, 0);
    world.ask("anvil_setBalance", json!([super::wallet(1), "0x56bc75e2d63100000"]));
    let ready = jobs(&world).into_iter().map(|(folder, _)| folder.join("sealed.msl")).filter(|file| file.exists());
    let ready: Vec<PathBuf> = ready.collect();
    let [file] = ready.as_slice() else { panic!("expected one, found {ready:?}") };
    let mut bytes = std::fs::read(file).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(file, bytes).expect("written");
    let job: Value =
        serde_json::from_slice(&std::fs::read(file.with_file_name("job.json")).expect("read")).expect("JSON");
    let records = world.records();
    let image = world.seal("b.png", &[]);
    // The store had it already, whole: that is what is registered.
    assert_eq!(image["contentHash"], job["contentHash"], "it is not the changed file");
    assert_eq!(world.records(), records + 1);
    opens(&world, &image);
}

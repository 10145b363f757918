//! The life of a key center: new keys, old ones that end, copies of them, and the way back.

mod backup;
mod canary;
mod rewrap;
mod rotate;

use super::{World, png};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const KEY_FILE: &str = ".medseal/kgc/kgc.json";
const BEFORE: &str = ".medseal/kgc/kgc.json.before";

impl World {
    /// Seals a phantom of its own for each seed, and returns the image's id.
    fn sealed(&self, seed: u64) -> String {
        let name = format!("{seed}.png");
        self.write(&name, png(9, 9, seed));
        self.seal(&name, &[])["imageId"].as_str().expect("an id").to_owned()
    }

    /// Opens the image, and checks that it is that of this seed.
    #[track_caller]
    fn opens(&self, id: &str, seed: u64) {
        self.medseal(&["open", id, "-o", "opened", "--force"]).result();
        assert!(self.read("opened") == png(9, 9, seed), "{id} is not {seed}");
    }

    /// The epoch of the KGC's capsule in the newest set on chain.
    fn epoch_of(&self, id: &str) -> Value {
        self.medseal(&["capsules", "show", id]).result()["holders"][0]["epoch"].take()
    }

    fn status(&self) -> Value {
        self.medseal(&["kgc", "status"]).result()
    }

    /// Each epoch in the key file and what the chain has of it.
    fn epochs(&self) -> Vec<(u64, String)> {
        let status = self.status();
        let epochs = status["epochs"].as_array().expect("a list").iter();
        epochs
            .map(|one| (one["epoch"].as_u64().expect("a number"), one["onChain"].as_str().expect("text").to_owned()))
            .collect()
    }

    fn kgc(&self, args: &[&str]) -> Value {
        self.medseal(&[&["kgc"], args].concat()).result()
    }

    /// The epoch in which the KGC is on chain.
    fn on_chain(&self) -> u64 {
        self.status()["onChain"]["epoch"].as_u64().expect("a number")
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("it is there").permissions().mode() & 0o7777
}

fn published(epochs: &[u64]) -> Vec<(u64, String)> {
    epochs.iter().map(|epoch| (*epoch, "published".to_owned())).collect()
}

/// All names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("text")).collect();
    names.sort();
    names
}

fn list(ids: &[String]) -> Vec<&str> {
    ids.iter().map(String::as_str).collect()
}

/// What `--json` says of nothing gone wrong.
fn none() -> Value {
    json!([])
}

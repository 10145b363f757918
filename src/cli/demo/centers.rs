//! The demo's act with three key centers, each a process of its own: two of them open a scan.

use super::acts::Story;
use crate::cli::error::CliError;
use crate::cli::output::say;
use crate::cli::stdio::shown_path;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// One of the key centers, which runs.
struct Center {
    home: PathBuf,
    child: Child,
    url: String,
}

impl Drop for Center {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn not_run(source: std::io::Error) -> CliError {
    CliError::File { act: "run", path: PathBuf::from("medseal"), source }
}

/// `medseal` as people elsewhere run it: a program that knows nothing but what it is told.
struct Elsewhere<'a> {
    out: &'a Path,
    rpc_url: String,
}

impl Elsewhere<'_> {
    fn command(&self, home: &Path, words: &[&str]) -> Result<Command, CliError> {
        let mut command = Command::new(std::env::current_exe().map_err(not_run)?);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("ETH_RPC_URL", &self.rpc_url).env("MEDSEAL_HOME", home);
        command.env("MEDSEAL_DEPLOYMENTS", self.out.join("deployments"));
        command.env("MEDSEAL_KGC_PASSWORD", self.out.join("kgc-passphrase"));
        command.args(words).stdin(Stdio::null());
        Ok(command)
    }

    /// What a command said with `--json`: its result, or its error.
    fn run(&self, home: &Path, words: &[&str]) -> Result<Result<Value, Value>, CliError> {
        let done = self.command(home, words)?.arg("--json").stderr(Stdio::null()).output().map_err(not_run)?;
        let mut said: Value = serde_json::from_slice(&done.stdout).unwrap_or_default();
        Ok(if done.status.success() { Ok(said["result"].take()) } else { Err(said["error"].take()) })
    }

    /// Starts a key center with the key file in this home.
    fn serve(&self, home: PathBuf) -> Result<Center, CliError> {
        let mut command = self.command(&home, &["kgc", "serve", "--listen", "127.0.0.1:0", "--anchor-every", "0"])?;
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().map_err(not_run)?;
        let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut center = Center { home, child, url: String::new() };
        let mut said = String::new();
        for line in stderr.lines() {
            let line = line.map_err(not_run)?;
            if let Some((_, url)) = line.split_once(" listens at ") {
                url.clone_into(&mut center.url);
                return Ok(center);
            }
            said += &line;
        }
        Err(not_run(std::io::Error::other(said)))
    }
}

impl Story<'_> {
    /// Three key centers hold the key of one more scan together. One is killed, and the second
    /// wallet opens it all the same; whom the other two refuse has it in writing.
    pub(super) async fn three_centers(&mut self, out: &Path) -> Result<(), CliError> {
        let people = Elsewhere { out, rpc_url: self.stage.rpc_url() };
        let state = out.join("state");
        let homes = [state.clone(), out.join("kgc-2"), out.join("kgc-3")];
        let mut centers = Vec::new();
        for home in homes {
            if home != state
                && let Err(error) = people.run(&home, &["kgc", "init"])?
            {
                say(&format!("kgc init: {}", error["message"]));
            }
            centers.push(people.serve(home)?);
        }
        let urls: Vec<&str> = centers.iter().map(|center| center.url.as_str()).collect();
        let urls = urls.join(",");
        let (path, reader) = (&self.paths[0], self.stage.actor("reader").await?.wallet.address().to_string());
        let scan = path.display().to_string();
        let with = |words: &[&str]| people.run(&state, &[words, &["--kgc-url", &urls]].concat());
        let sealed = with(&["seal", &scan, "--again", "--threshold", "2", "--as", "sender"])?;
        let id = sealed.as_ref().ok().and_then(|sealed| sealed["images"][0]["imageId"].as_str()).unwrap_or_default();
        let name = super::acts::name_of(path);
        self.check(
            format!("{name}: sealed once more, its key shared by three key centers, any two of which give it"),
            !id.is_empty(),
        );

        let granted = people.run(&state, &["grant", id, &reader, "--as", "sender"])?.is_ok();
        let dead = centers.swap_remove(1);
        drop(dead);
        let opened = out.join("opened-by-two-of-three");
        let place = opened.display().to_string();
        let open = with(&["open", id, "-o", &place, "--as", "reader"])?;
        if let Err(error) = &open {
            say(&format!("{name}: {}", error["message"]));
        }
        let same = std::fs::read(&opened).is_ok_and(|opened| std::fs::read(path).is_ok_and(|scan| scan == opened));
        self.check(
            format!("{name}: one of the three was killed, and the second wallet opened it byte for byte"),
            granted && same,
        );

        let before = out.join("never");
        let refused = with(&["open", id, "-o", &before.display().to_string(), "--as", "stranger"])?.is_err();
        let receipts = refusals(&state.join("stranger").join("receipts"), id);
        self.check(
            format!("a third wallet is refused by the two that are left, in {} signed receipts", receipts.len()),
            refused && receipts.len() == 2 && !before.exists(),
        );
        let mut on_chain = 0;
        for center in &centers {
            let log = center.home.join("kgc").join("release.log");
            let lines = std::fs::read_to_string(&log).unwrap_or_default();
            let has_line = receipts.iter().any(|digest| lines.lines().any(|line| line.contains(digest.as_str())));
            let anchored = people.run(&center.home, &["kgc", "anchor"])?.is_ok();
            let audit = people.run(&center.home, &["audit", "--kgc-log", &log.display().to_string()])?;
            let all = audit.is_ok_and(|found| found["anchored"] == found["lines"]);
            on_chain += usize::from(has_line && anchored && all);
        }
        let logs = shown_path(&centers[0].home.join("kgc").join("release.log"));
        self.check(
            format!("the refusals stand in the logs of both ({logs}), and the logs' heads on chain"),
            on_chain == 2,
        );
        Ok(())
    }
}

/// The requests in the receipts of this folder that refuse a key of this image.
fn refusals(folder: &Path, image_id: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let receipt = |path: PathBuf| serde_json::from_slice::<Value>(&std::fs::read(path).ok()?).ok();
    let kept = entries.filter_map(|entry| receipt(entry.ok()?.path()));
    let about = kept.filter(|receipt| receipt["imageId"] == image_id && receipt["decision"] == 3);
    about.filter_map(|receipt| receipt["requestDigest"].as_str().map(str::to_owned)).collect()
}

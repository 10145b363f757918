//! A watch on a Geth that is killed: its chain lies in its folder, with the state of every block.

use super::{CHAIN_ID, Geth};
use crate::cli::watch::restarts::{Mortal, deployed, watched};
use serde_json::Value;

impl Mortal for Geth {
    /// It writes every block at once.
    fn keep(&mut self, _: &Value) {}

    fn kill_and_start(&mut self, _: usize, _: &Value) -> bool {
        self.process.kill().expect("killed");
        self.process.wait().expect("gone");
        std::thread::sleep(std::time::Duration::from_millis(400));
        self.process = self.spawn();
        false
    }
}

#[test]
fn geth_is_killed_ten_times_and_nothing_is_missed_or_repeated() {
    let Some(mut geth) = Geth::start_to_be_killed() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let rpc = geth.rpc.clone();
    let counts = runtime.block_on(async {
        let registry = deployed(folder.path(), &rpc, CHAIN_ID).await;
        watched(folder.path(), &registry, &mut geth, 10, 100).await
    });
    eprintln!("watch on geth: {counts}");
    assert!(counts.events >= 1000 && counts.kills == 10, "{counts:?}");
}

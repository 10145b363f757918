//! What `scripts/bench` measures against Kubo's own program: objects into an IPFS node and out of
//! it again, as `medseal` does it.
//!
//! ```text
//! store put N FILE...     N at a time; prints a line for each: its CID and its SHA-256
//! store get N             reads such lines and writes the objects' bytes in their order
//! ```
//! `IPFS_API` and `MEDSEAL_IPFS_TOKEN_FILE` name the node and its token, as for `medseal`.

use std::error::Error;
use std::io::Write;
use std::sync::Arc;

use alloy::primitives::B256;
use futures_util::{StreamExt, TryStreamExt, stream};
use medseal::storage::kubo::{Deadlines, KuboOptions, Token};
use medseal::storage::{Cid, KuboStore, Store};
use sha2::{Digest, Sha256};

type Failure = Box<dyn Error>;

// As the command line has it.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["put", at_once, files @ ..] => put(&store()?, at_once.parse()?, files).await,
        ["get", at_once] => get(&store()?, at_once.parse()?).await,
        // `cargo bench` alone: there is no node.
        _ => Err("scripts/bench runs this".into()),
    }
}

fn store() -> Result<KuboStore, Failure> {
    let token = std::fs::read_to_string(std::env::var("MEDSEAL_IPFS_TOKEN_FILE")?)?;
    let nodes = vec![(std::env::var("IPFS_API")?.parse()?, Token::new(token.trim()))];
    Ok(KuboStore::new(KuboOptions { nodes, replicas: 1, deadlines: Deadlines::default(), notice: Arc::new(|_| ()) })?)
}

async fn put(store: &KuboStore, at_once: usize, files: &[&str]) -> Result<(), Failure> {
    let one = async |file: &&str| {
        let bytes = std::fs::read(file)?;
        let hash = B256::from_slice(&Sha256::digest(&bytes));
        Ok::<_, Failure>(format!("{} {hash}\n", store.put(&bytes).await?))
    };
    let lines: String = stream::iter(files).map(one).buffered(at_once).try_collect().await?;
    Ok(std::io::stdout().write_all(lines.as_bytes())?)
}

async fn get(store: &KuboStore, at_once: usize) -> Result<(), Failure> {
    let text = std::io::read_to_string(std::io::stdin())?;
    let one = async |line: &str| {
        let (cid, hash) = line.split_once(' ').ok_or("expected a CID and a SHA-256")?;
        Ok::<_, Failure>(store.get(&cid.parse::<Cid>()?, &hash.parse::<B256>()?.0).await?)
    };
    let mut objects = stream::iter(text.lines()).map(one).buffered(at_once);
    while let Some(bytes) = objects.try_next().await? {
        std::io::stdout().write_all(&bytes)?;
    }
    Ok(())
}

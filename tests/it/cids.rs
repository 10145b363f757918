//! Our CIDs against js-ipfs-unixfs, an implementation that shares no code with ours
//! (`tests/oracles/cids.mjs`).

use std::path::PathBuf;
use std::process::Command;

use medseal::storage::{Cid, blocks};

/// The `node_modules` folder: of `$MEDSEAL_TOOLS`, which `scripts/test` fills, or of
/// `target/tools`.
fn modules() -> PathBuf {
    let tools = std::env::var_os("MEDSEAL_TOOLS")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/tools"));
    let modules = tools.join("node_modules");
    let importer = modules.join("ipfs-unixfs-importer/package.json");
    assert!(importer.is_file(), "no {}: scripts/test installs it, or set MEDSEAL_TOOLS", importer.display());
    modules
}

/// What the oracle gives to each file, in order.
fn oracle(files: &[(&str, usize)]) -> Vec<String> {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/oracles/cids.mjs");
    let mut node = Command::new("node");
    node.arg(script).arg(modules());
    for (fill, size) in files {
        node.arg(fill).arg(size.to_string());
    }
    let output = node.output().expect("node starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("text");
    let cids = lines.lines().zip(files).map(|(line, (fill, size))| {
        let expected = format!("{fill} {size} ");
        line.strip_prefix(&expected).unwrap_or_else(|| panic!("expected {expected}CID, found {line}")).to_owned()
    });
    let cids: Vec<String> = cids.collect();
    assert_eq!(cids.len(), files.len(), "one line for each file");
    cids
}

/// The oracle's files: byte i of `pattern` is (31 i + 7) mod 251.
fn content(fill: &str, size: usize) -> Vec<u8> {
    match fill {
        "zeros" => vec![0; size], // pages that are only read cost no memory
        "pattern" => (0..size).map(|i| u8::try_from((31 * i + 7) % 251).expect("below 251")).collect(),
        _ => panic!("no fill {fill}"),
    }
}

#[test]
fn cids_equal_an_independent_implementation() {
    const MIB: usize = 1 << 20;
    let files = [
        ("pattern", 0),
        ("pattern", 1),
        ("pattern", 5),
        ("pattern", 262_144),
        ("pattern", MIB - 1),
        ("pattern", MIB),
        ("pattern", MIB + 1),
        ("pattern", 3 * MIB + 7),
        ("pattern", 5 * MIB + 3),
        ("pattern", 20 * MIB),
        ("zeros", 174 * MIB),      // the links of the older profile
        ("zeros", 1024 * MIB),     // one full index
        ("zeros", 1024 * MIB + 1), // two levels of indices
    ];
    for ((fill, size), expected) in files.into_iter().zip(oracle(&files)) {
        assert_eq!(Cid::of(&content(fill, size)).to_string(), expected, "{fill} {size}");
    }
}

#[test]
fn the_blocks_are_those_of_the_cid() {
    let files = [("pattern", 5), ("pattern", (5 << 20) + 3)];
    for ((fill, size), expected) in files.into_iter().zip(oracle(&files)) {
        let blocks = blocks(&content(fill, size));
        let (root, _) = blocks.last().expect("a root");
        assert_eq!(root.to_string(), expected, "{fill} {size}");
        for (cid, block) in &blocks {
            assert_eq!(Cid::of_block(cid.codec(), block), *cid);
        }
    }
}

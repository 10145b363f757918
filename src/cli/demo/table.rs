//! The demo's result for people and programs.

use super::acts::{Line, Scan, Story};
use crate::cli::output::{shown, table};
use crate::cli::stdio::shown_path;
use crate::words::escaped;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

const HEAD: [&str; 14] = [
    "", "scan", "image id", "size", "key", "cipher", "store", "chain", "entropy", "NPCR %", "UACI %", "MSE", "gas",
    "checks",
];

/// The table, the claims and where everything lies.
pub(super) fn render(story: &Story<'_>, lines: &[Line], pictures: &[PathBuf], out: &Path, red: usize) -> String {
    let mut rows = vec![HEAD.map(str::to_owned).to_vec()];
    rows.extend(story.scans.iter().map(row));
    let mut text = table(&rows);
    text += "\n\n";
    for line in lines {
        text += &format!("{} {}\n", mark(line.holds), escaped(&line.what));
    }
    let entropies: Vec<f64> = story.scans.iter().filter_map(|scan| scan.entropy).collect();
    if !entropies.is_empty() {
        let mean = entropies.iter().sum::<f64>() / entropies.len() as f64;
        text += &format!(
            "\nentropy: bits a byte of the stored ciphertext, mean {mean:.5}, at most 8. NPCR, UACI: one grey level of one pixel changed, \
             same key; ideal for 16 bit 99.9985 and 33.334. MSE: opened against original, 0 is exact.\n"
        );
    }
    for picture in pictures {
        text += &format!("picture: {}\n", shown_path(picture));
    }
    text +=
        &format!("state of every actor: {}; delete {} to clean up\n", shown_path(&out.join("state")), shown_path(out));
    text += &match red {
        0 => "ok everything held".to_owned(),
        1 => "!! 1 line is red".to_owned(),
        _ => format!("!! {red} lines are red"),
    };
    text
}

fn mark(holds: bool) -> &'static str {
    if holds { "ok" } else { "!!" }
}

fn row(scan: &Scan) -> Vec<String> {
    let ms = |duration: Duration| format!("{} ms", duration.as_millis());
    let (timings, avalanche) = (scan.sealed.timings, scan.avalanche);
    let failed: Vec<&str> = scan.checks.iter().filter(|check| !check.holds).map(|check| check.what.as_str()).collect();
    let checks = match failed.as_slice() {
        [] => format!("{} held", scan.checks.len()),
        failed => format!("NOT: {}", failed.join("; ")),
    };
    let id = scan.image_id.to_string();
    vec![
        mark(scan.holds()).to_owned(),
        scan.name.clone(),
        format!("{}..{}", &id[..10], &id[id.len() - 4..]),
        scan.file.len().to_string(),
        ms(timings.key),
        ms(timings.cipher),
        ms(timings.store),
        ms(timings.chain),
        shown(scan.entropy, 5),
        shown(avalanche.map(|a| a.npcr), 4),
        shown(avalanche.map(|a| a.uaci), 3),
        shown(scan.mse, 0),
        scan.gas.to_string(),
        checks,
    ]
}

/// One scan for programs.
pub(super) fn scan_json(scan: &Scan) -> Value {
    let (timings, avalanche) = (scan.sealed.timings, scan.avalanche);
    json!({
        "file": scan.name,
        "imageId": scan.image_id,
        "contentHash": scan.sealed.job.content_hash,
        "cid": scan.sealed.job.cid,
        "bytes": scan.file.len(),
        "sealedBytes": scan.sealed.job.size,
        "milliseconds": {
            "key": timings.key.as_millis(), "cipher": timings.cipher.as_millis(),
            "store": timings.store.as_millis(), "chain": timings.chain.as_millis(),
        },
        "entropy": scan.entropy,
        "npcr": avalanche.map(|a| a.npcr),
        "uaci": avalanche.map(|a| a.uaci),
        "mse": scan.mse,
        "gas": scan.gas.to_string(),
        "holds": scan.holds(),
        "checks": scan.checks.iter().map(|check| json!({ "check": check.what, "holds": check.holds })).collect::<Vec<_>>(),
    })
}

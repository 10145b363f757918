//! `onnx/README.md`, `onnx/figures.json`, `onnx/vit_keygen.onnx` and the digest in the code: one
//! model, one set of figures.

use std::path::{Path, PathBuf};

use medseal::keygen::MODEL_DIGEST;
use serde_json::Value;
use sha2::{Digest, Sha256};

fn onnx(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("onnx").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(onnx(name)).unwrap()
}

fn figures() -> Value {
    serde_json::from_str(&text("figures.json")).unwrap()
}

fn number(of: &Value, name: &str) -> f64 {
    of[name].as_f64().unwrap_or_else(|| panic!("no number {name}"))
}

/// The table's rows as the card writes them.
fn rows(figures: &Value) -> Vec<String> {
    let cells = |row: &Value| -> Vec<String> {
        row.as_array().unwrap().iter().map(|cell| cell.as_str().unwrap().to_owned()).collect()
    };
    figures["table"].as_array().unwrap().iter().map(|row| format!("| {} |", cells(row).join(" | "))).collect()
}

#[test]
fn the_file_the_code_the_figures_and_the_card_name_one_model() {
    let model = std::fs::read(onnx("vit_keygen.onnx")).unwrap();
    let digest = alloy::hex::encode(Sha256::digest(&model));
    assert_eq!(alloy::hex::encode(MODEL_DIGEST), digest, "MODEL_DIGEST and the file");
    assert_eq!(figures()["sha256"], digest, "figures.json and the file");
    assert_eq!(figures()["bytes"], model.len(), "figures.json and the file");
    assert!(model.len() <= 4 << 20, "at most 4 MiB, found {} bytes", model.len());
    let card = text("README.md");
    assert!(card.contains(&format!("\n| SHA-256 | `{digest}` |\n")), "the card names another digest than {digest}");
}

#[test]
fn the_card_shows_every_row_of_the_figures() {
    let card = text("README.md");
    let shown: Vec<&str> = card.split("<!-- figures -->").nth(1).unwrap().lines().collect();
    let rows = rows(&figures());
    assert_eq!(rows.len(), 12, "nine figures and three pairs of engines");
    for row in &rows {
        assert!(shown.contains(&row.as_str()), "not in the card: {row}");
    }
}

#[test]
fn the_rows_say_what_was_measured() {
    let figures = figures();
    let rows = rows(&figures);
    let columns = ["fairCoins", "untrained", "trained"];
    let percent =
        |name: &str| columns.map(|column| format!("{:.2} %", 100.0 * number(&figures[column], name))).join(" | ");
    for (row, name) in [(0, "meanFlips"), (2, "shareEnoughFlips"), (6, "meanDistance")] {
        assert!(rows[row].ends_with(&format!(" | {} |", percent(name))), "{name}: {}", rows[row]);
    }
    let bias = columns.map(|column| format!("{:.4}", number(&figures[column], "worstBias"))).join(" | ");
    assert!(rows[3].ends_with(&format!(" | {bias} |")), "{}", rows[3]);
}

/// Each goal, and whether these figures reach it.
fn goals(figures: &Value) -> [(&'static str, bool); 7] {
    let trained = &figures["trained"];
    let half = |name| (number(trained, name) - 0.5).abs() <= 0.005;
    let engines = figures["engines"].as_object().unwrap();
    let least_equal = engines.values().filter_map(|pair| pair["equalBits"].as_f64()).fold(1.0, f64::min);
    [
        ("mean flips", half("meanFlips")),
        ("share of changes that flip 45 %", number(trained, "shareEnoughFlips") >= 0.99),
        ("worst bias", number(trained, "worstBias") <= 0.02),
        ("correlation", number(trained, "correlationRmsTimesRootImages") <= 1.3),
        ("mean distance", half("meanDistance")),
        ("pairs under 40 %", number(trained, "pairs") >= 5e5 && number(trained, "pairsUnder40Percent") == 0.0),
        ("engines", engines.len() == 4 && least_equal >= 0.9999),
    ]
}

#[test]
fn the_model_reaches_its_goals_and_its_untrained_twin_does_not() {
    let mut figures = figures();
    assert!(number(&figures["trained"], "images") >= 16_000.0);
    assert_eq!(figures["goalsMissed"], serde_json::json!([]));
    for (goal, reached) in goals(&figures) {
        assert!(reached, "{goal}");
    }
    // The twin shows that these bounds can fail, and that training is what gives the avalanche.
    figures["trained"] = figures["untrained"].clone();
    let reached: Vec<&str> = goals(&figures).iter().filter(|(_, reached)| *reached).map(|(goal, _)| *goal).collect();
    for goal in ["mean flips", "share of changes that flip 45 %", "worst bias"] {
        assert!(!reached.contains(&goal), "the untrained twin reaches {goal}");
    }
}

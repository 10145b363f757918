//! The summary as one HTML page that loads nothing: numbers, wallets, open flags, and a time line.

use super::{counts, spelled, verdict};
use crate::audit::{AuditReport, TimeLine};
use crate::cli::output::address;
use alloy::primitives::Address;
use std::fmt::Write;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1b2a33}\
h1{font-size:1.4rem}h2{font-size:1.05rem;margin-top:2rem}table{border-collapse:collapse}td,th{padding:.25rem .7rem .25rem 0;text-align:right;\
border-bottom:1px solid #dde4e8}td:first-child,th:first-child{text-align:left}code{font-size:.85em;overflow-wrap:anywhere}\
.verdict{background:#e8f4ec;border-left:4px solid #2b7a4b;padding:.7rem 1rem}.open{background:#fdf0e6;border-left:4px solid #b8541a;padding:.7rem 1rem}\
svg{width:100%;height:auto}svg text{font-size:11px;fill:#53656f}";

/// Colours of registrations, valid entries, invalid entries and the rest.
const KINDS: [(&str, &str); 4] =
    [("registrations", "#3b76a8"), ("valid entries", "#2b7a4b"), ("invalid entries", "#b8541a"), ("others", "#b4c0c7")];

/// The page for the registry at this address of a chain.
pub(super) fn page((chain, registry): (u64, Address), audited: &AuditReport) -> String {
    let (proven, summary) = (&audited.proven, &audited.summary);
    let (valid, invalid) = summary.verifications();
    let home = address(registry);
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
<title>Audit of {home}</title><style>{STYLE}</style></head><body>\n<h1>Audit of the image registry <code>{home}</code> on chain {chain}</h1>\n\
<p class=\"verdict\"><strong>{}</strong><br>Block of {}. Its header proves the audit head after event {}{}; it follows from the log. Nodes with this block: {}.</p>\n",
        escaped(&verdict(audited)),
        spelled(proven.time),
        audited.seq,
        match audited.storage_proven {
            true => format!(", and the storage root <code>{}</code>", proven.storage_root),
            false => " (not the storage as a whole: anvil computes its root in its own way)".to_owned(),
        },
        escaped(&proven.witnesses.join(", ")),
    );
    let rows = [
        ("images registered", summary.images()),
        ("valid verifications", valid),
        ("invalid verifications", invalid),
        ("open flags", summary.open_flags.len() as u64),
        ("confirmed flags", summary.confirmed_flags),
        ("dismissed flags", summary.dismissed_flags),
    ];
    html += "<h2>In numbers</h2>\n<table>";
    for (name, count) in rows {
        let _ = write!(html, "<tr><td>{name}</td><td>{count}</td></tr>");
    }
    html += "</table>\n<h2>Time line</h2>\n";
    html += &time_line(&summary.time_line);
    for (image, flag) in &summary.open_flags {
        let (verifier, at) = (address(flag.verifier), spelled(flag.raised_at));
        let _ = writeln!(
            html,
            "<p class=\"open\">Flag {} of <code>{image}</code> is open: raised by <code>{verifier}</code> at {at}.</p>",
            flag.flag
        );
    }
    html += "<h2>Who did what</h2>\n<table><tr><th>wallet</th><th>registered</th><th>anchored</th><th>valid</th><th>invalid</th><th>flags raised</th><th>decided</th><th>access</th></tr>\n";
    for (wallet, tally) in &summary.wallets {
        let cells: String = counts(tally).map(|count| format!("<td>{count}</td>")).concat();
        let _ = writeln!(html, "<tr><td><code>{}</code></td>{cells}</tr>", address(*wallet));
    }
    html += "</table>\n<h2>Events</h2>\n<table>";
    for (name, count) in &summary.events {
        let _ = write!(html, "<tr><td>{}</td><td>{count}</td></tr>", escaped(name));
    }
    html += "</table>\n</body></html>\n";
    html
}

/// Bars, one for each step of time.
fn time_line(line: &TimeLine) -> String {
    const WIDTH: f64 = 960.0;
    const HEIGHT: f64 = 160.0;
    let Some((first, _)) = line.steps.first_key_value() else { return "<p>no events</p>\n".to_owned() };
    let most = line.steps.values().map(|counts| counts.iter().sum::<u64>()).max().unwrap_or(1).max(1);
    #[allow(clippy::cast_precision_loss)] // pixels
    let (step, scale) = (WIDTH / line.count().max(12) as f64, HEIGHT / most as f64);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"events by time\">\n<line x1=\"0\" y1=\"{base}\" x2=\"{WIDTH}\" y2=\"{base}\" stroke=\"#8fa1ab\"/>\n",
        HEIGHT + 62.0,
        base = HEIGHT + 10.0
    );
    for (start, counts) in &line.steps {
        #[allow(clippy::cast_precision_loss)] // pixels
        let x = ((start - first) / line.step_secs) as f64 * step;
        let mut top = HEIGHT + 10.0;
        let _ = write!(svg, "<g><title>{}: {} events</title>", spelled(*start), counts.iter().sum::<u64>());
        for ((_, colour), count) in KINDS.iter().zip(counts) {
            #[allow(clippy::cast_precision_loss)] // pixels
            let height = *count as f64 * scale;
            top -= height;
            if *count > 0 {
                let width = (step - 1.0).max(1.0);
                let _ = write!(
                    svg,
                    "<rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{colour}\"/>"
                );
            }
        }
        svg += "</g>\n";
    }
    let last = line.steps.keys().next_back().unwrap_or(first);
    let _ = writeln!(
        svg,
        "<text x=\"0\" y=\"{y}\">{}</text><text x=\"{WIDTH}\" y=\"{y}\" text-anchor=\"end\">{}, a bar for {} s, at most {most} events</text>",
        spelled(*first),
        spelled(*last),
        line.step_secs,
        y = HEIGHT + 26.0
    );
    for (place, (name, colour)) in (0_u32..).zip(KINDS) {
        let (x, y) = (place * 150, HEIGHT + 42.0);
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"{y}\" width=\"10\" height=\"10\" fill=\"{colour}\"/><text x=\"{}\" y=\"{}\">{name}</text>",
            x + 15,
            y + 9.5
        );
    }
    svg + "</svg>\n"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{ProvenBlock, Summary};
    use crate::contract::Trail;
    use alloy::primitives::B256;

    #[test]
    fn what_others_wrote_is_shown_as_text() {
        let mut summary = Summary::default();
        summary.events.insert("<b>\"bold\"</b> & co".to_owned(), 7);
        summary.time_line.steps.insert(0, [1, 2, 3, 4]);
        summary.time_line.steps.insert(60, [0, 0, 0, 1]);
        let trail = Trail::from(B256::ZERO);
        let proven = ProvenBlock {
            block: 5,
            hash: B256::repeat_byte(5),
            parent: B256::ZERO,
            time: 60,
            trail,
            storage_root: B256::ZERO,
            witnesses: vec!["<script>alert(1)</script>".to_owned()],
            silent: vec![],
        };
        let audited = AuditReport {
            rests_on: crate::audit::RestsOn::OneNode,
            proven,
            seq: 0,
            read: 0,
            after_block: 0,
            before: None,
            summary,
            slots: 1,
            storage_proven: true,
        };
        let page = page((31337, Address::ZERO), &audited);
        assert!(!page.contains("<script") && !page.contains("<b>"), "{page}");
        assert!(page.contains("&lt;b&gt;&quot;bold&quot;&lt;/b&gt; &amp; co"), "{page}");
        // Two steps of time: four kinds in the first, one in the second, and the four of the key.
        assert_eq!(page.matches("<rect").count(), 4 + 1 + 4, "{page}");
        assert_eq!(page.matches("<g>").count(), page.matches("</g>").count());
    }
}

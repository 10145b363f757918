//! One measured value beside its ideal and its band, as JSON and as a row of text.

use std::fmt;

use serde::{Serialize, Serializer};

use super::correlation::Correlation;

/// Where a value lies relative to its band.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum BandVerdict {
    /// Inside the band.
    Within,
    /// Outside the band.
    Outside,
    /// Undefined: there is no value.
    Undefined,
    /// There is no band.
    NotJudged,
}

/// One measured value. In JSON an infinite number is the string `"infinite"`, and what is absent is
/// `null`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Measurement {
    /// Its name in JSON.
    pub name: &'static str,
    /// Its name for people.
    pub label: &'static str,
    /// Unit: `bit`, `%`, `dB`, or empty.
    pub unit: &'static str,
    /// What was measured; `None` if undefined.
    #[serde(serialize_with = "number")]
    pub value: Option<f64>,
    /// What an ideal cipher gives, or an exact copy.
    #[serde(serialize_with = "number")]
    pub ideal: Option<f64>,
    /// Lowest and highest value that chance explains, or that is required.
    #[serde(serialize_with = "numbers")]
    pub band: Option<(f64, f64)>,
    /// Where the value lies.
    pub verdict: BandVerdict,
}

/// Name, label, unit.
type Naming = (&'static str, &'static str, &'static str);

impl Measurement {
    pub(super) fn new(
        (name, label, unit): Naming,
        value: Option<f64>,
        ideal: Option<f64>,
        band: Option<(f64, f64)>,
    ) -> Self {
        let verdict = match (value, band) {
            (None, _) => BandVerdict::Undefined,
            (_, None) => BandVerdict::NotJudged,
            (Some(value), Some((low, high))) if low <= value && value <= high => BandVerdict::Within,
            _ => BandVerdict::Outside,
        };
        Self { name, label, unit, value, ideal, band, verdict }
    }

    /// A value that must be one number exactly.
    pub(super) fn exact(what: Naming, value: Option<f64>, ideal: f64) -> Self {
        Self::new(what, value, Some(ideal), Some((ideal, ideal)))
    }

    pub(super) fn correlation(what: Naming, correlation: Correlation) -> Self {
        Self::new(what, correlation.r, Some(0.0), correlation.band())
    }
}

/// A whole number, seven significant digits, `infinite`, or a dash.
struct Shown(Option<f64>);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.pad("-"),
            Some(value) if value.is_infinite() => f.pad("infinite"),
            Some(value) if value.fract() == 0.0 && value.abs() < 1e7 => f.pad(&format!("{value:.0}")),
            Some(value) if (1e-4..1e7).contains(&value.abs()) => {
                let digits = (6.0 - value.abs().log10().floor()).clamp(0.0, 7.0);
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between 0 and 7
                f.pad(&format!("{value:.*}", digits as usize))
            }
            Some(value) => f.pad(&format!("{value:.4e}")),
        }
    }
}

/// One row: label, value and unit, ideal, band, verdict.
impl fmt::Display for Measurement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<34} {:>11} {:<3}", self.label, Shown(self.value), self.unit)?;
        write!(f, "  ideal {:>11}", Shown(self.ideal))?;
        match self.band {
            Some((low, high)) => write!(f, "  band {:>11} .. {:<11}", Shown(Some(low)), Shown(Some(high)))?,
            None => write!(f, "  {:32}", "")?,
        }
        f.write_str(match self.verdict {
            BandVerdict::Within => "  within",
            BandVerdict::Outside => "  OUTSIDE",
            BandVerdict::Undefined => "  undefined",
            BandVerdict::NotJudged => "  not judged",
        })
    }
}

fn number<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    Number(*value).serialize(serializer)
}

fn numbers<S: Serializer>(band: &Option<(f64, f64)>, serializer: S) -> Result<S::Ok, S::Error> {
    band.map(|(low, high)| [Number(Some(low)), Number(Some(high))]).serialize(serializer)
}

struct Number(Option<f64>);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(value) if value == f64::INFINITY => serializer.serialize_str("infinite"),
            value => value.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        let verdict = |value, band| Measurement::new(("x", "x", ""), value, None, band).verdict;
        assert_eq!(verdict(Some(1.0), Some((1.0, 2.0))), BandVerdict::Within);
        assert_eq!(verdict(Some(2.0), Some((1.0, 2.0))), BandVerdict::Within);
        assert_eq!(verdict(Some(0.999), Some((1.0, 2.0))), BandVerdict::Outside);
        assert_eq!(verdict(Some(2.001), Some((1.0, 2.0))), BandVerdict::Outside);
        assert_eq!(verdict(Some(f64::NAN), Some((1.0, 2.0))), BandVerdict::Outside);
        assert_eq!(verdict(None, Some((1.0, 2.0))), BandVerdict::Undefined);
        assert_eq!(verdict(Some(1.0), None), BandVerdict::NotJudged);
    }

    #[test]
    fn json_and_text() {
        let endless = Measurement::exact(("psnr", "PSNR", "dB"), Some(f64::INFINITY), f64::INFINITY);
        let json = serde_json::to_value(&endless).expect("json");
        let expected = serde_json::json!({
            "name": "psnr", "label": "PSNR", "unit": "dB", "value": "infinite", "ideal": "infinite",
            "band": ["infinite", "infinite"], "verdict": "within",
        });
        assert_eq!(json, expected);
        let text = endless.to_string();
        assert!(text.contains("infinite dB") && text.ends_with("within"), "{text}");
        let undefined = Measurement::new(("x", "x", ""), None, Some(0.5), None);
        let json = serde_json::to_value(&undefined).expect("json");
        let expected = serde_json::json!({
            "name": "x", "label": "x", "unit": "", "value": null, "ideal": 0.5, "band": null, "verdict": "undefined",
        });
        assert_eq!(json, expected);
        assert_eq!(Shown(Some(1.0)).to_string(), "1"); // and only then
        assert_eq!(Shown(Some(1.0 - 1e-12)).to_string(), "1.0000000");
        assert_eq!(Shown(Some(7.999_301_4)).to_string(), "7.999301");
        assert_eq!(Shown(Some(-0.001_234)).to_string(), "-0.0012340");
    }
}

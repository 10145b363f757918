//! `medseal measure`.

use super::error::CliError;
use super::output::Outcome;
use crate::envelope::SealedImage;
use crate::imaging::{ByteOrder, ChannelOrder, Geometry, Image, Limits, SampleType, Split, decode};
use crate::metrics::{BandVerdict, Measurement, cipher_image, report};
use crate::pipeline::PipelineError;
use crate::view::MeasureView;
use std::path::{Path, PathBuf};

/// Two images (plain and opened), an image and its sealed image (.msl), or two sealed images that
/// differ in one grey level of the plain one.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// An image, or a sealed image
    #[arg(value_name = "A")]
    first: PathBuf,
    /// An image, or a sealed image
    #[arg(value_name = "B")]
    second: PathBuf,
    /// The plain image that both sealed images were made of: samples are then compared, not bytes
    #[arg(long, value_name = "FILE")]
    like: Option<PathBuf>,
}

/// What can be measured.
enum Measured {
    Image(Box<Image>),
    Ciphertext(Vec<u8>),
}

pub(super) fn run(args: &Args) -> Result<Outcome, CliError> {
    let like = args.like.as_deref().map(read_image).transpose()?;
    let rows = match (read(&args.first)?, read(&args.second)?) {
        (Measured::Image(first), Measured::Image(second)) => images(&first, &second)?,
        (Measured::Image(plain), Measured::Ciphertext(sealed))
        | (Measured::Ciphertext(sealed), Measured::Image(plain)) => {
            report::concealment(&plain, &as_image(&plain, sealed)?)?
        }
        (Measured::Ciphertext(first), Measured::Ciphertext(second)) => ciphertexts(first, second, like.as_ref())?,
    };
    let text = rows.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let (first, second) = (args.first.display().to_string(), args.second.display().to_string());
    Ok(Outcome::new(MeasureView { first, second, measurements: rows }, text))
}

/// A pair of images: how exact a copy one is of the other. What is ideal for a ciphertext stands
/// beside entropy, NPCR and UACI, but does not judge an image.
fn images(first: &Image, second: &Image) -> Result<Vec<Measurement>, CliError> {
    let mut rows = report::recovery(first, second)?;
    let mut others = vec![report::byte_entropy(first.samples()), report::byte_entropy(second.samples())];
    others[0].label = "entropy of A's bytes";
    others[1].label = "entropy of B's bytes";
    if first.samples().len() == second.samples().len() && first.sample_type() == second.sample_type() {
        others.extend(report::avalanche(first, second)?);
    }
    others.extend(report::adjacent_correlations(second));
    for row in &mut others {
        row.label = row.label.trim_end_matches(", sealed");
        row.band = None;
        row.verdict = if row.value.is_some() { BandVerdict::NotJudged } else { BandVerdict::Undefined };
    }
    rows.extend(others);
    Ok(rows)
}

fn ciphertexts(first: Vec<u8>, second: Vec<u8>, like: Option<&Image>) -> Result<Vec<Measurement>, CliError> {
    let mut rows = vec![report::byte_entropy(&first), report::byte_entropy(&second)];
    rows[0].label = "entropy of A's bytes";
    rows[1].label = "entropy of B's bytes";
    match like {
        Some(plain) => {
            let (first, second) = (as_image(plain, first)?, as_image(plain, second)?);
            rows.extend(report::avalanche(&first, &second)?);
            rows.extend(report::adjacent_correlations(&first));
        }
        None => rows.extend(report::avalanche(&as_row(first)?, &as_row(second)?)?),
    }
    Ok(rows)
}

/// Bytes as an image of one row: what NPCR and UACI compare where no image says how wide a sample
/// is.
fn as_row(bytes: Vec<u8>) -> Result<Image, CliError> {
    let width = u32::try_from(bytes.len())
        .map_err(|_| CliError::NotComparable { what: "more than 4 GiB of ciphertext".to_owned() })?;
    let geometry = Geometry { depth: 1, height: 1, width, channels: 1 };
    Image::new(geometry, SampleType::U8, ByteOrder::Little, ChannelOrder::Interleaved, 8, bytes)
        .map_err(|error| CliError::NotComparable { what: error.to_string() })
}

fn as_image(plain: &Image, ciphertext: Vec<u8>) -> Result<Image, CliError> {
    let (expected, found) = (plain.samples().len(), ciphertext.len());
    cipher_image(plain, ciphertext).map_err(|_| CliError::NotComparable {
        what: format!("the sealed image holds {found} bytes and the image {expected}: it was sealed as plain bytes, or is of another image"),
    })
}

fn read_image(path: &Path) -> Result<Image, CliError> {
    match read(path)? {
        Measured::Image(image) => Ok(*image),
        Measured::Ciphertext(_) => {
            Err(CliError::NotComparable { what: format!("{} is a sealed image", path.display()) })
        }
    }
}

fn read(path: &Path) -> Result<Measured, CliError> {
    let bytes = super::seal::read(path)?;
    if bytes.starts_with(&crate::envelope::header::MAGIC) {
        let sealed = SealedImage::decode(&bytes).map_err(PipelineError::from)?;
        return Ok(Measured::Ciphertext(sealed.ciphertext()));
    }
    let scan = decode(&bytes, &Limits::default()).map_err(PipelineError::from)?;
    let why = match scan.split() {
        Split::Whole(reason) => format!(": {reason}"),
        Split::Samples(_) => String::new(),
    };
    let none = || CliError::NotComparable { what: format!("no samples were decoded from {}{why}", path.display()) };
    Ok(Measured::Image(Box::new(scan.into_image().ok_or_else(none)?)))
}

//! Measurements with what is ideal beside each: the rows of `medseal measure`.

use super::correlation::{Direction, adjacent};
use super::quality::{dynamic_range, expected_sealed_mse, mse, nc, psnr, ssim};
use super::samples::{full_scale, is_float};
use super::{Measurement, MetricsError, differential, entropy};
use crate::imaging::Image;

/// An opened image against the image that was sealed: each measure must be that of an exact copy.
///
/// (NC of a constant image is undefined, of a copy too.)
///
/// # Errors
/// [`MetricsError::Geometry`] if the sizes differ.
pub fn recovery(plain: &Image, opened: &Image) -> Result<Vec<Measurement>, MetricsError> {
    let mse = mse(plain, opened)?;
    let psnr = mse.zip(dynamic_range(plain, opened)).map(|(mse, range)| psnr(mse, range));
    Ok(vec![
        Measurement::exact(("mse", "MSE, plain and opened", ""), mse, 0.0),
        Measurement::exact(("psnr", "PSNR, plain and opened", "dB"), psnr, f64::INFINITY),
        Measurement::exact(("ssim", "SSIM, plain and opened", ""), ssim(plain, opened)?, 1.0),
        Measurement::exact(("nc", "NC, plain and opened", ""), nc(plain, opened)?.r, 1.0),
    ])
}

/// A ciphertext ([`super::cipher_image`]) against its image: what it gives away. The rows of the
/// plain image stand there for comparison.
///
/// Entropy by samples is left out for samples of more than 2 bytes, and the comparison of pixels
/// for floating-point numbers, whose bits read as integers are not on the same scale. SSIM has no
/// expectation that does not depend on the image, so it gets no band.
///
/// # Errors
/// [`MetricsError::Geometry`] if the sizes differ, [`MetricsError::SampleWidths`] if the widths of
/// the samples do.
pub fn concealment(plain: &Image, sealed: &Image) -> Result<Vec<Measurement>, MetricsError> {
    super::samples::same_geometry(plain, sealed)?;
    let (first, second) = (plain.sample_type().bytes(), sealed.sample_type().bytes());
    if first != second {
        return Err(MetricsError::SampleWidths { first, second });
    }
    let mut rows = vec![byte_entropy(sealed.samples())];
    if first == 2 {
        rows.push(word_entropy(sealed.samples()));
    }
    let what = ("plainByteEntropy", "entropy of plain bytes", "bit");
    rows.push(Measurement::new(what, entropy::of_bytes(plain.samples()), None, None));
    if first == 2 {
        let what = ("plainSampleEntropy", "entropy of plain samples", "bit");
        rows.push(Measurement::new(what, entropy::of_words(plain.samples()), None, None));
    }
    rows.extend(adjacent_correlations(sealed));
    rows.extend(Direction::ALL.map(|direction| {
        let what = match direction {
            Direction::Horizontal => ("plainHorizontalCorrelation", "horizontal correlation, plain", ""),
            Direction::Vertical => ("plainVerticalCorrelation", "vertical correlation, plain", ""),
            Direction::Diagonal => ("plainDiagonalCorrelation", "diagonal correlation, plain", ""),
        };
        Measurement::new(what, adjacent(plain, direction).r, None, None)
    }));
    if !is_float(plain) {
        rows.extend(distance(plain, sealed)?);
    }
    Ok(rows)
}

/// Adjacent correlations of a ciphertext, or of a permuted image, in the three directions, each
/// with its band.
pub fn adjacent_correlations(sealed: &Image) -> [Measurement; 3] {
    Direction::ALL.map(|direction| {
        let what = match direction {
            Direction::Horizontal => ("horizontalCorrelation", "horizontal correlation, sealed", ""),
            Direction::Vertical => ("verticalCorrelation", "vertical correlation, sealed", ""),
            Direction::Diagonal => ("diagonalCorrelation", "diagonal correlation, sealed", ""),
        };
        Measurement::correlation(what, adjacent(sealed, direction))
    })
}

/// MSE, PSNR, SSIM and NC between an image and its ciphertext.
fn distance(plain: &Image, sealed: &Image) -> Result<[Measurement; 4], MetricsError> {
    let ideal = full_scale(sealed).and_then(|full_scale| expected_sealed_mse(plain, full_scale));
    let range = dynamic_range(plain, sealed);
    let decibels = |mse: f64| range.map(|range| psnr(mse.max(0.0), range));
    let band = ideal.map(|ideal| ideal.band());
    let psnr_band = band.and_then(|(low, high)| decibels(high).zip(decibels(low)));
    let mse = mse(plain, sealed)?;
    Ok([
        Measurement::new(("sealedMse", "MSE, plain and sealed", ""), mse, ideal.map(|i| i.mean), band),
        Measurement::new(
            ("sealedPsnr", "PSNR, plain and sealed", "dB"),
            mse.and_then(decibels),
            ideal.and_then(|ideal| decibels(ideal.mean)),
            psnr_band,
        ),
        Measurement::new(("sealedSsim", "SSIM, plain and sealed", ""), ssim(plain, sealed)?, Some(0.0), None),
        Measurement::correlation(("sealedNc", "NC, plain and sealed", ""), nc(plain, sealed)?),
    ])
}

/// Entropy of the bytes of a ciphertext, eq. (11): also of one that is no image.
pub fn byte_entropy(sealed: &[u8]) -> Measurement {
    let symbols = sealed.len() as u64;
    let what = ("byteEntropy", "entropy of sealed bytes", "bit");
    let ideal = entropy::expected(symbols, 256).mean;
    Measurement::new(what, entropy::of_bytes(sealed), Some(ideal), entropy::band(symbols, 256))
}

/// Entropy of the 2-byte samples of a ciphertext, eq. (11).
pub fn word_entropy(sealed: &[u8]) -> Measurement {
    let symbols = sealed.len() as u64 / 2;
    let what = ("sampleEntropy", "entropy of sealed samples", "bit");
    let ideal = entropy::expected(symbols, 65536).mean;
    Measurement::new(what, entropy::of_words(sealed), Some(ideal), entropy::band(symbols, 65536))
}

/// NPCR and UACI, eq. (12) and (13), of two ciphertexts: of an image, and of the same image with
/// one pixel changed by one grey level, under the same key and salt.
///
/// # Errors
/// [`MetricsError::Geometry`] if the sizes differ, [`MetricsError::SampleWidths`] if the widths of
/// the samples do.
pub fn avalanche(first: &Image, second: &Image) -> Result<Vec<Measurement>, MetricsError> {
    super::samples::same_geometry(first, second)?;
    let width = first.sample_type().bytes();
    if width != second.sample_type().bytes() {
        return Err(MetricsError::SampleWidths { first: width, second: second.sample_type().bytes() });
    }
    let samples = (first.samples().len() / width) as u64;
    let npcr = differential::npcr(first.samples(), second.samples(), width)?;
    let uaci = differential::uaci(first.samples(), second.samples(), width, first.byte_order())?;
    let (npcr_ideal, uaci_ideal) =
        (differential::expected_npcr(samples, width).mean, differential::expected_uaci(samples, width).mean);
    Ok(vec![
        Measurement::new(
            ("npcr", "NPCR", "%"),
            Some(npcr),
            Some(npcr_ideal),
            Some(differential::npcr_band(samples, width)),
        ),
        Measurement::new(
            ("uaci", "UACI", "%"),
            Some(uaci),
            Some(uaci_ideal),
            Some(differential::uaci_band(samples, width)),
        ),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::SampleType;
    use crate::metrics::samples::tests::{SplitMix, image};
    use crate::metrics::{BandVerdict, cipher_image};

    /// A smooth round thing of 16 bits, signed.
    fn phantom(side: i32) -> Image {
        let value = |y: i32, x: i32| (2000 - ((y - side / 2).pow(2) + (x - side / 2).pow(2)) / 4).max(-100);
        let samples =
            (0..side * side).flat_map(|i| i16::try_from(value(i / side, i % side)).expect("small").to_le_bytes());
        let side = side.cast_unsigned();
        image(side, side, SampleType::I16, samples.collect())
    }

    fn verdicts(rows: &[Measurement]) -> Vec<(&str, BandVerdict)> {
        rows.iter().map(|row| (row.name, row.verdict)).collect()
    }

    #[test]
    fn an_exact_copy_and_one_pixel_off() {
        let plain = phantom(64);
        let rows = recovery(&plain, &plain).expect("alike");
        assert!(rows.iter().all(|row| row.verdict == BandVerdict::Within), "{rows:?}");
        let mut samples = plain.samples().to_vec();
        samples[100] ^= 1;
        let off = image(64, 64, SampleType::I16, samples);
        let rows = recovery(&plain, &off).expect("alike");
        assert!(rows.iter().all(|row| row.verdict == BandVerdict::Outside), "{rows:?}");
    }

    #[test]
    fn a_good_ciphertext_is_within_every_band() {
        use BandVerdict::{NotJudged, Within};
        let plain = phantom(128);
        let sealed = cipher_image(&plain, SplitMix(21).bytes(128 * 128 * 2)).expect("as many bytes");
        let rows = concealment(&plain, &sealed).expect("alike");
        let expected = [
            ("byteEntropy", Within),
            ("sampleEntropy", Within),
            ("plainByteEntropy", NotJudged),
            ("plainSampleEntropy", NotJudged),
            ("horizontalCorrelation", Within),
            ("verticalCorrelation", Within),
            ("diagonalCorrelation", Within),
            ("plainHorizontalCorrelation", NotJudged),
            ("plainVerticalCorrelation", NotJudged),
            ("plainDiagonalCorrelation", NotJudged),
            ("sealedMse", Within),
            ("sealedPsnr", Within),
            ("sealedSsim", NotJudged),
            ("sealedNc", Within),
        ];
        assert_eq!(verdicts(&rows), expected);
        let other = cipher_image(&plain, SplitMix(22).bytes(128 * 128 * 2)).expect("as many bytes");
        let rows = avalanche(&sealed, &other).expect("alike");
        assert_eq!(verdicts(&rows), [("npcr", Within), ("uaci", Within)]);
    }

    #[test]
    fn an_image_is_no_ciphertext() {
        let plain = phantom(128);
        let same = cipher_image(&plain, plain.samples().to_vec()).expect("as many bytes");
        let rows = concealment(&plain, &same).expect("alike");
        let judged = rows.iter().filter(|row| row.band.is_some());
        assert!(
            judged.clone().count() == 8 && judged.clone().all(|row| row.verdict == BandVerdict::Outside),
            "{rows:?}"
        );
        let rows = avalanche(&same, &same).expect("alike");
        assert_eq!(verdicts(&rows), [("npcr", BandVerdict::Outside), ("uaci", BandVerdict::Outside)]);
    }

    #[test]
    fn what_does_not_fit() {
        let (bytes, words) = (image(2, 2, SampleType::U8, vec![0; 4]), image(2, 2, SampleType::U16, vec![0; 8]));
        let expected = MetricsError::SampleWidths { first: 1, second: 2 };
        assert_eq!(concealment(&bytes, &words), Err(expected));
        assert!(matches!(avalanche(&words, &bytes), Err(MetricsError::SampleWidths { first: 2, second: 1 })));
        let row = image(1, 4, SampleType::U8, vec![0; 4]);
        assert!(matches!(recovery(&bytes, &row), Err(MetricsError::Geometry { .. })));
    }

    #[test]
    fn the_smallest_image() {
        for (sample_type, bytes) in
            [(SampleType::U8, 1), (SampleType::I16, 2), (SampleType::F32, 4), (SampleType::U64, 8)]
        {
            let plain = image(1, 1, sample_type, vec![0; bytes]);
            let sealed = cipher_image(&plain, vec![0x5a; bytes]).expect("as many bytes");
            let rows = concealment(&plain, &sealed).expect("alike");
            assert!(rows.iter().all(|row| row.verdict != BandVerdict::Outside), "{rows:?}");
        }
        assert_eq!(byte_entropy(&[]).verdict, BandVerdict::Undefined);
    }
}

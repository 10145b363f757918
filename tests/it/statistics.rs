//! The statistics that the security tests of such papers ask for (5.3, eq. (11)-(14)), of phantoms
//! of 512 x 512 pixels, 8 and 16 bits.
//!
//! Same key and same salt; one grey level changes in one pixel. All seeds are fixed, so nothing
//! here is left to chance; each bound has a twin that shows what breaks it.

use medseal::cipher::{FrameCipher, Subkeys};
use medseal::envelope::{Description, Layout, SealedImage, Shape};
use medseal::imaging::{ByteOrder, Format, Geometry, Image, phantom};
use medseal::metrics::correlation::{Correlation, Direction, adjacent};
use medseal::metrics::differential::{expected_npcr, expected_uaci, npcr, uaci};
use medseal::metrics::{Expectation, cipher_image, entropy, quality};

use crate::common::{Fixture, random};

const SIDE: u32 = 512;
const PIXELS: u64 = (SIDE * SIDE) as u64;

/// Samples of one depth: the phantom, and copies of it with one grey level changed in one pixel.
struct Depth {
    plain: Image,
    changed: Vec<Image>,
    sample_bytes: usize,
    fixture: Fixture,
}

fn depths() -> [Depth; 2] {
    [8, 16].map(|bits| {
        let seed = 20_261_122 + u64::from(bits);
        let plain = phantom(SIDE, SIDE, bits, seed);
        // First corner, last corner, the middle, and somewhere.
        let places = [(0, 0), (SIDE - 1, SIDE - 1), (SIDE / 2, SIDE / 2), (377, 42)];
        let changed = places.map(|(row, column)| with_another_grey_level(&plain, row, column)).to_vec();
        Depth { plain, changed, sample_bytes: usize::from(bits / 8), fixture: Fixture::new(seed) }
    })
}

/// The image with the grey level of one pixel one higher, or one lower where it is the highest.
fn with_another_grey_level(image: &Image, row: u32, column: u32) -> Image {
    let bytes = image.sample_type().bytes();
    let start = (row * SIDE + column) as usize * bytes;
    let level = image.sample_bits(0, row as usize, column as usize, 0);
    let highest = (1 << image.bits_stored()) - 1;
    let other = if level == highest { level - 1 } else { level + 1 };
    let mut samples = image.samples().to_vec();
    samples[start..start + bytes].copy_from_slice(&other.to_le_bytes()[..bytes]);
    with_samples(image, samples)
}

fn with_samples(image: &Image, samples: Vec<u8>) -> Image {
    let (geometry, bits) = (image.geometry(), image.bits_stored());
    Image::new(geometry, image.sample_type(), image.byte_order(), image.channel_order(), bits, samples)
        .expect("as many samples")
}

impl Depth {
    fn description(&self) -> Description {
        let layout =
            Layout::Spliced { shape: Shape::from(&self.plain), head: vec![0; 132].into(), tail: Vec::new().into() };
        Description { format: Format::Dicom, file_name: "phantom.dcm".to_owned(), layout }
    }

    /// The sealed samples, without the tag.
    fn seal(&self, image: &Image) -> Vec<u8> {
        let sealed = self.fixture.seal(&self.description(), image.samples());
        SealedImage::decode(&sealed).expect("just sealed").ciphertext()
    }

    /// The samples after confusion alone.
    fn permute(&self, image: &Image) -> Image {
        let subkeys = Subkeys::derive(&self.fixture.context.image_id, &self.fixture.key);
        let layers = FrameCipher::new(&subkeys, [0; 32], 2).layers(1, image.samples(), self.sample_bytes);
        with_samples(image, layers.permuted.to_vec())
    }

    fn npcr(&self, first: &[u8], second: &[u8]) -> f64 {
        npcr(first, second, self.sample_bytes).expect("equal lengths")
    }

    fn uaci(&self, first: &[u8], second: &[u8]) -> f64 {
        uaci(first, second, self.sample_bytes, ByteOrder::Little).expect("equal lengths")
    }
}

/// Whether the value lies within 4 standard deviations of what an ideal cipher gives.
fn within(value: f64, expected: Expectation) -> bool {
    (value - expected.mean).abs() <= 4.0 * expected.sd
}

/// Whether |r| <= 4 / sqrt(n).
fn uncorrelated(Correlation { r, pairs }: Correlation) -> bool {
    r.expect("pixels differ").abs() <= 4.0 / (pairs as f64).sqrt()
}

/// Whether the entropy is that of uniform symbols: of bytes, and of 16-bit samples as symbols.
fn bytes_are_uniform(bytes: &[u8]) -> bool {
    within(entropy::of_bytes(bytes).expect("some bytes"), entropy::expected(bytes.len() as u64, 256))
}

fn words_are_uniform(bytes: &[u8]) -> bool {
    within(entropy::of_words(bytes).expect("some words"), entropy::expected(bytes.len() as u64 / 2, 65_536))
}

#[test]
fn the_phantoms_are_what_the_issue_asks_for() {
    for (depth, bytes) in depths().iter().zip([1, 2]) {
        let geometry = Geometry { depth: 1, height: 512, width: 512, channels: 1 };
        assert_eq!((depth.plain.geometry(), depth.sample_bytes), (geometry, bytes));
        assert_eq!(depth.changed.len(), 4);
        for changed in &depth.changed {
            let differences = depth.plain.values().zip(changed.values()).filter(|(a, b)| a != b);
            let differences: Vec<f64> = differences.map(|(a, b)| (a - b).abs()).collect();
            assert_eq!(differences, [1.0], "one pixel, one grey level");
        }
    }
}

#[test]
fn entropy_of_the_ciphertext_is_that_of_uniform_symbols() {
    for depth in depths() {
        for image in depth.changed.iter().chain([&depth.plain]) {
            let ciphertext = depth.seal(image);
            assert!(bytes_are_uniform(&ciphertext), "{:?}", entropy::of_bytes(&ciphertext));
            if depth.sample_bytes == 2 {
                assert!(words_are_uniform(&ciphertext), "{:?}", entropy::of_words(&ciphertext));
            }
        }
    }
}

#[test]
fn twin_entropy_tells_plain_and_permuted_images_from_noise() {
    for depth in depths() {
        for bytes in [depth.plain.samples(), depth.permute(&depth.plain).samples()] {
            assert!(!bytes_are_uniform(bytes));
            assert!(depth.sample_bytes == 1 || !words_are_uniform(bytes));
        }
        // Too even is no better than uneven.
        let even: Vec<u8> = (0..=255).cycle().take(depth.plain.samples().len()).collect();
        assert!(!bytes_are_uniform(&even));
    }
}

#[test]
fn one_grey_level_changes_the_ciphertext_as_if_it_were_another() {
    for depth in depths() {
        let first = depth.seal(&depth.plain);
        for changed in &depth.changed {
            let second = depth.seal(changed);
            let (npcr, uaci) = (depth.npcr(&first, &second), depth.uaci(&first, &second));
            assert!(within(npcr, expected_npcr(PIXELS, depth.sample_bytes)), "NPCR {npcr}");
            assert!(within(uaci, expected_uaci(PIXELS, depth.sample_bytes)), "UACI {uaci}");
        }
    }
}

#[test]
fn twin_a_keystream_that_ignores_the_image_has_no_avalanche() {
    for depth in depths() {
        let keystream = random(5, depth.plain.samples().len());
        let seal = |image: &Image| -> Vec<u8> {
            depth.permute(image).samples().iter().zip(&keystream).map(|(byte, key)| byte ^ key).collect()
        };
        let first = seal(&depth.plain);
        assert!(bytes_are_uniform(&first), "the keystream alone looks random");
        for changed in &depth.changed {
            let second = seal(changed);
            let (npcr, uaci) = (depth.npcr(&first, &second), depth.uaci(&first, &second));
            assert_eq!(npcr, 100.0 / PIXELS as f64, "one sample of all");
            assert!(!within(npcr, expected_npcr(PIXELS, depth.sample_bytes)), "NPCR {npcr}");
            assert!(!within(uaci, expected_uaci(PIXELS, depth.sample_bytes)), "UACI {uaci}");
        }
    }
}

#[test]
fn neighbours_are_uncorrelated_in_the_ciphertext_and_after_the_permutation_alone() {
    for depth in depths() {
        for image in depth.changed.iter().chain([&depth.plain]) {
            let sealed = cipher_image(image, depth.seal(image)).expect("as many samples");
            let permuted = depth.permute(image);
            for direction in Direction::ALL {
                for (what, image) in [("sealed", &sealed), ("permuted", &permuted)] {
                    let found = adjacent(image, direction);
                    assert!(uncorrelated(found), "{what}, {direction:?}: {found:?}");
                }
            }
        }
    }
}

#[test]
fn twin_neighbours_are_correlated_where_nothing_was_permuted() {
    for depth in depths() {
        let subkeys = Subkeys::derive(&depth.fixture.context.image_id, &depth.fixture.key);
        let mut substituted = depth.plain.samples().to_vec();
        medseal::cipher::SBox::draw(subkeys.substitution()).substitute(&mut substituted);
        // Substitution alone is no cipher either: equal neighbours stay equal.
        let substituted = with_samples(&depth.plain, substituted);
        for direction in Direction::ALL {
            let plain = adjacent(&depth.plain, direction);
            assert!(!uncorrelated(plain) && plain.r > Some(0.8), "{direction:?}: {plain:?}");
            assert!(!uncorrelated(adjacent(&substituted, direction)), "{direction:?}");
        }
    }
}

#[test]
fn what_is_opened_has_a_mean_squared_error_of_exactly_zero() {
    for depth in depths() {
        let sealed = depth.fixture.seal(&depth.description(), depth.plain.samples());
        let (description, payload) = depth.fixture.open(&sealed).expect("just sealed");
        assert!(description == depth.description());
        let opened = with_samples(&depth.plain, payload);
        assert_eq!(quality::mse(&depth.plain, &opened), Ok(Some(0.0)));
        // The twin: one grey level in one pixel is seen.
        let changed = quality::mse(&depth.plain, &depth.changed[0]);
        assert_eq!(changed, Ok(Some(1.0 / PIXELS as f64)));
    }
}

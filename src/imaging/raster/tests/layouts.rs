//! TIFF files of every layout: strips and tiles of many sizes, planes, compressions, byte orders,
//! and stacks in one directory. The writer shares no code with the decoder.

use super::*;

/// How a picture stands in a file. The first pixel is 0, 1, 2 ... so that misplaced samples show.
#[derive(Debug, Clone, Copy)]
struct Layout {
    width: u32,
    height: u32,
    samples: u16,
    bits: u16,
    planar: bool,
    /// Width and height of a tile; rows of a strip.
    tile: Option<(u32, u32)>,
    rows: u32,
    compression: Compression,
    big_endian: bool,
    big_tiff: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compression {
    None = 1,
    Lzw = 5,
    Deflate = 8,
    PackBits = 32773,
}

/// Tags of further entries and their values, as text (type 2) or numbers (type 4).
type Extra<'a> = (u16, u16, u32, &'a [u8]);

impl Layout {
    const PLAIN: Self = Self {
        width: 23,
        height: 17,
        samples: 1,
        bits: 8,
        planar: false,
        tile: None,
        rows: 17,
        compression: Compression::None,
        big_endian: false,
        big_tiff: false,
    };

    /// The samples in the order (y, x, c), little-endian as `decode` gives them.
    fn expected(&self) -> Vec<u8> {
        let all = (0..self.height)
            .flat_map(|y| (0..self.width).flat_map(move |x| (0..self.samples).map(move |c| self.sample(y, x, c))));
        all.flat_map(|value| value.to_le_bytes().into_iter().take(usize::from(self.bits / 8))).collect()
    }

    #[allow(clippy::cast_possible_truncation)] // any number will do
    fn sample(&self, y: u32, x: u32, c: u16) -> u16 {
        let value = ((y * self.width + x) * u32::from(self.samples) + u32::from(c)).wrapping_mul(40_503) >> 3;
        if self.bits == 8 { value as u16 & 0xff } else { value as u16 }
    }

    fn put(&self, out: &mut Vec<u8>, value: u64, bytes: usize) {
        match self.big_endian {
            true => out.extend_from_slice(&value.to_be_bytes()[8 - bytes..]),
            false => out.extend_from_slice(&value.to_le_bytes()[..bytes]),
        }
    }

    /// The strips or tiles, each as it stands in the file. Tiles are padded with 7.
    fn chunks(&self) -> Vec<Vec<u8>> {
        let (across, down) = self.tile.unwrap_or((self.width, self.rows));
        let planes = if self.planar { self.samples } else { 1 };
        let mut chunks = Vec::new();
        for plane in 0..planes {
            let channels = if self.planar { plane..plane + 1 } else { 0..self.samples };
            for top in (0..self.height).step_by(down as usize) {
                for left in (0..self.width).step_by(across as usize) {
                    let bottom = if self.tile.is_some() { top + down } else { (top + down).min(self.height) };
                    let mut chunk = Vec::new();
                    for (y, x) in (top..bottom).flat_map(|y| (left..left + across).map(move |x| (y, x))) {
                        let inside = y < self.height && x < self.width;
                        for c in channels.clone() {
                            let value = if inside { self.sample(y, x, c) } else { 7 };
                            self.put(&mut chunk, value.into(), usize::from(self.bits / 8));
                        }
                    }
                    chunks.push(self.compression.apply(&chunk));
                }
            }
        }
        chunks
    }

    fn file(&self, extra: &[Extra<'_>]) -> Vec<u8> {
        let (offset, count, version) = if self.big_tiff { (8, 8, 43) } else { (4, 2, 42) };
        let mut file = if self.big_endian { b"MM".to_vec() } else { b"II".to_vec() };
        self.put(&mut file, version, 2);
        if self.big_tiff {
            self.put(&mut file, 8, 2);
            self.put(&mut file, 0, 2);
        }
        let pointer = file.len();
        file.resize(pointer + offset, 0);
        let (mut places, mut lengths) = (Vec::new(), Vec::new());
        for chunk in self.chunks() {
            places.push(file.len() as u64);
            lengths.push(chunk.len() as u64);
            file.extend_from_slice(&chunk);
        }
        let bits = vec![u64::from(self.bits); self.samples.into()];
        let photometric = if self.samples >= 3 { 2 } else { 1 };
        let mut entries: Vec<(u16, u16, Vec<u64>)> = vec![
            (256, 4, vec![self.width.into()]),
            (257, 4, vec![self.height.into()]),
            (258, 3, bits),
            (259, 3, vec![self.compression as u64]),
            (262, 3, vec![photometric]),
            (277, 3, vec![self.samples.into()]),
            (284, 3, vec![if self.planar { 2 } else { 1 }]),
        ];
        match self.tile {
            Some((across, down)) => entries.extend([
                (322, 4, vec![across.into()]),
                (323, 4, vec![down.into()]),
                (324, 4, places),
                (325, 4, lengths),
            ]),
            None => entries.extend([(273, 4, places), (278, 4, vec![self.rows.into()]), (279, 4, lengths)]),
        }
        if self.samples == 4 {
            entries.push((338, 3, vec![2]));
        }
        let mut rows: Vec<(u16, u16, u64, Vec<u8>)> = Vec::new();
        for (tag, kind, values) in entries {
            let mut bytes = Vec::new();
            values.iter().for_each(|value| self.put(&mut bytes, *value, if kind == 3 { 2 } else { 4 }));
            rows.push((tag, kind, values.len() as u64, bytes));
        }
        rows.extend(extra.iter().map(|(tag, kind, count, bytes)| (*tag, *kind, u64::from(*count), bytes.to_vec())));
        rows.sort_by_key(|row| row.0);
        let mut directory = Vec::new();
        self.put(&mut directory, rows.len() as u64, count);
        for (tag, kind, values, mut bytes) in rows {
            self.put(&mut directory, tag.into(), 2);
            self.put(&mut directory, kind.into(), 2);
            self.put(&mut directory, values, offset);
            if bytes.len() <= offset {
                bytes.resize(offset, 0);
                directory.extend_from_slice(&bytes);
            } else {
                self.put(&mut directory, file.len() as u64, offset);
                file.extend_from_slice(&bytes);
            }
        }
        self.put(&mut directory, 0, offset);
        let mut place = Vec::new();
        self.put(&mut place, file.len() as u64, offset);
        file[pointer..pointer + offset].copy_from_slice(&place);
        file.extend_from_slice(&directory);
        file
    }
}

impl Compression {
    /// The shortest writer of each kind: nothing gets smaller.
    fn apply(self, chunk: &[u8]) -> Vec<u8> {
        match self {
            Self::None => chunk.to_vec(),
            Self::PackBits => chunk
                .chunks(128)
                .flat_map(|part| [&[u8::try_from(part.len() - 1).expect("at most 127")], part].concat())
                .collect(),
            Self::Deflate => {
                let mut out = vec![0x78, 1];
                let parts = chunk.chunks(65_535);
                let last = parts.len() - 1;
                for (i, part) in parts.enumerate() {
                    let length = u16::try_from(part.len()).expect("at most 65535");
                    out.push(u8::from(i == last));
                    out.extend_from_slice(&length.to_le_bytes());
                    out.extend_from_slice(&(!length).to_le_bytes());
                    out.extend_from_slice(part);
                }
                let sums = chunk.iter().fold((1_u32, 0_u32), |(a, b), byte| {
                    let a = (a + u32::from(*byte)) % 65_521;
                    (a, (b + a) % 65_521)
                });
                out.extend_from_slice(&(sums.1 << 16 | sums.0).to_be_bytes());
                out
            }
            // The table is cleared before its codes outgrow 9 bits.
            Self::Lzw => {
                let parts = chunk
                    .chunks(200)
                    .flat_map(|part| std::iter::once(256).chain(part.iter().map(|byte| u16::from(*byte))));
                let codes: Vec<u16> = parts.chain([257]).collect();
                let bits = codes.iter().flat_map(|code| (0..9).rev().map(move |bit| code >> bit & 1 == 1));
                let bits: Vec<bool> = bits.collect();
                bits.chunks(8)
                    .map(|byte| byte.iter().enumerate().map(|(i, bit)| u8::from(*bit) << (7 - i)).sum())
                    .collect()
            }
        }
    }
}

/// 1,536 layouts of tiles, and 704 of strips.
fn layouts() -> Vec<Layout> {
    let mut all = Vec::new();
    let sizes = [(23, 17), (16, 16), (33, 48), (1, 1)];
    for (width, height) in sizes {
        for (samples, planar) in [(1, false), (3, false), (3, true), (4, true)] {
            for bits in [8, 16] {
                for compression in [Compression::None, Compression::Lzw, Compression::Deflate, Compression::PackBits] {
                    for (big_endian, big_tiff) in [(false, false), (true, false), (false, true)] {
                        let layout = Layout {
                            width,
                            height,
                            samples,
                            bits,
                            planar,
                            compression,
                            big_endian,
                            big_tiff,
                            ..Layout::PLAIN
                        };
                        all.extend(
                            [(16, 16), (32, 16), (16, 48), (64, 64)].map(|tile| Layout { tile: Some(tile), ..layout }),
                        );
                        if compression != Compression::PackBits || !big_tiff {
                            all.extend([1, 5].map(|rows| Layout { rows: rows.min(height), ..layout }));
                        }
                    }
                }
            }
        }
    }
    all
}

#[test]
fn every_layout_of_tiles_and_strips_is_decoded_right_or_sealed_whole() {
    let all = layouts();
    assert_eq!(all.iter().filter(|layout| layout.tile.is_some()).count(), 1536);
    let mut decoded = 0;
    for layout in &all {
        let file = layout.file(&[]);
        assert_eq!(Directories::look(&file), Directories { several: false, cut: false }, "{layout:?}");
        match read_back(&file) {
            (Some(image), WholeReason::Strips) => {
                assert!(image.samples() == layout.expected(), "{layout:?}: other samples");
                decoded += 1;
            }
            // What the decoder does not manage: it panics for tiles of planes, and misses the end
            // of LZW tiles.
            (None, WholeReason::Undecodable(why)) => {
                let known = layout.tile.is_some() && (layout.planar || layout.compression == Compression::Lzw);
                assert!(known, "{layout:?}: {why}");
            }
            other => panic!("{layout:?}: {other:?}"),
        }
    }
    eprintln!("{decoded} of {} are decoded", all.len());
    assert!(decoded * 2 > all.len(), "{decoded} of {}", all.len());
}

#[test]
fn a_strip_or_tile_beyond_the_end_is_refused() {
    let big_endian = |layout: &Layout| layout.big_endian || layout.big_tiff;
    for layout in layouts().into_iter().filter(|layout| !big_endian(layout)).step_by(7) {
        let mut file = layout.file(&[]);
        // The place of the only strip or tile, or where the list of their places stands.
        let tag = if layout.tile.is_some() { [0x44, 1, 4, 0] } else { [0x11, 1, 4, 0] };
        let entry = file.windows(4).rposition(|bytes| bytes == tag).expect("its entry");
        let number = |at: usize| u32::from_le_bytes([file[at], file[at + 1], file[at + 2], file[at + 3]]);
        let place = if number(entry + 4) == 1 { entry + 8 } else { number(entry + 8) as usize };
        let beyond = u32::try_from(file.len()).expect("small");
        file[place..place + 4].copy_from_slice(&beyond.to_le_bytes());
        assert!(Directories::look(&file).cut, "{layout:?}");
        let refused = decode(&file, &Limits::default()).expect_err("cut short");
        let expected = matches!(refused, ImagingError::CutShort { .. } | ImagingError::Damaged { .. });
        assert!(expected, "{layout:?}: {refused:?}");
    }
    // A strip whose length is too long, and whose samples are all there.
    let mut file = Layout::PLAIN.file(&[]);
    let entry = file.windows(8).rposition(|bytes| bytes == [0x17, 1, 4, 0, 1, 0, 0, 0]).expect("its entry");
    file[entry + 8..entry + 12].copy_from_slice(&700_u32.to_le_bytes());
    assert!(file.len() < 8 + 700 && !Directories::look(&file).cut);
    assert!(decode(&file, &Limits::default()).is_ok());
}

#[test]
fn a_stack_in_one_directory_is_several_pages() {
    let imagej = b"ImageJ=1.11a\nimages=5\nslices=5\nhyperstack=true\nmode=grayscale\n\0";
    let single = b"ImageJ=1.11a\nimages=1\nslices=1\nmin=0.0\n\0";
    let shaped = br#"{"shape": [5, 17, 23], "truncated": true}"#;
    let text = |bytes: &'static [u8]| -> Extra<'static> { (270, 2, u32::try_from(bytes.len()).expect("short"), bytes) };
    for layout in
        [Layout::PLAIN, Layout { big_endian: true, ..Layout::PLAIN }, Layout { big_tiff: true, ..Layout::PLAIN }]
    {
        let five: &[u8] = if layout.big_endian { &[0, 0, 0, 5] } else { &[5, 0, 0, 0] };
        let place: &[u8] = if layout.big_endian { &[0, 0, 0, 8] } else { &[8, 0, 0, 0] };
        for stack in [text(imagej), text(shaped), (32997, 4, 1, five), (33629, 5, 5, &[0; 40]), (330, 4, 1, place)] {
            let file = layout.file(&[stack]);
            assert_eq!(read_back(&file), (None, WholeReason::Pages), "{layout:?} {stack:?}");
        }
        for picture in [text(single), text(b"ImageJ of a head\0"), text(b"{\"shape\": [17, 23]}\0")] {
            assert!(read_back(&layout.file(&[picture])).0.is_some(), "{layout:?} {picture:?}");
        }
    }
    // Strips that hold the samples of a second picture.
    let two = Layout { height: 34, rows: 34, ..Layout::PLAIN };
    let mut file = two.file(&[]);
    let height = file.windows(8).position(|entry| entry == [1, 1, 4, 0, 1, 0, 0, 0]).expect("its entry") + 8;
    file[height] = 17;
    assert_eq!(read_back(&file), (None, WholeReason::Pages));
}

#[test]
fn directories_that_overlap_or_go_round_end() {
    // 40,000 directories, each with the same list of strips.
    let mut file = b"II*\0\x08\0\0\0".to_vec();
    for number in 1..=40_000_u32 {
        file.extend_from_slice(&[1, 0, 0x11, 1, 1, 0]);
        file.extend_from_slice(&170_000_u32.to_le_bytes());
        file.extend_from_slice(&8_u32.to_le_bytes());
        file.extend_from_slice(&(8 + 18 * number).to_le_bytes());
    }
    file.resize(file.len() + 100, 0);
    let started = std::time::Instant::now();
    assert!(Directories::look(&file).several);
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
    // One that follows itself.
    let circle = [b"II*\0\x08\0\0\0\x01\0".as_slice(), &[0; 12], &[8, 0, 0, 0]].concat();
    assert_eq!(Directories::look(&circle), Directories { several: true, cut: false });
}

#[test]
fn a_further_directory_is_found_in_each_kind_of_tiff() {
    let classic = |next: u8| [b"MM\0*\0\0\0\x08\0\x01".as_slice(), &[0; 12], &[0, 0, 0, next]].concat();
    let big = |next: u8| {
        let directory = [b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0".as_slice(), &[1, 0, 0, 0, 0, 0, 0, 0], &[0; 20]].concat();
        [&directory[..], &[next, 0, 0, 0, 0, 0, 0, 0]].concat()
    };
    for file in [classic(0), big(0)] {
        assert_eq!(Directories::look(&file), Directories { several: false, cut: false });
        assert!(Directories::look(&file[..file.len() - 1]).cut);
    }
    for file in [classic(8), big(16)] {
        assert!(Directories::look(&file).several);
        assert_eq!(Directories::look(&file[..file.len() - 1]), Directories { several: false, cut: true });
    }
}

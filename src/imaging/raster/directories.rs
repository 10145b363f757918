//! The directories of a TIFF or BigTIFF file: whether it holds more than one picture, and whether
//! the bytes that it names are there. The `image` crate reads the first page and says nothing of
//! others.

use std::collections::{BTreeMap, BTreeSet};

mod tag {
    pub(super) const WIDTH: u64 = 256;
    pub(super) const HEIGHT: u64 = 257;
    pub(super) const BITS: u64 = 258;
    pub(super) const COMPRESSION: u64 = 259;
    pub(super) const PHOTOMETRIC: u64 = 262;
    pub(super) const DESCRIPTION: u64 = 270;
    pub(super) const STRIP_OFFSETS: u64 = 273;
    pub(super) const SAMPLES: u64 = 277;
    pub(super) const ROWS_PER_STRIP: u64 = 278;
    pub(super) const STRIP_BYTES: u64 = 279;
    pub(super) const PLANAR: u64 = 284;
    pub(super) const TILE_WIDTH: u64 = 322;
    pub(super) const TILE_HEIGHT: u64 = 323;
    pub(super) const TILE_OFFSETS: u64 = 324;
    pub(super) const TILE_BYTES: u64 = 325;
    /// Pictures below this one: the levels of a pyramid, a thumbnail.
    pub(super) const SUB_DIRECTORIES: u64 = 330;
    /// Slices of a volume in one directory (SGI).
    pub(super) const DEPTH: u64 = 32997;
    /// As many values as planes in one directory (MetaMorph).
    pub(super) const METAMORPH_PLANES: u64 = 33629;
}

/// What the directories of a file say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Directories {
    /// There is more than one picture.
    pub(super) several: bool,
    /// A directory, strip or tile reaches beyond the end of the file.
    pub(super) cut: bool,
}

impl Directories {
    /// Follows the directories from the first to the last.
    pub(super) fn look(bytes: &[u8]) -> Self {
        let file = File::new(bytes);
        let mut found = Self { several: false, cut: false };
        let mut seen = BTreeSet::new();
        let mut next = file.number(file.offset_bytes as u64, file.offset_bytes);
        // Each number that is read takes bytes of its own, unless directories overlap to keep us
        // busy.
        let mut numbers = 0;
        while numbers <= bytes.len() as u64 {
            let Some(offset) = next else {
                found.cut = true;
                break;
            };
            found.several |= offset != 0 && !seen.is_empty();
            if offset == 0 || !seen.insert(offset) {
                break;
            }
            let Some((directory, following)) = Directory::read(&file, offset) else {
                found.cut = true;
                break;
            };
            numbers = numbers.saturating_add(directory.numbers());
            found.several |= directory.is_stack();
            found.cut |= directory.is_cut();
            next = Some(following);
        }
        found
    }
}

/// A file and the widths of its numbers.
struct File<'a> {
    bytes: &'a [u8],
    little: bool,
    /// Of an offset.
    offset_bytes: usize,
    /// Of the number of entries.
    count_bytes: usize,
    /// Of an entry.
    entry_bytes: u64,
}

impl<'a> File<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let little = bytes.starts_with(b"II");
        let big_tiff = bytes.get(2..4).is_some_and(|version| version.contains(&43));
        let (offset_bytes, count_bytes, entry_bytes) = if big_tiff { (8, 8, 20) } else { (4, 2, 12) };
        Self { bytes, little, offset_bytes, count_bytes, entry_bytes }
    }

    fn part(&self, offset: u64, length: usize) -> Option<&'a [u8]> {
        let start = usize::try_from(offset).ok()?;
        self.bytes.get(start..start.checked_add(length)?)
    }

    fn number(&self, offset: u64, length: usize) -> Option<u64> {
        let field = self.part(offset, length)?;
        let fold = |value: u64, byte: &u8| (value << 8) | u64::from(*byte);
        Some(if self.little { field.iter().rev().fold(0, fold) } else { field.iter().fold(0, fold) })
    }
}

/// Where the values of an entry stand. They lie in the file.
struct Entry {
    offset: u64,
    count: u64,
    width: usize,
}

struct Directory<'f, 'a> {
    file: &'f File<'a>,
    entries: BTreeMap<u64, Entry>,
    /// An entry that says where samples are lies beyond the end.
    lost: bool,
}

impl<'f, 'a> Directory<'f, 'a> {
    /// Returns the directory and the offset of the next one; none if it does not lie in the file.
    fn read(file: &'f File<'a>, offset: u64) -> Option<(Self, u64)> {
        let count = file.number(offset, file.count_bytes)?;
        let first = offset.checked_add(file.count_bytes as u64)?;
        let end = first.checked_add(count.checked_mul(file.entry_bytes)?)?;
        let next = file.number(end, file.offset_bytes)?;
        let mut directory = Self { file, entries: BTreeMap::new(), lost: false };
        for place in (first..end).step_by(usize::try_from(file.entry_bytes).expect("12 or 20")) {
            directory.add(place)?;
        }
        Some((directory, next))
    }

    fn add(&mut self, place: u64) -> Option<()> {
        let file = self.file;
        let (tag, kind) = (file.number(place, 2)?, file.number(place + 2, 2)?);
        let (count, inside) = (file.number(place + 4, file.offset_bytes)?, place + 4 + file.offset_bytes as u64);
        let width = match kind {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            5 | 10 | 12 | 16 | 17 | 18 => 8,
            _ => return Some(()),
        };
        let bytes = count.checked_mul(width as u64);
        let offset = match bytes {
            Some(bytes) if bytes <= file.offset_bytes as u64 => inside,
            _ => file.number(inside, file.offset_bytes)?,
        };
        let there = bytes.and_then(|bytes| offset.checked_add(bytes)).is_some_and(|end| end <= file.bytes.len() as u64);
        if there {
            self.entries.entry(tag).or_insert(Entry { offset, count, width });
        } else {
            self.lost |= [tag::STRIP_OFFSETS, tag::STRIP_BYTES, tag::TILE_OFFSETS, tag::TILE_BYTES].contains(&tag);
        }
        Some(())
    }

    fn entry(&self, tag: u64) -> Option<&Entry> {
        self.entries.get(&tag)
    }

    /// About how many numbers are read to look at it.
    fn numbers(&self) -> u64 {
        let chunks = self.entry(tag::TILE_OFFSETS).or(self.entry(tag::STRIP_OFFSETS)).map_or(0, |entry| entry.count);
        chunks.saturating_add(self.entries.len() as u64)
    }

    fn values(&self, tag: u64) -> impl Iterator<Item = u64> {
        let (file, entry) = (self.file, self.entry(tag));
        let places = entry.map_or(0..0, |entry| 0..entry.count);
        let (offset, width) = entry.map_or((0, 1), |entry| (entry.offset, entry.width));
        places.map(move |i| file.number(offset + i * width as u64, width).unwrap_or(0))
    }

    fn value(&self, tag: u64) -> Option<u64> {
        self.values(tag).next()
    }

    /// Whether there is more than one picture in this directory.
    fn is_stack(&self) -> bool {
        let count = |tag| self.entry(tag).map_or(0, |entry| entry.count);
        let samples = self.chunks().fold(0, |sum: u64, (_, bytes)| sum.saturating_add(bytes));
        count(tag::SUB_DIRECTORIES) > 0
            || count(tag::METAMORPH_PLANES) > 1
            || self.value(tag::DEPTH).is_some_and(|depth| depth > 1)
            || self.describes_stack()
            || self.picture_bytes().is_some_and(|picture| picture > 0 && samples / picture >= 2)
    }

    /// ImageJ and tifffile describe a stack in words, and write one directory for all of it.
    fn describes_stack(&self) -> bool {
        let text = self.entry(tag::DESCRIPTION).and_then(|entry| {
            self.file.part(entry.offset, usize::try_from(entry.count).ok()?.checked_mul(entry.width)?)
        });
        let text = String::from_utf8_lossy(text.unwrap_or_default());
        let text = text.trim_start();
        let several = |line: &str| {
            let (name, number) = line.split_once('=').unwrap_or_default();
            ["images", "slices", "frames", "channels"].contains(&name.trim())
                && number.trim_matches([' ', '\0', '\r']).parse::<u64>().is_ok_and(|number| number > 1)
        };
        text.starts_with("ImageJ=") && text.lines().any(several)
            || text.starts_with('{') && text.contains("\"truncated\": true")
    }

    /// Offset and length of each strip or tile; a length that is not there is 0.
    fn chunks(&self) -> impl Iterator<Item = (u64, u64)> {
        let (offsets, bytes) = match self.entry(tag::TILE_OFFSETS) {
            Some(_) => (tag::TILE_OFFSETS, tag::TILE_BYTES),
            None => (tag::STRIP_OFFSETS, tag::STRIP_BYTES),
        };
        self.values(offsets).zip(self.values(bytes).chain(std::iter::repeat(0)))
    }

    /// Bytes of `rows` rows of `columns` pixels, in one plane, if they are neither compressed nor
    /// subsampled.
    fn bytes_of(&self, columns: u64, rows: u64) -> Option<u64> {
        if self.value(tag::COMPRESSION).unwrap_or(1) != 1 || self.value(tag::PHOTOMETRIC) == Some(6) {
            return None;
        }
        let samples = if self.planes() > 1 { 1 } else { self.value(tag::SAMPLES).unwrap_or(1) };
        let bits = columns.checked_mul(samples)?.checked_mul(self.value(tag::BITS).unwrap_or(1))?;
        bits.div_ceil(8).checked_mul(rows)
    }

    fn planes(&self) -> u64 {
        if self.value(tag::PLANAR) == Some(2) { self.value(tag::SAMPLES).unwrap_or(1).max(1) } else { 1 }
    }

    /// Bytes that the picture takes in its strips or tiles.
    fn picture_bytes(&self) -> Option<u64> {
        let (width, height) = (self.value(tag::WIDTH)?, self.value(tag::HEIGHT)?);
        let plane = match (self.value(tag::TILE_WIDTH), self.value(tag::TILE_HEIGHT)) {
            (Some(across @ 1..), Some(down @ 1..)) => {
                let tiles = width.div_ceil(across).checked_mul(height.div_ceil(down))?;
                self.bytes_of(across, down)?.checked_mul(tiles)?
            }
            _ => self.bytes_of(width, height)?,
        };
        plane.checked_mul(self.planes())
    }

    /// Whether a strip or a tile, as far as it is needed, lies beyond the end of the file.
    fn is_cut(&self) -> bool {
        let (width, height) = (self.value(tag::WIDTH).unwrap_or(0), self.value(tag::HEIGHT).unwrap_or(0));
        let tile = self.value(tag::TILE_WIDTH).zip(self.value(tag::TILE_HEIGHT));
        let rows = self.value(tag::ROWS_PER_STRIP).unwrap_or(height).clamp(1, height.max(1));
        let needed = |number: u64| match tile {
            Some((across, down)) => self.bytes_of(across, down),
            None => {
                let above = (number % height.div_ceil(rows).max(1)).saturating_mul(rows);
                self.bytes_of(width, rows.min(height.saturating_sub(above)))
            }
        };
        let length = self.file.bytes.len() as u64;
        let beyond = |(number, (offset, bytes)): (u64, (u64, u64))| {
            // An offset of 0 is a strip or tile that was never written (GDAL): its samples are
            // zeros.
            let bytes = needed(number).unwrap_or(bytes);
            offset != 0 && bytes > 0 && offset.checked_add(bytes).is_none_or(|end| end > length)
        };
        self.lost || (0..).zip(self.chunks()).any(beyond)
    }
}

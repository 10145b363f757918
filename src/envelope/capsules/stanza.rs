//! The bytes of key capsules: a strict parser and the one encoding (`FORMAT.md`, section 7).

use std::collections::HashSet;

use alloy::primitives::B256;
use sha2::{Digest, Sha256};

use super::holder::Holder;
use super::share_set::{SHARES, ShareSet};
use super::{CapsuleError, SEALED_BYTES, SealedSecret};

/// The first bytes of all key capsules.
const MAGIC: [u8; 8] = *b"MEDKEYS\n";
/// The format version.
const VERSION: u16 = 1;
/// Magic, version and stanza count.
const PREFIX_BYTES: usize = 12;
/// A stanza without its body.
const FIXED_BYTES: usize = 39;
/// Longest body.
const BODY_BYTES: usize = 4096;
/// Stanza counts that are allowed.
const STANZA_COUNTS: std::ops::RangeInclusive<usize> = 1..=1024;

impl Capsules {
    /// Most bytes of all stanzas together that are read: more are no key capsules.
    pub const MAX_BYTES: u64 = (PREFIX_BYTES + *STANZA_COUNTS.end() * (FIXED_BYTES + BODY_BYTES)) as u64;
}

/// One capsule: the image key, or a share of it, sealed to one holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stanza {
    /// Whom it is for.
    pub holder: Holder,
    /// What is sealed.
    pub sealed: SealedSecret,
}

impl Stanza {
    pub(super) fn encode(&self) -> Vec<u8> {
        let Self { holder, sealed } = self;
        let ((kind, key_id, epoch), share) = (holder.address(), holder.share());
        let share = if let Holder::Share { .. } = holder { &share[..] } else { &[] };
        let length = u16::try_from(share.len() + SEALED_BYTES).expect("80 or 82");
        let fixed = [&[kind][..], key_id.as_slice(), &epoch.to_be_bytes(), &length.to_be_bytes()].concat();
        [&fixed, share, &sealed[..]].concat()
    }
}

/// The key capsules of one image, one stanza for each holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capsules {
    stanzas: Vec<Stanza>,
    /// Stanzas that can have no holder here: they are kept where they stood, for those who know
    /// them. The commitments to shares are among them.
    others: Vec<OtherStanza>,
    shares: Option<ShareSet>,
}

/// A stanza of a type that is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
struct OtherStanza {
    /// Its place among all stanzas.
    at: usize,
    bytes: Vec<u8>,
}

impl Capsules {
    /// Returns the capsules with these stanzas, none of which is a share.
    ///
    /// # Errors
    /// `StanzaCount`, `DuplicateStanza`, `ShareSet`.
    pub fn new(stanzas: Vec<Stanza>) -> Result<Self, CapsuleError> {
        Self { stanzas, others: Vec::new(), shares: None }.checked()
    }

    /// Returns the capsules with these stanzas, and the commitments to the shares among them at the
    /// end.
    ///
    /// # Errors
    /// `StanzaCount`, `DuplicateStanza`, `ShareSet`.
    pub fn shared(stanzas: Vec<Stanza>, shares: ShareSet) -> Result<Self, CapsuleError> {
        let others = vec![OtherStanza { at: stanzas.len(), bytes: shares.encode() }];
        Self { stanzas, others, shares: Some(shares) }.checked()
    }

    /// Returns these capsules and `new` ones behind them; what is not known of these is kept.
    ///
    /// # Errors
    /// `StanzaCount`, `DuplicateStanza`, `ShareSet`.
    pub fn with(mut self, new: Vec<Stanza>) -> Result<Self, CapsuleError> {
        self.stanzas.extend(new);
        self.checked()
    }

    fn checked(self) -> Result<Self, CapsuleError> {
        check_count(self.stanzas.len() + self.others.len())?;
        let mut seen = HashSet::new();
        if let Some(stanza) = self.stanzas.iter().position(|stanza| !seen.insert(stanza.holder)) {
            return Err(CapsuleError::DuplicateStanza { stanza });
        }
        ShareSet::check(self.shares.as_ref(), self.stanzas.iter().map(|stanza| stanza.holder))?;
        Ok(self)
    }

    /// Returns these capsules with other stanzas in the places of some, by their place in
    /// [`Capsules::stanzas`]; all others stay as they are.
    ///
    /// # Errors
    /// `DuplicateStanza`, `ShareSet`.
    pub(super) fn replacing(mut self, new: Vec<(usize, Stanza)>) -> Result<Self, CapsuleError> {
        for (place, stanza) in new {
            self.stanzas[place] = stanza;
        }
        self.checked()
    }

    /// Reads key capsules. Stanzas of an unknown type, and those of readers and recovery keys with
    /// an epoch other than 0, can have no holder: they are checked for their length, and kept as
    /// they are.
    ///
    /// # Errors
    /// `BadMagic`, `Truncated`, `UnsupportedVersion`, `StanzaCount`, `StanzaLength`,
    /// `DuplicateStanza`, `TrailingBytes`, `ShareSet`.
    pub fn decode(bytes: &[u8]) -> Result<Self, CapsuleError> {
        let begin = &bytes[..bytes.len().min(MAGIC.len())];
        if begin != &MAGIC[..begin.len()] {
            return Err(CapsuleError::BadMagic);
        }
        let mut reader = ByteReader { bytes, offset: 0 };
        let [.., v1, v0, c1, c0] = *reader.array::<PREFIX_BYTES>()?;
        let (version, count) = (u16::from_be_bytes([v1, v0]), u16::from_be_bytes([c1, c0]));
        if version != VERSION {
            return Err(CapsuleError::UnsupportedVersion { expected: VERSION, found: version });
        }
        check_count(count.into())?;
        let (mut stanzas, mut others, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
        let mut commitments = Vec::new();
        for stanza in 0..count.into() {
            let begin = reader.offset;
            let raw = reader.stanza(stanza)?;
            if !seen.insert((raw.kind, raw.key_id, raw.epoch, raw.share())) {
                return Err(CapsuleError::DuplicateStanza { stanza });
            }
            if raw.kind == SHARES {
                commitments.push((raw.key_id, raw.epoch, raw.body));
            }
            match raw.known() {
                Some(known) => stanzas.push(known),
                None => others.push(OtherStanza { at: stanza, bytes: bytes[begin..reader.offset].to_vec() }),
            }
        }
        if reader.offset != bytes.len() {
            return Err(CapsuleError::TrailingBytes { expected: reader.offset, found: bytes.len() });
        }
        let shares = ShareSet::decode(&commitments)?;
        ShareSet::check(shares.as_ref(), stanzas.iter().map(|stanza| stanza.holder))?;
        Ok(Self { stanzas, others, shares })
    }

    /// Returns the bytes of these capsules.
    pub fn encode(&self) -> Vec<u8> {
        let mut stanzas: Vec<Vec<u8>> = self.stanzas.iter().map(Stanza::encode).collect();
        // In the order of their places, so that each comes to stand where it stood.
        for other in &self.others {
            stanzas.insert(other.at, other.bytes.clone());
        }
        let count = u16::try_from(stanzas.len()).expect("at most 1024 stanzas were allowed");
        let mut bytes = [&MAGIC[..], &VERSION.to_be_bytes(), &count.to_be_bytes()].concat();
        bytes.extend(stanzas.into_iter().flatten());
        bytes
    }

    /// Returns SHA-256 of [`Self::encode`], the capsules' hash on chain.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.encode()).into()
    }

    /// The stanzas, in their order.
    pub fn stanzas(&self) -> &[Stanza] {
        &self.stanzas
    }

    /// How the key is shared, where it is.
    pub fn shares(&self) -> Option<&ShareSet> {
        self.shares.as_ref()
    }

    /// The KGCs to whom the key, or a share of it, is sealed: ids and epochs.
    pub fn kgcs(&self) -> impl Iterator<Item = (B256, u32)> {
        self.stanzas.iter().filter_map(|stanza| match stanza.holder {
            Holder::Kgc { id, epoch } | Holder::Share { id, epoch, .. } => Some((id, epoch)),
            _ => None,
        })
    }

    /// Returns the stanza for this holder.
    pub fn find(&self, holder: &Holder) -> Option<&Stanza> {
        self.stanzas.iter().find(|stanza| stanza.holder == *holder)
    }
}

fn check_count(found: usize) -> Result<(), CapsuleError> {
    if STANZA_COUNTS.contains(&found) { Ok(()) } else { Err(CapsuleError::StanzaCount { found }) }
}

/// A stanza whose type may be unknown.
struct RawStanza<'a> {
    kind: u8,
    key_id: B256,
    epoch: u32,
    body: &'a [u8],
}

impl RawStanza<'_> {
    /// What tells two shares of one holder apart.
    fn share(&self) -> [u8; 2] {
        match self.body {
            [index, threshold, ..] if self.kind == 4 => [*index, *threshold],
            _ => [0, 0],
        }
    }

    /// Returns the stanza; nothing for an unknown type, and nothing for a reader's with an epoch,
    /// since no reader has one. The body's length was checked before.
    fn known(&self) -> Option<Stanza> {
        let (id, epoch, [index, threshold]) = (self.key_id, self.epoch, self.share());
        let holder = match self.kind {
            1 => Holder::Kgc { id, epoch },
            2 if epoch == 0 => Holder::Reader { key_id: id },
            3 if epoch == 0 => Holder::Recovery { key_id: id },
            4 => Holder::Share { id, epoch, index, threshold },
            _ => return None,
        };
        Some(Stanza { holder, sealed: *self.body.last_chunk()? })
    }
}

/// Reads fields in order, each with a length check.
struct ByteReader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> ByteReader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], CapsuleError> {
        let end = self.offset + length;
        let field = self.bytes.get(self.offset..end);
        let field = field.ok_or(CapsuleError::Truncated { expected: end, found: self.bytes.len() })?;
        self.offset = end;
        Ok(field)
    }

    fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], CapsuleError> {
        self.take(N).map(|field| field.try_into().expect("N bytes were taken"))
    }

    /// Reads the stanza with this index.
    fn stanza(&mut self, stanza: usize) -> Result<RawStanza<'a>, CapsuleError> {
        let [kind, fields @ .., l1, l0] = self.array::<FIXED_BYTES>()?;
        let (key_id, epoch) = fields.split_first_chunk::<32>().expect("36 bytes");
        let length = usize::from(u16::from_be_bytes([*l1, *l0]));
        let right = match *kind {
            1..=3 => length == SEALED_BYTES,
            4 => length == SEALED_BYTES + 2,
            SHARES => ShareSet::has_length(length),
            _ => length <= BODY_BYTES,
        };
        if !right {
            return Err(CapsuleError::StanzaLength { stanza, kind: *kind, found: length });
        }
        let epoch = u32::from_be_bytes(epoch.try_into().expect("the other 4 of 36 bytes"));
        Ok(RawStanza { kind: *kind, key_id: key_id.into(), epoch, body: self.take(length)? })
    }
}

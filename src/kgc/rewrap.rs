//! Capsules of an old key, sealed to the newest one, and the folder in which a KGC keeps them.
//!
//! A record's capsules are the sender's to replace. So whoever asks brings those, sealed to the old
//! key, and the KGC opens its own in the set that it keeps here: the key in it is the one that the
//! header commits to, or it is not given.

use std::fs::File;
use std::io::{ErrorKind, Read, Result};
use std::path::{Path, PathBuf};

use alloy::primitives::B256;
use zeroize::Zeroizing;

use super::{KgcKeys, os_random};
use crate::envelope::ImageContext;
use crate::envelope::capsules::{CapsuleError, Capsules, NextKey, open_capsule, open_share, reseal_capsules};
use crate::files::{Existing, make_private_folder, write_whole};

impl KgcKeys {
    /// Returns capsules in which what was sealed to earlier keys of this KGC is sealed to its
    /// newest one, and all else is as it was; `None` where nothing is left to be done.
    ///
    /// # Errors
    /// `NoMatchingStanza` where the earlier key is gone, `CapsuleNotAuthentic`, `WrongKey`.
    pub fn rewrap(
        &self,
        capsules: &Capsules,
        context: &ImageContext,
        commitment: &[u8; 32],
    ) -> std::result::Result<Option<Capsules>, CapsuleError> {
        let identity = self.identity();
        let next = NextKey { id: identity.id, epoch: identity.epoch, public: &identity.public };
        let secret = |epoch| self.holding(epoch).map(|(_, secret)| secret);
        reseal_capsules(capsules, &next, secret, (context, commitment), &mut os_random())
    }

    /// The epochs of this KGC's capsules in a set, the newest first, and whether it has a key of
    /// each.
    pub fn epochs_in(&self, capsules: &Capsules) -> Vec<(u32, bool)> {
        self.own_epochs(capsules).into_iter().map(|epoch| (epoch, self.holding(epoch).is_some())).collect()
    }

    /// Returns what is in this KGC's newest capsule that it has a key for, and the epoch of that:
    /// the image key, or its share of it; checked against the commitment to it.
    ///
    /// # Errors
    /// `NoMatchingStanza`, `CapsuleNotAuthentic`, `WrongKey`, `ShareMismatch`.
    pub fn open_own(
        &self,
        capsules: &Capsules,
        context: &ImageContext,
        commitment: &[u8; 32],
    ) -> std::result::Result<(Zeroizing<[u8; 32]>, u32), CapsuleError> {
        let identity = self.identity();
        let none = CapsuleError::NoMatchingStanza { key_id: identity.id, epoch: identity.epoch };
        let held = self.own_epochs(capsules).into_iter().find_map(|epoch| Some((epoch, self.holding(epoch)?)));
        let (epoch, (recipient, secret)) = held.ok_or(none)?;
        let opened = match capsules.shares() {
            Some(_) => {
                let share = open_share(capsules, (identity.id, epoch), secret, context, commitment)?;
                Zeroizing::new(share.bytes[..].try_into().expect("HPKE sealed 32 bytes"))
            }
            None => Zeroizing::new(*open_capsule(capsules, &recipient, secret, context, commitment)?.as_bytes()),
        };
        Ok((opened, epoch))
    }
}

/// The capsules that a KGC wrapped anew: a file for each image. They are as public as any capsules.
#[derive(Debug, Clone)]
pub struct Rewrapped {
    folder: PathBuf,
}

impl Rewrapped {
    /// Those in a folder, which need not be there.
    pub fn in_folder(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The capsules of an image, if there are any that can be read.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub fn get(&self, image_id: B256) -> Result<Option<Capsules>> {
        let file = match File::open(self.file(image_id)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let mut bytes = Vec::new();
        file.take(Capsules::MAX_BYTES + 1).read_to_end(&mut bytes)?;
        Ok(Capsules::decode(&bytes).ok())
    }

    /// Keeps the capsules of an image; when this returns, they survive a power cut.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn put(&self, image_id: B256, capsules: &Capsules) -> Result<()> {
        make_private_folder(&self.folder)?;
        write_whole(&self.file(image_id), &capsules.encode(), Existing::Replace)
    }

    /// The images whose capsules are kept, ascending.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn images(&self) -> Result<Vec<B256>> {
        let entries = match std::fs::read_dir(&self.folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut images = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(".keys"));
            images.extend(id.and_then(|id| id.parse::<B256>().ok()));
        }
        images.sort_unstable();
        Ok(images)
    }

    fn file(&self, image_id: B256) -> PathBuf {
        self.folder.join(format!("{image_id}.keys"))
    }
}

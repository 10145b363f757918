//! Kinds of events, as people ask for them.

use crate::contract::bindings::IImageRegistry::IImageRegistryEvents as Event;
use serde::{Serialize, Serializer};

/// A kind of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// Images that became records, and anchors.
    Registrations,
    /// Entries of verifiers.
    Verifications,
    /// Flags that were raised, confirmed, dismissed.
    Flags,
    /// Access granted and revoked, operators.
    Grants,
    /// Key capsules that were replaced.
    Capsules,
    /// Keys and logs of KGCs.
    Keys,
    /// Roles, pauses, the administrator, the successor.
    Governance,
}

impl EventKind {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Registrations => "registrations",
            Self::Verifications => "verifications",
            Self::Flags => "flags",
            Self::Grants => "grants",
            Self::Capsules => "capsules",
            Self::Keys => "keys",
            Self::Governance => "governance",
        }
    }
}

impl Serialize for EventKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl From<&Event> for EventKind {
    fn from(event: &Event) -> Self {
        match event {
            Event::Registered(_)
            | Event::RegisteredInBatch(_)
            | Event::BatchRegistered(_)
            | Event::Anchored(_)
            | Event::Materialized(_) => Self::Registrations,
            Event::Verified(_) => Self::Verifications,
            Event::FlagRaised(_) | Event::FlagJoined(_) | Event::FlagConfirmed(_) | Event::FlagDismissed(_) => {
                Self::Flags
            }
            Event::AccessGranted(_) | Event::AccessRevoked(_) | Event::OperatorSet(_) => Self::Grants,
            Event::CapsulesUpdated(_) | Event::CapsulesAnchored(_) => Self::Capsules,
            Event::KgcKeyPublished(_) | Event::KgcKeyRetired(_) | Event::LogAnchored(_) => Self::Keys,
            Event::RoleChanged(_)
            | Event::AdminPlanned(_)
            | Event::Paused(_)
            | Event::Unpaused(_)
            | Event::Superseded(_)
            | Event::NonceInvalidated(_) => Self::Governance,
        }
    }
}

//! Kinds of events, as people ask for them.

use crate::view::EventKind;

/// A kind of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Kind {
    /// Every kind
    All,
    /// Images that became records, and anchors
    Registrations,
    /// Entries of verifiers
    Verifications,
    /// Flags that were raised, confirmed, dismissed
    Flags,
    /// Access granted and revoked, operators
    Grants,
    /// Key capsules that were replaced
    Capsules,
    /// Keys and logs of KGCs
    Keys,
    /// Roles, pauses, the administrator, the successor
    Governance,
}

impl Kind {
    /// None for all of them.
    fn one(self) -> Option<EventKind> {
        Some(match self {
            Self::All => return None,
            Self::Registrations => EventKind::Registrations,
            Self::Verifications => EventKind::Verifications,
            Self::Flags => EventKind::Flags,
            Self::Grants => EventKind::Grants,
            Self::Capsules => EventKind::Capsules,
            Self::Keys => EventKind::Keys,
            Self::Governance => EventKind::Governance,
        })
    }
}

/// The names of the kinds that are asked for; none for all of them.
pub(super) fn of_kinds(kinds: &[Kind]) -> Option<Vec<&'static str>> {
    let kinds: Option<Vec<EventKind>> = kinds.iter().map(|kind| kind.one()).collect();
    kinds.filter(|kinds| !kinds.is_empty()).map(|kinds| kinds.into_iter().map(EventKind::name).collect())
}

//! Whom a KGC serves, and how often.

use std::collections::HashSet;

use alloy::primitives::Address;

use super::limits::{Limiter, Rate};
use super::requests::RequestKind;

/// How often one wallet may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalletRates {
    /// For partials, a minute: a folder of scans asks for one each.
    pub issues: u32,
    /// For keys, a minute; in a day 70 times as often, so that nobody carries an archive off.
    pub releases: u32,
}

impl Default for WalletRates {
    fn default() -> Self {
        Self { issues: 600, releases: 30 }
    }
}

/// Who is served, and how often.
#[derive(Debug, Default)]
pub struct Policy {
    /// The senders to which it issues; any wallet where there is no list.
    pub senders: Option<HashSet<Address>>,
    /// How often one wallet may ask for partials; as often as it likes where there is none.
    pub issues: Option<Limiter<Address>>,
    /// How often one wallet may ask for keys; as often as it likes where there is none.
    pub releases: Option<Limiter<Address>>,
    /// How many refusals are logged of wallets that the chain does not know: wallets cost nothing,
    /// and the disk does. All of them where there is none.
    pub refusals: Option<Limiter<()>>,
}

impl Policy {
    /// Such a list, if there is one, and such rates; 2 logged refusals a second of unknown wallets,
    /// 1,000 at once.
    pub fn of_a_service(senders: Option<HashSet<Address>>, rates: WalletRates) -> Self {
        let WalletRates { issues, releases } = rates;
        let a_day = 70.0 * f64::from(releases);
        let by_day = Rate { burst: a_day, per_second: a_day / 86_400.0 };
        Self {
            senders,
            issues: Some(Limiter::new([Rate::a_minute(issues)])),
            releases: Some(Limiter::new([Rate::a_minute(releases), by_day])),
            refusals: Some(Limiter::new([Rate { burst: 1_000.0, per_second: 2.0 }])),
        }
    }

    /// The limit for requests of this kind.
    pub(super) fn limiter(&self, kind: RequestKind) -> Option<&Limiter<Address>> {
        match kind {
            RequestKind::Issue => self.issues.as_ref(),
            RequestKind::Release => self.releases.as_ref(),
        }
    }
}

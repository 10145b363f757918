//! Whom a KGC serves, and how often.

use std::collections::HashSet;

use alloy::primitives::Address;

use super::limits::{Limiter, Rate};

/// Who is served, and how often.
#[derive(Debug, Default)]
pub struct Policy {
    /// The senders to which it issues; any wallet where there is no list.
    pub senders: Option<HashSet<Address>>,
    /// How often one wallet may ask; as often as it likes where there is none.
    pub wallets: Option<Limiter<Address>>,
    /// How many refusals are logged of wallets that the chain does not know: wallets cost nothing,
    /// and the disk does. All of them where there is none.
    pub refusals: Option<Limiter<()>>,
}

impl Policy {
    /// 30 requests a minute and 2,000 a day for each wallet; 2 logged refusals a second of unknown
    /// ones, 1,000 at once.
    pub fn of_a_service(senders: Option<HashSet<Address>>) -> Self {
        let day = 86_400.0;
        let wallet = [Rate { burst: 30.0, per_second: 0.5 }, Rate { burst: 2_000.0, per_second: 2_000.0 / day }];
        Self {
            senders,
            wallets: Some(Limiter::new(wallet)),
            refusals: Some(Limiter::new([Rate { burst: 1_000.0, per_second: 2.0 }])),
        }
    }
}

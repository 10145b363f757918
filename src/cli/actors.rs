//! Who is who on the development chain.

/// Chain id of the development chain.
pub(super) const DEVELOPMENT_CHAIN_ID: u64 = 31337;

/// The wallets of a development chain by actor: the number of anvil's account.
pub(super) const DEVELOPMENT_ACTORS: [(&str, usize); 8] = [
    ("admin", 0),
    ("sender", 1),
    ("reader", 2),
    ("stranger", 3),
    ("kgc", 4),
    ("verifier", 5),
    ("relayer", 6),
    ("operator", 7),
];

/// The development account of an actor, if it is one of the known ones.
pub(super) fn development_account(actor: &str) -> Option<usize> {
    DEVELOPMENT_ACTORS.into_iter().find(|(name, _)| *name == actor).map(|(_, account)| account)
}

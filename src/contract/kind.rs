//! What a failure means, in the five ways that a caller can act on.

/// What a failure means to whoever called; the command line has an exit code for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// It failed, and none of the others says how: exit code 1.
    Failure,
    /// The contract or a rule forbids it: exit code 4.
    NotAuthorized,
    /// There is no such image, flag, key or file: exit code 5.
    NotFound,
    /// The node can't be reached, does not answer in time, or is behind: exit code 6.
    Unreachable,
    /// Another chain, another contract, or none: exit code 7.
    WrongChain,
}

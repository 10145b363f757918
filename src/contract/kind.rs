//! The five kinds of failure, by what a caller can do about them.

/// The kind of a failure; the command line has an exit code for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Any other failure: exit code 1.
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

//! The contract's build, committed as `contracts/ImageRegistry.json` so that the client is built
//! without a Solidity compiler.

use super::bindings::{IConstructor, Role};
use crate::checksummed;
use alloy::primitives::{Address, Bytes};
use alloy::sol_types::{SolConstructor, SolType, sol_data};
use serde::{Deserialize, Serialize};

/// What the constructor takes: the administrator, and the roles given from the start.
type ConstructorTypes = (sol_data::Address, sol_data::Array<IConstructor::InitialRole>);

pub(super) const EMBEDDED: &str = include_str!("../../contracts/ImageRegistry.json");

/// The constructor's arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConstructorArguments {
    /// First administrator.
    #[serde(with = "checksummed")]
    pub admin: Address,
    /// Roles that were given from the start.
    pub roles: Vec<InitialRole>,
}

/// A role that a wallet has from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitialRole {
    /// Which role.
    pub role: Role,
    /// Who has it.
    #[serde(with = "checksummed")]
    pub wallet: Address,
}

/// Why the build can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArtifactError {
    /// It is not a build's JSON.
    #[error("not a build of the contract")]
    Malformed(#[from] serde_json::Error),
    /// An immutable lies outside the code.
    #[error("immutable at {start}, {length} bytes, lies outside the code of {code} bytes")]
    Immutable {
        /// Where it starts.
        start: usize,
        /// Its bytes.
        length: usize,
        /// Bytes of the code.
        code: usize,
    },
}

/// Code and where the constructor writes into it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    bytecode: Bytes,
    deployed_bytecode: DeployedCode,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeployedCode {
    object: Bytes,
    immutable_references: Vec<ImmutableRange>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct ImmutableRange {
    start: usize,
    length: usize,
}

impl Artifact {
    /// The build that is part of this program.
    ///
    /// # Errors
    /// [`ArtifactError`].
    pub fn embedded() -> Result<Self, ArtifactError> {
        let artifact: Self = serde_json::from_str(EMBEDDED)?;
        artifact.check()?;
        Ok(artifact)
    }

    /// Whether every immutable lies in the code.
    pub(super) fn check(&self) -> Result<(), ArtifactError> {
        let code = self.deployed_code().len();
        for ImmutableRange { start, length } in self.immutables() {
            if start.checked_add(length).is_none_or(|end| end > code) {
                return Err(ArtifactError::Immutable { start, length, code });
            }
        }
        Ok(())
    }

    /// What a deploying transaction carries before the arguments.
    pub(super) fn bytecode(&self) -> &Bytes {
        &self.bytecode
    }

    fn immutables(&self) -> impl Iterator<Item = ImmutableRange> {
        self.deployed_bytecode.immutable_references.iter().copied()
    }

    /// What a deploying transaction carries.
    pub fn init_code(&self, arguments: &ConstructorArguments) -> Bytes {
        let roles = arguments
            .roles
            .iter()
            .map(|given| IConstructor::InitialRole { role: given.role.id(), account: given.wallet });
        let arguments = IConstructor::constructorCall { admin: arguments.admin, grants: roles.collect() }.abi_encode();
        [self.bytecode.as_ref(), &arguments].concat().into()
    }

    /// The constructor's arguments in what a deploying transaction carried; none if it is not this
    /// build, or a role is none of [`Role::ALL`].
    pub fn arguments(&self, init_code: &[u8]) -> Option<ConstructorArguments> {
        let encoded = init_code.strip_prefix(self.bytecode.as_ref())?;
        let (admin, grants) = ConstructorTypes::abi_decode_params(encoded).ok()?;
        let roles = grants.iter().map(|given| {
            let role = Role::ALL.into_iter().find(|role| role.id() == given.role)?;
            Some(InitialRole { role, wallet: given.account })
        });
        let arguments = ConstructorArguments { admin, roles: roles.collect::<Option<_>>()? };
        // One encoding only: what is left over or out of place is somebody else's.
        (*self.init_code(&arguments) == *init_code).then_some(arguments)
    }

    /// The code on chain, with zeros where the constructor writes.
    pub fn deployed_code(&self) -> &Bytes {
        &self.deployed_bytecode.object
    }

    /// Whether `code`, read from a chain, is this build, whatever the constructor wrote into it.
    pub fn is_code(&self, code: &[u8]) -> bool {
        self.masked(code) == self.deployed_bytecode.object
    }

    /// `code` with zeros where the constructor writes.
    pub(super) fn masked(&self, code: &[u8]) -> Vec<u8> {
        let mut code = code.to_vec();
        for ImmutableRange { start, length } in self.immutables() {
            if let Some(written) = code.get_mut(start..start + length) {
                written.fill(0);
            }
        }
        code
    }

    /// What the constructor wrote into `code`, word by word.
    pub fn written<'a>(&self, code: &'a [u8]) -> Vec<&'a [u8]> {
        self.immutables().filter_map(|ImmutableRange { start, length }| code.get(start..start + length)).collect()
    }
}

#[cfg(test)]
impl Artifact {
    /// Flips a byte of both codes.
    pub(super) fn spoil(&mut self, at: usize) {
        for code in [&mut self.bytecode, &mut self.deployed_bytecode.object] {
            let mut bytes = code.to_vec();
            bytes[at] ^= 1;
            *code = bytes.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::Address;

    #[test]
    fn code_is_compared_outside_the_immutables_only() {
        let artifact = Artifact::embedded().expect("a build");
        let code = artifact.deployed_code().to_vec();
        assert!(artifact.is_code(&code));
        let inside = artifact.immutables().next().expect("EIP-712 has immutables").start;
        let is_outside =
            |at: &usize| artifact.immutables().all(|range| !(range.start..range.start + range.length).contains(at));
        let outside = (0..code.len()).rev().find(is_outside).expect("code outside the immutables");
        let changed = |at: usize| {
            let mut code = code.clone();
            code[at] ^= 1;
            code
        };
        assert!(artifact.is_code(&changed(inside)));
        assert!(!artifact.is_code(&changed(outside)));
        assert!(!artifact.is_code(&code[..code.len() - 1]));
        assert!(!artifact.is_code(&[]));
    }

    #[test]
    fn init_code_ends_with_the_arguments() {
        let artifact = Artifact::embedded().expect("a build");
        let roles = vec![InitialRole { role: Role::Kgc, wallet: Address::repeat_byte(8) }];
        let init = artifact.init_code(&ConstructorArguments { admin: Address::repeat_byte(7), roles });
        let arguments = init.strip_prefix(&artifact.bytecode[..]).expect("the code comes first");
        // admin, where the list is, how long it is, its one role and wallet.
        assert_eq!(arguments.len(), 5 * 32);
        assert_eq!((&arguments[12..32], arguments[95], &arguments[140..]), (&[7; 20][..], 1, &[8; 20][..]));
        assert_eq!(arguments[96..128], Role::Kgc.id()[..]);
    }

    #[test]
    fn arguments_are_read_out_of_their_own_init_code_alone() {
        let artifact = Artifact::embedded().expect("a build");
        let given = |roles| ConstructorArguments { admin: Address::repeat_byte(7), roles };
        let role = |role| InitialRole { role, wallet: Address::repeat_byte(8) };
        for arguments in [given(vec![]), given(Role::ALL.map(role).to_vec())] {
            assert_eq!(artifact.arguments(&artifact.init_code(&arguments)), Some(arguments));
        }
        let init = artifact.init_code(&given(vec![role(Role::Kgc)])).to_vec();
        let code = artifact.bytecode.len();
        for changed in [code - 1, code + 4, code + 100] {
            let mut other = init.clone();
            other[changed] ^= 1;
            assert_eq!(artifact.arguments(&other), None, "byte {changed}");
        }
        assert_eq!(artifact.arguments(&init[..init.len() - 1]), None);
    }
}

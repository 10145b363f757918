//! What a build of the contract was made from, and the first point in which two builds, or a build
//! and what a chain runs, differ.

use super::artifact::{Artifact, ArtifactError, ConstructorArguments};
use alloy::primitives::{Address, B256};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The contract among the sources: its file, and its name.
pub const CONTRACT: (&str, &str) = ("contracts/src/ImageRegistry.sol", "ImageRegistry");

/// A build of the contract: as the committed one is written, or made of a compiler's answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Build {
    /// Version of the compiler.
    pub solc: String,
    evm_version: String,
    #[serde(rename = "viaIR")]
    via_ir: bool,
    optimizer: Value,
    /// keccak256 of each file.
    pub sources: BTreeMap<String, B256>,
    abi: Vec<Value>,
    #[serde(flatten)]
    artifact: Artifact,
}

/// What stands on a chain, and what its deployment file says.
#[derive(Debug, Clone, Copy)]
pub struct Deployed<'a> {
    /// The contract's code.
    pub code: &'a [u8],
    /// What the deploying transaction carried.
    pub init_code: &'a [u8],
    /// The constructor's arguments by the deployment file.
    pub arguments: &'a ConstructorArguments,
}

/// The first difference that was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Difference {
    /// Another compiler.
    #[error("expected solc {expected}, found {found}")]
    Compiler {
        /// Version that made the known build.
        expected: String,
        /// Version that compiled these sources.
        found: String,
    },
    /// Another setting of the compiler.
    #[error("compiler setting {name}: expected {expected}, found {found}")]
    Setting {
        /// Which.
        name: String,
        /// Value of the known build.
        expected: String,
        /// Value for these sources.
        found: String,
    },
    /// A file of the sources is another one, is missing, or is one too many.
    #[error("source file {file} is not the one that was deployed")]
    Source {
        /// Which.
        file: String,
    },
    /// The interface for clients.
    #[error("the ABI is not what these sources give")]
    Abi,
    /// Other code, and nothing is known that explains it.
    #[error("the {what} differs from byte {at} on: {built} bytes built, {found} found")]
    Code {
        /// `code`, or `init code`.
        what: &'static str,
        /// The first byte that differs.
        at: usize,
        /// Length of what the sources give.
        built: usize,
        /// Length of what was found.
        found: usize,
    },
    /// The contract was made with another argument than its deployment file says.
    #[error("constructor argument {name}: expected {expected}, found {found}")]
    Argument {
        /// Which.
        name: String,
        /// By the deployment file.
        expected: String,
        /// By the deploying transaction.
        found: String,
    },
}

impl Build {
    /// The build that is part of this program.
    ///
    /// # Errors
    /// [`ArtifactError`].
    pub fn embedded() -> Result<Self, ArtifactError> {
        Self::checked(serde_json::from_str(super::artifact::EMBEDDED)?)
    }

    /// The build in a compiler's answer (standard JSON) that holds the contract's metadata, ABI,
    /// code and immutable references.
    ///
    /// # Errors
    /// [`ArtifactError`] if something of it is missing.
    pub fn of_answer(answer: &Value) -> Result<Self, ArtifactError> {
        let contract = &answer["contracts"][CONTRACT.0][CONTRACT.1];
        let metadata: Value = serde_json::from_str(contract["metadata"].as_str().unwrap_or_default())?;
        let (settings, evm) = (&metadata["settings"], &contract["evm"]);
        let sources = metadata["sources"].as_object().into_iter().flatten();
        let hashes: BTreeMap<_, _> = sources.map(|(file, source)| (file, &source["keccak256"])).collect();
        let references = evm["deployedBytecode"]["immutableReferences"].as_object().into_iter().flatten();
        let mut references: Vec<&Value> =
            references.flat_map(|(_, places)| places.as_array().into_iter().flatten()).collect();
        references.sort_by_key(|place| place["start"].as_u64());
        let code = |object: &Value| format!("0x{}", object.as_str().unwrap_or_default());
        Self::checked(serde_json::from_value(json!({
            "solc": metadata["compiler"]["version"],
            "evmVersion": settings["evmVersion"],
            "viaIR": settings["viaIR"].as_bool().unwrap_or_default(),
            "optimizer": settings["optimizer"],
            "sources": hashes,
            "abi": contract["abi"],
            "bytecode": code(&evm["bytecode"]["object"]),
            "deployedBytecode": {
                "object": code(&evm["deployedBytecode"]["object"]),
                "immutableReferences": references,
            },
        }))?)
    }

    fn checked(build: Self) -> Result<Self, ArtifactError> {
        build.artifact.check()?;
        Ok(build)
    }

    /// What differs from `known`, in this order: compiler, settings, sources, ABI, code.
    pub fn difference(&self, known: &Self) -> Option<Difference> {
        if self.solc != known.solc {
            return Some(Difference::Compiler { expected: known.solc.clone(), found: self.solc.clone() });
        }
        if let Some((name, expected, found)) = first_change("", &known.settings(), &self.settings()) {
            return Some(Difference::Setting { name, expected, found });
        }
        let files = self.sources.keys().chain(known.sources.keys());
        let changed = files.filter(|file| self.sources.get(*file) != known.sources.get(*file)).min();
        if let Some(file) = changed {
            return Some(Difference::Source { file: file.clone() });
        }
        // Tools order it as they like.
        let sorted = |abi: &[Value]| abi.iter().map(Value::to_string).collect::<std::collections::BTreeSet<_>>();
        if sorted(&self.abi) != sorted(&known.abi) {
            return Some(Difference::Abi);
        }
        code_change("code", self.artifact.deployed_code(), known.artifact.deployed_code())
            .or_else(|| code_change("init code", self.artifact.bytecode(), known.artifact.bytecode()))
    }

    /// Whether a chain runs this build, whatever the constructor wrote into it, with the arguments
    /// that its deployment file says. Where it runs `known`, the difference is named by what the
    /// two builds were made from.
    ///
    /// # Errors
    /// The first [`Difference`].
    pub fn check(&self, known: &Self, deployed: &Deployed<'_>) -> Result<(), Difference> {
        if !self.is_on(deployed) {
            let named = if known.is_on(deployed) { self.difference(known) } else { None };
            return Err(named.unwrap_or_else(|| self.code_difference(deployed)));
        }
        let given = deployed.arguments;
        if *self.artifact.init_code(given) == *deployed.init_code {
            return Ok(());
        }
        let wrong = |name: String, expected: String, found: String| Difference::Argument { name, expected, found };
        let Some(found) = self.artifact.arguments(deployed.init_code) else {
            let expected = format!("{} and {} roles", given.admin, given.roles.len());
            return Err(wrong("encoding".into(), expected, "none that this program writes".into()));
        };
        if found.admin != given.admin {
            return Err(wrong("admin".into(), given.admin.to_string(), found.admin.to_string()));
        }
        let place = (0..).find(|at| found.roles.get(*at) != given.roles.get(*at)).unwrap_or_default();
        let text = |roles: &ConstructorArguments| match roles.roles.get(place) {
            Some(role) => role_text(role.role.name(), role.wallet),
            None => "none".to_owned(),
        };
        Err(wrong(format!("roles[{place}]"), text(given), text(&found)))
    }

    fn is_on(&self, deployed: &Deployed<'_>) -> bool {
        self.artifact.is_code(deployed.code) && deployed.init_code.starts_with(self.artifact.bytecode())
    }

    /// Where the code on a chain is not this build's.
    fn code_difference(&self, deployed: &Deployed<'_>) -> Difference {
        let found = self.artifact.masked(deployed.code);
        let (built, length) = (self.artifact.bytecode(), deployed.init_code.len());
        code_change("code", self.artifact.deployed_code(), &found)
            .or_else(|| code_change("init code", built, deployed.init_code))
            .unwrap_or(Difference::Code { what: "init code", at: built.len(), built: built.len(), found: length })
    }

    fn settings(&self) -> Value {
        json!({ "evmVersion": self.evm_version, "viaIR": self.via_ir, "optimizer": self.optimizer })
    }
}

fn role_text(role: &str, wallet: Address) -> String {
    format!("{role} of {wallet}")
}

/// The first byte in which two codes differ.
fn code_change(what: &'static str, built: &[u8], found: &[u8]) -> Option<Difference> {
    let at = built.iter().zip(found).take_while(|(a, b)| a == b).count();
    let (built, found) = (built.len(), found.len());
    (at < built || at < found).then_some(Difference::Code { what, at, built, found })
}

/// The first value that differs, by its path, with both.
fn first_change(path: &str, one: &Value, other: &Value) -> Option<(String, String, String)> {
    if let (Value::Object(a), Value::Object(b)) = (one, other) {
        let names: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
        let below = |name: &String| if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        return names.into_iter().find_map(|name| first_change(&below(name), &one[name], &other[name]));
    }
    (one != other).then(|| (path.to_owned(), one.to_string(), other.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::InitialRole;
    use crate::contract::bindings::Role;

    fn arguments() -> ConstructorArguments {
        let role = InitialRole { role: Role::Pauser, wallet: Address::repeat_byte(2) };
        ConstructorArguments { admin: Address::repeat_byte(1), roles: vec![role] }
    }

    /// What `build` gives `other` as difference, where the chain runs the committed build with
    /// these arguments, and the deployment file says `said`.
    fn checked(build: &Build, said: &ConstructorArguments) -> Result<(), Difference> {
        let known = Build::embedded().expect("a build");
        let code = known.artifact.deployed_code().clone();
        let init_code = known.artifact.init_code(&arguments());
        build.check(&known, &Deployed { code: &code, init_code: &init_code, arguments: said })
    }

    fn embedded() -> Build {
        Build::embedded().expect("a build")
    }

    /// Its code is another one, as of a build from other sources.
    fn otherwise(mut build: Build) -> Build {
        build.artifact.spoil(1000);
        build
    }

    #[test]
    fn the_same_build_with_the_same_arguments_is_what_the_chain_runs() {
        assert_eq!(checked(&embedded(), &arguments()), Ok(()));
        assert_eq!(embedded().difference(&embedded()), None);
        assert!(embedded().sources.len() > 30 && embedded().sources.contains_key(CONTRACT.0));
    }

    #[test]
    fn another_compiler_setting_or_source_is_named() {
        let mut build = otherwise(embedded());
        build.solc = "0.8.36+commit.0".into();
        let expected = embedded().solc;
        let found = "0.8.36+commit.0".to_owned();
        assert_eq!(checked(&build, &arguments()), Err(Difference::Compiler { expected, found }));

        let mut build = otherwise(embedded());
        build.optimizer["runs"] = 200.into();
        let (name, expected, found) = ("optimizer.runs".into(), "600".into(), "200".into());
        assert_eq!(checked(&build, &arguments()), Err(Difference::Setting { name, expected, found }));

        let mut build = otherwise(embedded());
        let file = "contracts/src/Records.sol".to_owned();
        build.sources.insert(file.clone(), B256::ZERO);
        assert_eq!(checked(&build, &arguments()), Err(Difference::Source { file: file.clone() }));
        build.sources.remove(&file);
        assert_eq!(checked(&build, &arguments()), Err(Difference::Source { file }));
    }

    #[test]
    fn code_that_nothing_known_explains_is_named_by_its_first_byte() {
        let (known, build) = (embedded(), otherwise(embedded()));
        let length = known.artifact.deployed_code().len();
        let expected = Difference::Code { what: "code", at: 1000, built: length, found: length };
        assert_eq!(checked(&build, &arguments()), Err(expected.clone()));
        assert_eq!(build.difference(&known), Some(expected));
        // The chain runs neither build.
        let other = otherwise(embedded());
        let (code, init_code) = (vec![0xfe; length], other.artifact.init_code(&arguments()));
        let deployed = Deployed { code: &code, init_code: &init_code, arguments: &arguments() };
        let refused = known.check(&known, &deployed).expect_err("other code");
        assert!(matches!(refused, Difference::Code { what: "code", at: 0, .. }), "{refused:?}");
    }

    #[test]
    fn another_constructor_argument_is_named() {
        let said = ConstructorArguments { admin: Address::repeat_byte(9), ..arguments() };
        let refused = checked(&embedded(), &said).expect_err("another administrator");
        assert!(matches!(refused, Difference::Argument { ref name, .. } if name == "admin"), "{refused:?}");
        let mut said = arguments();
        said.roles[0].role = Role::Verifier;
        let refused = checked(&embedded(), &said).expect_err("another role").to_string();
        assert!(refused.starts_with("constructor argument roles[0]: expected VERIFIER_ROLE of 0x0202"), "{refused}");
        said = arguments();
        said.roles.push(said.roles[0]);
        let refused = checked(&embedded(), &said).expect_err("a role more").to_string();
        assert!(refused.starts_with("constructor argument roles[1]") && refused.ends_with("found none"), "{refused}");
    }

    #[test]
    fn an_answer_without_the_contract_is_no_build() {
        assert!(Build::of_answer(&json!({ "contracts": {} })).is_err());
    }
}

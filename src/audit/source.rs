//! Builds the contract from its sources, with the compiler's standard JSON and the settings of
//! `foundry.toml`: what block explorers do for public chains.

use crate::contract::{ArtifactError, Build, CONTRACT, Difference};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Most that a file of the sources may hold.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// Most files that are followed.
const MAX_FILES: usize = 1000;

/// Why the contract could not be built from its sources, or is not what was expected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// A file can't be read.
    #[error("cannot read {}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// `foundry.toml` is not as it is needed here.
    #[error("{}: {reason}", path.display())]
    Project {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The compiler can't be run.
    #[error("cannot run the compiler {}", program.display())]
    Compiler {
        /// Which program.
        program: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It refuses the sources.
    #[error("the compiler refuses the sources: {message}")]
    Refused {
        /// Its first error.
        message: String,
    },
    /// Its answer holds no contract.
    #[error("the compiler's answer is of no use")]
    Answer(#[from] ArtifactError),
    /// The build is another one.
    #[error(transparent)]
    Differs(#[from] Difference),
}

/// Builds the contract from the sources in `folder`, which holds `foundry.toml`, with the compiler
/// `solc`. No program that the folder names is run.
///
/// # Errors
/// [`SourceError`].
pub fn build(folder: &Path, solc: &Path) -> Result<Build, SourceError> {
    let project = Project::read(folder)?;
    let sources = project.sources(folder)?;
    let input = json!({ "language": "Solidity", "sources": sources, "settings": project.settings });
    let answer = compile(solc, input.to_string().as_bytes())?;
    if let Some(error) = answer["errors"].as_array().into_iter().flatten().find(|error| error["severity"] == "error") {
        let message = error["formattedMessage"].as_str().unwrap_or("no reason given").trim().to_owned();
        return Err(SourceError::Refused { message });
    }
    Ok(Build::of_answer(&answer)?)
}

/// What `foundry.toml` says that decides the code.
#[derive(Debug)]
struct Project {
    settings: Value,
    /// Prefixes of imports, and the paths that they stand for.
    remappings: Vec<(String, String)>,
}

impl Project {
    fn read(folder: &Path) -> Result<Self, SourceError> {
        let path = folder.join("foundry.toml");
        let text = read(&path)?;
        let wrong = |reason: String| SourceError::Project { path: path.clone(), reason };
        let file: toml::Table = text.parse().map_err(|error: toml::de::Error| wrong(error.message().to_owned()))?;
        let profile = file.get("profile").and_then(|profiles| profiles.get("default"));
        let profile = serde_json::to_value(profile).map_err(|error| wrong(error.to_string()))?;
        if !profile.is_object() {
            return Err(wrong("it has no [profile.default]".to_owned()));
        }
        let texts = profile["remappings"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let remappings: Vec<(String, String)> =
            texts.filter_map(|text| text.split_once('=')).map(|(from, to)| (from.into(), to.into())).collect();
        let mut optimizer = json!({ "enabled": profile["optimizer"], "runs": profile["optimizer_runs"] });
        if profile["optimizer_details"].is_object() {
            optimizer["details"] = profile["optimizer_details"].clone();
        }
        let settings = json!({
            "remappings": profile["remappings"],
            "optimizer": optimizer,
            "metadata": { "bytecodeHash": profile["bytecode_hash"], "appendCBOR": profile["cbor_metadata"] },
            "evmVersion": profile["evm_version"],
            "viaIR": profile["via_ir"],
            "outputSelection": { CONTRACT.0: { CONTRACT.1: [
                "abi", "metadata", "evm.bytecode.object", "evm.deployedBytecode.object",
                "evm.deployedBytecode.immutableReferences",
            ] } },
        });
        Ok(Self { settings, remappings })
    }

    /// The contract's file and all that it imports.
    fn sources(&self, folder: &Path) -> Result<BTreeMap<String, Value>, SourceError> {
        let (mut found, mut waiting) = (BTreeMap::new(), vec![CONTRACT.0.to_owned()]);
        while let Some(name) = waiting.pop() {
            if found.contains_key(&name) {
                continue;
            }
            if found.len() == MAX_FILES {
                let reason = format!("the sources import more than {MAX_FILES} files");
                return Err(SourceError::Project { path: folder.join("foundry.toml"), reason });
            }
            let content = read(&folder.join(&name))?;
            waiting.extend(imports(&content).map(|import| self.resolve(&name, import)));
            found.insert(name, json!({ "content": content }));
        }
        Ok(found)
    }

    /// The file that `import` stands for in the file `name`.
    fn resolve(&self, name: &str, import: &str) -> String {
        if !import.starts_with('.') {
            let remapped = self.remappings.iter().find_map(|(from, to)| Some(to.clone() + import.strip_prefix(from)?));
            return remapped.unwrap_or_else(|| import.to_owned());
        }
        let mut parts: Vec<&str> = name.split('/').collect();
        parts.pop();
        for part in import.split('/') {
            match part {
                "." => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        parts.join("/")
    }
}

/// The files that a source file imports: the last string of each import, which begins a line.
fn imports(text: &str) -> impl Iterator<Item = &str> {
    let statements = text.split("\nimport ").skip(1).filter_map(|rest| rest.split_once(';'));
    statements.filter_map(|(import, _)| import.rsplit('"').nth(1))
}

fn read(path: &Path) -> Result<String, SourceError> {
    let wrong = |source| SourceError::File { path: path.to_owned(), source };
    let length = std::fs::metadata(path).map_err(wrong)?.len();
    if length > MAX_FILE_BYTES {
        return Err(wrong(std::io::Error::other(format!("{length} bytes, at most {MAX_FILE_BYTES} are read"))));
    }
    std::fs::read_to_string(path).map_err(wrong)
}

/// The compiler's answer to `input`.
fn compile(solc: &Path, input: &[u8]) -> Result<Value, SourceError> {
    let wrong = |source| SourceError::Compiler { program: solc.to_owned(), source };
    let mut command = Command::new(solc);
    command.arg("--standard-json").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(wrong)?;
    // A compiler that does not read is found out by its answer.
    let written = child.stdin.take().map(|mut stdin| stdin.write_all(input));
    let output = child.wait_with_output().map_err(wrong)?;
    match serde_json::from_slice(&output.stdout) {
        Ok(answer) => Ok(answer),
        Err(error) => {
            let reason = written.and_then(Result::err).unwrap_or_else(|| std::io::Error::other(error));
            Err(wrong(reason))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project() -> Project {
        Project::read(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("ours")
    }

    #[test]
    fn imports_are_found_and_lead_to_files() {
        let text = "pragma x;\n\nimport {\n    A\n} from \"@openzeppelin/a.sol\";\nimport {B} from \"./B.sol\";\n\
                    // import \"no\";\nimport \"../C.sol\";\n";
        let found: Vec<&str> = imports(text).collect();
        assert_eq!(found, ["@openzeppelin/a.sol", "./B.sol", "../C.sol"]);
        let project = project();
        let files: Vec<String> = found.iter().map(|import| project.resolve(CONTRACT.0, import)).collect();
        let expected = ["target/tools/node_modules/@openzeppelin/a.sol", "contracts/src/B.sol", "contracts/C.sol"];
        assert_eq!(files, expected);
    }

    #[test]
    fn the_settings_are_those_of_the_project() {
        let settings = project().settings;
        assert_eq!((&settings["evmVersion"], &settings["viaIR"]), (&"cancun".into(), &true.into()));
        assert_eq!(settings["metadata"]["appendCBOR"], false);
        assert!(settings["optimizer"]["details"]["yulDetails"]["optimizerSteps"].is_string());
    }

    #[test]
    fn what_is_missing_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let refused = build(folder.path(), Path::new("solc")).expect_err("no project");
        assert!(matches!(refused, SourceError::File { ref path, .. } if path.ends_with("foundry.toml")), "{refused}");
        std::fs::write(folder.path().join("foundry.toml"), "[fmt]\n").expect("written");
        let refused = build(folder.path(), Path::new("solc")).expect_err("no profile");
        assert!(matches!(refused, SourceError::Project { .. }), "{refused}");
        std::fs::write(folder.path().join("foundry.toml"), "[profile.default]\n").expect("written");
        let refused = build(folder.path(), Path::new("solc")).expect_err("no contract");
        assert!(matches!(refused, SourceError::File { ref path, .. } if path.ends_with(CONTRACT.0)), "{refused}");
        let file = folder.path().join(CONTRACT.0);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        std::fs::write(file, "contract ImageRegistry {}\n").expect("written");
        let refused = build(folder.path(), Path::new("/no/such/solc")).expect_err("no compiler");
        assert!(matches!(refused, SourceError::Compiler { .. }), "{refused}");
        let refused = build(folder.path(), Path::new("true")).expect_err("no answer");
        assert!(matches!(refused, SourceError::Compiler { .. }), "{refused}");
    }
}

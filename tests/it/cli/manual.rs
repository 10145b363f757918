//! What shells and `man` are given.

use super::{Run, program};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// The commands that `medseal WORDS... --help` lists.
fn commands(folder: &Path, words: &[&str]) -> BTreeSet<String> {
    let help = Run::of(program(folder).args(words).arg("--help")).stdout;
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // A description may go on in the next line, further to the right.
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

fn all_commands(folder: &Path) -> BTreeSet<String> {
    let all = commands(folder, &[]);
    assert!(all.len() > 25 && all.contains("seal") && all.contains("completions"), "{all:?}");
    all
}

#[test]
fn bash_completes_every_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = Run::of(program(folder.path()).args(["completions", "bash"]));
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let script = folder.path().join("medseal.bash");
    std::fs::write(&script, &run.stdout).expect("written");
    let bash = |arguments: &[&str]| Run::of(Command::new("bash").args(arguments).current_dir(folder.path()));
    let accepted = bash(&["-n", "medseal.bash"]);
    assert_eq!((accepted.code, accepted.stderr.as_str()), (0, ""));
    let completed = |words: &str, last: usize| {
        let line = format!(
            ". ./medseal.bash; COMP_WORDS=({words}); COMP_CWORD={last}; \
             _medseal medseal \"${{COMP_WORDS[{last}]}}\" medseal; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        bash(&["-c", &line]).stdout.lines().map(str::to_owned).collect::<BTreeSet<String>>()
    };
    let offered = completed("medseal ''", 1);
    let missing: Vec<_> = all_commands(folder.path()).difference(&offered).cloned().collect();
    assert!(missing.is_empty(), "{missing:?} of {offered:?}");
    assert_eq!(completed("medseal completions ''", 2).intersection(&shells()).count(), 3);
}

fn shells() -> BTreeSet<String> {
    ["bash", "zsh", "fish"].map(str::to_owned).into()
}

#[test]
fn zsh_and_fish_are_given_every_command() {
    let folder = tempfile::tempdir().expect("a folder");
    for (shell, start) in [("zsh", "#compdef medseal"), ("fish", "#")] {
        let run = Run::of(program(folder.path()).args(["--json", "completions", shell]));
        let result = run.result();
        let script = result["script"].as_str().expect("a script");
        assert!(script.starts_with(start), "{shell}: {script}");
        for command in all_commands(folder.path()) {
            let named = match shell {
                "zsh" => script.contains(&format!("'{command}:")),
                _ => script.contains(&format!("-a \"{command}\"")),
            };
            assert!(named, "{shell}: {command}");
        }
    }
    let refused = Run::of(program(folder.path()).args(["completions", "tcsh"]));
    assert_eq!(refused.code, 2);
}

#[test]
fn the_manual_names_every_command_and_exit_code() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = Run::of(program(folder.path()).arg("man"));
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert!(run.stdout.contains(".TH medseal 1"), "{}", run.stdout);
    for command in all_commands(folder.path()) {
        let name = format!("medseal\\-{}(1)", command.replace('-', "\\-"));
        assert!(run.stdout.contains(&name), "{command}");
    }
    let (_, codes) = run.stdout.split_once(".SH \"EXIT STATUS\"").expect("a section");
    for code in 0..=8 {
        assert!(codes.contains(&format!("\\fB{code}\\fR\n")), "exit code {code}");
    }
}

#[test]
fn a_folder_gets_a_page_for_each_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |more: &[&str]| Run::of(program(folder.path()).args(["--json", "man", "-o", "man/man1"]).args(more));
    let result = write(&[]).result();
    let entries = std::fs::read_dir(folder.path().join("man/man1")).expect("a folder");
    let files: BTreeSet<String> =
        entries.map(|entry| entry.expect("a page").file_name().into_string().expect("a name")).collect();
    assert_eq!(result["pages"], files.len());
    let mut expected = BTreeSet::from(["medseal.1".to_owned()]);
    for command in all_commands(folder.path()) {
        let below = commands(folder.path(), &[&command]);
        expected.extend(below.iter().map(|name| format!("medseal-{command}-{name}.1")));
        expected.insert(format!("medseal-{command}.1"));
    }
    assert_eq!(files, expected);
    write(&[]).refusal(8, "OUTPUT_EXISTS");
    write(&["--force"]).result();
}

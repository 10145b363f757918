//! Every setting, on the command line, in the page and in the example.

use super::table::GivenBy;
use super::{Flags, Setting};
use crate::cli::page::section;
use clap::{Args, FromArgMatches};

/// The flags as the command line has them.
fn command() -> clap::Command {
    Flags::augment_args(clap::Command::new("medseal"))
}

/// The long flag of a setting, with its dashes; none for one that is no flag.
fn flag(setting: Setting) -> Option<String> {
    let command = command();
    let argument = command.get_arguments().find(|argument| argument.get_id() == setting.row().name)?;
    Some(format!("--{}", argument.get_long().expect("a long flag")))
}

#[test]
fn every_setting_is_read_from_its_own_flag_whose_help_names_variable_and_default() {
    for &setting in Setting::ALL {
        let row = setting.row();
        assert_eq!(row.flag.is_some(), flag(setting).is_some(), "{setting:?}");
        let (Some(flag), Some(read)) = (flag(setting), row.flag) else { continue };
        let matches = command().get_matches_from(["medseal", &flag, "given"]);
        let flags = Flags::from_arg_matches(&matches).expect("flags");
        assert_eq!(read(&flags).as_deref(), Some("given"), "{setting:?}");
        let command = command();
        let help = command.get_arguments().find(|argument| argument.get_id() == row.name).expect("found above");
        let help = help.get_help().expect("a help text").to_string();
        assert!(help.contains(&format!("[env: {}]", row.variable)), "{setting:?}: {help}");
        if let Some(default) = row.default {
            assert!(help.contains(&format!("[default: {default}]")), "{setting:?}: {help}");
        }
    }
}

#[test]
fn the_page_and_the_example_have_every_setting() {
    let cell = |text: &str| text.trim().trim_end_matches(" \\*").trim_matches('`').to_owned();
    let mut listed: Vec<_> = section("Settings")
        .lines()
        .filter_map(|line| line.strip_prefix("| "))
        .skip(2)
        .map(|row| row.split('|').map(str::to_owned).collect::<Vec<_>>())
        .map(|cells| (cell(cells[0].split(',').next().expect("a cell")), cell(&cells[1])))
        .collect();
    let mut ours: Vec<_> = Setting::ALL
        .iter()
        .map(|&setting| (flag(setting).unwrap_or_default(), setting.row().variable.to_owned()))
        .collect();
    listed.sort();
    ours.sort();
    assert_eq!(listed, ours);
    let example = include_str!("../../../.env.example");
    let mut variables: Vec<_> =
        example.lines().filter_map(|line| Some(line.strip_prefix('#')?.split_once('=')?.0)).collect();
    variables.retain(|variable| !variable.contains(' '));
    variables.sort_unstable();
    let from_there = Setting::ALL.iter().filter(|setting| setting.row().given_by == GivenBy::Anywhere);
    let mut ours: Vec<_> = from_there.map(|setting| setting.row().variable).collect();
    ours.sort_unstable();
    assert_eq!(variables, ours);
}

/// The page says of each setting that the working folder does not give that it does not.
#[test]
fn the_page_marks_what_the_working_folder_does_not_give() {
    for &setting in Setting::ALL {
        let row = setting.row();
        let cell = format!("| `{}` ", row.variable);
        let marked = format!("| `{}` \\* |", row.variable);
        let text = section("Settings");
        assert_eq!(text.contains(&marked), row.given_by == GivenBy::User, "{setting:?}");
        assert!(text.contains(&cell), "{setting:?}");
    }
}

#[test]
fn in_the_file_a_setting_has_its_flags_name() {
    for &setting in Setting::ALL {
        let named = flag(setting).map(|flag| flag.trim_start_matches('-').replace('-', "_"));
        match setting {
            Setting::Actor => assert_eq!(named.as_deref(), Some("as")),
            Setting::BlockTime | Setting::ReadTime | Setting::RelayGas | Setting::Models => assert_eq!(named, None),
            _ => assert_eq!(named.as_deref(), Some(setting.row().name)),
        }
    }
}

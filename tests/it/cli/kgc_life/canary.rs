//! Secrets whose bytes are known, searched for in all that the program says, writes and sends.

use super::super::kgc_service::{Elsewhere, Serving};
use super::super::{Run, copy_folder};
use super::{KEY_FILE, World};
use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use medseal::envelope::capsules::shamir::{Share, combine};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

type Traffic = Arc<Mutex<Vec<u8>>>;

/// Passes on what comes to another address, and keeps a copy of both directions.
fn overheard(to: String, heard: &Traffic) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let heard = Arc::clone(heard);
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let Ok(server) = TcpStream::connect(&to) else { continue };
            let pairs = [(&client, &server), (&server, &client)];
            for (from, to) in pairs.map(|(from, to)| (from.try_clone(), to.try_clone())) {
                let (Ok(mut from), Ok(mut to), heard) = (from, to, Arc::clone(&heard)) else { continue };
                std::thread::spawn(move || {
                    let mut bytes = [0; 8192];
                    while let Ok(count) = from.read(&mut bytes) {
                        heard.lock().expect("nobody panics").extend_from_slice(&bytes[..count]);
                        if count == 0 || to.write_all(&bytes[..count]).is_err() {
                            break;
                        }
                    }
                    // The other side may be gone.
                    let _ = to.shutdown(Shutdown::Write);
                });
            }
        }
    });
    format!("http://{address}")
}

fn bytes(value: &Value) -> Vec<u8> {
    alloy::hex::decode(value.as_str().expect("hex")).expect("hex")
}

/// The secrets in a key file without a passphrase, 32 bytes each: opened as its documentation says.
fn secrets(key_file: &[u8]) -> Vec<Vec<u8>> {
    let json: Value = serde_json::from_slice(key_file).expect("JSON");
    let number = |value: &Value| u32::try_from(value.as_u64().expect("a number")).expect("small").to_be_bytes();
    let one = std::slice::from_ref(&json);
    let epochs = json["epochs"].as_array().map_or(one, Vec::as_slice);
    let mut parts = vec![b"medseal/v1/kgc-key-file".to_vec(), number(&json["version"]).to_vec(), bytes(&json["kgcId"])];
    for epoch in epochs {
        parts.extend([number(&epoch["epoch"]).to_vec(), bytes(&epoch["x25519"]), bytes(&epoch["receiptSigner"])]);
    }
    let with_length = |part: &Vec<u8>| [&u32::try_from(part.len()).expect("short").to_be_bytes()[..], part].concat();
    let aad = parts.iter().flat_map(with_length).collect::<Vec<u8>>();
    let nonce = Nonce::from(<[u8; 12]>::try_from(bytes(&json["nonce"])).expect("12 bytes"));
    let payload = Payload { msg: &bytes(&json["secrets"]), aad: &aad };
    let opened = Aes256GcmSiv::new(&[0; 32].into()).decrypt(&nonce, payload).expect("opens");
    let each = if epochs.len() == 1 && json["epochs"].is_null() { 96 } else { 100 };
    opened.chunks(each).flat_map(|epoch| epoch[each - 96..].chunks(32)).map(<[u8]>::to_vec).collect()
}

/// Each way in which a secret may be written down.
fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
    let hex = alloy::hex::encode(secret);
    let list = secret.iter().map(u8::to_string).collect::<Vec<_>>();
    let mut forms = vec![
        secret.to_vec(),
        hex.to_uppercase().into_bytes(),
        STANDARD_NO_PAD.encode(secret).into_bytes(),
        URL_SAFE_NO_PAD.encode(secret).into_bytes(),
        list.join(", ").into_bytes(),
        list.join(",").into_bytes(),
        secret.iter().rev().copied().collect(),
    ];
    forms.push(hex.into_bytes());
    forms
}

fn find(place: &str, haystack: &[u8], secrets: &[Vec<u8>]) -> usize {
    let found = |needle: &Vec<u8>| haystack.windows(needle.len()).any(|window| window == needle);
    let hits = secrets.iter().flat_map(|secret| forms(secret)).filter(found).count();
    assert_eq!(hits, 0, "a secret lies in {place}");
    haystack.len()
}

/// Searches every file of a folder; returns how many bytes those were.
fn search(folder: &Path, secrets: &[Vec<u8>], but: &[&str]) -> usize {
    let mut searched = 0;
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            searched += search(&path, secrets, but);
        } else if !but.contains(&name.as_str()) {
            searched += find(&name, &std::fs::read(&path).expect("a file"), secrets);
        }
    }
    searched
}

/// The key of a backup, of two of its shares.
fn backup_key(files: [Vec<u8>; 2]) -> Vec<u8> {
    let shares = files.map(|file| {
        let lock = serde_json::from_slice::<Value>(&file).expect("JSON")["lock"]["share"].take();
        let index = u8::try_from(lock["index"].as_u64().expect("a number")).expect("small");
        Share { index, bytes: bytes(&lock["share"]).into() }
    });
    combine(2, &shares).expect("a key").to_vec()
}

#[test]
fn known_secrets_are_in_nothing_that_is_said_written_or_sent() {
    let world = World::new();
    let heard = Traffic::default();
    let node = overheard(world.node.rpc_url().trim_start_matches("http://").to_owned(), &heard);
    let mut said = Vec::new();
    let mut run = |args: &[&str]| {
        let mut command = world.command(args);
        let run = Run::of(command.env("ETH_RPC_URL", &node).args(["-v", "--json"]));
        assert_eq!(run.code, 0, "{args:?}: {} {}", run.stdout, run.stderr);
        said.extend([run.stdout.into_bytes(), run.stderr.into_bytes()].concat());
    };
    world.write("passphrase", "canary-passphrase-of-a-file\n");
    world.write("backup-passphrase", "canary-passphrase-of-a-backup\n");
    let first = world.sealed(1);
    run(&["kgc", "rotate"]);
    // From here on the key file has a passphrase: nothing but this test knows its secrets.
    let mut canaries = secrets(&world.read(KEY_FILE));
    assert_eq!(canaries.len(), 6);
    run(&["kgc", "backup", "shares", "--shares", "2-of-3"]);
    let of_shares = backup_key(["shares/share-1-of-3.json", "shares/share-3-of-3.json"].map(|name| world.read(name)));
    canaries.push(of_shares);
    std::fs::remove_file(world.path(KEY_FILE)).expect("removed");
    let password = ["--kgc-password-file", "passphrase"];
    let [one, two] = ["shares/share-1-of-3.json", "shares/share-2-of-3.json"];
    run(&["kgc", "restore", one, two, password[0], password[1]]);
    run(&["kgc", "rewrap", "--all", password[0], password[1]]);
    run(&["kgc", "status", password[0], password[1]]);
    run(&["kgc", "backup", "locked", "--passphrase-file", "backup-passphrase", password[0], password[1]]);
    run(&["kgc", "drill", "locked", "--passphrase-file", "backup-passphrase"]);
    run(&["kgc", "drill", one, two]);

    let mut command = world.command(&["kgc", "serve", "--listen", "127.0.0.1:0", "--operators", "127.0.0.1:0", "-v"]);
    let serving = Serving::of(command.env("ETH_RPC_URL", &node).args(password));
    let url = overheard(serving.url.trim_start_matches("http://").to_owned(), &heard);
    let reader = Elsewhere::of(&world);
    copy_folder(&world.path(".medseal/store"), &reader.folder.path().join(".medseal/store"));
    reader.medseal(&["open", &first, "-o", "o", "--kgc-url", &url]).result();
    std::fs::write(reader.folder.path().join("b.png"), super::png(9, 9, 2)).expect("written");
    reader.medseal(&["seal", "b.png", "--kgc-url", &url]).result();
    let refused = reader.medseal(&["open", &first, "-o", "p", "--as", "stranger", "--kgc-url", &url]);
    assert_eq!(refused.code, 4, "{}", refused.stdout);
    said.extend(serving.end().into_bytes());

    let words = ["canary-passphrase-of-a-file", "canary-passphrase-of-a-backup"].map(|word| word.as_bytes().to_vec());
    canaries.extend(words);
    let heard = heard.lock().expect("nobody panics").clone();
    assert!(find("what was said", &said, &canaries) > 2_000);
    assert!(find("what was sent", &heard, &canaries) > 20_000);
    let files = search(world.folder.path(), &canaries, &["passphrase", "backup-passphrase"]);
    assert!(files > 10_000 && search(reader.folder.path(), &canaries, &[]) > 1_000);
    // The search finds what is there to be found.
    let mut spoiled = said.clone();
    spoiled.extend(alloy::hex::encode(&canaries[4]).into_bytes());
    let found = std::panic::catch_unwind(|| find("a place", &spoiled, &canaries));
    assert!(found.is_err());
}

//! Three key centers that share the keys of images: three processes, three key files, one chain.

use super::super::{World, png, wallet};
use super::{Elsewhere, Serving};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Three services in front of one chain, in the order of their ids.
struct Three {
    world: World,
    serving: Vec<Option<Serving>>,
    ids: Vec<String>,
}

impl Three {
    fn start() -> Self {
        let world = World::new();
        let mut serving = Vec::new();
        for number in 0..3 {
            // The first is the world's own; each has a state folder and a key file of its own.
            let home = if number == 0 { ".medseal".to_owned() } else { format!("kgc-{number}") };
            if number > 0 {
                world.medseal(&["--home", &home, "kgc", "init", "--no-passphrase"]).result();
            }
            let id = world.medseal(&["--home", &home, "kgc", "status"]).result()["kgcId"].take();
            let started = Serving::start(&world, &["--home", &home, "--anchor-every", "0"]);
            serving.push((id.as_str().expect("an id").to_owned(), started));
        }
        serving.sort_by(|(left, _), (right, _)| left.cmp(right));
        let (ids, serving) = serving.into_iter().map(|(id, serving)| (id, Some(serving))).unzip();
        Self { world, serving, ids }
    }

    fn url(&self, number: usize) -> String {
        self.serving[number].as_ref().expect("it runs").url.clone()
    }

    fn urls(&self) -> Vec<String> {
        (0..3).map(|number| self.url(number)).collect()
    }

    fn kill(&mut self, number: usize) {
        self.serving[number] = None;
    }

    /// Somebody elsewhere, with the stored images.
    fn reader(&self) -> Elsewhere {
        let reader = Elsewhere::of(&self.world);
        reader.fetch_from(self.world.folder.path());
        reader
    }

    fn seal(&self, name: &str, urls: &str, threshold: &str) -> (String, super::super::Run) {
        self.world.write(name, png(30, 20, u64::from(name.as_bytes()[0])));
        let run = self.world.medseal(&["seal", name, "--kgc-url", urls, "--threshold", threshold]);
        let id = run.result()["images"][0]["imageId"].as_str().expect("an id").to_owned();
        (id, run)
    }
}

fn open(reader: &Elsewhere, id: &str, urls: &[String], more: &[&str]) -> super::super::Run {
    let urls = urls.join(",");
    reader.medseal(&[&["open", id, "-o", "opened", "--force", "--kgc-url", &urls], more].concat())
}

/// What a proxy does with an answer: path and body of the question, the answer's body.
type Change = Box<dyn FnMut(&str, &str, Value) -> Value + Send>;

/// The URL of a proxy in front of a service, which holds each answer back for so long.
fn proxy(service: &str, hold: Duration, change: Change) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (service, change) = (service.trim_start_matches("http://").to_owned(), Arc::new(Mutex::new(change)));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (service, change) = (service.clone(), change.clone());
            // Who gave up waiting has closed the connection.
            std::thread::spawn(move || serve(stream.expect("a connection"), &service, hold, &change));
        }
    });
    url
}

/// Reads one message: its head, and as much as it says that follows.
fn message(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        let mut more = [0; 4096];
        let read = stream.read(&mut more).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&more[..read]);
    };
    let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse::<usize>().ok());
    let mut body = bytes.split_off(head);
    while body.len() < length.unwrap_or(0) {
        let mut more = [0; 65536];
        let read = stream.read(&mut more).ok().filter(|read| *read > 0)?;
        body.extend_from_slice(&more[..read]);
    }
    Some((String::from_utf8_lossy(&bytes).into_owned(), body))
}

fn serve(mut client: TcpStream, service: &str, hold: Duration, change: &Mutex<Change>) -> Option<()> {
    let (head, body) = message(&mut client)?;
    let path = head.split(' ').nth(1)?.to_owned();
    let mut server = TcpStream::connect(service).ok()?;
    let head: Vec<&str> =
        head.trim_end().lines().filter(|line| !line.to_lowercase().starts_with("connection")).collect();
    write!(server, "{}\r\nconnection: close\r\n\r\n", head.join("\r\n")).ok()?;
    server.write_all(&body).ok()?;
    let (head, answer) = message(&mut server)?;
    std::thread::sleep(hold);
    let status = head.lines().next()?;
    let kind = head.lines().find(|line| line.to_lowercase().starts_with("content-type"))?;
    let answer = match serde_json::from_slice(&answer) {
        Ok(json) => {
            let asked = String::from_utf8_lossy(&body).into_owned();
            (change.lock().expect("no panic"))(&path, &asked, json).to_string().into_bytes()
        }
        Err(_) => answer,
    };
    write!(client, "{status}\r\n{kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", answer.len()).ok()?;
    client.write_all(&answer).ok()
}

fn unchanged() -> Change {
    Box::new(|_, _, answer| answer)
}

#[test]
fn two_of_three_open_with_one_killed_slow_or_lying() {
    let three = Three::start();
    let (urls, ids) = (three.urls(), three.ids.clone());
    let (id, run) = three.seal("a.png", &urls.join(","), "2");
    assert!(!run.stderr.contains("note: key center"), "{}", run.stderr);
    let holders = three.world.medseal(&["capsules", "show", &id]).result()["holders"].take();
    let shares: Vec<&str> =
        holders.as_array().expect("holders").iter().map(|one| one["keyId"].as_str().expect("an id")).collect();
    assert_eq!(shares, ids);
    assert!(holders.as_array().expect("holders").iter().all(|one| one["holder"] == "share"), "{holders}");
    let (other, _) = three.seal("b.png", &urls.join(","), "2");
    let reader = three.reader();
    let scan = three.world.read("a.png");
    let opened = |run: super::super::Run| {
        run.result();
        assert!(std::fs::read(reader.folder.path().join("opened")).expect("opened") == scan);
        run.stderr
    };
    // All well, whatever the order of the URLs; a wallet without access gets nothing from any.
    let said = opened(open(&reader, &id, &[urls[2].clone(), urls[0].clone(), urls[1].clone()], &[]));
    assert!(!said.contains("note"), "{said}");
    let refused = open(&reader, &id, &urls, &["--as", "stranger"]).refusal(1, "KGC_SET");
    assert!(
        refused.message.contains("refused (not-authorised: ") && refused.hint.contains("--kgc-url"),
        "{}",
        refused.message
    );
    three.world.medseal(&["grant", &id, &wallet(3)]).result();
    opened(open(&reader, &id, &urls[..2], &["--as", "stranger"]));

    // One holds everything back for longer than anybody waits who has enough.
    let slow = proxy(&urls[1], Duration::from_secs(5), unchanged());
    let begun = Instant::now();
    let said = opened(open(&reader, &id, &[urls[0].clone(), slow.clone(), urls[2].clone()], &[]));
    assert!(said.contains(&format!("at {slow}: slow (no answer within")), "{said}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());

    // One gives what it gave for another image: it is named, and does no harm.
    let lying = proxy(&urls[2], Duration::ZERO, earlier());
    let at = [urls[0].clone(), urls[1].clone(), lying.clone()];
    reader.medseal(&["open", &other, "-o", "other", "--force", "--kgc-url", &at.join(",")]).result();
    let said = opened(open(&reader, &id, &at, &[]));
    assert!(said.contains(&format!("note: key center {} at {lying}: wrong (", ids[2])), "{said}");
    // Two swap their answers: both are named, and the third is not blamed.
    let slots = Arc::new(Mutex::new([None, None]));
    let swapping = [0, 1].map(|me| proxy(&urls[me], Duration::ZERO, swapped(me, slots.clone())));
    let at = [swapping[0].clone(), swapping[1].clone(), urls[2].clone()];
    let error = open(&reader, &id, &at, &[]).refusal(1, "KGC_SET");
    for (id, url) in ids.iter().zip(&swapping) {
        let words = format!("key center {id} at {url}: wrong (the key center's receipt proves nothing");
        assert!(error.message.contains(&words), "{}", error.message);
    }
    assert_eq!(error.message.matches("wrong").count(), 2, "{}", error.message);

    fewer_are_left(three, &id, &scan);
}

/// One is killed, then two.
fn fewer_are_left(mut three: Three, id: &str, scan: &[u8]) {
    let (urls, ids) = (three.urls(), three.ids.clone());
    // A recipient is added with two of three, and needs no key center any more.
    let public = three.world.medseal(&["capsules", "new-key", "reader.key"]).result()["public"].take();
    three.kill(0);
    let added =
        three.world.medseal(&["capsules", "add", id, public.as_str().expect("a key"), "--kgc-url", &urls.join(",")]);
    added.result();
    assert!(added.stderr.contains("unreachable"), "{}", added.stderr);
    let reader = three.reader();
    let said = open(&reader, id, &urls, &[]);
    said.result();
    assert!(said.stderr.contains(&format!("at {}: unreachable (", urls[0])), "{}", said.stderr);
    three.world.medseal(&["open", id, "-o", "by-key", "--reader-key", "reader.key"]).result();
    assert!(three.world.read("by-key") == scan);

    // Two are gone: it says what came of each.
    three.kill(1);
    let error = open(&reader, id, &urls, &[]).refusal(1, "KGC_SET");
    assert!(
        error.message.contains("it takes 2 of 3 key centers, and 0 answered")
            || error.message.contains("it takes 2 of 3 key centers, and 1 answered"),
        "{}",
        error.message
    );
    for url in &urls[..2] {
        assert!(error.message.contains(&format!("at {url}: unreachable (")), "{}", error.message);
    }
    assert!(error.message.contains(&ids[2]), "{}", error.message);
    // Nobody names the key center that has the third share.
    let error = open(&reader, id, &urls[2..], &[]).refusal(1, "KGC_SET");
    assert!(error.message.contains(&format!("key center {}: no address", ids[0])), "{}", error.message);
}

/// Answers each release with what the other one of two gave.
fn swapped(me: usize, slots: Arc<Mutex<[Option<Value>; 2]>>) -> Change {
    Box::new(move |path, _, mut answer| {
        if path != "/v1/release" {
            return answer;
        }
        slots.lock().expect("no panic")[me] = Some(answer["answer"].clone());
        for _ in 0..200 {
            if let Some(others) = slots.lock().expect("no panic")[1 - me].clone() {
                answer["answer"] = others;
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        answer
    })
}

/// Answers each release as it answered the first.
fn earlier() -> Change {
    let mut kept: Option<Value> = None;
    Box::new(move |path, _, answer| if path == "/v1/release" { kept.get_or_insert(answer).clone() } else { answer })
}

#[test]
fn sealing_goes_on_while_enough_answer_and_says_how_many() {
    let mut three = Three::start();
    let urls = three.urls();
    let all = urls.join(",");
    three.world.write("x.png", png(9, 9, 7));
    let seal = |more: &[&str]| three.world.medseal(&[&["seal", "x.png", "--kgc-url"], more].concat());
    let refused = seal(&[&all]).refusal(2, "USAGE");
    assert!(refused.message.contains("3 key centers are named"), "{}", refused.message);
    seal(&[&all, "--threshold", "4"]).refusal(2, "USAGE");
    seal(&[&urls[0], "--threshold", "2"]).refusal(2, "USAGE");

    three.kill(1);
    let (id, run) = three.seal("a.png", &all, "2");
    assert!(run.stderr.contains(&format!("note: key center at {}: unreachable (", urls[1])), "{}", run.stderr);
    assert!(run.stderr.contains("warning: sealed to 2 key centers and it takes all of them to open"), "{}", run.stderr);
    let holders = three.world.medseal(&["capsules", "show", &id]).result()["holders"].take();
    let ids: Vec<Value> = holders.as_array().expect("holders").iter().map(|one| one["keyId"].clone()).collect();
    assert_eq!(ids, [json!(three.ids[0]), json!(three.ids[2])]);
    let reader = three.reader();
    open(&reader, &id, &[urls[0].clone(), urls[2].clone()], &[]).result();

    // An address that leads to the key center of another one counts once.
    let twice = [urls[0].clone(), proxy(&urls[0], Duration::ZERO, unchanged()), urls[2].clone()];
    let run = open(&reader, &id, &twice, &[]);
    run.result();
    assert!(run.stderr.contains("the same as another"), "{}", run.stderr);

    three.kill(2);
    three.world.write("b.png", png(9, 9, 8));
    let error = three.world.medseal(&["seal", "b.png", "--kgc-url", &all, "--threshold", "2"]);
    let error = error.refusal(1, "KGC_SET");
    assert!(error.message.contains("it takes 2 of 3 key centers"), "{}", error.message);
}

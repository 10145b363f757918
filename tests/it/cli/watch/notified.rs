//! Who is told of flags: webhooks that fail, hang and cut, commands that fail, and a watch that is
//! killed.

use super::receiver::{Receiver, Reply};
use super::{SECRET, World, ids, lines};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

fn flags(world: &World) -> Vec<Value> {
    let (mut lines, ..) = world.watch(&["--name", "truth", "--from-start", "--anew", "--only", "flags"]);
    lines.retain(|line| line["event"] == "FlagRaised");
    lines
}

#[test]
fn flags_reach_a_webhook_in_order_whatever_it_does() {
    let world = World::new();
    world.act(async |acts| acts.flags(4).await);
    let truth = flags(&world);
    assert_eq!(truth.len(), 4);
    let replies = [
        Reply::Status(500),
        Reply::Hang,
        Reply::Cut,
        Reply::Status(204),
        Reply::Later(429),
        Reply::Status(200),
        Reply::Status(408),
        Reply::Status(503),
    ];
    let receiver = Receiver::start(move |number, _| replies.get(number).copied().unwrap_or(Reply::Status(200)));
    let secret = world.secret();
    let hook = ["--webhook", &receiver.url, "--webhook-secret-file", &secret, "--backoff-ms", "20", "--deadline", "1"];
    let (_, end, stderr) = world.watch(&[&["--from-start"], hook.as_slice()].concat());
    assert_eq!((&end["waiting"], &end["dead"]), (&json!(0), &json!(0)));
    let requests = receiver.requests();
    let order: Vec<usize> = requests
        .iter()
        .map(|request| ids(&truth).iter().position(|id| *id == request.id()).expect("a flag's"))
        .collect();
    assert_eq!(order, [0, 0, 0, 0, 1, 1, 2, 2, 2, 3], "{stderr}");
    for request in &requests {
        request.check_signature(SECRET.as_bytes());
        let body = request.json();
        super::schema::check(&body);
        assert_eq!(
            (&body["result"]["id"], body["result"]["event"].as_str()),
            (&json!(request.id()), Some("FlagRaised"))
        );
        assert_eq!(request.headers["content-type"], "application/json");
    }
    assert!(stderr.contains("webhook, attempt 1: http://127.0.0.1:"), "{stderr}");
    assert!(!stderr.contains("token") && !stderr.contains("pass@"), "{stderr}");
    world.watch(&hook);
    assert_eq!(receiver.requests().len(), requests.len(), "nothing twice");
}

#[test]
fn a_delivery_that_is_refused_is_given_up_and_kept() {
    let world = World::new();
    world.act(async |acts| acts.flags(3).await);
    let truth = ids(&flags(&world));
    let bad = truth[1].clone();
    let receiver = Receiver::start(move |number, request| match request.id() == bad {
        true if number < 3 => Reply::Redirect,
        true if number < 7 => Reply::Status(410),
        _ => Reply::Status(200),
    });
    let secret = world.secret();
    let hook = ["--webhook", &receiver.url, "--webhook-secret-file", &secret, "--backoff-ms", "5"];
    // Five attempts in a row are all that one run makes.
    let run = world.medseal(&[&["watch", "--once", "--from-start"], hook.as_slice()].concat());
    assert_eq!(run.code, 0, "{} {}", run.stdout, run.stderr);
    let end = lines(&run.stdout).pop().expect("the end");
    assert_eq!((&end["waiting"], &end["dead"]), (&json!(0), &json!(1)), "{}", run.stderr);
    assert!(run.stderr.contains(&format!("GIVEN UP, webhook: {} was refused 5 times", truth[1])), "{}", run.stderr);
    let sent: Vec<usize> = receiver
        .requests()
        .iter()
        .map(|request| truth.iter().position(|id| *id == request.id()).expect("a flag's"))
        .collect();
    assert_eq!(sent, [0, 1, 1, 1, 1, 1, 2]);
    assert!(receiver.requests().iter().all(|request| !request.path.contains("elsewhere")), "a redirect was followed");
    let (_, end, _) = world.watch(&[&["--retry-dead"], hook.as_slice()].concat());
    assert_eq!((&end["waiting"], &end["dead"]), (&json!(0), &json!(0)));
    assert_eq!(receiver.requests().last().map(|request| (request.id(), request.taken)), Some((truth[1].clone(), true)));
}

#[test]
fn a_webhook_that_is_away_keeps_what_waits() {
    let world = World::new();
    world.act(async |acts| acts.flags(2).await);
    let secret = world.secret();
    let away = ["--webhook", "http://127.0.0.1:1/", "--webhook-secret-file", &secret, "--backoff-ms", "5"];
    let run = world.medseal(&[&["watch", "--once", "--from-start"], away.as_slice()].concat());
    let refused = super::Run { stdout: run.stdout.lines().last().expect("a line").to_owned(), ..run };
    let refusal = refused.refusal(6, "NOT_DELIVERED");
    assert!(refusal.message.starts_with("2 deliveries wait: http://127.0.0.1:1: "), "{}", refusal.message);
    let receiver = Receiver::start(|_, _| Reply::Status(200));
    // Its URL from a file, which is a secret, too.
    world.write("url", format!("{}\n", receiver.url));
    let from_file = ["--webhook-url-file", "url", "--webhook-secret-file", &secret];
    std::fs::set_permissions(world.path("url"), PermissionsExt::from_mode(0o644)).expect("set");
    let refusal = world.medseal(&[&["watch", "--once"], from_file.as_slice()].concat()).refusal(1, "FILE");
    assert!(refusal.message.contains("mode is 644"), "{}", refusal.message);
    std::fs::set_permissions(world.path("url"), PermissionsExt::from_mode(0o600)).expect("set");
    let both = [&["watch", "--webhook", &receiver.url], from_file.as_slice()].concat();
    world.medseal(&both).refusal(2, "USAGE");
    assert_eq!(receiver.requests().len(), 0);
    world.watch(&from_file);
    assert_eq!(receiver.requests().len(), 2);

    let open = ["watch", "--once", "--webhook", "http://10.0.0.1/x", "--webhook-secret-file", &secret];
    let refusal = world.medseal(&open).refusal(2, "WEBHOOK");
    assert!(refusal.message.contains("plain http to another machine"), "{}", refusal.message);
    std::fs::set_permissions(&secret, PermissionsExt::from_mode(0o644)).expect("set");
    let refusal = world.medseal(&[&["watch", "--once"], away.as_slice()].concat()).refusal(2, "WEBHOOK");
    assert!(refusal.message.contains("mode 644"), "{}", refusal.message);
    world.medseal(&["watch", "--once", "--webhook", "https://a.example/"]).refusal(2, "USAGE");
}

#[test]
fn a_command_is_run_for_each_flag_and_by_no_shell() {
    let world = World::new();
    world.act(async |acts| acts.flags(3).await);
    let truth = ids(&flags(&world));
    let script = "#!/bin/sh\ncat > body\necho \"$MEDSEAL_EVENT_ID $1\" >> ran\ncat body >> bodies\n\
                  [ $(wc -l < ran) -ne 2 ] || exit 3\n[ $(wc -l < ran) -ne 3 ] || exec sleep 30\n";
    world.write("told.sh", script);
    std::fs::set_permissions(world.path("told.sh"), PermissionsExt::from_mode(0o700)).expect("set");
    let argument = "$(touch touched); touch touched";
    let hook = ["--exec", "./told.sh", "--exec-arg", argument, "--backoff-ms", "5", "--deadline", "1"];
    let (_, end, stderr) = world.watch(&[&["--from-start"], hook.as_slice()].concat());
    assert_eq!((&end["waiting"], &end["dead"]), (&json!(0), &json!(0)), "{stderr}");
    let ran = String::from_utf8(world.read("ran")).expect("text");
    let expected: Vec<String> = [0, 1, 1, 1, 2].map(|at: usize| format!("{} {argument}", truth[at])).to_vec();
    assert_eq!(ran.lines().collect::<Vec<_>>(), expected, "{stderr}");
    assert!(!world.path("touched").exists(), "a shell read the argument");
    assert!(stderr.contains("exit status: 3") && stderr.contains("not done within 1 s"), "{stderr}");
    let bodies = lines(&String::from_utf8(world.read("bodies")).expect("text"));
    assert_eq!(ids(&bodies), [0, 1, 1, 1, 2].map(|at: usize| truth[at].clone()));
    let absent =
        world.medseal(&["watch", "--once", "--from-start", "--name", "b", "--exec", "./absent", "--backoff-ms", "5"]);
    let refused = super::Run { stdout: absent.stdout.lines().last().expect("a line").to_owned(), ..absent };
    refused.refusal(6, "NOT_DELIVERED");
}

/// A watch that runs until it is killed.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(world: &World, args: &[&str], output: &PathBuf) -> Running {
    let file = std::fs::OpenOptions::new().create(true).append(true).open(output).expect("a file");
    let mut command = world.command(&[&["watch", "--json", "--every", "1"], args].concat());
    Running(command.stdin(Stdio::null()).stdout(file).stderr(Stdio::null()).spawn().expect("it starts"))
}

#[test]
fn a_watch_that_is_killed_loses_nothing_and_repeats_only_ids() {
    const KILLS: u64 = 6;
    let world = World::new();
    let receiver = Receiver::start(|number, _| {
        // Slow enough that a kill finds something on its way.
        std::thread::sleep(Duration::from_millis(30));
        if number % 7 == 3 { Reply::Cut } else { Reply::Status(200) }
    });
    let (secret, printed) = (world.secret(), world.path("printed"));
    let args = ["--from-start", "--webhook", &receiver.url, "--webhook-secret-file", &secret, "--backoff-ms", "20"];
    let mut acts = super::Acts::new(world.registry());
    let mut watch = start(&world, &args, &printed);
    for kill in 0..KILLS {
        world.runtime.block_on(acts.flags(15));
        std::thread::sleep(Duration::from_millis(150 + 170 * kill));
        drop(watch);
        watch = start(&world, &args, &printed);
    }
    let truth = flags(&world);
    let deadline = Instant::now() + Duration::from_secs(60);
    let taken = || -> Vec<String> {
        receiver.requests().iter().filter(|request| request.taken).map(|request| request.id()).collect()
    };
    while taken().last() != ids(&truth).last() {
        assert!(Instant::now() < deadline, "{} of {} came", taken().len(), truth.len());
        std::thread::sleep(Duration::from_millis(50));
    }
    drop(watch);
    let all = taken();
    let mut once = all.clone();
    // A repeat comes at once, before the next.
    once.dedup();
    assert_eq!(once, ids(&truth), "in order, none lost, none but the last repeated");
    let text = std::fs::read_to_string(&printed).expect("text");
    let told: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let told: Vec<String> = told.iter().filter_map(|line| line["result"]["id"].as_str().map(str::to_owned)).collect();
    let (everything, ..) = world.watch(&["--name", "truth", "--from-start", "--anew"]);
    let seen: std::collections::BTreeSet<&String> = told.iter().collect();
    assert_eq!(seen, ids(&everything).iter().collect(), "none lost on the way to the output, and none made up");
    eprintln!(
        "watch killed {KILLS} times: {} flags, {} deliveries taken, {} of them again; {} lines for {} events",
        truth.len(),
        all.len(),
        all.len() - truth.len(),
        told.len(),
        everything.len()
    );
}

//! Drafts that lie under a name, and the signals that would leave them there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, PoisonError};

use tokio::signal::unix::{SignalKind, signal};

/// The drafts that are written now.
static DRAFTS: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
/// Whether the command itself hears signals.
static HEARD: AtomicBool = AtomicBool::new(false);
static LISTENER: Once = Once::new();

/// Says that this command hears signals and ends in order: its drafts are taken away then, as any
/// that is dropped.
pub(crate) fn ends_by_itself() {
    HEARD.store(true, Ordering::SeqCst);
}

/// Has a draft taken away if a signal ends the process.
pub(super) fn watch(path: &Path) {
    DRAFTS.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned());
    // Without it the draft stays after a signal, until the next run sweeps it.
    LISTENER.call_once(|| drop(listen()));
}

/// The draft is kept, or gone.
pub(super) fn forget(path: &Path) {
    DRAFTS.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
}

/// Hears signals from here on, in a thread of its own.
fn listen() -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let context = runtime.enter();
    let mut hangup = signal(SignalKind::hangup())?;
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    drop(context);
    let wait = move || {
        let ended = runtime.block_on(async {
            tokio::select! {
                _ = hangup.recv() => SignalKind::hangup(),
                _ = interrupt.recv() => SignalKind::interrupt(),
                _ = terminate.recv() => SignalKind::terminate(),
            }
        });
        if !HEARD.load(Ordering::SeqCst) {
            end(ended);
        }
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(wait).map(drop)
}

/// Takes the drafts away and ends the process, as the signal would have.
fn end(signal: SignalKind) {
    // Held to the end: no draft is begun or named any more.
    let drafts = DRAFTS.lock().unwrap_or_else(PoisonError::into_inner);
    for path in drafts.iter() {
        let _ = std::fs::remove_file(path);
    }
    std::process::exit(128 + signal.as_raw_value());
}

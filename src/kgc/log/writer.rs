//! One thread that writes a log: what waits goes to the disk together, and each is answered when
//! its own line is there.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::{LogEntry, LogError, LogHead, ReleaseLog};

/// Most lines that are written together.
const GROUP: usize = 256;
/// Most entries that wait: more are refused.
const WAITING: usize = 4_096;
/// How long an entry may wait for the disk.
const PATIENCE: Duration = Duration::from_secs(15);

/// Appends to a log, in groups.
#[derive(Debug)]
pub struct LogWriter {
    log: Arc<ReleaseLog>,
    queue: SyncSender<Waiting>,
}

struct Waiting {
    entry: LogEntry,
    anchored: LogHead,
    since: Instant,
    done: oneshot::Sender<Result<LogHead, LogError>>,
}

impl LogWriter {
    /// Begins to write to this log. The thread ends with the writer.
    pub fn new(log: ReleaseLog) -> Self {
        let (log, (queue, waiting)) = (Arc::new(log), sync_channel(WAITING));
        let writes = Arc::clone(&log);
        std::thread::Builder::new()
            .name("release-log".to_owned())
            .spawn(move || write_all(&writes, &waiting))
            .expect("the system gives a thread");
        Self { log, queue }
    }

    /// The log.
    pub fn log(&self) -> &ReleaseLog {
        &self.log
    }

    /// Appends an entry to a log that has all that it had, and all whose head was `anchored` on
    /// chain; when this returns, it is on the disk. Returns the log's head after its line.
    ///
    /// # Errors
    /// [`LogError`]; then nothing may be given out.
    pub async fn append(&self, entry: LogEntry, anchored: LogHead) -> Result<LogHead, LogError> {
        let (done, written) = oneshot::channel();
        let waiting = Waiting { entry, anchored, since: Instant::now(), done };
        let slow = || LogError::Slow { path: self.log.path().to_owned() };
        match self.queue.try_send(waiting) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(slow()),
            Err(TrySendError::Disconnected(_)) => {
                return Err(LogError::Failed { path: self.log.path().to_owned() });
            }
        }
        match tokio::time::timeout(PATIENCE, written).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(LogError::Failed { path: self.log.path().to_owned() }),
            Err(_) => Err(slow()),
        }
    }
}

fn write_all(log: &ReleaseLog, queue: &Receiver<Waiting>) {
    while let Ok(first) = queue.recv() {
        let mut group = vec![first];
        group.extend(std::iter::from_fn(|| queue.try_recv().ok()).take(GROUP - 1));
        // Whoever waited too long was refused: no line says that it was given something.
        group.retain(|waiting| waiting.since.elapsed() < PATIENCE && !waiting.done.is_closed());
        let newest = group.iter().map(|waiting| waiting.anchored).max_by_key(|head| head.seq);
        let Some(anchored) = newest else { continue };
        let entries: Vec<&LogEntry> = group.iter().map(|waiting| &waiting.entry).collect();
        match log.append(&entries, anchored) {
            Ok(heads) => {
                for (waiting, head) in group.into_iter().zip(heads) {
                    // Whoever does not wait any more has the line in the log and gets nothing.
                    let _ = waiting.done.send(Ok(head));
                }
            }
            Err(error) => {
                for waiting in group {
                    let _ = waiting.done.send(Err(error.again()));
                }
            }
        }
    }
}

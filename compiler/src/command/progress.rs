//! One line on a terminal's standard error that says how far long work is.
//!
//! It appears after a second and goes away without a trace; elsewhere nothing is printed.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Work quicker than this shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often the line changes.
const BEAT: Duration = Duration::from_millis(120);

/// Shows the stage that runs until it is dropped.
pub(crate) struct Progress {
    state: Arc<State>,
    /// Dropping the sender ends the thread, which wipes the line.
    thread: Option<(Sender<()>, JoinHandle<()>)>,
}

#[derive(Default)]
struct State {
    stage: Mutex<&'static str>,
    done: AtomicUsize,
    total: AtomicUsize,
}

impl Progress {
    /// Begins with a stage such as `reading`.
    pub(crate) fn start(stage: &'static str) -> Self {
        let state = Arc::new(State { stage: Mutex::new(stage), ..State::default() });
        let thread = io::stderr().is_terminal().then(|| {
            let (sender, receiver) = mpsc::channel();
            let shown = Arc::clone(&state);
            (sender, std::thread::spawn(move || show(&shown, &receiver)))
        });
        Self { state, thread }
    }

    /// Goes on to another stage, of `total` steps or, with 0, of an unknown number.
    pub(crate) fn stage(&self, stage: &'static str, total: usize) {
        *self.state.stage.lock().unwrap_or_else(PoisonError::into_inner) = stage;
        self.state.done.store(0, Ordering::Relaxed);
        self.state.total.store(total, Ordering::Relaxed);
    }

    /// Counts steps that are done.
    pub(crate) fn advance(&self, steps: usize) {
        self.state.done.fetch_add(steps, Ordering::Relaxed);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.thread.take() {
            drop(sender);
            // It cannot have panicked: a panic ends the process.
            let _ = thread.join();
        }
    }
}

fn show(state: &State, ended: &mpsc::Receiver<()>) {
    let mut wait = PATIENCE;
    for sign in ['|', '/', '-', '\\'].iter().cycle() {
        if ended.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
            break;
        }
        wait = BEAT;
        let stage = *state.stage.lock().unwrap_or_else(PoisonError::into_inner);
        let (done, total) =
            (state.done.load(Ordering::Relaxed), state.total.load(Ordering::Relaxed));
        let share = match (done * 100).checked_div(total) {
            Some(percent) => format!(" {percent} % ({done} of {total})"),
            None => String::new(),
        };
        let mut stderr = io::stderr().lock();
        let _ = write!(stderr, "\r\x1b[K{sign} {stage}{share}").and_then(|()| stderr.flush());
    }
    if wait == BEAT {
        let _ = write!(io::stderr().lock(), "\r\x1b[K");
    }
}

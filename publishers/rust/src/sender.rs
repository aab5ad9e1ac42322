//! [`Sender`]: the thread that sends.

use std::{
    cell::Cell,
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use crate::{
    answer::{Verdict, judge},
    backoff::Backoff,
    batch::Batch,
    core::Core,
    dropped::Reason,
    transport::Transport,
};

/// The gateway knows a request again for ten minutes.
const REPEATABLE: Duration = Duration::from_secs(9 * 60);

thread_local! {
    static HERE: Cell<bool> = const { Cell::new(false) };
}

/// Whether this is a sender's thread: what is logged on it, by the libraries that send or by who is told of problems, is not
/// published, since that would be logged again.
pub(crate) fn is_here() -> bool {
    HERE.try_with(Cell::get).unwrap_or(false)
}

/// Sends one batch after the other.
pub(crate) struct Sender {
    core: Arc<Core>,
    transport: Transport,
}

impl Sender {
    pub(crate) fn start(core: Arc<Core>, transport: Transport) {
        let mut sender = Self {
            core: core.clone(),
            transport,
        };
        let run = move || {
            HERE.set(true);
            // The libraries that send log every byte at the finest level, the token's too, which many programs take into
            // `tracing`.
            #[cfg(feature = "tracing")]
            let _quiet = tracing::subscriber::set_default(tracing::subscriber::NoSubscriber::new());
            let core = sender.core.clone();
            // A mistake here, or in a library, must not leave callers waiting.
            if catch_unwind(AssertUnwindSafe(|| sender.run())).is_err() {
                core.give_up();
                core.problems.say("the publisher failed, and publishes no more");
            }
        };
        let started = thread::Builder::new()
            .name("logs-publisher".to_owned())
            .spawn(run);
        if started.is_err() {
            core.give_up();
            core.problems
                .say("no thread could be started, so nothing is published");
        }
    }

    fn run(&mut self) {
        while let Some(batch) = self.core.next_batch() {
            let mut batches = VecDeque::from([batch]);
            while let Some(batch) = batches.pop_front() {
                match self.deliver(&batch) {
                    Delivery::Done => {}
                    Delivery::Ended => return,
                    Delivery::Halve => {
                        let (first, second) = batch.halves();
                        batches.push_front(second);
                        batches.push_front(first);
                    }
                }
            }
            self.core.rest();
        }
    }

    /// Sends a batch until it is stored, refused, or given up.
    fn deliver(&mut self, batch: &Batch) -> Delivery {
        let mut backoff = Backoff::default();
        let mut may_be_there_since = None;
        loop {
            let again = match self.transport.send(batch) {
                Ok(answer) => {
                    let (verdict, problem) =
                        judge(answer.status, answer.retry_after.as_deref(), &answer.body);
                    if let Some(problem) = problem {
                        self.core.problems.say(&problem);
                    }
                    match verdict {
                        Verdict::Stored { rejected } => {
                            let mut is_rejected = vec![false; batch.lines.len()];
                            for index in rejected {
                                if let Some(is_rejected) = is_rejected.get_mut(index) {
                                    *is_rejected = true;
                                }
                            }
                            let fate = |index: usize| match is_rejected.get(index) {
                                Some(true) => Err(Reason::Refused),
                                _ => Ok(()),
                            };
                            self.core.finish(&batch.lines, fate);
                            return Delivery::Done;
                        }
                        Verdict::Halve if batch.lines.len() > 1 => return Delivery::Halve,
                        Verdict::Halve | Verdict::Refused => {
                            self.core.finish(&batch.lines, |_| Err(Reason::Refused));
                            return Delivery::Done;
                        }
                        Verdict::Again { after } => after,
                    }
                }
                Err(no_answer) => {
                    self.core.problems.say(&no_answer.problem);
                    if no_answer.may_have_arrived {
                        may_be_there_since.get_or_insert_with(Instant::now);
                    }
                    None
                }
            };
            if may_be_there_since.is_some_and(|since| since.elapsed() > REPEATABLE) {
                self.core.finish(&batch.lines, |_| Err(Reason::Unconfirmed));
                return Delivery::Done;
            }
            let pause = again.unwrap_or_else(|| backoff.next());
            if !self.core.pause(pause, again.is_some()) {
                return Delivery::Ended;
            }
        }
    }
}

/// What became of a batch.
enum Delivery {
    /// It is counted.
    Done,
    /// It was too much at once.
    Halve,
    /// The publisher was closed meanwhile.
    Ended,
}

//! [`Sender`]: the thread that sends.

use std::{
    cell::Cell,
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::{Duration, Instant, SystemTime},
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
            if self.core.had_too_large() {
                self.core.problems.say("a record of more than 256 KiB is dropped");
            }
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

    /// Says what is wrong with this gateway: a program may have several.
    fn say(&self, problem: &str) {
        self.core
            .problems
            .say(&format!("{}: {problem}", self.transport.address));
    }

    /// Counts a batch that may be stored, and would be there twice if it was sent again.
    fn give_up(&self, batch: &Batch, why: &str) -> Delivery {
        let count = batch.lines.len();
        self.say(&format!("a request of {count} records {why}: they are dropped"));
        self.core.finish(&batch.lines, |_| Err(Reason::Unconfirmed));
        Delivery::Done
    }

    /// Sends a batch until it is stored, refused, or given up.
    fn deliver(&mut self, batch: &Batch) -> Delivery {
        let mut backoff = Backoff::default();
        let mut flushes = self.core.flushes();
        let mut may_be_there: Option<Since> = None;
        loop {
            if may_be_there
                .as_ref()
                .is_some_and(|since| since.elapsed() >= REPEATABLE)
            {
                return self.give_up(batch, "has had no answer for 9 minutes");
            }
            let again = match self.transport.send(batch) {
                Ok(answer) => {
                    let (verdict, problem) =
                        judge(answer.status, answer.retry_after.as_deref(), &answer.body);
                    if let Some(problem) = problem {
                        self.say(&problem);
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
                        // The halves have other keys: what is stored would be stored again.
                        Verdict::Halve if batch.lines.len() > 1 && may_be_there.is_some() => {
                            return self.give_up(batch, "had no answer, and is too much at once now");
                        }
                        Verdict::Halve if batch.lines.len() > 1 => return Delivery::Halve,
                        Verdict::Halve | Verdict::Refused => {
                            self.core.finish(&batch.lines, |_| Err(Reason::Refused));
                            return Delivery::Done;
                        }
                        Verdict::Again {
                            after,
                            may_be_there: it_may,
                        } => {
                            if it_may {
                                may_be_there.get_or_insert_with(Since::now);
                            }
                            after
                        }
                    }
                }
                Err(no_answer) => {
                    self.say(&no_answer.problem);
                    if no_answer.may_have_arrived {
                        may_be_there.get_or_insert_with(Since::now);
                    }
                    None
                }
            };
            let flushes_now = self.core.flushes();
            if flushes_now != flushes {
                // Somebody's time is short.
                (flushes, backoff) = (flushes_now, Backoff::default());
            }
            // Also where the gateway says 0: nobody is asked again and again without a pause.
            let pause = again.unwrap_or_default().max(backoff.next());
            if !self.core.pause(pause, again.is_some()) {
                return Delivery::Ended;
            }
        }
    }
}

/// A moment, by the clock that stands still while the machine sleeps and by the one that may be set.
struct Since(Instant, SystemTime);

impl Since {
    fn now() -> Self {
        Self(Instant::now(), SystemTime::now())
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed().max(self.1.elapsed().unwrap_or_default())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_while_the_machine_sleeps_and_does_not_go_back() {
        let now = Instant::now();
        assert!(Since(now, SystemTime::now() - REPEATABLE).elapsed() >= REPEATABLE);
        assert!(Since(now, SystemTime::now() + REPEATABLE).elapsed() < REPEATABLE);
    }
}

//! [`Handover`]: appends on their way to the writer, many at once, and its answers on their way back.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::{
    sync::{mpsc, oneshot},
    task::yield_now,
};

use super::{
    AppendError, Appended,
    group::{Append, Command},
};

/// Appends on their way to the writer. Waking a thread and being woken by it costs more than an append does, so what is
/// asked for by everybody whose turn it is just now goes there at once, and comes back at once. Clones share it.
#[derive(Clone)]
pub(super) struct Handover {
    commands: mpsc::Sender<Command>,
    gathered: Arc<Mutex<Vec<Append>>>,
}

/// What an append gave.
pub(super) type Answer = Result<Appended, AppendError>;

/// The place of an answer, which reaches whoever waits for it together with the others that were asked for at the same time.
pub(super) struct Reply {
    to: oneshot::Sender<Answer>,
    together: Option<Arc<Together>>,
}

/// Answers that are given back at once: when the last [`Reply`] is gone.
struct Together {
    answers: Mutex<Vec<(oneshot::Sender<Answer>, Answer)>>,
    all: Mutex<Option<oneshot::Sender<Answers>>>,
}

type Answers = Vec<(oneshot::Sender<Answer>, Answer)>;

/// An append of more bytes goes by itself: who brings a little need not wait for its answer.
const LARGE: usize = 128 * 1024;

impl Handover {
    pub(super) fn new(commands: mpsc::Sender<Command>) -> Self {
        Self {
            commands,
            gathered: Arc::default(),
        }
    }

    pub(super) fn commands(&self) -> &mpsc::Sender<Command> {
        &self.commands
    }

    /// Gives an append of about so many bytes to the writer, and waits for its answer. To be called on a runtime.
    pub(super) async fn append(&self, bytes: usize, append: impl FnOnce(Reply) -> Append) -> Answer {
        let (to, answer) = oneshot::channel();
        let append = append(Reply { to, together: None });
        if bytes > LARGE {
            let sent = self.commands.send(Command::Append(vec![append])).await;
            sent.map_err(|_| AppendError::Closed)?;
        } else if self.gather(append) {
            tokio::spawn(self.clone().give());
        }
        answer.await.map_err(|_| AppendError::Closed)?
    }

    /// Puts it to the others. Returns whether there was none.
    fn gather(&self, append: Append) -> bool {
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        gathered.push(append);
        gathered.len() == 1
    }

    /// Gives everything to the writer that is asked for until everybody has had a turn, and everybody their answers.
    async fn give(self) {
        // Goes on when this thread has nothing else to do, or after a number of turns.
        yield_now().await;
        let (all, answers) = oneshot::channel();
        let mut appends = std::mem::take(&mut *self.gathered.lock().unwrap_or_else(PoisonError::into_inner));
        let together = Arc::new(Together {
            answers: Mutex::new(Vec::with_capacity(appends.len())),
            all: Mutex::new(Some(all)),
        });
        for append in &mut appends {
            append.reply.together = Some(together.clone());
        }
        drop(together);
        // Where there is nobody to take them they hear it by their answers' end.
        let _ = self.commands.send(Command::Append(appends)).await;
        for (to, answer) in answers.await.unwrap_or_default() {
            // Who went away needs no answer; its records stay.
            let _ = to.send(answer);
        }
    }
}

impl Reply {
    /// An answer that goes back by itself.
    #[cfg(test)]
    pub(super) fn alone() -> (Self, oneshot::Receiver<Answer>) {
        let (to, answer) = oneshot::channel();
        (Self { to, together: None }, answer)
    }

    pub(super) fn send(self, answer: Answer) {
        match self.together {
            Some(together) => {
                let mut answers = together.answers.lock().unwrap_or_else(PoisonError::into_inner);
                answers.push((self.to, answer));
            }
            None => drop(self.to.send(answer)),
        }
    }
}

impl Drop for Together {
    fn drop(&mut self) {
        let answers = std::mem::take(self.answers.get_mut().unwrap_or_else(PoisonError::into_inner));
        if let Some(all) = self.all.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = all.send(answers);
        }
    }
}

//! Asking other gateways, and answering them.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Weak},
    time::Duration,
};

use redis::aio::MultiplexedConnection;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout, timeout_at},
};

use super::{
    Here, Inner, NodeId, Nodes, lock,
    message::{Answer, Message, Question, Said},
};
use crate::random;

/// Why another gateway did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoAnswer {
    /// There is none with this id.
    #[error("no gateway with this id is there")]
    Gone,
    /// Redis is away, over which they talk.
    #[error("this concerns other gateways, which are asked over Redis, and Redis does not answer")]
    Away,
    /// It is there, and did not answer in time. Whether it did what it was asked to is not known.
    #[error("the gateway that this concerns did not answer in time")]
    Silent,
}

/// How long another gateway may take to do what it is asked.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);
/// How often it is looked whether whoever is waited for is still there.
const LOOKED: Duration = Duration::from_millis(250);
/// How many answers to one question wait to be taken.
const ANSWERS: usize = 256;

/// The answers to a question. Dropping it takes the question back.
struct Asked<'a> {
    inner: &'a Inner,
    id: u64,
    answers: mpsc::Receiver<(NodeId, Answer)>,
}

/// Who waits for answers, by the question.
pub(super) type Waiting = HashMap<u64, mpsc::Sender<(NodeId, Answer)>>;

impl<'a> Asked<'a> {
    fn new(inner: &'a Inner) -> Self {
        let (sender, answers) = mpsc::channel(ANSWERS);
        let id = random::u64();
        lock(&inner.waiting).insert(id, sender);
        Self { inner, id, answers }
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        lock(&self.inner.waiting).remove(&self.id);
    }
}

impl Nodes {
    /// Asks one gateway.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub(crate) async fn ask(&self, node: NodeId, question: Question) -> Result<Answer, NoAnswer> {
        let inner = &*self.inner;
        let until = Instant::now() + PATIENCE;
        let mut asked = Asked::new(inner);
        let heard = inner.say(inner.keys.ask(node), asked.id, Said::Ask(question));
        match timeout_at(until, heard).await {
            Ok(Some(0)) => return Err(NoAnswer::Gone),
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return Err(NoAnswer::Away),
        }
        loop {
            let look = (Instant::now() + LOOKED).min(until);
            match timeout_at(look, asked.answers.recv()).await {
                Ok(Some((from, answer))) if from == node => return Ok(answer),
                Ok(Some(_)) => {}
                Ok(None) => return Err(NoAnswer::Silent),
                // Who was killed in the middle is not waited for.
                Err(_) if !inner.is_heard(node).await => return Err(NoAnswer::Gone),
                Err(_) if Instant::now() >= until => return Err(NoAnswer::Silent),
                Err(_) => {}
            }
        }
    }

    /// Asks all other gateways, and gives the answers that come in time.
    ///
    /// # Errors
    /// Nobody could be asked: [`NoAnswer::Away`].
    pub(crate) async fn ask_all(
        &self,
        question: Question,
        within: Duration,
    ) -> Result<Vec<(NodeId, Answer)>, NoAnswer> {
        let inner = &*self.inner;
        let until = Instant::now() + within;
        let mut asked = Asked::new(inner);
        let heard = inner.say(inner.keys.all(), asked.id, Said::Ask(question));
        let Ok(Some(heard)) = timeout_at(until, heard).await else {
            return Err(NoAnswer::Away);
        };
        // This gateway hears itself.
        let others = usize::try_from(heard.saturating_sub(1)).unwrap_or(usize::MAX);
        let (mut answers, mut known) = (Vec::new(), HashSet::new());
        while answers.len() < others {
            let Ok(Some((from, answer))) = timeout_at(until, asked.answers.recv()).await else {
                break;
            };
            if known.insert(from) {
                answers.push((from, answer));
            }
        }
        Ok(answers)
    }
}

impl Inner {
    /// Says something, and returns how many hear it; `None` where Redis is away, or it is too long.
    async fn say(&self, topic: String, id: u64, said: Said) -> Option<u64> {
        let from = self.me;
        let bytes = Message { id, from, said }.encode()?;
        let mut connection = self.connection()?;
        publish(&mut connection, topic, bytes).await
    }

    /// Whether a gateway is there to hear what it is asked; where that is not known, it is.
    async fn is_heard(&self, node: NodeId) -> bool {
        let Some(mut connection) = self.connection() else {
            return true;
        };
        let mut count = redis::cmd("PUBSUB");
        count.arg("NUMSUB").arg(self.keys.ask(node));
        let counted = timeout(LOOKED, count.query_async::<(String, u64)>(&mut connection)).await;
        !matches!(counted, Ok(Ok((_, 0))))
    }

    /// Hears something.
    pub(super) fn hear(self: &Arc<Self>, here: &Weak<dyn Here>, bytes: &[u8]) {
        let Some(Message { id, from, said }) = Message::decode(bytes) else {
            tracing::warn!("another gateway says something that cannot be read");
            return;
        };
        if from == self.me {
            return;
        }
        match said {
            Said::Answer(answer) => {
                let asked = lock(&self.waiting).get(&id).cloned();
                if let Some(asked) = asked {
                    // Who is full has heard enough.
                    let _ = asked.try_send((from, answer));
                }
            }
            Said::Ask(question) => {
                // Readers who change streams as fast as they can do not keep an operator from ending them.
                let answering = match question {
                    Question::Change { .. } => &self.answering,
                    Question::Close { .. } | Question::Revoke(_) | Question::Stats { .. } => {
                        &self.answering_operators
                    }
                };
                let (Some(here), Ok(turn)) = (here.upgrade(), answering.clone().try_acquire_owned()) else {
                    return;
                };
                let inner = self.clone();
                tokio::spawn(async move {
                    let _turn = turn;
                    let answering = timeout(PATIENCE, here.answer(question));
                    // Who asked does not wait longer.
                    if let Ok(answer) = answering.await {
                        inner.say(inner.keys.ask(from), id, Said::Answer(answer)).await;
                    }
                });
            }
        }
    }
}

async fn publish(connection: &mut MultiplexedConnection, topic: String, bytes: Vec<u8>) -> Option<u64> {
    let mut publish = redis::cmd("PUBLISH");
    publish.arg(topic).arg(bytes);
    let heard = publish.query_async(connection).await;
    heard
        .inspect_err(|error| tracing::debug!(%error, "Redis does not tell the other gateways"))
        .ok()
}

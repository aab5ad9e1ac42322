//! [`Nodes`]: the gateways that share a Redis, which behave as one.
//!
//! Each is a node with a lease in Redis. What concerns a stream on another is asked of that one over Pub/Sub, and answered by
//! the same code that answers a request. Whoever may publish to these topics is trusted as a gateway is: Redis is to be
//! reached by gateways only.

mod ask;
mod counts;
mod id;
mod keys;
mod lease;
mod link;
mod message;
mod places;
mod revoked;
mod rows;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, Weak};

use futures_util::future::BoxFuture;
use logs_shared::Channel;
use redis::aio::MultiplexedConnection;
use tokio::{sync::Semaphore, task::AbortHandle, time::timeout};

use self::{ask::Waiting, counts::Counts, keys::Keys};
pub(crate) use self::{
    ask::{NoAnswer, PATIENCE},
    id::NodeId,
    lease::About,
    message::{Answer, Question, in_short},
    places::Place,
};
use crate::{
    access::{Mark, Revoked},
    engine::RedisSettings,
};

/// The gateways that share a Redis, as one of them. Dropping it ends what it does, as a crash would: others learn of it when
/// its lease ends.
pub(crate) struct Nodes {
    inner: Arc<Inner>,
    task: OnceLock<AbortHandle>,
}

struct Inner {
    me: NodeId,
    settings: RedisSettings,
    keys: Keys,
    about: About,
    /// Why it is cut off from the others, where it is.
    trouble: Mutex<Option<String>>,
    /// While it is a node.
    connection: RwLock<Option<MultiplexedConnection>>,
    waiting: Mutex<Waiting>,
    /// How many questions of others may be answered at once: those that readers cause, and those that operators do.
    answering: Arc<Semaphore>,
    answering_operators: Arc<Semaphore>,
    /// Streams of each owner and address.
    users: Mutex<Counts>,
    /// Streams that follow each channel.
    readers: Mutex<Counts>,
}

/// How many questions of others are answered at once, of each kind.
const ANSWERED_AT_ONCE: usize = 64;

/// The trouble of one that has just started.
const NOT_YET: &str = "this gateway does not know yet what the others know";

/// The gateway, as the others need it.
pub(crate) trait Here: Send + Sync + 'static {
    /// Answers another gateway.
    fn answer(self: Arc<Self>, question: Question) -> BoxFuture<'static, Answer>;

    /// Who may no more.
    fn revoked(&self) -> &Revoked;

    /// Takes over what was revoked or lifted, and ends the streams of whom that concerns. Returns how many.
    fn shut_out(&self, marks: Vec<(String, Mark)>) -> usize;

    /// How many streams follow each channel for which that has changed since this was last asked.
    fn changed_readers(&self) -> Vec<(Channel, usize)>;
}

impl Nodes {
    /// Does nothing yet.
    pub(crate) fn new(settings: RedisSettings, about: About) -> Self {
        Self {
            inner: Arc::new(Inner {
                me: NodeId::random(),
                keys: Keys::new(&settings.prefix),
                settings,
                about,
                trouble: Mutex::new(Some(NOT_YET.to_owned())),
                connection: RwLock::default(),
                waiting: Mutex::default(),
                answering: Arc::new(Semaphore::new(ANSWERED_AT_ONCE)),
                answering_operators: Arc::new(Semaphore::new(ANSWERED_AT_ONCE)),
                users: Mutex::default(),
                readers: Mutex::default(),
            }),
            task: OnceLock::new(),
        }
    }

    /// Becomes one of them. To be called on a runtime, where it goes on until this is dropped.
    pub(crate) fn join(&self, here: Weak<dyn Here>) {
        let task = tokio::spawn(link::keep(self.inner.clone(), here));
        let _ = self.task.set(task.abort_handle());
    }

    /// Says that this one is there no more.
    pub(crate) async fn leave(&self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
        if let Some(mut connection) = self.inner.connection() {
            let ended = timeout(PATIENCE, lease::end(&mut connection, &self.inner)).await;
            if !matches!(ended, Ok(Ok(()))) {
                tracing::debug!("the other gateways learn of the end of this one when its lease ends");
            }
        }
        self.inner.leave();
    }

    /// Why it is cut off from the others, where it is.
    pub(crate) fn trouble(&self) -> Option<String> {
        lock(&self.inner.trouble).clone()
    }

    /// Which one this is.
    pub(crate) fn me(&self) -> NodeId {
        self.inner.me
    }

    /// The other gateway that has the stream of this name, where one has.
    pub(crate) fn other_in(&self, name: &str) -> Option<NodeId> {
        NodeId::in_name(name).filter(|node| *node != self.inner.me)
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
        self.inner.leave();
    }
}

impl Inner {
    fn connection(&self) -> Option<MultiplexedConnection> {
        let connection = self.connection.read().unwrap_or_else(PoisonError::into_inner);
        connection.clone()
    }

    fn is_joined(&self, connection: MultiplexedConnection) {
        *lock(&self.trouble) = None;
        *self.connection.write().unwrap_or_else(PoisonError::into_inner) = Some(connection);
    }

    /// Returns whether it was one of them until now.
    fn leave(&self) -> bool {
        let connection = self
            .connection
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        connection.is_some()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

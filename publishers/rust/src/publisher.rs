//! [`Publisher`]: what a program holds.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::{Builder, Dropped, LogData, core::Core, log_data};

/// Publishes records. A clone is the same publisher, with the same queue.
///
/// No method waits, fails or panics but [`Self::flush`] and [`Self::close`], which wait for a limited time. When the last clone
/// goes, it is closed.
#[derive(Clone)]
pub struct Publisher {
    handle: Arc<Handle>,
    target: Arc<Target>,
    /// Of the target, as JSON.
    channel: Arc<str>,
}

/// The parts of a channel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Target {
    pub(crate) service: Option<String>,
    pub(crate) workspace_id: Option<String>,
    pub(crate) workflow_id: Option<String>,
}

impl Target {
    /// As JSON; of what is no channel the gateway says so.
    fn channel(&self) -> String {
        // One with a colon would name the channel of others; with this the gateway takes it for none.
        let part = |part: &Option<String>| part.as_deref().unwrap_or_default().replace(':', "%3A");
        let mut channel = format!("logs:{}:{}", part(&self.service), part(&self.workspace_id));
        if self.workflow_id.is_some() {
            channel.push(':');
            channel.push_str(&part(&self.workflow_id));
        }
        log_data::json(&channel)
    }
}

/// Goes with the last of the publishers.
struct Handle {
    core: Arc<Core>,
    close_timeout: Duration,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.core.close(self.close_timeout);
    }
}

/// Closes a publisher when it goes, whoever else has it. See [`Publisher::close_on_drop`].
#[must_use = "it closes the publisher when it goes, which is at once if nobody holds it"]
pub struct CloseGuard(Publisher);

impl Drop for CloseGuard {
    fn drop(&mut self) {
        self.0.close(self.0.handle.close_timeout);
    }
}

impl fmt::Debug for CloseGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CloseGuard").field(&self.0).finish()
    }
}

/// What became of the calls so far: each is counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Records that wait or are being sent.
    pub queued: u64,
    /// Records that the gateway has stored.
    pub sent: u64,
    /// Records that were dropped.
    pub dropped: Dropped,
}

impl Publisher {
    /// Settings to begin with.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A publisher that is set by the environment alone.
    #[must_use]
    pub fn from_env() -> Self {
        Builder::default().build()
    }

    pub(crate) fn new(core: Arc<Core>, target: Target, close_timeout: Duration) -> Self {
        Self {
            channel: target.channel().into(),
            target: Arc::new(target),
            handle: Arc::new(Handle { core, close_timeout }),
        }
    }

    /// The same publisher, for another service's channel.
    #[must_use]
    pub fn with_service(&self, service: impl Into<String>) -> Self {
        self.with(|target| target.service = Some(service.into()))
    }

    /// The same publisher, for another workspace's channel.
    #[must_use]
    pub fn with_workspace_id(&self, workspace_id: impl Into<String>) -> Self {
        self.with(|target| target.workspace_id = Some(workspace_id.into()))
    }

    /// The same publisher, for another workflow's channel.
    #[must_use]
    pub fn with_workflow_id(&self, workflow_id: impl Into<String>) -> Self {
        self.with(|target| target.workflow_id = Some(workflow_id.into()))
    }

    fn with(&self, change: impl FnOnce(&mut Target)) -> Self {
        let mut target = Target::clone(&self.target);
        change(&mut target);
        Self {
            channel: target.channel().into(),
            target: Arc::new(target),
            handle: self.handle.clone(),
        }
    }

    /// Publishes a record: a text, [`LogData`], or any [`serde_json::Value`].
    pub fn publish(&self, data: impl Into<LogData>) {
        let data = data.into();
        let line = data.line(&self.channel, now_ms());
        self.handle.core.add(data.grade(), line, self.channel.len());
    }

    /// Publishes a record of level TRACE.
    pub fn trace(&self, data: impl Into<LogData>) {
        self.publish(data.into().level(crate::Level::Trace));
    }

    /// Publishes a record of level DEBUG.
    pub fn debug(&self, data: impl Into<LogData>) {
        self.publish(data.into().level(crate::Level::Debug));
    }

    /// Publishes a record of level INFO.
    pub fn info(&self, data: impl Into<LogData>) {
        self.publish(data.into().level(crate::Level::Info));
    }

    /// Publishes a record of level WARN.
    pub fn warn(&self, data: impl Into<LogData>) {
        self.publish(data.into().level(crate::Level::Warn));
    }

    /// Publishes a record of level ERROR.
    pub fn error(&self, data: impl Into<LogData>) {
        self.publish(data.into().level(crate::Level::Error));
    }

    /// Publishes a record of level FATAL.
    pub fn fatal(&self, data: impl Into<LogData>) {
        self.publish(data.into().level(crate::Level::Fatal));
    }

    /// Sends what was published before, and waits for it; `true` where nothing of it is left. It blocks the thread: in an async
    /// program it belongs into `spawn_blocking`.
    pub fn flush(&self, timeout: Duration) -> bool {
        self.handle.core.flush(timeout)
    }

    /// As [`Self::flush`], and ends the publisher, its clones too: what is left after the time, and what is published later,
    /// is dropped.
    pub fn close(&self, timeout: Duration) -> bool {
        self.handle.core.close(timeout)
    }

    /// Closes the publisher when what this gives goes, however many clones there are: for `main` to hold, so that its end waits for
    /// what is left to be sent. Where a panic aborts the program, it is done then, too.
    pub fn close_on_drop(&self) -> CloseGuard {
        if cfg!(panic = "abort") {
            let (handle, earlier) = (Arc::downgrade(&self.handle), std::panic::take_hook());
            std::panic::set_hook(Box::new(move |panic| {
                earlier(panic);
                // A panic of the sender itself would wait for itself.
                if let Some(handle) = handle.upgrade().filter(|_| !crate::sender::is_here()) {
                    handle.core.flush(handle.close_timeout);
                }
            }));
        }
        CloseGuard(self.clone())
    }

    /// What became of the calls so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.handle.core.stats()
    }

    /// A layer for `tracing-subscriber` that publishes events.
    #[cfg(feature = "tracing")]
    #[must_use]
    pub fn layer(&self) -> crate::PublisherLayer {
        crate::PublisherLayer::new(self.clone())
    }
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher")
            .field("channel", &self.channel)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// A clock before 1970 says 0.
pub(crate) fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or_default()
}

//! [`Finding`]: what one check has seen.

use serde::Serialize;

/// What is looked at. The order is the report's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Check {
    /// DNS and TCP.
    Reach,
    /// The certificate, and what is spoken over it.
    Tls,
    /// `/health`, with the version.
    Health,
    /// Status and content type of the stream.
    Stream,
    /// Whether the reader's token comes through both ways.
    Token,
    /// Whether doctor may publish records to measure with.
    Publish,
    /// Whether records come one by one, when they are published.
    Delivery,
    /// Whether somebody packs the stream.
    Compression,
    /// Whether the stream may be kept by a cache.
    Caching,
    /// Whether a reader that comes back gets what it missed.
    Resume,
    /// Whether an open stream can be changed.
    Patch,
    /// Whether a page of another origin may read.
    Cors,
    /// Whether the page's content policy lets it.
    Csp,
    /// Whether long addresses and large headers get through.
    LongRequests,
    /// How many streams at once.
    Connections,
    /// Whether a stream on which nothing happens stays open.
    Quiet,
    /// Whether the clocks agree.
    Clock,
}

impl Check {
    /// As the report has it.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Reach => "reached",
            Self::Tls => "TLS",
            Self::Health => "health",
            Self::Stream => "stream",
            Self::Token => "token",
            Self::Publish => "publishing",
            Self::Delivery => "delivery",
            Self::Compression => "compression",
            Self::Caching => "caching",
            Self::Resume => "resume",
            Self::Patch => "PATCH",
            Self::Cors => "CORS",
            Self::Csp => "CSP",
            Self::LongRequests => "long requests",
            Self::Connections => "connections",
            Self::Quiet => "quiet stream",
            Self::Clock => "clock",
        }
    }

    /// The fault, for the verdict: what the one at fault does.
    pub(super) const fn fault(self) -> &'static str {
        match self {
            Self::Reach => "nothing can be reached",
            Self::Tls => "there is no TLS that can be trusted",
            Self::Health => "the gateway says that it is not well",
            Self::Stream => "there is no stream",
            Self::Token => "a token does not come through",
            Self::Publish => "publishing is refused",
            Self::Delivery => "the stream is held back",
            Self::Compression => "the stream is compressed",
            Self::Caching => "the stream may be cached",
            Self::Resume => "who comes back misses records",
            Self::Patch => "an open stream cannot be changed",
            Self::Cors => "a page of that origin may not read",
            Self::Csp => "the page's content policy forbids it",
            Self::LongRequests => "long requests are refused",
            Self::Connections => "streams run out",
            Self::Quiet => "streams are cut",
            Self::Clock => "the clocks differ",
        }
    }
}

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    /// As it should be.
    Ok,
    /// It works, and should be looked at.
    Warn,
    /// A fault.
    Fail,
    /// The way on is barred: what lies behind could not be examined.
    Blocked,
    /// Not looked at; the finding says why.
    Skipped,
}

/// What one check has seen at one hop.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Finding {
    /// Which check.
    pub(super) check: Check,
    /// What came of it.
    pub(super) status: Status,
    /// What was seen, in a sentence.
    pub(super) seen: String,
    /// What to change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) change: Option<String>,
    /// Whether the next hop inwards has the same fault, so that this one only passes it on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) from_behind: bool,
}

impl Finding {
    fn new(check: Check, status: Status, seen: impl Into<String>) -> Self {
        Self {
            check,
            status,
            seen: seen.into(),
            change: None,
            from_behind: false,
        }
    }

    pub(super) fn ok(check: Check, seen: impl Into<String>) -> Self {
        Self::new(check, Status::Ok, seen)
    }

    pub(super) fn warn(check: Check, seen: impl Into<String>) -> Self {
        Self::new(check, Status::Warn, seen)
    }

    pub(super) fn fail(check: Check, seen: impl Into<String>) -> Self {
        Self::new(check, Status::Fail, seen)
    }

    pub(super) fn blocked(check: Check, seen: impl Into<String>) -> Self {
        Self::new(check, Status::Blocked, seen)
    }

    pub(super) fn skipped(check: Check, seen: impl Into<String>) -> Self {
        Self::new(check, Status::Skipped, seen)
    }

    /// The same with what to change.
    pub(super) fn change(mut self, change: impl Into<String>) -> Self {
        self.change = Some(change.into());
        self
    }
}

//! [`Rejections`]: what was refused since the start, and why.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// What was refused since the start, counted by reason: the code of a refusal (`shared::problem::code`), or, for
/// what never became a request, a word of the same kind. A cheap handle: clones share it.
#[derive(Clone, Default)]
pub(crate) struct Rejections(Arc<Mutex<BTreeMap<&'static str, u64>>>);

impl Rejections {
    /// Counts a refusal. Reasons are named in the source, so there are few of them whatever strangers send.
    pub(crate) fn count(&self, reason: &'static str) {
        self.count_many(reason, 1);
    }

    /// Counts so many at once.
    pub(crate) fn count_many(&self, reason: &'static str, how_many: u64) {
        *self.counts().entry(reason).or_default() += how_many;
    }

    /// Counts one of each.
    pub(crate) fn count_each(&self, reasons: impl IntoIterator<Item = &'static str>) {
        let mut counts = self.counts();
        for reason in reasons {
            *counts.entry(reason).or_default() += 1;
        }
    }

    /// How often for this reason.
    pub(crate) fn of(&self, reason: &'static str) -> u64 {
        self.counts().get(reason).copied().unwrap_or(0)
    }

    /// Each reason that there has been, and how often, in the order of the alphabet.
    pub(crate) fn snapshot(&self) -> Vec<(&'static str, u64)> {
        self.counts()
            .iter()
            .map(|(reason, count)| (*reason, *count))
            .collect()
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The words for what never became a request, or never got its answer. As stable as the codes.
pub(crate) mod reason {
    /// A connection that did not bring a whole head of a request in time.
    pub(crate) const SLOW_HEADERS: &str = "slow_headers";
    /// A connection that was not encrypted in time, or not as it must be.
    pub(crate) const TLS_HANDSHAKE: &str = "tls_handshake";
    /// A connection of an address that has as many as one may.
    pub(crate) const TOO_MANY_CONNECTIONS_PER_ADDRESS: &str = "too_many_connections_per_address";
    /// One of an address that has too many on which no request has come.
    pub(crate) const TOO_MANY_SILENT_CONNECTIONS: &str = "too_many_silent_connections";
    /// A connection, or a stream of one, that has taken nothing for a minute.
    pub(crate) const STALLED: &str = "stalled";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_counted_by_itself() {
        let rejections = Rejections::default();
        let clone = rejections.clone();
        clone.count("b");
        rejections.count_many("a", 2);
        rejections.count_each(["b", "c"]);
        assert_eq!(clone.snapshot(), [("a", 2), ("b", 2), ("c", 1)]);
        assert_eq!((clone.of("a"), clone.of("d")), (2, 0));
    }
}

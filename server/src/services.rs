//! [`Services`]: what became of the records that services published.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use logs_shared::overview::ServiceOverview;

/// What became of the records that services published since the start, a row a service. A row comes to be when somebody who may
/// publish to the service does, and there are few of them whatever is sent: what has none is counted together, as `other`.
pub(crate) struct Services {
    rows: RwLock<BTreeMap<String, Arc<Row>>>,
    other: Arc<Row>,
}

/// One service's records.
pub(crate) struct Row {
    service: String,
    accepted: AtomicU64,
    repeated: AtomicU64,
    rejected: AtomicU64,
}

/// What became of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// They were stored.
    Accepted,
    /// They had been stored before, under the same idempotency key.
    Repeated,
    /// They were refused.
    Rejected,
}

/// Records that share an outcome, by service, before it is known.
pub(crate) struct Tally<'a> {
    services: &'a Services,
    counts: Vec<(Arc<Row>, u64)>,
}

/// How many services have a row of their own.
const MOST: usize = 64;
/// The row of all others.
const OTHER: &str = "other";

impl Default for Services {
    fn default() -> Self {
        Self {
            rows: RwLock::default(),
            other: Arc::new(Row::new(OTHER)),
        }
    }
}

impl Services {
    /// Something to count records with that are published together.
    pub(crate) fn tally(&self) -> Tally<'_> {
        Tally {
            services: self,
            counts: Vec::new(),
        }
    }

    /// Counts a record that was refused. Who it is of may be anything, so that makes no row.
    pub(crate) fn reject(&self, service: Option<&str>) {
        let row = service.and_then(|service| self.known(service));
        row.as_ref().unwrap_or(&self.other).count(Outcome::Rejected, 1);
    }

    /// Each row, in the order of the names; `other` where there was something for it.
    pub(crate) fn overview(&self) -> Vec<ServiceOverview> {
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        let mut overview: Vec<_> = rows.values().map(|row| row.overview()).collect();
        drop(rows);
        let other = self.other.overview();
        if other.accepted + other.repeated + other.rejected > 0 {
            overview.push(other);
        }
        overview
    }

    fn known(&self, service: &str) -> Option<Arc<Row>> {
        if service == OTHER {
            return Some(self.other.clone());
        }
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        rows.get(service).cloned()
    }

    /// The service's row, made where there is room for it.
    fn row(&self, service: &str) -> Arc<Row> {
        if service == OTHER {
            return self.other.clone();
        }
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(row) = rows.get(service) {
            return row.clone();
        }
        // Rows never go away. With many services this is asked a record each, and publishers are not to wait for each other.
        if rows.len() >= MOST {
            return self.other.clone();
        }
        drop(rows);
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        if rows.len() >= MOST && !rows.contains_key(service) {
            return self.other.clone();
        }
        let row = rows.entry(service.to_owned());
        row.or_insert_with(|| Arc::new(Row::new(service))).clone()
    }
}

impl Tally<'_> {
    /// Counts a record of somebody who may publish to this service.
    pub(crate) fn add(&mut self, service: &str) {
        // Neighbours are mostly of the same.
        if let Some((_, count)) = self.counts.last_mut().filter(|(row, _)| row.service == service) {
            *count += 1;
            return;
        }
        if let Some((_, count)) = self.counts.iter_mut().find(|(row, _)| row.service == service) {
            *count += 1;
            return;
        }
        let row = self.services.row(service);
        match self.counts.iter_mut().find(|(other, _)| Arc::ptr_eq(other, &row)) {
            Some((_, count)) => *count += 1,
            None => self.counts.push((row, 1)),
        }
    }

    /// This became of all of them.
    pub(crate) fn end(self, outcome: Outcome) {
        for (row, count) in self.counts {
            row.count(outcome, count);
        }
    }
}

impl Row {
    fn new(service: &str) -> Self {
        Self {
            service: service.to_owned(),
            accepted: AtomicU64::new(0),
            repeated: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
        }
    }

    fn count(&self, outcome: Outcome, records: u64) {
        let count = match outcome {
            Outcome::Accepted => &self.accepted,
            Outcome::Repeated => &self.repeated,
            Outcome::Rejected => &self.rejected,
        };
        count.fetch_add(records, Ordering::Relaxed);
    }

    fn overview(&self) -> ServiceOverview {
        ServiceOverview {
            service: self.service.clone(),
            accepted: self.accepted.load(Ordering::Relaxed),
            repeated: self.repeated.load(Ordering::Relaxed),
            rejected: self.rejected.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(service: &str, accepted: u64, repeated: u64, rejected: u64) -> ServiceOverview {
        ServiceOverview {
            service: service.to_owned(),
            accepted,
            repeated,
            rejected,
        }
    }

    #[test]
    fn each_service_has_its_row() {
        let services = Services::default();
        assert_eq!(services.overview(), []);
        for (names, outcome) in [
            (["etl", "faas", "etl"], Outcome::Accepted),
            (["etl", "etl", "etl"], Outcome::Repeated),
            (["faas", "etl", "faas"], Outcome::Rejected),
        ] {
            let mut tally = services.tally();
            names.into_iter().for_each(|name| tally.add(name));
            tally.end(outcome);
        }
        services.reject(Some("faas"));
        assert_eq!(services.overview(), [row("etl", 2, 3, 1), row("faas", 1, 0, 3)]);
    }

    #[test]
    fn there_are_few_rows_whatever_is_sent() {
        let services = Services::default();
        // What may not be published makes no row at all.
        for number in 0..1_000 {
            services.reject(Some(&format!("stranger{number}")));
        }
        services.reject(None);
        let mut tally = services.tally();
        for number in 0..2_000 {
            tally.add(&format!("service{:04}", number / 2));
        }
        tally.add("service0000");
        tally.add(OTHER);
        tally.end(Outcome::Accepted);
        // Who looks at the rows keeps no publisher waiting.
        let looking = services.rows.read().unwrap();
        let mut tally = services.tally();
        tally.add("service9999");
        drop(looking);
        drop(tally);
        let overview = services.overview();
        assert_eq!(overview.len(), MOST + 1);
        assert_eq!(overview[0], row("service0000", 3, 0, 0));
        assert_eq!(overview[MOST], row(OTHER, 2_000 - 128 + 1, 0, 1_001));
    }
}

//! [`samples`]: what the page shows before anything is connected.

use std::sync::Arc;

use logs_shared::LogRecord;

use crate::json::read_record;

/// One record a line, as a stream sends them.
const SAMPLES: &str = include_str!("samples.ndjson");

/// Fifteen records of a believable run, the oldest first.
pub(crate) fn samples() -> Vec<Arc<LogRecord>> {
    SAMPLES.lines().filter_map(read_record).map(Arc::new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_fifteen_samples_in_order() {
        let samples = samples();
        assert_eq!(samples.len(), 15);
        assert_eq!(SAMPLES.lines().count(), 15);
        assert!(samples.is_sorted_by_key(|record| record.id));
    }
}

//! A stream's query and its `Last-Event-ID` header: what is taken can be written and read again.

#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use logs_shared::{
    RecordId, StreamQuery,
    api::{MAX_CHANNELS_PER_STREAM, MAX_TAIL},
    query::Start,
};

/// The longest sentence a refusal may be, in bytes: what it names of a query is cut.
const LONGEST_SENTENCE: usize = 4_096;

fuzz_target!(|text: &str| {
    let (header, query) = match text.split_once('\n') {
        Some((header, query)) => (Some(header), query),
        None => (None, text),
    };
    let asked = match StreamQuery::parse(query, header) {
        Ok(asked) => asked,
        Err(error) => {
            assert!(!error.code().is_empty());
            return assert!(error.to_string().len() <= LONGEST_SENTENCE, "{error}");
        }
    };
    assert!((1..=MAX_CHANNELS_PER_STREAM).contains(&asked.channels.len()));
    assert_eq!(
        asked.channels.iter().collect::<HashSet<_>>().len(),
        asked.channels.len()
    );
    assert_eq!(asked.interests().len(), asked.channels.len());
    if let Start::Tail(records) = asked.start {
        assert!(records <= MAX_TAIL);
    }
    assert_eq!(StreamQuery::parse(&asked.to_query(), None), Ok(asked.clone()));

    // What a browser does that comes back: the same URL, and the header.
    let cursor = RecordId::new(1_758_796_200_000, 7);
    let back = StreamQuery::parse(query, Some(&cursor.to_string())).unwrap();
    assert_eq!(back.start, Start::After(cursor));
    assert_eq!((back.channels, back.level), (asked.channels, asked.level));
});

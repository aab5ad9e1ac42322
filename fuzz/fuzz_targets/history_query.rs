//! A query for the past: what is taken can be written and read again.

#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use logs_shared::{
    ChannelPattern, HistoryQuery, api::MAX_CHANNELS_PER_STREAM, history::MAX_LIMIT, query::QueryError,
};

/// The longest sentence a refusal may be, in bytes: what it names of a query is cut.
const LONGEST_SENTENCE: usize = 4_096;

fuzz_target!(|query: &str| {
    let asked = match HistoryQuery::parse(query) {
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
    assert!(asked.limit <= MAX_LIMIT);
    assert_eq!(read_again(&asked), Ok(asked));
});

fn read_again(asked: &HistoryQuery) -> Result<HistoryQuery, QueryError> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let channels: Vec<_> = asked.channels.iter().map(ChannelPattern::as_str).collect();
    query.append_pair("channels", &channels.join(","));
    query.append_pair("limit", &asked.limit.to_string());
    for (name, id) in [("after", asked.after), ("before", asked.before)] {
        query.extend_pairs(id.map(|id| (name, id.to_string())));
    }
    query.extend_pairs(asked.level.map(|level| ("level", level.as_str())));
    query.extend_pairs(asked.q.as_deref().map(|q| ("q", q)));
    HistoryQuery::parse(&query.finish())
}

//! [`HistoryQuery`]: a page of the past, and [`HistoryPage`]: the answer.

use serde::Deserialize;

use crate::{
    ChannelPattern, Level, LogRecord, RecordId,
    event::Gap,
    query::{LEVEL, QueryError, SINCE, Selection, parameters, parse_count, parse_level, parse_time, shown},
};

/// What a reader asks of `GET /api/logs/history`: records of channels, between two places in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryQuery {
    /// Of what: at least one and at most 128, none twice.
    pub channels: Vec<ChannelPattern>,
    /// Only records with a larger id.
    pub after: Option<RecordId>,
    /// Only records with a smaller id.
    pub before: Option<RecordId>,
    /// At most so many.
    pub limit: usize,
    /// Only records at least this grave.
    pub level: Option<Level>,
    /// Only records whose message or fields contain it: a text without regard to case, or `/regex/`.
    pub q: Option<String>,
}

/// How many records a page has unless told otherwise.
pub const DEFAULT_LIMIT: usize = 100;
/// The most records a page has; a larger limit is read as this one.
pub const MAX_LIMIT: usize = 10_000;

impl HistoryQuery {
    /// Reads a URL's query. `after` and `before` exclude their place, `since` and `until` include it; each
    /// is an id or a time, and a time stands for its whole millisecond.
    ///
    /// # Errors
    /// [`QueryError`]. An empty parameter counts as absent, one that is not known is left to others.
    pub fn parse(query: &str) -> Result<Self, QueryError> {
        let mut selection = Selection::default();
        let (mut after, mut before, mut limit, mut level, mut q) = (None, None, DEFAULT_LIMIT, None, None);
        for (name, value) in parameters(query) {
            match &*name {
                "after" => after = after.max(Some(parse_place("after", &value)?.last())),
                SINCE => after = after.max(Some(parse_place(SINCE, &value)?.first().previous())),
                "before" => before = min(before, parse_place("before", &value)?.first()),
                "until" => before = min(before, parse_place("until", &value)?.last().next()),
                "limit" => limit = parse_limit(&value)?,
                LEVEL => level = Some(parse_level(&value)?),
                "q" => q = Some(value.into_owned()),
                _ => selection.take(&name, value)?,
            }
        }
        Ok(Self {
            channels: selection.channels()?,
            after,
            before,
            limit,
            level,
            q,
        })
    }
}

fn min(known: Option<RecordId>, id: RecordId) -> Option<RecordId> {
    Some(known.map_or(id, |known| known.min(id)))
}

/// A place in the log as a query names it.
enum Place {
    Id(RecordId),
    /// All ids of this millisecond.
    Ms(u64),
}

impl Place {
    fn first(&self) -> RecordId {
        match *self {
            Self::Id(id) => id,
            Self::Ms(ms) => RecordId::new(ms, 0),
        }
    }

    fn last(&self) -> RecordId {
        match *self {
            Self::Id(id) => id,
            Self::Ms(ms) => RecordId::new(ms, u64::MAX),
        }
    }
}

fn parse_place(name: &'static str, text: &str) -> Result<Place, QueryError> {
    let text = text.trim();
    let id = text.parse().map(Place::Id);
    id.or_else(|_| parse_time(text).map(|time| Place::Ms(time.id_ms())))
        .map_err(|_| QueryError::Place(name, shown(text)))
}

/// The answer, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct HistoryPage {
    /// Ascending by id.
    pub records: Vec<LogRecord>,
    /// Where records are missing after the place that `after` or `since` named: retention has taken them.
    #[serde(default)]
    pub gaps: Vec<Gap>,
    /// Whether there are more: before the page where the newest were asked for, after it where the oldest were.
    pub has_more: bool,
    /// The first record's id.
    pub first_id: Option<RecordId>,
    /// The last record's id.
    pub last_id: Option<RecordId>,
}

/// A number of records; a larger one is read as the most there may be.
fn parse_limit(text: &str) -> Result<usize, QueryError> {
    let limit = parse_count("limit", text, MAX_LIMIT).ok();
    limit
        .filter(|limit| *limit > 0)
        .ok_or_else(|| QueryError::Limit(shown(text)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::problem::code;

    fn parse(query: &str) -> Result<HistoryQuery, QueryError> {
        HistoryQuery::parse(&format!("channels=logs:etl:w&{query}"))
    }

    #[test]
    fn places_are_ids_or_times_and_include_or_exclude_themselves() {
        let bounds = |query: &str| {
            let HistoryQuery { after, before, .. } = parse(query).unwrap();
            (after.map(|id| id.to_string()), before.map(|id| id.to_string()))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(bounds(""), (None, None));
        assert_eq!(bounds("after=5-1&before=9-2"), (some("5-1"), some("9-2")));
        assert_eq!(bounds("since=5-1&until=9-2"), (some("5-0"), some("9-3")));
        let (ms, max) = (1_758_796_200_000_u64, u64::MAX);
        let time = "2025-09-25T10:30:00Z";
        assert_eq!(
            bounds(&format!("after={time}&before={time}")),
            (Some(format!("{ms}-{max}")), Some(format!("{ms}-0")))
        );
        assert_eq!(
            bounds(&format!("since={time}&until={time}")),
            (Some(format!("{}-{max}", ms - 1)), Some(format!("{}-0", ms + 1)))
        );
        assert_eq!(
            bounds("since=5-1&after=7-0&until=9-2&before=8-0"),
            (some("7-0"), some("8-0"))
        );
    }

    #[test]
    fn what_cannot_be_answered_has_its_code() {
        for query in [
            "after=yesterday",
            "before=",
            "until=x",
            "limit=-1",
            "limit=0",
            "limit=many",
        ] {
            match parse(query) {
                Ok(query) => assert_eq!(query.before, None, "an empty parameter is an absent one"),
                Err(error) => assert_eq!(error.code(), code::INVALID_QUERY, "{query}"),
            }
        }
        assert_eq!(
            HistoryQuery::parse("limit=5").unwrap_err().code(),
            code::MISSING_CHANNELS
        );
        assert_eq!(parse("limit=99999999").unwrap().limit, MAX_LIMIT);
        assert_eq!(parse("").unwrap().limit, DEFAULT_LIMIT);
    }

    proptest! {
        #[test]
        fn any_query_is_read_or_refused(query in "(after|since|before|until|limit|q)=\\PC{0,30}") {
            let _ = parse(&query);
        }
    }
}

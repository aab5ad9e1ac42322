//! [`StreamQuery`]: what a reader asks for, as the query of a URL.

use std::borrow::Cow;

use crate::{
    ChannelError, ChannelPattern, Interest, Level, RecordId, Timestamp,
    api::{MAX_CHANNELS_PER_STREAM, MAX_TAIL},
    channel::spell,
    history::MAX_LIMIT,
    problem::code,
    timestamp::TimestampError,
};

/// Names channels and patterns: a list with commas, and may be repeated.
pub const CHANNELS: &str = "channels";
/// The first part of a channel that is spelt by its parts.
pub const SERVICE: &str = "service";
/// The second.
pub const WORKSPACE_ID: &str = "workspace_id";
/// The third, under any of these names; without it the channel has no resource.
pub const RESOURCE_IDS: [&str; 3] = ["workflow_id", "resource_id", "function_id"];
const LAST_EVENT_ID: &str = "last_event_id";
pub(crate) const SINCE: &str = "since";
const TAIL: &str = "tail";
pub(crate) const LEVEL: &str = "level";

/// What a reader asks of `GET /api/logs/stream`.
///
/// Both ends use it: a reader writes it with [`StreamQuery::to_query`], the gateway reads it with
/// [`StreamQuery::parse`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamQuery {
    /// What to follow: at least one and at most 128, none twice.
    pub channels: Vec<ChannelPattern>,
    /// Where to start.
    pub start: Start,
    /// Only records at least this grave.
    pub level: Option<Level>,
}

/// Where a stream starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// Now: with the first record published from here on.
    #[default]
    Live,
    /// After this id.
    After(RecordId),
    /// With the first record of this time or later.
    Since(Timestamp),
    /// With the newest records that are kept, so many over the whole selection.
    Tail(usize),
    /// A cursor was given and cannot be read: live, and the stream says that something may be missing.
    Unknown,
}

/// Why a query cannot be answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// It names no channel.
    #[error(
        "name at least one channel: channels=logs:etl:workspace123:workflow456, or service=… and workspace_id=…"
    )]
    MissingChannels,
    /// It has a `service` without a `workspace_id`, or the other way round.
    #[error("service and workspace_id go together; {0} is missing")]
    HalfChannel(&'static str),
    /// One of its channels is none.
    #[error("{text:?} is no channel: {error}")]
    Channel {
        /// The offending text, cut where it is long.
        text: String,
        /// What is wrong with it.
        error: ChannelError,
    },
    /// It has more channels than a stream may follow.
    #[error(
        "a stream may follow {MAX_CHANNELS_PER_STREAM} channels and patterns, not {0}; a pattern such as logs:*:workspace123:* follows many as one"
    )]
    TooManyChannels(usize),
    /// The level is none.
    #[error("level={0:?} is not one of TRACE, DEBUG, INFO, WARN, ERROR, FATAL")]
    Level(String),
    /// A count is no number.
    #[error("{0}={1:?} is not a whole number of records")]
    Count(&'static str, String),
    /// A page without a record, or with no number of them.
    #[error("limit={0:?} is not a number of records, from 1 to {MAX_LIMIT}")]
    Limit(String),
    /// A place in the log that is neither an id nor a time.
    #[error("{0}={1:?} is neither an id such as 1758796200000-0 nor a time")]
    Place(&'static str, String),
    /// A regular expression that cannot be used.
    #[error("q={text:?} is no regular expression that can be used: {reason}")]
    Expression {
        /// The offending text, cut where it is long.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl QueryError {
    /// An expression to look for that cannot be used. Of a reason of several lines, which draw what is wrong in a type of
    /// one width, the last says it in words.
    #[must_use]
    pub fn expression(text: &str, reason: &impl std::fmt::Display) -> Self {
        let reason = reason.to_string();
        let last = reason.lines().map(str::trim).rfind(|line| !line.is_empty());
        let words = last.map(|line| line.trim_start_matches("error: "));
        Self::Expression {
            text: shown(text),
            reason: shown(words.unwrap_or_default()),
        }
    }

    /// The stable code of the refusal.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MissingChannels | Self::HalfChannel(_) => code::MISSING_CHANNELS,
            Self::Channel { .. } => code::INVALID_CHANNEL,
            Self::TooManyChannels(_) => code::TOO_MANY_CHANNELS,
            Self::Level(_) => code::INVALID_LEVEL,
            Self::Count(..) | Self::Limit(_) | Self::Place(..) | Self::Expression { .. } => {
                code::INVALID_QUERY
            }
        }
    }
}

/// A text for a message: as it is where it is short, otherwise its beginning.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 100;
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

impl StreamQuery {
    /// A query for these channels, from now on.
    #[must_use]
    pub fn of(channels: impl IntoIterator<Item = ChannelPattern>) -> Self {
        Self {
            channels: channels.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Reads a URL's query and the `Last-Event-ID` header, which wins over `last_event_id`, that over
    /// `since`, that over `tail`: a browser reconnects with its old URL and the header.
    ///
    /// Parameters it does not know are left to others.
    ///
    /// # Errors
    /// [`QueryError`]. A cursor that cannot be read is none, since a browser would give up: it is
    /// [`Start::Unknown`]. An empty parameter counts as absent.
    pub fn parse(query: &str, last_event_id_header: Option<&str>) -> Result<Self, QueryError> {
        let mut selection = Selection::default();
        let (mut last_event_id, mut since, mut tail, mut level) = (None, None, None, None);
        for (name, value) in parameters(query) {
            match &*name {
                LAST_EVENT_ID => last_event_id = Some(value),
                SINCE => since = Some(value),
                TAIL => tail = Some(value),
                LEVEL => level = Some(value),
                _ => selection.take(&name, value)?,
            }
        }
        let channels = selection.channels()?;
        let level = level.map(|text| parse_level(&text)).transpose()?;
        let tail = tail.map(|text| parse_count(TAIL, &text, MAX_TAIL)).transpose()?;
        let header = last_event_id_header.filter(|text| !text.is_empty());
        let start = match (header.or(last_event_id.as_deref()), since, tail) {
            (Some(cursor), ..) => cursor.trim().parse().map_or(Start::Unknown, Start::After),
            (None, Some(since), _) => parse_since(&since),
            (None, None, Some(tail)) => Start::Tail(tail),
            (None, None, None) => Start::Live,
        };
        Ok(Self {
            channels,
            start,
            level,
        })
    }

    /// What the stream follows first.
    #[must_use]
    pub fn interests(&self) -> Vec<Interest> {
        let interest = |pattern: &ChannelPattern| Interest::new(pattern.clone(), self.level);
        self.channels.iter().map(interest).collect()
    }

    /// The query as a URL has it after its `?`.
    #[must_use]
    pub fn to_query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let channels: Vec<&str> = self.channels.iter().map(ChannelPattern::as_str).collect();
        query.append_pair(CHANNELS, &channels.join(","));
        match self.start {
            Start::Live => &mut query,
            Start::After(id) => query.append_pair(LAST_EVENT_ID, &id.to_string()),
            Start::Since(time) => query.append_pair(SINCE, &time.to_string()),
            Start::Tail(records) => query.append_pair(TAIL, &records.to_string()),
            Start::Unknown => query.append_pair(LAST_EVENT_ID, "unknown"),
        };
        if let Some(level) = self.level {
            query.append_pair(LEVEL, level.as_str());
        }
        query.finish()
    }
}

/// `since=` is an id or a time.
fn parse_since(text: &str) -> Start {
    let text = text.trim();
    match text.parse::<RecordId>() {
        Ok(id) => Start::After(id),
        Err(_) => parse_time(text).map_or(Start::Unknown, Start::Since),
    }
}

/// A time in a query. Who does not escape the plus sign of its zone has written a space.
pub(crate) fn parse_time(text: &str) -> Result<Timestamp, TimestampError> {
    let with_plus = || match text.rsplit_once(' ') {
        Some((time, zone)) => format!("{time}+{zone}").parse(),
        None => Err(TimestampError),
    };
    text.parse().or_else(|_| with_plus())
}

fn parse_pattern(text: &str) -> Result<ChannelPattern, QueryError> {
    text.parse().map_err(|error| QueryError::Channel {
        text: shown(text),
        error,
    })
}

/// A query's parameters. An empty one counts as absent.
pub(crate) fn parameters(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    form_urlencoded::parse(query.as_bytes()).filter(|(_, value)| !value.is_empty())
}

/// A count; a larger one than `most` is read as `most`.
pub(crate) fn parse_count(name: &'static str, text: &str, most: usize) -> Result<usize, QueryError> {
    let count = text
        .parse::<u64>()
        .map_err(|_| QueryError::Count(name, shown(text)))?;
    Ok(usize::try_from(count).unwrap_or(most).min(most))
}

pub(crate) fn parse_level(text: &str) -> Result<Level, QueryError> {
    text.parse().map_err(|_| QueryError::Level(shown(text)))
}

/// The channels that a query names: listed and repeated as `channels`, or spelt by their parts.
#[derive(Default)]
pub(crate) struct Selection<'a> {
    channels: Vec<ChannelPattern>,
    service: Option<Cow<'a, str>>,
    workspace: Option<Cow<'a, str>>,
    resources: [Option<Cow<'a, str>>; 3],
}

impl<'a> Selection<'a> {
    /// Takes one parameter, where it is about channels. Others are left to others.
    pub(crate) fn take(&mut self, name: &str, value: Cow<'a, str>) -> Result<(), QueryError> {
        match name {
            CHANNELS => {
                for text in value.split(',').map(str::trim).filter(|text| !text.is_empty()) {
                    self.add(parse_pattern(text)?)?;
                }
            }
            SERVICE => self.service = Some(value),
            WORKSPACE_ID => self.workspace = Some(value),
            other => {
                if let Some(place) = RESOURCE_IDS.iter().position(|name| *name == other) {
                    self.resources[place] = Some(value);
                }
            }
        }
        Ok(())
    }

    /// All of them: at least one and at most 128, none twice.
    pub(crate) fn channels(mut self) -> Result<Vec<ChannelPattern>, QueryError> {
        match (self.service.take(), self.workspace.take()) {
            (Some(service), Some(workspace)) => {
                let resource = self.resources.iter_mut().find_map(Option::take);
                let pattern = ChannelPattern::new(&service, &workspace, resource.as_deref());
                self.add(pattern.map_err(|error| {
                    let text = shown(&spell(&service, &workspace, resource.as_deref()));
                    QueryError::Channel { text, error }
                })?)?;
            }
            (Some(_), None) => return Err(QueryError::HalfChannel(WORKSPACE_ID)),
            // A workspace beside `channels` says nothing more; proxies add it to what passes through them.
            (None, Some(_)) if self.channels.is_empty() => return Err(QueryError::HalfChannel(SERVICE)),
            (None, _) => {}
        }
        if self.channels.is_empty() {
            return Err(QueryError::MissingChannels);
        }
        Ok(self.channels)
    }

    fn add(&mut self, pattern: ChannelPattern) -> Result<(), QueryError> {
        if self.channels.contains(&pattern) {
            return Ok(());
        }
        if self.channels.len() == MAX_CHANNELS_PER_STREAM {
            return Err(QueryError::TooManyChannels(self.channels.len() + 1));
        }
        self.channels.push(pattern);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(query: &str) -> Result<StreamQuery, QueryError> {
        StreamQuery::parse(query, None)
    }

    fn channels(query: &str) -> Vec<String> {
        parse(query)
            .unwrap()
            .channels
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn channels_are_listed_repeated_or_spelt_by_parts() {
        assert_eq!(channels("channels=logs:a:w,logs:b:w"), ["logs:a:w", "logs:b:w"]);
        assert_eq!(
            channels("channels=logs:a:w&channels=logs%3Ab%3Aw,%20logs:a:w,"),
            ["logs:a:w", "logs:b:w"]
        );
        assert_eq!(channels("service=etl&workspace_id=w"), ["logs:etl:w"]);
        for name in RESOURCE_IDS {
            assert_eq!(
                channels(&format!("service=etl&workspace_id=w&{name}=x")),
                ["logs:etl:w:x"]
            );
        }
        assert_eq!(channels("service=*&workspace_id=w&resource_id=*"), ["logs:*:w:*"]);
        assert_eq!(
            channels("channels=logs:a:w&service=etl&workspace_id=w"),
            ["logs:a:w", "logs:etl:w"]
        );
        assert_eq!(channels("channels=logs:a:w&workspace_id=w"), ["logs:a:w"]);
    }

    #[test]
    fn what_cannot_be_answered_has_its_code() {
        let many: Vec<String> = (0..129).map(|n| format!("logs:etl:w{n}")).collect();
        let cases = [
            ("", code::MISSING_CHANNELS),
            ("channels=", code::MISSING_CHANNELS),
            ("channels=,,", code::MISSING_CHANNELS),
            ("service=etl", code::MISSING_CHANNELS),
            ("workspace_id=w", code::MISSING_CHANNELS),
            ("channels=etl", code::INVALID_CHANNEL),
            ("channels=logs:etl:w%0ax", code::INVALID_CHANNEL),
            ("service=e%20tl&workspace_id=w", code::INVALID_CHANNEL),
            ("channels=logs:etl:w&level=loud", code::INVALID_LEVEL),
            ("channels=logs:etl:w&tail=-1", code::INVALID_QUERY),
            ("channels=logs:etl:w&tail=many", code::INVALID_QUERY),
            (&format!("channels={}", many.join(",")), code::TOO_MANY_CHANNELS),
        ];
        for (query, code) in cases {
            assert_eq!(parse(query).unwrap_err().code(), code, "{query}");
        }
        assert_eq!(channels(&format!("channels={}", many[1..].join(","))).len(), 128);
    }

    #[test]
    fn the_header_wins_over_last_event_id_that_over_since_that_over_tail() {
        let all = "channels=logs:etl:w&tail=5&since=2025-09-25T10:30:00Z&last_event_id=3-3";
        let start = |query, header| StreamQuery::parse(query, header).unwrap().start;
        assert_eq!(start(all, Some("4-4")), Start::After(RecordId::new(4, 4)));
        assert_eq!(start(all, Some("")), Start::After(RecordId::new(3, 3)));
        assert_eq!(
            start("channels=logs:etl:w&tail=5&since=2-2", None),
            Start::After(RecordId::new(2, 2))
        );
        let since = Timestamp::from_unix_ms(1_758_796_200_000).unwrap();
        assert_eq!(
            start("channels=logs:etl:w&since=2025-09-25T10:30:00Z", None),
            Start::Since(since)
        );
        assert_eq!(
            start("channels=logs:etl:w&since=1758796200", None),
            Start::Since(since)
        );
        for text in [
            "2025-09-25T12:30:00+02:00",
            "2025-09-25T12:30:00%2B02:00",
            "2025-09-25+10:30:00",
        ] {
            let query = parse(&format!("channels=logs:etl:w&since={text}")).unwrap();
            assert_eq!(query.start, Start::Since(since), "{text}");
        }
        assert_eq!(start("channels=logs:etl:w&tail=5", None), Start::Tail(5));
        assert_eq!(
            start("channels=logs:etl:w&tail=99999999999", None),
            Start::Tail(MAX_TAIL)
        );
        assert_eq!(start("channels=logs:etl:w", None), Start::Live);
    }

    #[test]
    fn a_cursor_that_cannot_be_read_is_no_error() {
        let start = |query, header| StreamQuery::parse(query, header).unwrap().start;
        assert_eq!(start("channels=logs:etl:w", Some("nonsense")), Start::Unknown);
        assert_eq!(
            start("channels=logs:etl:w&last_event_id=%00", None),
            Start::Unknown
        );
        assert_eq!(start("channels=logs:etl:w&since=yesterday", None), Start::Unknown);
    }

    proptest! {
        #[test]
        fn every_query_round_trips(
            names in prop::collection::btree_set("logs:([a-z]{1,3}|\\*):[A-Za-z0-9._-]{1,9}(:(\\*|[a-z]{1,3}))?", 1..9),
            start in prop_oneof![
                Just(Start::Live),
                Just(Start::Unknown),
                any::<(u64, u64)>().prop_map(|(ms, seq)| Start::After(RecordId::new(ms, seq))),
                (0..=253_402_300_799_999_i64).prop_map(|ms| Start::Since(Timestamp::from_unix_ms(ms).unwrap())),
                (0..=MAX_TAIL).prop_map(Start::Tail),
            ],
            level in prop::option::of(prop::sample::select(&Level::ALL[..])),
        ) {
            let channels = names.iter().map(|name| name.parse().unwrap()).collect();
            let query = StreamQuery { channels, start, level };
            prop_assert_eq!(parse(&query.to_query()), Ok(query));
        }

        #[test]
        fn any_query_is_read_or_refused(query in "\\PC{0,80}", header in "\\PC{0,20}") {
            let _ = StreamQuery::parse(&query, Some(&header));
        }
    }
}

//! [`Streams`]: the stream that is read and the one that will take over; [`Position`]: how far was read.

use logs_shared::{
    ChannelPattern, RecordId,
    event::{Gap, GapReason},
    query::Start,
};

/// How far these channels have been read: everything up to the cursor has been seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) cursor: Option<RecordId>,
    pub(crate) channels: Vec<ChannelPattern>,
}

impl Position {
    /// Whether nothing is wanted that was not read so far.
    pub(crate) fn knows(&self, wanted: &[ChannelPattern]) -> bool {
        wanted.iter().all(|pattern| self.channels.contains(pattern))
    }

    /// Forgets channels that are not among these: their rows are gone, so they are new when they come back.
    pub(crate) fn keep(&mut self, subscribed: &[ChannelPattern]) {
        self.channels.retain(|channel| subscribed.contains(channel));
    }

    /// Where the next stream starts: at the cursor, or with the newest records where there is none or
    /// a channel is new, of which the reader has seen nothing yet.
    pub(crate) fn start(&self, wanted: &[ChannelPattern], tail: usize) -> Start {
        match self.cursor {
            Some(cursor) if self.knows(wanted) => Start::After(cursor),
            _ => Start::Tail(tail),
        }
    }

    /// What may be missing when a stream starts at `start` and nothing was read since.
    pub(crate) fn gaps(&self, start: Option<RecordId>, wanted: &[ChannelPattern]) -> Vec<Gap> {
        let (Some(from), Some(start)) = (self.cursor, start) else {
            return Vec::new();
        };
        let missing = self
            .channels
            .iter()
            .filter(|channel| start > from && wanted.contains(channel));
        missing
            .map(|channel| Gap {
                channel: channel.clone(),
                from,
                to: start,
                reason: GapReason::Other,
            })
            .collect()
    }
}

/// One stream, from the request on. `S` is what keeps it open.
#[derive(Debug)]
pub(crate) struct Stream<S> {
    /// Tells streams apart: what a stream says may arrive after it was let go of.
    pub(crate) number: u64,
    /// Open as long as this lives.
    _source: S,
    /// What it follows.
    pub(crate) channels: Vec<ChannelPattern>,
    /// Set by its first event.
    pub(crate) opened: Option<Opened>,
    /// The id of its newest event.
    pub(crate) cursor: Option<RecordId>,
    /// When it last said something.
    pub(crate) heard_at: f64,
}

/// What a stream's `connection` event says.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    /// The cursor it started with.
    pub(crate) start: Option<RecordId>,
    /// The gateway's name for it.
    pub(crate) stream_id: String,
    /// The longest silence to expect.
    pub(crate) heartbeat_ms: u64,
}

impl<S> Stream<S> {
    pub(crate) fn new(number: u64, source: S, channels: Vec<ChannelPattern>, now: f64) -> Self {
        Self {
            number,
            _source: source,
            channels,
            opened: None,
            cursor: None,
            heard_at: now,
        }
    }

    /// An event came; `id` is empty or the stream's cursor after it.
    pub(crate) fn heard(&mut self, id: &str, now: f64) {
        self.heard_at = now;
        self.cursor = id.parse().ok().or(self.cursor);
    }

    pub(crate) fn position(&self) -> Position {
        Position {
            cursor: self.cursor,
            channels: self.channels.clone(),
        }
    }
}

/// The stream that is read, and the one that will take over.
///
/// The next one takes over once it has started no later than the first has come: then no record lies
/// between them. What both send is told apart by id, in the buffers.
#[derive(Debug)]
pub(crate) struct Streams<S> {
    pub(crate) first: Stream<S>,
    pub(crate) next: Option<Stream<S>>,
}

impl<S> Streams<S> {
    pub(crate) fn of(first: Stream<S>) -> Self {
        Self { first, next: None }
    }

    /// The stream with this number, if it is still one of them.
    pub(crate) fn get_mut(&mut self, number: u64) -> Option<&mut Stream<S>> {
        self.each_mut().find(|stream| stream.number == number)
    }

    pub(crate) fn each_mut(&mut self) -> impl Iterator<Item = &mut Stream<S>> {
        std::iter::once(&mut self.first).chain(&mut self.next)
    }

    /// Whether the next stream can take over without a hole.
    fn meets(&self) -> bool {
        let Some(opened) = self.next.as_ref().and_then(|next| next.opened.as_ref()) else {
            return false;
        };
        match (opened.start, self.first.cursor) {
            (Some(start), Some(cursor)) => start <= cursor,
            // Nothing is known of where one of them is, so waiting would have no end.
            _ => true,
        }
    }

    /// Lets the next stream take over if it can; says whether it did.
    pub(crate) fn hand_over(&mut self) -> bool {
        if !self.meets() {
            return false;
        }
        self.next.take().map(|next| self.first = next).is_some()
    }

    /// The first stream is gone: the next one in its place, if there is one.
    pub(crate) fn lose_first(self) -> Option<Self> {
        self.next.map(Self::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(texts: &[&str]) -> Vec<ChannelPattern> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn id(ms: u64) -> RecordId {
        RecordId::new(ms, 0)
    }

    fn stream(number: u64, start: Option<u64>, cursor: Option<u64>) -> Stream<()> {
        let mut stream = Stream::new(number, (), patterns(&["logs:etl:w"]), 0.0);
        stream.opened = start.map(|start| Opened {
            start: Some(id(start)),
            stream_id: String::new(),
            heartbeat_ms: 15_000,
        });
        stream.cursor = cursor.map(id);
        stream
    }

    fn streams(first: Stream<()>, next: Stream<()>) -> Streams<()> {
        Streams {
            first,
            next: Some(next),
        }
    }

    #[test]
    fn a_stream_resumes_unless_a_channel_is_new() {
        let read = Position {
            cursor: Some(id(5)),
            channels: patterns(&["logs:etl:w", "logs:faas:w"]),
        };
        assert_eq!(read.start(&patterns(&["logs:etl:w"]), 100), Start::After(id(5)));
        assert_eq!(
            read.start(&patterns(&["logs:etl:w", "logs:x:w"]), 100),
            Start::Tail(100)
        );
        assert_eq!(
            Position::default().start(&patterns(&["logs:etl:w"]), 100),
            Start::Tail(100)
        );
    }

    #[test]
    fn a_channel_that_was_given_up_is_new_when_it_comes_back() {
        let both = patterns(&["logs:etl:w", "logs:faas:w"]);
        let mut read = Position {
            cursor: Some(id(5)),
            channels: both.clone(),
        };
        read.keep(&both[..1]);
        assert_eq!(read.start(&both[..1], 100), Start::After(id(5)));
        assert_eq!(read.start(&both, 100), Start::Tail(100));
        read.keep(&[]);
        assert_eq!(read.start(&both[..1], 100), Start::Tail(100));
    }

    #[test]
    fn what_no_stream_covers_is_a_gap_in_what_is_still_wanted() {
        let read = Position {
            cursor: Some(id(5)),
            channels: patterns(&["logs:etl:w", "logs:faas:w"]),
        };
        let wanted = patterns(&["logs:etl:w", "logs:x:w"]);
        assert_eq!(
            read.gaps(Some(id(8)), &wanted),
            [Gap {
                channel: wanted[0].clone(),
                from: id(5),
                to: id(8),
                reason: GapReason::Other
            }]
        );
        assert_eq!(read.gaps(Some(id(5)), &wanted), []);
        assert_eq!(read.gaps(None, &wanted), []);
        assert_eq!(Position::default().gaps(Some(id(5)), &wanted), []);
    }

    #[test]
    fn the_next_stream_takes_over_once_it_is_open() {
        let mut both = streams(stream(1, Some(1), Some(9)), stream(2, None, None));
        assert!(!both.hand_over());
        if let Some(next) = both.get_mut(2) {
            *next = stream(2, Some(4), Some(4));
        }
        assert!(both.hand_over());
        assert_eq!((both.first.number, both.next.is_none()), (2, true));
        assert!(!both.hand_over());
    }

    #[test]
    fn it_waits_while_the_first_is_behind_its_start() {
        let mut both = streams(stream(1, Some(1), Some(3)), stream(2, Some(7), Some(9)));
        assert!(!both.hand_over());
        both.first.heard("6-0", 1.0);
        assert!(!both.hand_over());
        both.first.heard("7-0", 2.0);
        assert!(both.hand_over());
    }

    #[test]
    fn an_event_without_an_id_moves_no_cursor() {
        let mut stream = stream(1, Some(1), Some(3));
        stream.heard("", 5.0);
        stream.heard("not an id", 6.0);
        assert_eq!((stream.cursor, stream.heard_at), (Some(id(3)), 6.0));
    }

    #[test]
    fn the_next_stream_is_left_when_the_first_is_lost() {
        let left = streams(stream(1, Some(1), Some(3)), stream(2, None, None)).lose_first();
        assert_eq!(left.map(|left| left.first.number), Some(2));
    }
}

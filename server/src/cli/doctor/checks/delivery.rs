//! Whether what is published one by one comes one by one, and whether somebody packs it.

use std::time::{Duration, Instant};

use logs_shared::{RecordId, ServerEvent};

use super::stream::Opened;
use crate::{
    cli::doctor::{
        advice,
        finding::{Check, Finding},
        party::Party,
        probe::{Probe, took},
        publisher::Publisher,
        reading::{Next, Reading, encoding},
    },
    random,
};

/// How long the first event, or a record, may take before it counts as held back.
pub(super) const HELD: Duration = Duration::from_secs(3);
/// Longer than that, and somebody who watches notices.
const LATE: Duration = Duration::from_secs(1);
const RECORDS: usize = 3;
/// A piece of what is published until a buffer overflows.
pub(super) const PIECE: usize = 8 * 1024;
pub(super) const PIECES: usize = 24;
/// How long a piece may take to come out at the other end.
pub(super) const PAUSE: Duration = Duration::from_millis(150);

/// What the first stream has shown.
pub(in crate::cli::doctor) struct Delivered {
    pub(in crate::cli::doctor) findings: Vec<Finding>,
    /// Whether events come when they are sent, so that what comes later can be judged.
    pub(in crate::cli::doctor) is_prompt: bool,
    /// How the gateway began, where that came.
    pub(in crate::cli::doctor) connection: Option<(logs_shared::event::Connection, Instant)>,
    /// The ids of the records that were published, in order.
    pub(in crate::cli::doctor) published: Vec<RecordId>,
}

/// Reads the stream that was opened. Where it is packed and holds something back, the same is tried unpacked, so that the one
/// who packs is named and nobody else.
pub(in crate::cli::doctor) async fn check(
    probe: &Probe,
    opened: Opened,
    publisher: Option<&Publisher>,
) -> Delivered {
    let (party, is_as_meant) = (opened.party, opened.is_as_meant);
    let Some(packed) = encoding(opened.response.headers()) else {
        let (mut delivered, seen) = read(opened, publisher).await;
        delivered.findings.push(seen.finding(party));
        delivered.findings.push(Finding::ok(
            Check::Compression,
            "none, though a browser offers to unpack",
        ));
        return delivered;
    };
    let readable = packed == "gzip";
    let (_, as_packed) = if readable {
        read(opened, publisher).await
    } else {
        (Delivered::none(), Seen::Unread)
    };
    let plain = match probe.open(&[], &[("accept-encoding", "identity")]).await {
        Ok(response) => Opened {
            response,
            took: Duration::ZERO,
            party,
            is_as_meant,
        },
        Err(error) => {
            let mut delivered = Delivered::none();
            delivered.findings.push(Finding::skipped(
                Check::Delivery,
                format!("a second stream does not open: {error}"),
            ));
            return delivered;
        }
    };
    let still_packed = encoding(plain.response.headers());
    let (mut delivered, plain) = read(plain, publisher).await;
    let held = match &as_packed {
        Seen::Prompt(_) => "records came in time all the same, but it costs memory a stream and nothing promises that they do".to_owned(),
        Seen::Unread => "what is packed so was not read".to_owned(),
        _ if plain.is_prompt() => format!("and held back by that: {}; unpacked they come at once", as_packed.words()),
        _ => "and it comes no sooner unpacked".to_owned(),
    };
    delivered.findings.push(plain.finding(party));
    let who = party.or_somebody();
    let always = if still_packed.is_some() {
        ", even when nobody offers to unpack"
    } else {
        ""
    };
    let seen = format!("{who} packs the stream ({packed}{always}); {held}");
    delivered
        .findings
        .push(Finding::fail(Check::Compression, seen).change(advice::uncompressed(party)));
    delivered
}

/// How what was sent came.
enum Seen {
    /// At once: what that was, in words.
    Prompt(String),
    /// One by one, and late.
    Late(Duration),
    /// Not until so many bytes had been published, in one go.
    Together(usize),
    /// Not at all, whatever was published.
    Never(usize),
    /// The first event did not come, and there was nothing to push it with.
    NoFirst,
    /// The stream ended.
    Ended(Duration, String),
    /// It could not be read.
    Unread,
}

impl Seen {
    const fn is_prompt(&self) -> bool {
        matches!(self, Self::Prompt(_) | Self::Late(_))
    }

    fn words(&self) -> String {
        match self {
            Self::Prompt(words) => words.clone(),
            Self::Late(time) => format!(
                "records come one by one, {} after they were published",
                took(*time)
            ),
            Self::Together(bytes) => {
                format!(
                    "what is published one by one arrives together, after {} KiB",
                    bytes.div_ceil(1024)
                )
            }
            Self::Never(bytes) => format!(
                "nothing has arrived, though {} KiB were published",
                bytes.div_ceil(1024)
            ),
            Self::NoFirst => format!(
                "the headers come, and then nothing for {} s; the gateway's first event follows them at once",
                HELD.as_secs()
            ),
            Self::Ended(after, why) => format!("the stream ended after {}{why}", took(*after)),
            Self::Unread => "it was not read".to_owned(),
        }
    }

    fn finding(&self, party: Party) -> Finding {
        let words = self.words();
        match self {
            Self::Prompt(_) => Finding::ok(Check::Delivery, words),
            Self::Late(_) => Finding::warn(Check::Delivery, words)
                .change("a long way, or a hop that gathers for a fixed time: ask each with --via"),
            Self::Ended(..) => Finding::fail(Check::Delivery, words).change(
                "the log of what is in front of the gateway: it ends an answer that has hardly begun",
            ),
            Self::Unread => Finding::skipped(Check::Delivery, words),
            Self::Together(_) | Self::Never(_) | Self::NoFirst => {
                Finding::fail(Check::Delivery, format!("{words}: held back (buffered)"))
                    .change(advice::unbuffered(party))
            }
        }
    }
}

impl Delivered {
    const fn none() -> Self {
        Self {
            findings: Vec::new(),
            is_prompt: false,
            connection: None,
            published: Vec::new(),
        }
    }
}

async fn read(opened: Opened, publisher: Option<&Publisher>) -> (Delivered, Seen) {
    let mut delivered = Delivered::none();
    let publisher = publisher.filter(|_| opened.is_as_meant);
    let mut reading = Reading::new(opened.response);
    let seen = follow(&mut reading, publisher, &mut delivered).await;
    delivered.is_prompt = seen.is_prompt();
    (delivered, seen)
}

async fn follow(reading: &mut Reading, publisher: Option<&Publisher>, delivered: &mut Delivered) -> Seen {
    let until = Instant::now() + HELD;
    let first = loop {
        match reading.next(until).await {
            Next::Event(ServerEvent::Connection(connection)) => {
                delivered.connection = Some((connection, Instant::now()));
                break Some(reading.age());
            }
            Next::Event(_) => {}
            Next::Silence => break None,
            Next::End(why) => return ended(reading, why),
        }
    };
    match (first, publisher) {
        (Some(after), None) => {
            Seen::Prompt(format!("the first event came {} after the headers", took(after)))
        }
        (None, None) => Seen::NoFirst,
        (None, Some(publisher)) => overflow(reading, publisher).await,
        (Some(_), Some(publisher)) => one_by_one(reading, publisher, delivered).await,
    }
}

/// A few records, each when the one before has come.
async fn one_by_one(reading: &mut Reading, publisher: &Publisher, delivered: &mut Delivered) -> Seen {
    let mut slowest = Duration::ZERO;
    for number in 1..=RECORDS {
        let message = format!("doctor {} record {number}", random::hex());
        let started = Instant::now();
        let Ok(id) = publisher.publish(&message).await else {
            return Seen::Unread;
        };
        delivered.published.push(id);
        let until = Instant::now() + HELD;
        loop {
            match reading.next(until).await {
                Next::Event(ServerEvent::Log(record)) if record.id == id => break,
                Next::Event(_) => {}
                Next::Silence => return overflow(reading, publisher).await,
                Next::End(why) => return ended(reading, why),
            }
        }
        slowest = slowest.max(started.elapsed());
    }
    if slowest > LATE {
        return Seen::Late(slowest);
    }
    Seen::Prompt(format!(
        "{RECORDS} records came one by one, within {} of being published",
        took(slowest)
    ))
}

/// Publishes until something comes: that is how much is held back.
async fn overflow(reading: &mut Reading, publisher: &Publisher) -> Seen {
    let before = reading.bytes();
    for pieces in 1..=PIECES {
        if publisher.publish(&noise()).await.is_err() {
            return Seen::Never((pieces - 1) * PIECE);
        }
        match reading.next(Instant::now() + PAUSE).await {
            Next::Silence if reading.bytes() == before => {}
            Next::End(why) => return ended(reading, why),
            _ => return Seen::Together(pieces * PIECE),
        }
    }
    Seen::Never(PIECES * PIECE)
}

fn ended(reading: &Reading, why: Option<String>) -> Seen {
    Seen::Ended(
        reading.age(),
        why.map(|why| format!(" ({why})")).unwrap_or_default(),
    )
}

/// A piece that cannot be packed well, so that packing does not hide how much it is.
pub(super) fn noise() -> String {
    (0..PIECE / 32).map(|_| random::hex()).collect()
}

/// Reads a stream that is opened beside, as far as its beginning: what `wanted` makes of an event.
pub(super) async fn beginning<T>(
    probe: &Probe,
    parameters: &[(&str, &str)],
    headers: &[(&str, &str)],
    wanted: impl FnMut(ServerEvent) -> Option<T>,
) -> Result<Option<T>, String> {
    let response = probe.open(parameters, headers).await?;
    if response.status() != axum::http::StatusCode::OK {
        return Err(crate::cli::doctor::probe::read(response).await?.told());
    }
    let mut reading = Reading::new(response);
    Ok(reading.find(Instant::now() + HELD, wanted).await)
}

/// What is asked of a stream that is opened beside: unpacked, since packing is another check's.
pub(super) const PLAIN: (&str, &str) = ("accept-encoding", "identity");

//! [`ServerEvent`]: everything a stream may send.

use serde::{Deserialize, Serialize};

use crate::{ChannelPattern, LogRecord, RecordId, Timestamp, sse};

/// Everything a stream may send, each as one Server-Sent Event whose data is JSON with a `type`.
///
/// [`ServerEvent::Connection`] and [`ServerEvent::Log`] have no event name, so `EventSource.onmessage` sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerEvent {
    /// The first event: the stream is open.
    Connection(Connection),
    /// A record.
    Log(LogRecord),
    /// The stream is alive. Comes at least every `heartbeat_ms`.
    Heartbeat(Heartbeat),
    /// All history has been sent; what follows happens now. Comes once.
    CaughtUp(CaughtUp),
    /// Records are missing here.
    Gap(Gap),
    /// The channels the stream follows from now on, after a change.
    Subscription(Subscription),
    /// The credential ends soon; the reader should come back with a new one.
    Expiring(Expiring),
    /// The gateway will close this stream soon; the reader should open its next one first.
    Drain(Drain),
    /// The stream ends here.
    Close(Close),
}

/// The stream is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// `connected`.
    pub status: String,
    /// Names the stream; unguessable.
    pub stream_id: String,
    /// What the stream follows.
    pub channels: Vec<ChannelPattern>,
    /// Who reads, as far as the gateway knows; otherwise `anonymous`.
    pub user_id: String,
    /// The longest silence to expect, in milliseconds.
    pub heartbeat_ms: u64,
    /// When, by the gateway's clock.
    pub timestamp: Timestamp,
}

/// The stream is alive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// When, by the gateway's clock.
    pub timestamp: Timestamp,
    /// For how many milliseconds the gateway has not heard what other gateways publish, because it does not reach the store
    /// they share. Absent where all is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delayed_ms: Option<u64>,
}

/// All history has been sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaughtUp {
    /// When, by the gateway's clock.
    pub timestamp: Timestamp,
}

/// Records with `from` < id < `to` may be missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The channel, or the pattern that chooses the channels.
    pub channel: ChannelPattern,
    /// The reader's cursor.
    pub from: RecordId,
    /// The first record that is certainly there, or where the stream goes on.
    pub to: RecordId,
    /// Why.
    pub reason: GapReason,
}

/// Why records may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// Retention has taken them.
    Retention,
    /// The gateway keeps records in memory only and was started since.
    Restart,
    /// The cursor could not be read, so it is not known what the reader had.
    UnknownCursor,
    /// A reason this version does not know.
    #[serde(other)]
    Other,
}

/// The channels the stream follows from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// All of them.
    pub channels: Vec<ChannelPattern>,
}

/// The credential ends soon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expiring {
    /// How soon, in milliseconds.
    pub within_ms: u64,
}

/// The gateway will close the stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drain {
    /// Within how many milliseconds.
    pub within_ms: u64,
}

/// The stream ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Close {
    /// Why, as a stable code: `shutdown`, …
    pub reason: String,
    /// When to come back, in milliseconds; absent: not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_ms: Option<u64>,
}

/// A stream's event that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("a stream event cannot be read: {0}")]
pub struct EventError(String);

/// The names of events that have one; `EventSource` needs each to listen for.
pub const EVENT_NAMES: [&str; 7] = [
    "heartbeat",
    "caught_up",
    "gap",
    "subscription",
    "expiring",
    "drain",
    "close",
];

#[derive(Serialize)]
struct Tagged<'a, T> {
    r#type: &'a str,
    #[serde(flatten)]
    event: &'a T,
}

impl ServerEvent {
    /// The `event:` field, where it has one.
    #[must_use]
    pub const fn name(&self) -> Option<&'static str> {
        match self {
            Self::Connection(_) | Self::Log(_) => None,
            Self::Heartbeat(_) => Some("heartbeat"),
            Self::CaughtUp(_) => Some("caught_up"),
            Self::Gap(_) => Some("gap"),
            Self::Subscription(_) => Some("subscription"),
            Self::Expiring(_) => Some("expiring"),
            Self::Drain(_) => Some("drain"),
            Self::Close(_) => Some("close"),
        }
    }

    /// The event's data: JSON on one line.
    #[must_use]
    pub fn to_json(&self) -> String {
        fn tagged<T: Serialize>(r#type: &str, event: &T) -> String {
            // Plain structs of texts and numbers always serialize.
            serde_json::to_string(&Tagged { r#type, event }).unwrap_or_default()
        }
        let name = self.name().unwrap_or("connection");
        match self {
            Self::Connection(event) => tagged(name, event),
            Self::Log(record) => record.to_json(),
            Self::Heartbeat(event) => tagged(name, event),
            Self::CaughtUp(event) => tagged(name, event),
            Self::Gap(event) => tagged(name, event),
            Self::Subscription(event) => tagged(name, event),
            Self::Expiring(event) => tagged(name, event),
            Self::Drain(event) => tagged(name, event),
            Self::Close(event) => tagged(name, event),
        }
    }

    /// Appends the event as Server-Sent Events frame it, with the stream's cursor where it carries one.
    pub fn write_sse(&self, id: Option<RecordId>, out: &mut Vec<u8>) {
        sse::write_event(out, self.name(), id, &self.to_json());
    }

    /// Reads an event's data.
    ///
    /// # Errors
    /// Not JSON, an unknown type, or a field that is missing or of another type. A reader skips
    /// what it cannot read, so that a newer gateway may say more.
    pub fn parse(data: &str) -> Result<Self, EventError> {
        #[derive(Deserialize)]
        struct Type<'a> {
            r#type: &'a str,
        }
        fn event<'a, T: Deserialize<'a>>(data: &'a str) -> Result<T, EventError> {
            serde_json::from_str(data).map_err(|error| EventError(error.to_string()))
        }
        // Nearly every event is a record, and one look tells.
        if data.starts_with(r#"{"type":"log","#) {
            return Ok(Self::Log(event(data)?));
        }
        Ok(match event::<Type<'_>>(data)?.r#type {
            "log" => Self::Log(event(data)?),
            "connection" => Self::Connection(event(data)?),
            "heartbeat" => Self::Heartbeat(event(data)?),
            "caught_up" => Self::CaughtUp(event(data)?),
            "gap" => Self::Gap(event(data)?),
            "subscription" => Self::Subscription(event(data)?),
            "expiring" => Self::Expiring(event(data)?),
            "drain" => Self::Drain(event(data)?),
            "close" => Self::Close(event(data)?),
            other => return Err(EventError(format!("unknown type {other:?}"))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_kind() -> Vec<ServerEvent> {
        let timestamp = Timestamp::from_unix_ms(1_758_796_200_000).unwrap();
        let channels: Vec<ChannelPattern> =
            vec!["logs:etl:w:x".parse().unwrap(), "logs:*:w:*".parse().unwrap()];
        let log = r#"{"type":"log","id":"5-0","channel":"logs:etl:w","service":"etl","workspace_id":"w","timestamp":"2025-09-25T10:30:00.000Z","level":"WARN","message":"m","fields":{"a":1}}"#;
        vec![
            ServerEvent::Connection(Connection {
                status: "connected".into(),
                stream_id: "s".into(),
                channels: channels.clone(),
                user_id: "user123".into(),
                heartbeat_ms: 15_000,
                timestamp,
            }),
            ServerEvent::Log(serde_json::from_str(log).unwrap()),
            ServerEvent::Heartbeat(Heartbeat {
                timestamp,
                delayed_ms: None,
            }),
            ServerEvent::Heartbeat(Heartbeat {
                timestamp,
                delayed_ms: Some(4_200),
            }),
            ServerEvent::CaughtUp(CaughtUp { timestamp }),
            ServerEvent::Gap(Gap {
                channel: channels[1].clone(),
                from: RecordId::ZERO,
                to: RecordId::new(1, 2),
                reason: GapReason::Retention,
            }),
            ServerEvent::Subscription(Subscription { channels }),
            ServerEvent::Expiring(Expiring { within_ms: 60_000 }),
            ServerEvent::Drain(Drain { within_ms: 10_000 }),
            ServerEvent::Close(Close {
                reason: "shutdown".into(),
                retry_ms: Some(500),
            }),
            ServerEvent::Close(Close {
                reason: "expired".into(),
                retry_ms: None,
            }),
        ]
    }

    #[test]
    fn every_event_round_trips_on_one_line() {
        for event in every_kind() {
            let json = event.to_json();
            assert!(!json.contains('\n'));
            assert_eq!(ServerEvent::parse(&json).unwrap(), event, "{json}");
        }
    }

    #[test]
    fn every_name_is_listed() {
        let names: Vec<_> = every_kind().iter().filter_map(ServerEvent::name).collect();
        assert!(names.iter().all(|name| EVENT_NAMES.contains(name)));
        assert!(EVENT_NAMES.iter().all(|name| names.contains(name)));
    }

    #[test]
    fn events_are_written_as_the_contract_has_them() {
        let mut out = Vec::new();
        let timestamp = Timestamp::from_unix_ms(0).unwrap();
        let heartbeat = Heartbeat {
            timestamp,
            delayed_ms: None,
        };
        ServerEvent::Heartbeat(heartbeat).write_sse(Some(RecordId::new(9, 0)), &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "event: heartbeat\nid: 9-0\ndata: {\"type\":\"heartbeat\",\"timestamp\":\"1970-01-01T00:00:00.000Z\"}\n\n"
        );
    }

    #[test]
    fn an_event_of_a_newer_gateway_is_an_error_and_no_panic() {
        for data in [
            "",
            "{}",
            "[]",
            r#"{"type":"tomorrow"}"#,
            r#"{"type":"gap"}"#,
            "{\"type\":\"log\",\"id\":5}",
        ] {
            assert!(ServerEvent::parse(data).is_err(), "{data}");
        }
        let newer = r#"{"type":"gap","channel":"logs:etl:w","from":"0-0","to":"1-0","reason":"moon"}"#;
        let ServerEvent::Gap(gap) = ServerEvent::parse(newer).unwrap() else {
            panic!("not a gap")
        };
        assert_eq!(gap.reason, GapReason::Other);
    }
}

//! [`Reason`]: why a record is dropped, [`Dropped`]: how many were, and [`Untold`]: those of which the gateway knows nothing yet.

use serde_json::{Map, Value, json};

use crate::{
    Level, LogData,
    log_data::{self, LINE_START},
};

/// Why a record is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    QueueFull,
    TooLarge,
    Refused,
    Unconfirmed,
    Closed,
}

impl Reason {
    const ALL: [Self; 5] = [
        Self::QueueFull,
        Self::TooLarge,
        Self::Refused,
        Self::Unconfirmed,
        Self::Closed,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::TooLarge => "too_large",
            Self::Refused => "refused",
            Self::Unconfirmed => "unconfirmed",
            Self::Closed => "closed",
        }
    }
}

/// How many records were dropped, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dropped {
    /// There was no room.
    pub queue_full: u64,
    /// Larger than 256 KiB.
    pub too_large: u64,
    /// The gateway does not take it, now or later.
    pub refused: u64,
    /// No answer for 9 minutes to a request that may have arrived.
    pub unconfirmed: u64,
    /// The publisher was closed before it could be sent, or when it was called.
    pub closed: u64,
}

impl Dropped {
    /// For any reason.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.queue_full + self.too_large + self.refused + self.unconfirmed + self.closed
    }

    /// Each reason that there was, by its name in the contract.
    pub fn by_reason(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let all = Reason::ALL.map(|reason| (reason.name(), self.count(reason)));
        all.into_iter().filter(|(_, count)| *count > 0)
    }

    const fn count(&self, reason: Reason) -> u64 {
        match reason {
            Reason::QueueFull => self.queue_full,
            Reason::TooLarge => self.too_large,
            Reason::Refused => self.refused,
            Reason::Unconfirmed => self.unconfirmed,
            Reason::Closed => self.closed,
        }
    }

    pub(crate) const fn add(&mut self, reason: Reason, count: u64) {
        let place = match reason {
            Reason::QueueFull => &mut self.queue_full,
            Reason::TooLarge => &mut self.too_large,
            Reason::Refused => &mut self.refused,
            Reason::Unconfirmed => &mut self.unconfirmed,
            Reason::Closed => &mut self.closed,
        };
        *place += count;
    }
}

/// Of more channels at once, the others are counted for the first.
const MAX_CHANNELS: usize = 100;

/// What was dropped of each channel and the gateway was not told of.
#[derive(Debug, Default)]
pub(crate) struct Untold {
    channels: Vec<Tally>,
}

/// What was dropped of one channel.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    /// As JSON.
    channel: Box<[u8]>,
    reasons: Dropped,
    levels: [u64; Level::ALL.len()],
}

impl Untold {
    pub(crate) const fn is_empty(&self) -> bool {
        self.channels.is_empty()
    }

    /// Counts one record of a channel, given as JSON.
    pub(crate) fn add(&mut self, channel: &[u8], level: Level, reason: Reason) {
        let tally = self.tally(channel);
        tally.reasons.add(reason, 1);
        tally.levels[level.index()] += 1;
    }

    /// Counts again what could not be told.
    pub(crate) fn put_back(&mut self, back: &Tally) {
        let tally = self.tally(&back.channel);
        for reason in Reason::ALL {
            tally.reasons.add(reason, back.reasons.count(reason));
        }
        for (count, more) in tally.levels.iter_mut().zip(back.levels) {
            *count += more;
        }
    }

    fn tally(&mut self, channel: &[u8]) -> &mut Tally {
        let known = self.channels.iter().position(|tally| *tally.channel == *channel);
        let at = known.unwrap_or_else(|| {
            if self.channels.len() >= MAX_CHANNELS {
                return 0;
            }
            self.channels.push(Tally {
                channel: channel.into(),
                reasons: Dropped::default(),
                levels: [0; Level::ALL.len()],
            });
            self.channels.len() - 1
        });
        &mut self.channels[at]
    }

    /// All of it; none is left.
    pub(crate) fn take(&mut self) -> Vec<Tally> {
        std::mem::take(&mut self.channels)
    }
}

impl Tally {
    /// The line that tells of it.
    pub(crate) fn line(&self, now_ms: u64) -> Vec<u8> {
        let total = self.reasons.total();
        let reasons: Map<_, _> = self
            .reasons
            .by_reason()
            .map(|(name, count)| (name.to_owned(), Value::from(count)))
            .collect();
        let levels = Level::ALL.into_iter().zip(self.levels);
        let levels: Map<_, _> = levels
            .filter(|(_, count)| *count > 0)
            .map(|(level, count)| (level.to_string(), Value::from(count)))
            .collect();
        let data = LogData::new(format!("{total} records dropped by the publisher"))
            .level(Level::Warn)
            .field("dropped", total)
            .field("reasons", json!(reasons))
            .field("levels", json!(levels));
        data.line(&String::from_utf8_lossy(&self.channel), now_ms)
    }
}

/// The channel of a line, as JSON.
pub(crate) fn channel_of(line: &[u8], channel_len: usize) -> &[u8] {
    let start = log_data::LINE_START.len();
    line.get(start..start + channel_len).unwrap_or_default()
}

const _: () = assert!(LINE_START.len() == 11);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_told_how_many_of_which_level_and_why() {
        let mut untold = Untold::default();
        untold.add(b"\"logs:a:b\"", Level::Debug, Reason::QueueFull);
        untold.add(b"\"logs:a:b\"", Level::Error, Reason::Refused);
        untold.add(b"\"logs:a:c\"", Level::Info, Reason::TooLarge);
        let taken = untold.take();
        assert!(untold.is_empty());
        let line = taken[0].line(9);
        assert_eq!(channel_of(&line, 10), b"\"logs:a:b\"");
        let line: Value = serde_json::from_slice(&line).unwrap();
        let expected = json!({
            "timestamp": 9, "level": "WARN", "message": "2 records dropped by the publisher", "dropped": 2,
            "reasons": {"queue_full": 1, "refused": 1}, "levels": {"DEBUG": 1, "ERROR": 1}
        });
        assert_eq!(line["logData"], expected);
        untold.add(b"\"logs:a:b\"", Level::Debug, Reason::QueueFull);
        untold.put_back(&taken[0]);
        assert_eq!(untold.take()[0].reasons.total(), 3);
    }

    #[test]
    fn of_too_many_channels_the_others_are_the_firsts() {
        let mut untold = Untold::default();
        for n in 0..150 {
            untold.add(
                format!("\"logs:a:{n}\"").as_bytes(),
                Level::Info,
                Reason::QueueFull,
            );
        }
        let taken = untold.take();
        assert_eq!((taken.len(), taken[0].reasons.total()), (MAX_CHANNELS, 51));
    }
}

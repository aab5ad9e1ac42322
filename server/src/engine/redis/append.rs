//! [`Batch`]: what is appended at once, and what Redis answers.

use std::{collections::HashMap, fmt::Write};

use logs_shared::{Channel, RecordId};
use redis::{Cmd, Connection, ErrorKind, FromRedisValue, RedisError, RedisResult, ServerErrorKind};
use sha2::{Digest, Sha256};

use super::{block::NewBlock, scripts, trouble::Trouble};
use crate::{
    engine::{NewRecord, idempotency::Named, store::Order},
    random,
};

/// How long Redis may wait for its replicas, in milliseconds. Less than the patience for its answer.
const REPLICAS_MS: u32 = 2_000;

/// What is appended at once.
#[derive(Default)]
pub(super) struct Batch {
    channels: Vec<Channel>,
    places: HashMap<Channel, usize>,
    units: Vec<Unit>,
    pub(super) bytes: usize,
    pub(super) blocks: usize,
}

/// Records that get consecutive ids, and are answered for together.
#[derive(Default)]
struct Unit {
    key: Option<[String; 2]>,
    /// With the place of each one's channel.
    blocks: Vec<(usize, NewBlock)>,
}

/// What became of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Appended {
        first_id: RecordId,
        last_id: RecordId,
        subscribers: usize,
        is_repeat: bool,
    },
    /// Its name was used for something else.
    Reused,
    /// Redis could not do it.
    Failed(String),
}

/// What the script has to know beside the batch.
pub(super) struct Terms<'a> {
    pub(super) prefix: &'a str,
    /// New ids come after this one.
    pub(super) head: RecordId,
    /// Records to keep a channel.
    pub(super) records: u64,
    /// How many replicas must have it.
    pub(super) replicas: u32,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// The place of a channel in this batch.
    pub(super) fn place(&mut self, channel: &Channel) -> usize {
        if let Some(place) = self.places.get(channel) {
            return *place;
        }
        let place = self.channels.len();
        self.channels.push(channel.clone());
        self.places.insert(channel.clone(), place);
        place
    }

    /// Begins a unit, and returns which it is.
    pub(super) fn begin(&mut self, named: Option<&Named>) -> usize {
        let key = named.map(|named| {
            let name = Sha256::new().chain_update(named.key.owner);
            let name = name.chain_update(named.key.name.as_bytes());
            [hex(&name.finalize()), hex(&named.content)]
        });
        let blocks = Vec::new();
        self.units.push(Unit { key, blocks });
        self.units.len() - 1
    }

    /// Adds a record behind the others of a unit.
    pub(super) fn push(&mut self, unit: usize, record: &NewRecord) {
        let place = self.place(&record.channel);
        let blocks = &mut self.units[unit].blocks;
        self.bytes += record.json.max_len();
        if let Some((last, block)) = blocks.last_mut()
            && *last == place
            && block.push(record)
        {
            return;
        }
        let mut block = NewBlock::default();
        block.push(record);
        blocks.push((place, block));
        self.blocks += 1;
    }

    fn command(&self, terms: &Terms<'_>) -> Cmd {
        let mut command = redis::cmd("EVALSHA");
        command.arg(scripts::APPEND.get_hash()).arg(0);
        command.arg(terms.prefix).arg(terms.head.to_string());
        command.arg(random::u64()).arg(terms.records);
        command.arg(self.channels.len());
        for channel in &self.channels {
            command.arg(channel.as_str());
            for order in Order::ALL {
                command.arg(order.key(channel));
            }
        }
        command.arg(self.units.len());
        for Unit { key, blocks } in &self.units {
            let [key, content] = key
                .as_ref()
                .map_or(["", ""], |key| key.each_ref().map(String::as_str));
            command.arg(key).arg(content).arg(blocks.len());
            for (place, block) in blocks {
                command.arg(place + 1).arg(block.records).arg(&block.data);
            }
        }
        command
    }
}

/// Appends a batch. What each of its units gave comes with the id that was given last.
///
/// # Errors
/// What of it is in Redis is not known, unless memory is full: then nothing is.
pub(super) fn append(
    connection: &mut Connection,
    batch: &Batch,
    terms: &Terms<'_>,
) -> Result<(RecordId, Vec<Outcome>), Failed> {
    let command = batch.command(terms);
    let answered = match ask(connection, &command, terms.replicas) {
        // Redis was restarted, or somebody has flushed its scripts: nothing was done.
        Err(Failed::Error(error)) if is_unknown(&error) => {
            scripts::APPEND.load(connection)?;
            ask(connection, &command, terms.replicas)
        }
        other => other,
    };
    let (last_id, outcomes) = answered?;
    let last_id = last_id.parse().map_err(|_| Failed::Answer)?;
    let outcomes = outcomes
        .iter()
        .map(|words| Outcome::read(words).ok_or(Failed::Answer));
    let outcomes = outcomes.collect::<Result<Vec<_>, _>>()?;
    if outcomes.len() != batch.units.len() {
        return Err(Failed::Answer);
    }
    Ok((last_id, outcomes))
}

/// Why a batch was not appended, or may not have been.
#[derive(Debug)]
pub(super) enum Failed {
    Error(RedisError),
    /// It is in Redis, but on so many replicas only, and not on as many as it must be.
    Replicas(u32, u32),
    /// The answer is not one that the script gives.
    Answer,
}

impl From<RedisError> for Failed {
    fn from(error: RedisError) -> Self {
        Self::Error(error)
    }
}

impl Failed {
    pub(super) fn trouble(&self) -> Trouble {
        match self {
            Self::Error(error) => Trouble::of(error),
            Self::Replicas(have, need) => Trouble::Replicas(format!(
                "{have} replicas have them, and {need} are to (REDIS_REPLICAS)"
            )),
            Self::Answer => Trouble::Failing("its answer cannot be read".to_owned()),
        }
    }
}

/// Asks, and waits for replicas in the same round trip.
fn ask(
    connection: &mut Connection,
    command: &Cmd,
    replicas: u32,
) -> Result<(String, Vec<Vec<String>>), Failed> {
    let mut packed = command.get_packed_command();
    if replicas > 0 {
        let mut wait = redis::cmd("WAIT");
        wait.arg(replicas)
            .arg(REPLICAS_MS)
            .write_packed_command(&mut packed);
    }
    connection.send_packed_command(&packed)?;
    // Both answers are taken, so that the connection can be asked again.
    let answer = connection.recv_response()?;
    let have = match replicas {
        0 => None,
        _ => Some(connection.recv_response()?),
    };
    let answer = read(answer)?;
    let have = have.map_or(Ok(0), read)?;
    if have < replicas {
        return Err(Failed::Replicas(have, replicas));
    }
    Ok(answer)
}

fn read<T: FromRedisValue>(value: redis::Value) -> RedisResult<T> {
    Ok(redis::from_redis_value(value.extract_error()?)?)
}

/// Whether Redis does not know the script.
pub(super) fn is_unknown(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

impl Outcome {
    /// What is wrong, where Redis does not let the gateway do a part of it.
    pub(super) fn refused(&self) -> Option<Trouble> {
        let Self::Failed(why) = self else { return None };
        let (code, detail) = why.split_once(' ')?;
        let trouble = Trouble::of_answer(code, detail);
        matches!(trouble, Trouble::Refused(_)).then_some(trouble)
    }

    fn read(words: &[String]) -> Option<Self> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words[..] {
            [kind @ ("new" | "repeat"), first, last, subscribers] => Some(Self::Appended {
                first_id: first.parse().ok()?,
                last_id: last.parse().ok()?,
                subscribers: subscribers.parse().ok()?,
                is_repeat: kind == "repeat",
            }),
            ["reused"] => Some(Self::Reused),
            ["failed", why] => Some(Self::Failed(why.to_owned())),
            _ => None,
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

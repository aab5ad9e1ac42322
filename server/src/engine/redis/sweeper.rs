//! [`RedisSweeper`]: lets go of what is not to be kept, and finds out when Redis is well again.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use logs_shared::RecordId;
use tokio::sync::mpsc;

use super::{
    scripts,
    standing::Trying,
    store::{Away, RedisStore, run},
};
use crate::{
    engine::{Log, group::Command},
    random,
};

/// Lets go of what is not to be kept in Redis, where no other gateway does so already, and of what is too much in memory
/// here. Looks how Redis is. A thread of its own.
pub(in crate::engine) struct RedisSweeper {
    log: Arc<Log>,
    store: Arc<RedisStore>,
    /// Whether the writer is still there.
    commands: mpsc::WeakSender<Command>,
    /// Who this is among the gateways that could sweep.
    name: String,
    /// After which place in the directory it goes on to look for channels with too many records.
    place: Vec<u8>,
    /// Whether it was tried what the writer may.
    has_tried: bool,
}

const TICK: Duration = Duration::from_secs(1);
/// How often it looks whether Redis is well again, about.
const PROBE_MS: u64 = 250;
/// Who swept does so for that long after its last step, unless it ends.
const LOCK_MS: u64 = 3_000;
/// How often it looks whether the writer has ended.
const NAP: Duration = Duration::from_millis(50);
/// The most steps at a time. Each is a few milliseconds of Redis.
const STEPS: usize = 64;
/// Channels that are looked at in a step for too many records, and how many such steps there are in a second.
const LOOKED_AT: usize = 128;
const LOOKS: usize = 8;

impl RedisSweeper {
    pub(in crate::engine) fn new(
        log: Arc<Log>,
        store: Arc<RedisStore>,
        commands: mpsc::WeakSender<Command>,
    ) -> Self {
        Self {
            log,
            store,
            commands,
            name: random::hex(),
            place: Vec::new(),
            has_tried: false,
        }
    }

    /// Ends with the writer.
    pub(in crate::engine) fn run(mut self) {
        while !self.is_over() {
            let is_well = self.tick();
            let pause = match is_well {
                Ok(()) => TICK,
                Err(Away) => Duration::from_millis(random::jittered(PROBE_MS)),
            };
            let until = Instant::now() + pause;
            while !self.is_over() && Instant::now() < until {
                self.log.shorten_tails();
                let found_trouble = is_well.is_ok() && self.store.trouble().is_some();
                if found_trouble {
                    break;
                }
                thread::sleep(NAP.min(until.saturating_duration_since(Instant::now())));
            }
        }
        self.let_others();
    }

    fn is_over(&self) -> bool {
        self.commands
            .upgrade()
            .is_none_or(|commands| commands.is_closed())
    }

    fn tick(&mut self) -> Result<(), Away> {
        let looked = self.store.look();
        // Room is made also where nothing can be published.
        let swept = self.sweep();
        looked?;
        // An operator is told what is missing before a publisher finds out.
        if !self.has_tried || self.store.trouble().is_some() {
            self.store.raise(RecordId::ZERO)?;
            self.has_tried = true;
        }
        swept?;
        self.forget_in_tails()
    }

    /// What is gone from Redis, whoever swept, is not to be read from memory here.
    fn forget_in_tails(&self) -> Result<(), Away> {
        // Before it is asked: of what comes meanwhile nothing is known.
        let head = self.log.head();
        let last = match self.store.oldest_ms()? {
            Some(ms) => RecordId::before_ms(ms).min(head),
            None => head,
        };
        self.log.forget_in_tails(last, self.store.retention().records);
        Ok(())
    }

    /// Lets go of what is not to be kept, a step after the other.
    pub(super) fn sweep(&mut self) -> Result<(), Away> {
        let mut most = self.store.retention().bytes;
        for step in 0..STEPS {
            let is_looking = step < LOOKS;
            let (is_mine, has_more, place): (u8, u8, Vec<u8>) = self.step(most, is_looking)?;
            if is_mine == 0 {
                return Ok(());
            }
            self.place = place;
            if has_more == 0 && (self.place.is_empty() || !is_looking) {
                return Ok(());
            }
            if has_more == 1 {
                // Somewhat more than is needed, so that this is not to be done again at once.
                most = self.store.retention().bytes / 64 * 63;
            }
        }
        Ok(())
    }

    fn step(&self, most: u64, is_looking: bool) -> Result<(u8, u8, Vec<u8>), Away> {
        let retention = self.store.retention();
        let mut question = redis::cmd("EVALSHA");
        question.arg(scripts::SWEEP.get_hash()).arg(0);
        question
            .arg(&self.store.settings().prefix)
            .arg(&self.name)
            .arg(LOCK_MS);
        question.arg(retention.age_ms).arg(most);
        question.arg(retention.records).arg(&self.place);
        question.arg(if is_looking { LOOKED_AT } else { 0 });
        self.store.ask_to(Trying::Writing, |connection| {
            run(connection, &scripts::SWEEP, &question)
        })
    }

    /// Another may sweep at once.
    fn let_others(&self) {
        let lock = self.store.key("sweeps");
        let _ = self.store.ask(|connection| {
            let mut question = redis::cmd("GET");
            let holder: Option<String> = question.arg(&lock).query(connection)?;
            if holder.as_deref() == Some(&self.name) {
                redis::cmd("DEL").arg(&lock).exec(connection)?;
            }
            Ok(())
        });
    }
}

//! [`Follower`]: hears what every gateway publishes, and brings it to the readers of this one.

mod catch_up;
mod hearing;
mod line;
mod lost;
mod marks;
#[cfg(test)]
mod tests;

use std::{
    cell::Cell,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use logs_shared::{Channel, RecordId};
use tokio::{
    task::spawn_blocking,
    time::{MissedTickBehavior, interval, sleep},
};

use self::{
    catch_up::{Missed, catch_up},
    hearing::Hearing,
    line::Line,
    lost::Lost,
    marks::Heard,
};
use super::{RedisStore, followed::Touched, topics, topics::Topics};
use crate::{
    engine::{Log, now_ms, read, sweeper::IDLE_MS, write},
    random,
};

/// Hears what every gateway publishes, and brings it to the readers of this one. A thread of its own, which comes back by
/// itself whenever Redis was away.
///
/// One connection hears all: Redis sends it what is published in the order of ids, and the answer to a question comes after
/// all that was published before. So whatever comes says how far the log is known, and a question that is asked once a second
/// (a tick) says it where nothing comes.
pub(in crate::engine) struct Follower {
    log: Arc<Log>,
    store: Arc<RedisStore>,
    /// What was last heard of the log.
    heard: Option<Heard>,
    /// Whether the log of the gateway has been told that nothing is heard.
    has_said: Cell<bool>,
}

/// Nobody needs to hear anything any more.
struct Closed;

/// Says that nothing is heard any more, where that was not to be.
struct Ending(Arc<Log>);

/// How often it is asked how far the log is.
const TICK: Duration = Duration::from_secs(1);
/// About for how many milliseconds Redis is left alone after it could not be reached.
const PAUSE_MS: u64 = 250;

impl Drop for Ending {
    fn drop(&mut self) {
        if !self.0.live.is_closing() {
            let why = "what other gateways publish is not heard any more: a mistake in the gateway";
            self.0.live.lose(why.to_owned());
        }
    }
}

impl Follower {
    pub(in crate::engine) fn new(log: Arc<Log>, store: Arc<RedisStore>) -> Self {
        Self {
            log,
            store,
            heard: None,
            has_said: Cell::new(false),
        }
    }

    /// Ends when the log is closed.
    pub(in crate::engine) fn run(mut self) {
        let _ending = Ending(self.log.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        match runtime {
            Ok(runtime) => {
                runtime.block_on(self.follow());
                // Whoever still waits for Redis is not waited for.
                runtime.shutdown_background();
            }
            Err(error) => tracing::error!(%error, "nothing can be heard of other gateways"),
        }
    }

    async fn follow(&mut self) {
        let log = self.log.clone();
        while !log.live.is_closing() {
            let begun = Instant::now();
            let hearing = Arc::new(Hearing::new(
                log.clone(),
                Topics::new(&self.store.settings().prefix),
            ));
            if let Ok(Closed) = self.hear(&hearing).await {
                return;
            }
            hearing.end();
            log.live.forget_gone();
            // Where it is only restarted, it is here again before anybody needs to know that it was away.
            // Where it ends as soon as it has begun, it would do so again at once.
            if log.live.is_away() || begun.elapsed() < TICK {
                tokio::select! {
                    () = sleep(Duration::from_millis(random::jittered(PAUSE_MS))) => {}
                    () = closing(&log) => return,
                }
            }
        }
    }

    /// Connects, makes up for what was missed, and hears until the connection is lost.
    async fn hear(&mut self, hearing: &Arc<Hearing>) -> Result<Closed, Lost> {
        let log = self.log.clone();
        let mut line = tokio::select! {
            line = Line::open(&self.store, hearing) => self.note(line)?,
            () = closing(&log) => return Ok(Closed),
        };
        // Who looks for what is missed is not to look elsewhere.
        self.store.renew();
        let from = log.head();
        let (change, all) = self.all_followed();
        self.note(line.follow(&all).await)?;
        let marks = self.tick(&mut line).await?;
        let lost_to = self.lost_to(marks);
        let missed = if from == RecordId::ZERO {
            Missed::default()
        } else if let Some(lost_to) = lost_to {
            // Others may have published to it already.
            let missed = catch_up(&log, &self.store, lost_to, marks, &all).await;
            self.note(missed)?.unread()
        } else {
            self.note(catch_up(&log, &self.store, from, marks, &all).await)?
        };
        let to = self.take_marks(marks, from).await?;
        hearing.go_live(from, to, missed, change);
        if lost_to.is_some() {
            self.wake_all();
        }
        self.hear_on(&mut line, hearing).await
    }

    async fn hear_on(&mut self, line: &mut Line, hearing: &Hearing) -> Result<Closed, Lost> {
        let log = self.log.clone();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_time = tokio::select! {
                () = log.live.called.notified() => false,
                _ = ticks.tick() => true,
                () = hearing.ended() => return Err(Lost(None)),
            };
            if log.live.is_closing() {
                return Ok(Closed);
            }
            // Who asks comes first: what it follows was asked for before.
            let asking = log.live.take_asking();
            let (change, touched) = self.touched();
            if hearing.takes_too_much() || is_time {
                spare_memory(&log);
            }
            if !is_time && asking.is_empty() && touched.is_empty() {
                continue;
            }
            if let Err(lost) = self.follow_on(line, change, touched).await {
                log.live.ask_again(asking);
                return Err(lost);
            }
            for asking in asking {
                // Who has gone needs no answer.
                let _ = asking.send(());
            }
            if is_time {
                self.note(line.check_role().await)?;
            }
        }
    }

    /// Follows what has changed, and hears how far the log is.
    async fn follow_on(&mut self, line: &mut Line, change: u64, touched: Touched) -> Result<(), Lost> {
        let (wanted, unwanted) = match write(&self.log.directory).followed() {
            Some(followed) => touched.split(followed),
            None => return Ok(()),
        };
        self.note(line.follow(&wanted).await)?;
        // After the others: a channel that one of those chooses is heard of all the time.
        self.note(line.leave(&unwanted).await)?;
        let before = self.log.head();
        let marks = self.tick(line).await?;
        let is_another = self.lost_to(marks).is_some();
        let to = self.take_marks(marks, before).await?;
        {
            let _directory = read(&self.log.directory);
            self.log.raise_head(to);
        }
        if is_another {
            self.wake_all();
        }
        let from = wanted.patterns.values().min().copied();
        let active = match from.filter(|from| *from != RecordId::ZERO) {
            Some(from) => {
                let store = self.store.clone();
                let active = spawn_blocking(move || store.active_after(from));
                self.note(active.await?)?
            }
            None => Vec::new(),
        };
        self.confirm(change, &wanted, active);
        Ok(())
    }

    /// From now on everything is heard of what was wanted up to this change.
    fn confirm(&self, change: u64, wanted: &Touched, active: Vec<Channel>) {
        let mut directory = write(&self.log.directory);
        // What has come by now was perhaps passed over; all that comes now is taken.
        let head = self.log.head();
        if let Some(followed) = directory.followed() {
            followed.set_effective(change);
        }
        for channel in &wanted.channels {
            if let Some(channel) = directory.get(channel) {
                channel.hear_from(head);
            }
        }
        for pattern in wanted.patterns.keys() {
            directory
                .chosen(pattern)
                .for_each(|channel| channel.hear_from(head));
        }
        let is_wanted = |channel: &Channel| {
            topics::choosing(channel).any(|pattern| wanted.patterns.contains_key(&pattern))
        };
        // Something may have come to them before they were heard of.
        for channel in active.into_iter().filter(is_wanted) {
            directory.get_or_create(&self.log, &channel);
        }
        self.log.live.confirm(change);
        let waiting = directory.followed().map(|followed| followed.take_waiting(change));
        drop(directory);
        waiting
            .unwrap_or_default()
            .iter()
            .for_each(|signal| signal.wake());
    }

    fn all_followed(&self) -> (u64, Touched) {
        let mut directory = write(&self.log.directory);
        directory.followed().map(super::Followed::all).unwrap_or_default()
    }

    fn touched(&self) -> (u64, Touched) {
        let mut directory = write(&self.log.directory);
        directory
            .followed()
            .map(super::Followed::take_touched)
            .unwrap_or_default()
    }
}

/// Lets go of what tails have too much, and of channels to which nothing comes, beside what is heard.
fn spare_memory(log: &Arc<Log>) {
    let log = log.clone();
    spawn_blocking(move || {
        log.noticed_tails.store(false, Ordering::Relaxed);
        log.shorten_tails();
        log.let_out_idle(now_ms().saturating_sub(IDLE_MS));
    });
}

async fn closing(log: &Log) {
    while !log.live.is_closing() {
        log.live.called.notified().await;
    }
}

//! [`Line`]: the connection on which everything is heard.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use logs_shared::{Channel, ChannelPattern};
use redis::{RedisResult, Value, aio::MultiplexedConnection};

use super::{Hearing, Lost};
use crate::engine::redis::{
    MARKS, Marks, RedisStore, Trouble, Trying, connect_live, followed::Touched, topics,
};

/// The connection on which everything is heard, and what it is subscribed to.
pub(super) struct Line {
    connection: MultiplexedConnection,
    prefix: String,
    channels: HashSet<Channel>,
    patterns: HashMap<ChannelPattern, Vec<String>>,
    /// How many patterns need each of these.
    globs: HashMap<String, usize>,
}

/// How many topics are named in one command.
const TOPICS_AT_ONCE: usize = 1_000;

impl Line {
    pub(super) async fn open(store: &RedisStore, hearing: &Arc<Hearing>) -> Result<Self, Lost> {
        let hears = hearing.clone();
        let push = move |info| {
            hears.push(info);
            Ok::<(), std::convert::Infallible>(())
        };
        let connection = connect_live(&store.settings().url, push).await;
        Ok(Self {
            connection: connection?,
            prefix: topics::prefix(&store.settings().prefix),
            channels: HashSet::new(),
            patterns: HashMap::new(),
            globs: HashMap::new(),
        })
    }

    /// Subscribes to all of this that it is not subscribed to.
    pub(super) async fn follow(&mut self, wanted: &Touched) -> RedisResult<()> {
        let new = |channel: &&Channel| self.channels.insert((*channel).clone());
        let channels: Vec<_> = wanted.channels.iter().filter(new).collect();
        let topics: Vec<_> = channels
            .into_iter()
            .map(|channel| topics::of_channel(&self.prefix, channel))
            .collect();
        let mut globs = Vec::new();
        for pattern in wanted.patterns.keys() {
            if self.patterns.contains_key(pattern) {
                continue;
            }
            let of_pattern = topics::of_pattern(&self.prefix, pattern);
            for glob in &of_pattern {
                let users = self.globs.entry(glob.clone()).or_default();
                *users += 1;
                if *users == 1 {
                    globs.push(glob.clone());
                }
            }
            self.patterns.insert(pattern.clone(), of_pattern);
        }
        for topics in topics.chunks(TOPICS_AT_ONCE) {
            self.connection.subscribe(topics).await?;
        }
        for globs in globs.chunks(TOPICS_AT_ONCE) {
            self.connection.psubscribe(globs).await?;
        }
        Ok(())
    }

    /// Ends its subscription to all of this.
    pub(super) async fn leave(&mut self, unwanted: &Touched) -> RedisResult<()> {
        let known = unwanted
            .channels
            .iter()
            .filter(|channel| self.channels.remove(*channel));
        let topics: Vec<_> = known
            .map(|channel| topics::of_channel(&self.prefix, channel))
            .collect();
        let mut left = Vec::new();
        for pattern in unwanted.patterns.keys() {
            for glob in self.patterns.remove(pattern).unwrap_or_default() {
                if let Some(users) = self.globs.get_mut(&glob) {
                    *users -= 1;
                    if *users == 0 {
                        self.globs.remove(&glob);
                        left.push(glob);
                    }
                }
            }
        }
        for topics in topics.chunks(TOPICS_AT_ONCE) {
            self.connection.unsubscribe(topics).await?;
        }
        for globs in left.chunks(TOPICS_AT_ONCE) {
            self.connection.punsubscribe(globs).await?;
        }
        Ok(())
    }

    /// How far the log is; `None` where there is none. When this returns, everything up to there has been heard.
    pub(super) async fn tick(&mut self, store: &RedisStore) -> Result<Option<Marks>, Lost> {
        let mut question = redis::cmd("HMGET");
        question.arg(store.key("log")).arg(&MARKS);
        let answer: RedisResult<Vec<Option<String>>> = question.query_async(&mut self.connection).await;
        let marks = Marks::read(&answer?).map_err(|trouble| Lost(Some(trouble)))?;
        store.succeed(Trying::Reading);
        Ok(marks)
    }

    /// A server that has become a replica is to be left for the one that takes writes now.
    pub(super) async fn check_role(&mut self) -> Result<(), Lost> {
        let role: RedisResult<Vec<Value>> = redis::cmd("ROLE").query_async(&mut self.connection).await;
        // Who may not ask finds out with the next record that is published.
        let is_replica = role
            .ok()
            .and_then(|role| redis::from_redis_value::<String>(role.into_iter().next()?).ok())
            .is_some_and(|role| role == "slave");
        if is_replica {
            return Err(Lost(Some(Trouble::ReadOnly)));
        }
        Ok(())
    }
}

//! [`Line`]: the connection on which everything is heard.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use logs_shared::{Channel, ChannelPattern};
use redis::{RedisResult, Value, aio::MultiplexedConnection};

use super::{Hearing, Lost};
use crate::engine::redis::{
    MARKS, Marks, RedisStore, Trouble, Trying, connect_live,
    followed::Touched,
    topics::{Topic, Topics},
};

/// The connection on which everything is heard, and what it is subscribed to.
pub(super) struct Line {
    connection: MultiplexedConnection,
    topics: Topics,
    channels: HashSet<Channel>,
    patterns: HashMap<ChannelPattern, Topic>,
    /// How many channels and patterns need each of these.
    users: HashMap<Topic, usize>,
    globs: usize,
}

/// How many topics are named in one command.
const TOPICS_AT_ONCE: usize = 1_000;
/// The most globs, but for the one for everything: Redis looks at each for everything that is published.
const MOST_GLOBS: usize = 32;

impl Line {
    pub(super) async fn open(store: &RedisStore, hearing: &Arc<Hearing>) -> Result<Self, Lost> {
        let hears = hearing.clone();
        let push = move |info| {
            hears.push(info);
            Ok::<(), std::convert::Infallible>(())
        };
        Ok(Self {
            connection: connect_live(&store.settings().url, push).await?,
            topics: Topics::new(&store.settings().prefix),
            channels: HashSet::new(),
            patterns: HashMap::new(),
            users: HashMap::new(),
            globs: 0,
        })
    }

    /// Subscribes to all of this that it is not subscribed to.
    pub(super) async fn follow(&mut self, wanted: &Touched) -> RedisResult<()> {
        let mut new = Vec::new();
        for channel in &wanted.channels {
            if self.channels.insert(channel.clone()) {
                let topic = self.topics.of_channel(channel);
                self.use_topic(topic, &mut new);
            }
        }
        for pattern in wanted.patterns.keys() {
            if self.patterns.contains_key(pattern) {
                continue;
            }
            let mut topic = self.topics.of_pattern(pattern);
            let is_new_glob = matches!(topic, Topic::Glob(_)) && !self.users.contains_key(&topic);
            if is_new_glob && self.globs >= MOST_GLOBS {
                topic = self.topics.everything();
            }
            self.patterns.insert(pattern.clone(), topic.clone());
            self.use_topic(topic, &mut new);
        }
        let (named, globs) = split(new);
        for topics in named.chunks(TOPICS_AT_ONCE) {
            self.connection.subscribe(topics).await?;
        }
        for globs in globs.chunks(TOPICS_AT_ONCE) {
            self.connection.psubscribe(globs).await?;
        }
        Ok(())
    }

    /// Ends its subscription to all of this.
    pub(super) async fn leave(&mut self, unwanted: &Touched) -> RedisResult<()> {
        let mut old = Vec::new();
        for channel in &unwanted.channels {
            if self.channels.remove(channel) {
                let topic = self.topics.of_channel(channel);
                self.leave_topic(topic, &mut old);
            }
        }
        for pattern in unwanted.patterns.keys() {
            if let Some(topic) = self.patterns.remove(pattern) {
                self.leave_topic(topic, &mut old);
            }
        }
        let (named, globs) = split(old);
        for topics in named.chunks(TOPICS_AT_ONCE) {
            self.connection.unsubscribe(topics).await?;
        }
        for globs in globs.chunks(TOPICS_AT_ONCE) {
            self.connection.punsubscribe(globs).await?;
        }
        Ok(())
    }

    fn use_topic(&mut self, topic: Topic, new: &mut Vec<Topic>) {
        let users = self.users.entry(topic.clone()).or_default();
        *users += 1;
        if *users == 1 {
            self.globs += usize::from(matches!(topic, Topic::Glob(_)));
            new.push(topic);
        }
    }

    fn leave_topic(&mut self, topic: Topic, old: &mut Vec<Topic>) {
        let Some(users) = self.users.get_mut(&topic) else {
            return;
        };
        *users -= 1;
        if *users == 0 {
            self.users.remove(&topic);
            self.globs -= usize::from(matches!(topic, Topic::Glob(_)));
            old.push(topic);
        }
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

/// The topics, and the globs.
fn split(topics: Vec<Topic>) -> (Vec<String>, Vec<String>) {
    let (mut named, mut globs) = (Vec::new(), Vec::new());
    for topic in topics {
        match topic {
            Topic::Named(name) => named.push(name),
            Topic::Glob(glob) => globs.push(glob),
        }
    }
    (named, globs)
}

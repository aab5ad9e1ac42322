//! [`Trouble`]: what is wrong with Redis, in a word and in a sentence.

use std::fmt;

use redis::{ErrorKind, RedisError};

use super::connect::PATIENCE;

/// What is wrong with Redis. The sentence, which everybody may read who asks whether the gateway is well, tells neither
/// where Redis is nor who asks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It cannot be reached, or does not answer in time.
    Unreachable(String),
    /// It lets nobody in with this user and password, or not for what is needed.
    Refused(String),
    /// It is older than what is needed.
    Version(String),
    /// It is a replica, which takes no writes.
    ReadOnly,
    /// It has not as many replicas as must have a record.
    Replicas(String),
    /// Its memory is full.
    Full,
    /// It would throw records away when its memory is full.
    Evicts(String),
    /// It reads its files, or is in a long script.
    Busy(String),
    /// It cannot write its files.
    NotSaving(String),
    /// What is in it under this prefix is not a log that this version knows.
    Format(String),
    /// It fails at something else.
    Failing(String),
}

impl Trouble {
    /// What was the trouble with this answer.
    pub(crate) fn of(error: &RedisError) -> Self {
        if error.is_timeout() {
            return Self::Unreachable(format!("it does not answer within {} s", PATIENCE.as_secs()));
        }
        let detail = || error.detail().map_or_else(|| error.to_string(), in_short);
        match (error.kind(), error.code().unwrap_or_default()) {
            (ErrorKind::Io, _) => Self::Unreachable(in_short(&error.to_string())),
            (ErrorKind::RESP3NotSupported, _) => {
                Self::Version("it is older than version 6, and version 7 is needed".to_owned())
            }
            (ErrorKind::AuthenticationFailed, _) | (_, "WRONGPASS") => {
                Self::Refused("user or password is wrong".to_owned())
            }
            (_, "NOAUTH") => Self::Refused("it wants a password".to_owned()),
            (_, "NOPERM") => Self::Refused(permission(&detail())),
            (_, "READONLY" | "MASTERDOWN") => Self::ReadOnly,
            (_, "OOM") => Self::Full,
            (_, "LOADING") => Self::Busy("it is reading its files".to_owned()),
            (_, "BUSY") => Self::Busy("it is in a script that takes long".to_owned()),
            (_, "MISCONF") => Self::NotSaving(detail()),
            (_, "NOREPLICAS") => {
                Self::Replicas("it has fewer replicas than min-replicas-to-write".to_owned())
            }
            (_, "CLUSTERDOWN" | "MOVED" | "ASK" | "CROSSSLOT" | "TRYAGAIN") => Self::cluster(),
            (_, "FORMAT") => Self::Format(detail()),
            (_, "ERR") if detail().contains("max number of clients") => {
                Self::Unreachable("it takes no more connections (maxclients)".to_owned())
            }
            (_, "ERR") if detail().contains("AUTH") => Self::Refused(detail()),
            (_, "") => Self::Failing(detail()),
            (_, code) => Self::Failing(format!("{code} {}", detail())),
        }
    }

    pub(super) fn cluster() -> Self {
        let want = "Redis Cluster is not supported: REDIS_URL is to name one server, or sentinels";
        Self::Failing(want.to_owned())
    }

    /// Every word there is.
    pub(crate) const WORDS: [&'static str; 11] = [
        "unreachable",
        "refused",
        "version",
        "read_only",
        "replicas",
        "full",
        "evicts",
        "busy",
        "not_saving",
        "format",
        "failing",
    ];

    /// One word for it, for figures.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::Refused(_) => "refused",
            Self::Version(_) => "version",
            Self::ReadOnly => "read_only",
            Self::Replicas(_) => "replicas",
            Self::Full => "full",
            Self::Evicts(_) => "evicts",
            Self::Busy(_) => "busy",
            Self::NotSaving(_) => "not_saving",
            Self::Format(_) => "format",
            Self::Failing(_) => "failing",
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) => write!(f, "Redis cannot be reached: {why}"),
            Self::Refused(why) => write!(f, "Redis lets the gateway not do what it needs: {why}"),
            Self::Version(why) => write!(f, "this Redis cannot be used: {why}"),
            Self::ReadOnly => {
                f.write_str("Redis is a replica, which takes no records: REDIS_URL is to lead to the primary")
            }
            Self::Replicas(why) => write!(f, "records are on too few servers: {why}"),
            Self::Full => f.write_str("the memory of Redis is full (maxmemory): nothing can be published"),
            Self::Evicts(policy) => write!(
                f,
                "Redis would throw records away when its memory is full: maxmemory-policy is {policy}, and is to be noeviction"
            ),
            Self::Busy(why) => write!(f, "Redis is busy: {why}"),
            Self::NotSaving(why) => write!(f, "Redis cannot write its files: {why}"),
            Self::Format(format) => write!(
                f,
                "what is in Redis under REDIS_PREFIX was written by another version (format {format}) and is left alone"
            ),
            Self::Failing(why) => write!(f, "Redis fails: {why}"),
        }
    }
}

/// Redis says much; the first of it, on one line.
fn in_short(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.chars().take(200).collect()
}

/// What of `User x has no permissions to run the 'y' command` is not the user.
fn permission(text: &str) -> String {
    text.find("no permissions")
        .or_else(|| text.find("No permissions"))
        .map_or("its user has not the permissions", |at| &text[at..])
        .to_owned()
}

#[cfg(test)]
mod words {
    use super::*;

    #[test]
    fn every_trouble_has_one_of_the_words() {
        let said = String::new;
        let all = [
            Trouble::Unreachable(said()),
            Trouble::Refused(said()),
            Trouble::Version(said()),
            Trouble::ReadOnly,
            Trouble::Replicas(said()),
            Trouble::Full,
            Trouble::Evicts(said()),
            Trouble::Busy(said()),
            Trouble::NotSaving(said()),
            Trouble::Format(said()),
            Trouble::Failing(said()),
        ];
        assert_eq!(all.each_ref().map(Trouble::word), Trouble::WORDS);
    }
}

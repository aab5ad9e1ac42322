//! [`Trouble`]: what is wrong with Redis, in a word and in a sentence.

use std::fmt;

/// What is wrong with Redis.
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
    pub(crate) fn of(error: &redis::RedisError) -> Self {
        Self::Failing(error.to_string())
    }

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
        write!(f, "Redis is in trouble: {}", self.word())
    }
}

impl Trouble {
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

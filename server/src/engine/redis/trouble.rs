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

    /// What was the trouble with this answer.
    pub(crate) fn of(error: &RedisError) -> Self {
        if error.is_timeout() {
            return Self::Unreachable(format!("it does not answer within {} s", PATIENCE.as_secs()));
        }
        match error.kind() {
            ErrorKind::Io => Self::Unreachable(in_short(&error.to_string())),
            ErrorKind::RESP3NotSupported => {
                Self::Version("it is older than version 6, and version 7 is needed".to_owned())
            }
            ErrorKind::AuthenticationFailed => Self::Refused("user or password is wrong".to_owned()),
            _ => match (error.code(), error.detail()) {
                (Some(code), detail) => Self::of_answer(code, detail.unwrap_or_default()),
                (None, _) => Self::Failing(in_short(&error.to_string())),
            },
        }
    }

    /// What was the trouble where Redis, or a script, answered with this code and these words.
    pub(super) fn of_answer(code: &str, detail: &str) -> Self {
        match code {
            "WRONGPASS" => Self::Refused("user or password is wrong".to_owned()),
            "NOAUTH" => Self::Refused("it wants a password".to_owned()),
            "NOPERM" => Self::Refused(permission(detail)),
            "ERR" if detail.contains("user executing the script can't") => Self::Refused(permission(detail)),
            "READONLY" | "MASTERDOWN" => Self::ReadOnly,
            "OOM" => Self::Full,
            "LOADING" => Self::Busy("it is reading its files".to_owned()),
            "BUSY" => Self::Busy("it is in a script that takes long".to_owned()),
            "MISCONF" => Self::NotSaving(in_short(detail)),
            "NOREPLICAS" => Self::Replicas("it has fewer replicas than min-replicas-to-write".to_owned()),
            "CLUSTERDOWN" | "MOVED" | "ASK" | "CROSSSLOT" | "TRYAGAIN" => Self::cluster(),
            "FORMAT" => Self::Format(in_short(detail)),
            "ERR" if detail.contains("max number of clients") => {
                Self::Unreachable("it takes no more connections (maxclients)".to_owned())
            }
            "ERR" if detail.contains("AUTH") => Self::Refused(in_short(detail)),
            code => Self::Failing(in_short(&format!("{code} {detail}"))),
        }
    }

    pub(super) fn cluster() -> Self {
        let want = "Redis Cluster is not supported: REDIS_URL is to name one server, or sentinels";
        Self::Failing(want.to_owned())
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
        match self {
            Self::Unreachable(why) => write!(f, "Redis cannot be reached: {why}"),
            Self::Refused(why) => write!(f, "Redis does not let the gateway do what it needs: {why}"),
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

/// Redis says much; the first of it, on one line, without what it was asked for and what its machine is called.
fn in_short(text: &str) -> String {
    if text.contains("certificate not valid for name") {
        return "its certificate is for another name than REDIS_URL has".to_owned();
    }
    let line = text.lines().next().unwrap_or_default();
    let line = line
        .split(", with args beginning with")
        .next()
        .unwrap_or_default();
    line.chars().take(200).collect()
}

/// What is said of missing permissions, but for whose they are and in which script it was.
fn permission(text: &str) -> String {
    let begins = ["no permissions", "No permissions", "can't"];
    let at = begins.iter().find_map(|begin| text.find(begin));
    let said = at.and_then(|at| text[at..].split(" script: ").next());
    said.map_or_else(
        || "its user has not the permissions".to_owned(),
        |said| format!("its user: {}", in_short(said)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_redis_answers_becomes_a_word_and_a_sentence_without_the_user() {
        for (answer, word, said) in [
            (
                "WRONGPASS invalid username-password pair or user is disabled.",
                "refused",
                "password is wrong",
            ),
            ("NOAUTH Authentication required.", "refused", "wants a password"),
            (
                "NOPERM User ann has no permissions to run the 'evalsha' command",
                "refused",
                "'evalsha'",
            ),
            (
                "NOPERM this user has no permissions to access one of the keys used",
                "refused",
                "one of the keys",
            ),
            (
                "ERR The user executing the script can't publish to the channel mentioned in the command script: 8f, on",
                "refused",
                "can't publish to the channel mentioned in the command",
            ),
            (
                "NOPERM ACL failure in script: User ann has no permissions",
                "refused",
                "no permissions",
            ),
            (
                "ERR AUTH <password> called without any password configured",
                "refused",
                "without any password",
            ),
            (
                "READONLY You can't write against a read only replica.",
                "read_only",
                "primary",
            ),
            ("MASTERDOWN Link with MASTER is down", "read_only", "primary"),
            (
                "OOM command not allowed when used memory > 'maxmemory'.",
                "full",
                "maxmemory",
            ),
            (
                "LOADING Redis is loading the dataset in memory",
                "busy",
                "reading its files",
            ),
            ("BUSY Redis is busy running a script.", "busy", "script"),
            (
                "MISCONF Errors writing to the AOF file: No space left on device",
                "not_saving",
                "No space left",
            ),
            (
                "NOREPLICAS Not enough good replicas to write.",
                "replicas",
                "min-replicas-to-write",
            ),
            (
                "CLUSTERDOWN Hash slot not served",
                "failing",
                "Redis Cluster is not supported",
            ),
            (
                "MOVED 866 10.0.0.7:6381",
                "failing",
                "Redis Cluster is not supported",
            ),
            ("FORMAT 2", "format", "(format 2)"),
            ("ERR max number of clients reached", "unreachable", "maxclients"),
            (
                "ERR unknown command 'SENTINEL', with args beginning with: 'GET-MASTER-ADDR-BY-NAME' 'ann ' ",
                "failing",
                "unknown command 'SENTINEL'",
            ),
            (
                "WRONGTYPE Operation against a key",
                "failing",
                "WRONGTYPE Operation",
            ),
        ] {
            let (code, detail) = answer.split_once(' ').unwrap_or_default();
            let trouble = Trouble::of_answer(code, detail);
            assert_eq!(trouble.word(), word, "{answer}");
            let sentence = trouble.to_string();
            assert!(sentence.contains(said), "{sentence}");
            assert!(
                !sentence.contains("ann ") && !sentence.contains("10.0.0.7"),
                "{sentence}"
            );
        }
    }

    /// Everybody who asked for `/health` learnt the names of the machine.
    #[test]
    fn what_the_machine_of_redis_is_called_is_not_told() {
        let error = std::io::Error::other(
            "invalid peer certificate: certificate not valid for name \"redis.internal\"; certificate is only valid for DnsName(\"db-7\")",
        );
        let sentence = Trouble::of(&error.into()).to_string();
        assert!(sentence.contains("another name"), "{sentence}");
        assert!(
            !sentence.contains("internal") && !sentence.contains("db-7"),
            "{sentence}"
        );
    }

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

//! [`Facts`]: what a Redis server says about itself, and whether it can be used.

use std::collections::HashMap;

use redis::{Connection, RedisResult};

use super::trouble::Trouble;

/// What a server says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts(HashMap<String, String>);

/// Asks a server about itself.
pub(super) fn ask(connection: &mut Connection) -> RedisResult<Facts> {
    let mut question = redis::cmd("INFO");
    question.arg(&["server", "memory", "persistence", "replication"]);
    let text: String = question.query(connection)?;
    Ok(Facts::parse(&text))
}

impl Facts {
    fn parse(text: &str) -> Self {
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        Self(
            lines
                .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
                .collect(),
        )
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }

    /// Whether it can be used at all.
    pub(super) fn usable(&self) -> Result<(), Trouble> {
        let version = self.get("redis_version");
        let major = version.split('.').next().and_then(|major| major.parse().ok());
        if major.is_none_or(|major: u32| major < 7) {
            return Err(Trouble::Version(format!(
                "it is of version {version}, and version 7 is needed"
            )));
        }
        match self.get("redis_mode") {
            "cluster" => return Err(Trouble::cluster()),
            "sentinel" => {
                let want = "it is a sentinel: REDIS_URL is to be redis-sentinel://host:port/name for those"
                    .to_owned();
                return Err(Trouble::Failing(want));
            }
            _ => {}
        }
        match self.get("role") {
            "slave" => Err(Trouble::ReadOnly),
            _ => Ok(()),
        }
    }

    /// Whether records may be put into it.
    pub(super) fn keeps(&self) -> Result<(), Trouble> {
        match self.get("maxmemory_policy") {
            policy if self.has_limit() && policy.starts_with("allkeys-") => {
                Err(Trouble::Evicts(policy.to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// What an operator should think about, although it works.
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let policy = self.get("maxmemory_policy");
        if self.has_limit() && policy.starts_with("volatile-") {
            warnings.push(format!(
                "Redis forgets idempotency keys early when its memory is full: maxmemory-policy is {policy}, and better noeviction"
            ));
        }
        if self.get("aof_enabled") == "0" {
            let lost = "Redis writes no append-only file: what is acknowledged may be lost when it ends (appendonly yes)";
            warnings.push(lost.to_owned());
        }
        warnings
    }

    fn has_limit(&self) -> bool {
        !matches!(self.get("maxmemory"), "" | "0")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(changed: &[(&str, &str)]) -> Facts {
        let text = "# Server\r\nredis_version:7.2.4\r\nredis_mode:standalone\r\n\r\nrole:master\r\nmaxmemory:0\r\n\
            maxmemory_policy:noeviction\r\naof_enabled:1\r\n";
        let mut facts = Facts::parse(text);
        for (name, value) in changed {
            facts.0.insert((*name).to_owned(), (*value).to_owned());
        }
        facts
    }

    #[test]
    fn a_server_that_cannot_be_used_is_told_from_one_that_can() {
        assert_eq!(facts(&[]).usable(), Ok(()));
        for (name, value, word) in [
            ("redis_version", "6.2.14", "version"),
            ("redis_version", "", "version"),
            ("redis_mode", "cluster", "failing"),
            ("redis_mode", "sentinel", "failing"),
            ("role", "slave", "read_only"),
        ] {
            assert_eq!(facts(&[(name, value)]).usable().unwrap_err().word(), word);
        }
    }

    #[test]
    fn a_server_that_would_throw_records_away_takes_none() {
        for (memory, policy, keeps, warnings) in [
            ("0", "allkeys-lru", true, 0),
            ("1000", "allkeys-lru", false, 0),
            ("1000", "volatile-lru", true, 1),
            ("1000", "noeviction", true, 0),
        ] {
            let facts = facts(&[("maxmemory", memory), ("maxmemory_policy", policy)]);
            assert_eq!(facts.keeps().is_ok(), keeps, "{policy}");
            assert_eq!(facts.warnings().len(), warnings, "{policy}");
        }
        assert_eq!(facts(&[("aof_enabled", "0")]).warnings().len(), 1);
    }
}

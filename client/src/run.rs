//! [`Run`]: a value by which the records of one run are known, whichever service wrote them.

use logs_shared::{ChannelPattern, Conditions, Interest, LogRecord};

use crate::value::Value;

/// The names of a channel's last part.
const RESOURCE_NAMES: [&str; 3] = ["workflow_id", "resource_id", "function_id"];

/// A field's name and value by which the records of one run are known, whichever service wrote them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    name: String,
    value: String,
    conditions: Conditions,
}

impl Run {
    /// None where the gateway could not look for it: the name or the value is too long.
    pub(crate) fn new(name: String, value: String) -> Option<Self> {
        let conditions = Conditions::one(&name, &value).ok()?;
        Some(Self {
            name,
            value,
            conditions,
        })
    }

    /// The field's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The field's value, as text.
    pub(crate) fn value(&self) -> &str {
        &self.value
    }

    /// All channels of the workspaces that some channels are in.
    pub(crate) fn patterns(channels: &[ChannelPattern]) -> Vec<ChannelPattern> {
        // A handful, so sorted by hand: a set of the standard library is more code than the rest of this file.
        let mut workspaces = Vec::new();
        for channel in channels {
            let workspace = channel.segments()[1].unwrap_or("*");
            if let Err(place) = workspaces.binary_search(&workspace) {
                workspaces.insert(place, workspace);
            }
        }
        let pattern = |workspace| ChannelPattern::new("*", workspace, Some("*")).ok();
        workspaces.into_iter().filter_map(pattern).collect()
    }

    /// What is to be followed for it, beside some channels.
    pub(crate) fn interests(&self, channels: &[ChannelPattern]) -> Vec<Interest> {
        let mut interests = Vec::new();
        for pattern in Self::patterns(channels) {
            if self.is_named_by_channels()
                && let Some(workspace) = pattern.segments()[1]
                && let Ok(named) = ChannelPattern::new("*", workspace, Some(&self.value))
            {
                interests.push(named.into());
            }
            interests.push(Interest {
                pattern,
                level: None,
                conditions: self.conditions.clone(),
            });
        }
        interests
    }

    fn is_named_by_channels(&self) -> bool {
        RESOURCE_NAMES.contains(&self.name.as_str())
    }

    /// Whether a record is of it: by its field, or by its channel.
    pub(crate) fn has(&self, record: &LogRecord) -> bool {
        (self.is_named_by_channels() && record.channel.resource_id() == Some(&self.value))
            || Value::of(record).has(&self.name, &self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str, value: &str) -> Run {
        Run::new(name.to_owned(), value.to_owned()).unwrap()
    }

    fn texts(interests: &[Interest]) -> Vec<String> {
        interests
            .iter()
            .map(|interest| serde_json::to_string(interest).unwrap())
            .collect()
    }

    #[test]
    fn a_run_is_followed_in_the_whole_workspace() {
        let channels = ["logs:etl:w:a".parse().unwrap(), "logs:etl:w:b".parse().unwrap()];
        assert_eq!(
            texts(&run("run_id", "42").interests(&channels)),
            [r#"{"channel":"logs:*:w:*","where":{"run_id":"42"}}"#]
        );
        assert_eq!(
            texts(&run("workflow_id", "a").interests(&channels)),
            [
                r#""logs:*:w:a""#,
                r#"{"channel":"logs:*:w:*","where":{"workflow_id":"a"}}"#
            ]
        );
    }

    #[test]
    fn a_record_is_of_a_run_by_its_field_or_its_channel() {
        let json = r#"{"type":"log","id":"1-0","channel":"logs:etl:w:a","service":"etl","workspace_id":"w","timestamp":"2025-09-25T10:30:00.000Z","level":"INFO","message":"m","fields":{"run_id":42}}"#;
        let record: LogRecord = serde_json::from_str(json).unwrap();
        assert!(run("run_id", "42").has(&record) && run("workflow_id", "a").has(&record));
        assert!(!run("run_id", "4").has(&record) && !run("trace_id", "42").has(&record));
        assert!(!run("workflow_id", "42").has(&record));
    }

    #[test]
    fn what_the_gateway_could_not_look_for_is_no_run() {
        assert_eq!(Run::new("run_id".into(), "x".repeat(300)), None);
    }
}

//! Topics: how what is published is named, and what to ask for so that nothing of a pattern is missed.

use logs_shared::{Channel, ChannelPattern};

/// The topics of gateways whose keys begin with the same text. What is published to a channel comes on two: the channel's own
/// and its workspace's.
pub(super) struct Topics {
    channels: String,
    workspaces: String,
}

/// What to ask for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Topic {
    /// A topic.
    Named(String),
    /// All topics that look so, as Redis writes patterns. Redis looks at each of these for everything that is published.
    Glob(String),
}

impl Topics {
    pub(super) fn new(prefix: &str) -> Self {
        Self {
            channels: format!("{prefix}live:"),
            workspaces: format!("{prefix}in:"),
        }
    }

    pub(super) fn of_channel(&self, channel: &Channel) -> Topic {
        Topic::Named(format!("{}{channel}", self.channels))
    }

    /// What brings everything that is published to the channels of a pattern. It may bring more: in a glob, a `*` stands for
    /// any text.
    pub(super) fn of_pattern(&self, pattern: &ChannelPattern) -> Topic {
        if let [_, Some(workspace), _] = pattern.segments() {
            return Topic::Named(format!("{}{workspace}", self.workspaces));
        }
        let text = pattern.as_str();
        let text = match text.strip_suffix(":*") {
            // A last wildcard of four parts stands for none too, and the one before it takes whatever comes.
            Some(shorter) if shorter.ends_with(":*") && text.split(':').count() == 4 => shorter,
            _ => text,
        };
        Topic::Glob(format!("{}{text}", escaped(&self.channels)))
    }

    /// What brings everything that is published.
    pub(super) fn everything(&self) -> Topic {
        Topic::Glob(format!("{}logs:*:*", escaped(&self.channels)))
    }

    /// To which channel this was published, and what.
    pub(super) fn read<'a>(&self, topic: &str, message: &'a [u8]) -> Option<(Channel, &'a [u8])> {
        if let Some(channel) = topic.strip_prefix(&self.channels) {
            return Some((channel.parse().ok()?, message));
        }
        topic.strip_prefix(&self.workspaces)?;
        let end = message.iter().position(|byte| *byte == b' ')?;
        let channel = std::str::from_utf8(&message[..end]).ok()?;
        Some((channel.parse().ok()?, &message[end + 1..]))
    }
}

/// The prefix is the operator's, and may have what stands for something else in a pattern. A channel has no such thing.
fn escaped(prefix: &str) -> String {
    prefix.chars().fold(String::new(), |mut escaped, char| {
        if matches!(char, '*' | '?' | '[' | ']' | '\\' | '^' | '-') {
            escaped.push('\\');
        }
        escaped.push(char);
        escaped
    })
}

/// Every pattern that chooses this channel.
pub(super) fn choosing(channel: &Channel) -> impl Iterator<Item = ChannelPattern> {
    let any = "*";
    let (service, workspace) = (channel.service(), channel.workspace_id());
    let resources = match channel.resource_id() {
        Some(resource) => [Some(resource), Some(any)],
        None => [None, Some(any)],
    };
    [service, any].into_iter().flat_map(move |service| {
        [workspace, any].into_iter().flat_map(move |workspace| {
            resources
                .into_iter()
                .filter_map(move |resource| ChannelPattern::new(service, workspace, resource).ok())
        })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As `stringmatchlen` of Redis does, for what occurs here.
    fn matches(glob: &[u8], text: &[u8]) -> bool {
        match glob {
            [] => text.is_empty(),
            [b'*', rest @ ..] => (0..=text.len()).any(|from| matches(rest, &text[from..])),
            [b'\\', byte, rest @ ..] | [byte, rest @ ..] => {
                text.first() == Some(byte) && matches(rest, &text[1..])
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_of_a_pattern_is_missed(pattern in "logs(:(a|b|\\*)){2,3}", channel in "logs(:(a|b)){2,3}") {
            let (pattern, channel): (ChannelPattern, Channel) = (pattern.parse().unwrap(), channel.parse().unwrap());
            let topics = Topics::new("x[1]*:");
            let published = [
                (format!("x[1]*:live:{channel}"), "1-0 1\n".to_owned()),
                (format!("x[1]*:in:{}", channel.workspace_id()), format!("{channel} 1-0 1\n")),
            ];
            let mut is_heard = false;
            for (topic, message) in &published {
                let read = topics.read(topic, message.as_bytes());
                prop_assert_eq!(read, Some((channel.clone(), &b"1-0 1\n"[..])));
                let everything = topics.everything();
                for (asked, hears) in [(topics.of_pattern(&pattern), &mut is_heard), (everything, &mut false)] {
                    *hears |= match asked {
                        Topic::Named(name) => name == *topic,
                        Topic::Glob(glob) => matches(glob.as_bytes(), topic.as_bytes()),
                    };
                }
            }
            prop_assert!(is_heard || !pattern.matches(&channel), "{} {}", pattern, channel);
            prop_assert_eq!(choosing(&channel).any(|other| other == pattern), pattern.matches(&channel));
        }
    }
}

//! Topics: how what is published is named, and what to ask for so that nothing of a pattern is missed.

use logs_shared::{Channel, ChannelPattern};

/// How topics begin, before the channel.
pub(super) fn prefix(keys: &str) -> String {
    format!("{keys}live:")
}

/// The topic of a channel.
pub(super) fn of_channel(prefix: &str, channel: &Channel) -> String {
    format!("{prefix}{channel}")
}

/// What choose the topics of a pattern's channels, as Redis writes patterns. They may choose others too: there, a `*` stands
/// for any text.
pub(super) fn of_pattern(prefix: &str, pattern: &ChannelPattern) -> Vec<String> {
    let prefix = escaped(prefix);
    let text = pattern.as_str();
    let shorter = match text.strip_suffix(":*") {
        // A last wildcard of four parts stands for none too, unless the one before it takes whatever comes.
        Some(shorter) if text.split(':').count() == 4 => shorter,
        _ => return vec![format!("{prefix}{text}")],
    };
    if shorter.ends_with(":*") {
        vec![format!("{prefix}{shorter}")]
    } else {
        vec![format!("{prefix}{shorter}"), format!("{prefix}{text}")]
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
            let prefix = "x[1]*:live:";
            let topic = of_channel(prefix, &channel);
            let globs = of_pattern(prefix, &pattern);
            let is_heard = globs.iter().any(|glob| matches(glob.as_bytes(), topic.as_bytes()));
            prop_assert!(is_heard || !pattern.matches(&channel), "{:?} {}", globs, topic);
            prop_assert_eq!(choosing(&channel).any(|other| other == pattern), pattern.matches(&channel));
        }
    }
}

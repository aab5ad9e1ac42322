//! [`Channel`]: one ordered log, and [`ChannelPattern`]: a choice of them.

use std::{fmt, str::FromStr, sync::Arc};

use crate::{api::MAX_SEGMENT_CHARS, json::serde_as_text};

const PREFIX: &str = "logs";
const WILDCARD: &str = "*";

/// One ordered log: `logs:{service}:{workspace_id}` or `logs:{service}:{workspace_id}:{resource_id}`.
///
/// Publishers name it, the first record brings it into being. A segment is 1 to 128 of the characters
/// `A–Z a–z 0–9 . _ -`, so a channel needs no escaping in a URL, a header or a file name. A clone
/// shares the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Channel(Arc<str>);

/// Which part of a channel a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The second part.
    Service,
    /// The third part.
    Workspace,
    /// The fourth part, where there is one: a workflow, a function, anything within the workspace.
    Resource,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Service => "service",
            Self::Workspace => "workspace_id",
            Self::Resource => "resource_id",
        })
    }
}

/// Why a text is no channel or pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// It does not start with `logs:` or has not three or four parts.
    #[error("a channel is logs:service:workspace_id or logs:service:workspace_id:resource_id")]
    Shape,
    /// A segment has no character.
    #[error("the {0} is empty")]
    Empty(Part),
    /// A segment has more than 128 characters.
    #[error("the {0} is longer than {MAX_SEGMENT_CHARS} characters")]
    TooLong(Part),
    /// A segment has a character that none may have.
    #[error("the {0} has the character {char}; allowed are A–Z a–z 0–9 . _ -", char = Quoted(*.1))]
    Character(Part, char),
    /// A publication names its channel exactly.
    #[error("the {0} is a wildcard; only a subscription may use one")]
    Wildcard(Part),
}

/// A character in quotes, by its number where it cannot be seen. `{:?}` knows of more, by tables that would be a part of
/// what a browser loads.
struct Quoted(char);

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            hidden @ ('\0'..=' '
            | '\u{7f}'..='\u{a0}'
            | '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}')
                if hidden != ' ' =>
            {
                write!(f, "'{}'", hidden.escape_default())
            }
            seen => write!(f, "'{seen}'"),
        }
    }
}

impl Channel {
    /// The channel of a service's workspace, or of a resource within it.
    ///
    /// # Errors
    /// A segment is empty, too long, or has a character that none may have.
    pub fn new(service: &str, workspace_id: &str, resource_id: Option<&str>) -> Result<Self, ChannelError> {
        join(service, workspace_id, resource_id, segment).map(Self)
    }

    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Who publishes: etl, faas, function, …
    #[must_use]
    pub fn service(&self) -> &str {
        self.part(1)
    }

    /// The workspace it belongs to.
    #[must_use]
    pub fn workspace_id(&self) -> &str {
        self.part(2)
    }

    /// The workflow, function or other resource within the workspace.
    #[must_use]
    pub fn resource_id(&self) -> Option<&str> {
        self.0.split(':').nth(3)
    }

    fn part(&self, index: usize) -> &str {
        self.0.split(':').nth(index).unwrap_or_default()
    }
}

fn segment(part: Part, text: &str) -> Result<(), ChannelError> {
    if text.is_empty() {
        return Err(ChannelError::Empty(part));
    }
    if text == WILDCARD {
        return Err(ChannelError::Wildcard(part));
    }
    if let Some(other) = text
        .chars()
        .find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')))
    {
        return Err(ChannelError::Character(part, other));
    }
    if text.len() > MAX_SEGMENT_CHARS {
        return Err(ChannelError::TooLong(part));
    }
    Ok(())
}

/// The text of these segments, each checked.
fn join(
    service: &str,
    workspace_id: &str,
    resource_id: Option<&str>,
    check: impl Fn(Part, &str) -> Result<(), ChannelError>,
) -> Result<Arc<str>, ChannelError> {
    check(Part::Service, service)?;
    check(Part::Workspace, workspace_id)?;
    if let Some(resource_id) = resource_id {
        check(Part::Resource, resource_id)?;
    }
    Ok(spell(service, workspace_id, resource_id).into())
}

/// These segments as a channel is spelt, whatever they are.
pub(crate) fn spell(service: &str, workspace_id: &str, resource_id: Option<&str>) -> String {
    match resource_id {
        None => format!("{PREFIX}:{service}:{workspace_id}"),
        Some(resource_id) => format!("{PREFIX}:{service}:{workspace_id}:{resource_id}"),
    }
}

/// The two or three segments after `logs:`.
fn split(text: &str) -> Result<(&str, &str, Option<&str>), ChannelError> {
    let mut parts = text.split(':');
    if parts.next() != Some(PREFIX) {
        return Err(ChannelError::Shape);
    }
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(service), Some(workspace), resource, None) => Ok((service, workspace, resource)),
        _ => Err(ChannelError::Shape),
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Channel {
    type Err = ChannelError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (service, workspace, resource) = split(text)?;
        Self::new(service, workspace, resource)
    }
}

serde_as_text!(Channel);

/// A choice of channels: a channel's text in which `*` may stand for any one segment.
///
/// As the last of four, `*` also stands for no resource: `logs:*:workspace123:*` is everything in
/// that workspace. Three parts choose exactly the three-part channels. A text without `*` chooses one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelPattern(Arc<str>);

impl ChannelPattern {
    /// The pattern of these segments, each a name or `*`.
    ///
    /// # Errors
    /// As [`Channel::new`], but for the wildcards.
    pub fn new(service: &str, workspace_id: &str, resource_id: Option<&str>) -> Result<Self, ChannelError> {
        let name_or_wildcard = |part, text: &str| {
            if text == WILDCARD {
                Ok(())
            } else {
                segment(part, text)
            }
        };
        join(service, workspace_id, resource_id, name_or_wildcard).map(Self)
    }

    /// Every channel there is.
    #[must_use]
    pub fn everything() -> Self {
        Self(spell(WILDCARD, WILDCARD, Some(WILDCARD)).into())
    }

    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The one channel it chooses, where it has no wildcard.
    #[must_use]
    pub fn as_channel(&self) -> Option<Channel> {
        (!self.0.contains(WILDCARD)).then(|| Channel(self.0.clone()))
    }

    /// Service, workspace and resource; `None` where any will do. A resource that must be absent is empty.
    #[must_use]
    pub fn segments(&self) -> [Option<&str>; 3] {
        let mut parts = self.0.split(':').skip(1);
        let mut segment = || Some(parts.next().unwrap_or_default()).filter(|part| *part != WILDCARD);
        [segment(), segment(), segment()]
    }

    /// The pattern of the channels that both choose; `None` where there can be none.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        fn narrower<'a>(one: Option<&'a str>, other: Option<&'a str>) -> Option<Option<&'a str>> {
            match (one, other) {
                (None, any) | (any, None) => Some(any),
                (Some(one), Some(other)) => (one == other).then_some(Some(one)),
            }
        }
        let ([a, b, c], [x, y, z]) = (self.segments(), other.segments());
        let (service, workspace, resource) = (narrower(a, x)?, narrower(b, y)?, narrower(c, z)?);
        // A resource that must be absent is empty.
        let resource = Some(resource.unwrap_or(WILDCARD)).filter(|resource| !resource.is_empty());
        let (service, workspace) = (service.unwrap_or(WILDCARD), workspace.unwrap_or(WILDCARD));
        Some(Self(spell(service, workspace, resource).into()))
    }

    /// Whether it chooses this channel.
    #[must_use]
    pub fn matches(&self, channel: &Channel) -> bool {
        let mut wanted = self.0.split(':');
        let mut parts = channel.as_str().split(':');
        loop {
            match (wanted.next(), parts.next()) {
                (Some(WILDCARD), _) => {}
                (Some(name), Some(part)) if name == part => {}
                (None, None) => return true,
                _ => return false,
            }
        }
    }
}

impl From<Channel> for ChannelPattern {
    fn from(channel: Channel) -> Self {
        Self(channel.0)
    }
}

impl fmt::Display for ChannelPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for ChannelPattern {
    type Err = ChannelError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (service, workspace, resource) = split(text)?;
        Self::new(service, workspace, resource)
    }
}

serde_as_text!(ChannelPattern);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn channel(text: &str) -> Channel {
        text.parse().unwrap()
    }

    #[test]
    fn a_channel_knows_its_parts() {
        let whole = channel("logs:etl:workspace123:workflow456");
        assert_eq!(
            (whole.service(), whole.workspace_id(), whole.resource_id()),
            ("etl", "workspace123", Some("workflow456"))
        );
        assert_eq!(channel("logs:etl:workspace123").resource_id(), None);
    }

    #[test]
    fn each_fault_names_its_part() {
        let long = "x".repeat(129);
        let cases = [
            ("", ChannelError::Shape),
            ("logs", ChannelError::Shape),
            ("logs:etl", ChannelError::Shape),
            ("log:etl:w", ChannelError::Shape),
            ("logs:a:b:c:d", ChannelError::Shape),
            ("logs::w", ChannelError::Empty(Part::Service)),
            ("logs:etl:", ChannelError::Empty(Part::Workspace)),
            ("logs:etl:w:", ChannelError::Empty(Part::Resource)),
            ("logs:e tl:w", ChannelError::Character(Part::Service, ' ')),
            ("logs:etl:w/..", ChannelError::Character(Part::Workspace, '/')),
            ("logs:etl:w:ü", ChannelError::Character(Part::Resource, 'ü')),
            ("logs:etl:w\n", ChannelError::Character(Part::Workspace, '\n')),
            ("logs:*:w", ChannelError::Wildcard(Part::Service)),
            ("logs:etl:w*", ChannelError::Character(Part::Workspace, '*')),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<Channel>(), Err(error), "{text:?}");
        }
        assert_eq!(
            format!("logs:etl:{long}").parse::<Channel>(),
            Err(ChannelError::TooLong(Part::Workspace))
        );
        assert!(format!("logs:etl:{}", &long[1..]).parse::<Channel>().is_ok());
    }

    #[test]
    fn a_wildcard_stands_for_a_segment_and_at_the_end_also_for_none() {
        let cases = [
            ("logs:*:w:*", "logs:etl:w:x", true),
            ("logs:*:w:*", "logs:etl:w", true),
            ("logs:*:w:*", "logs:etl:v:x", false),
            ("logs:*:w", "logs:etl:w", true),
            ("logs:*:w", "logs:etl:w:x", false),
            ("logs:*:*:*", "logs:etl:w", true),
            ("logs:*:*", "logs:etl:w:x", false),
            ("logs:etl:w:x", "logs:etl:w:x", true),
            ("logs:etl:w:x", "logs:etl:w", false),
            ("logs:etl:w", "logs:etl:w:x", false),
            ("logs:etl:*:x", "logs:etl:w", false),
            ("logs:etl:w", "logs:etl:ww", false),
        ];
        for (pattern, text, matches) in cases {
            let pattern: ChannelPattern = pattern.parse().unwrap();
            assert_eq!(pattern.matches(&channel(text)), matches, "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_without_a_wildcard_is_a_channel() {
        let exact: ChannelPattern = "logs:etl:w".parse().unwrap();
        assert_eq!(exact.as_channel(), Some(channel("logs:etl:w")));
        assert_eq!("logs:*:w".parse::<ChannelPattern>().unwrap().as_channel(), None);
    }

    proptest! {
        #[test]
        fn every_channel_round_trips(text in "logs(:[A-Za-z0-9._-]{1,128}){2,3}") {
            let channel: Channel = text.parse().unwrap();
            prop_assert_eq!(channel.as_str(), &text);
            let rebuilt = Channel::new(channel.service(), channel.workspace_id(), channel.resource_id());
            prop_assert_eq!(&rebuilt.unwrap(), &channel);
            prop_assert!(ChannelPattern::from(channel.clone()).matches(&channel));
            prop_assert!("logs:*:*:*".parse::<ChannelPattern>().unwrap().matches(&channel));
        }

        #[test]
        fn every_pattern_round_trips(text in "logs(:([A-Za-z0-9._-]{1,9}|\\*)){2,3}") {
            let pattern: ChannelPattern = text.parse().unwrap();
            prop_assert_eq!(pattern.as_str(), &text);
            prop_assert_eq!(pattern.as_channel().is_some(), !text.contains('*'));
        }

        #[test]
        fn an_intersection_chooses_what_both_choose(
            one in "logs(:(a|b|\\*)){2,3}", other in "logs(:(a|b|\\*)){2,3}", text in "logs(:(a|b)){2,3}"
        ) {
            let (one, other): (ChannelPattern, ChannelPattern) = (one.parse().unwrap(), other.parse().unwrap());
            let channel: Channel = text.parse().unwrap();
            let both = one.intersection(&other);
            prop_assert_eq!(&both, &other.intersection(&one));
            let is_of_both = both.as_ref().is_some_and(|both| both.matches(&channel));
            prop_assert_eq!(is_of_both, one.matches(&channel) && other.matches(&channel));
            if let Some(both) = both {
                prop_assert_eq!(both.as_str().parse::<ChannelPattern>().unwrap(), both);
            }
        }

        #[test]
        fn any_text_is_a_channel_or_an_error(text in "(logs:)?\\PC{0,40}") {
            let pattern = text.parse::<ChannelPattern>();
            if let Ok(channel) = text.parse::<Channel>() {
                prop_assert_eq!(pattern.unwrap().as_channel(), Some(channel));
            }
        }
    }
}

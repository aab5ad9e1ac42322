//! [`ReadScope`]: what a reader may see.

use std::{collections::HashSet, sync::Arc};

use logs_shared::{ChannelError, ChannelPattern, Interest};

/// What a reader may see: the channels that its credential grants.
///
/// A pattern that asks for more gives what is within it, also of channels that come to be later: what is followed is
/// the intersection of both, which is a pattern again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadScope {
    /// Every channel.
    Everything,
    /// The channels that any of these patterns chooses; with none, nothing.
    Patterns(Arc<[ChannelPattern]>),
}

/// What is asked for comes to more patterns than one reader may follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "these channels come to more than {MAX_PATTERNS} patterns with what you may see: name workspaces instead of *"
)]
pub(crate) struct TooManyPatterns;

/// The most patterns that one reader follows. A reader that may see hundreds of workspaces and asks for hundreds of
/// patterns over all of them would make every new channel cost all of their products.
const MAX_PATTERNS: usize = 4_096;

impl ReadScope {
    /// The channels that any of these patterns chooses.
    #[must_use]
    pub fn new(patterns: impl IntoIterator<Item = ChannelPattern>) -> Self {
        let mut patterns: Vec<_> = patterns.into_iter().collect();
        patterns.sort();
        patterns.dedup();
        if patterns.contains(&ChannelPattern::everything()) {
            Self::Everything
        } else {
            Self::Patterns(patterns.into())
        }
    }

    /// Whether anything of it may be seen.
    #[must_use]
    pub fn may_see(&self, wanted: &ChannelPattern) -> bool {
        match self {
            Self::Everything => true,
            Self::Patterns(patterns) => patterns.iter().any(|one| one.intersection(wanted).is_some()),
        }
    }

    /// What may be seen of it.
    ///
    /// # Errors
    /// It comes to too many patterns.
    pub(crate) fn visible(&self, wanted: Vec<Interest>) -> Result<Vec<Interest>, TooManyPatterns> {
        let Self::Patterns(patterns) = self else {
            return Ok(wanted);
        };
        // Several patterns may have the same in common with what is asked for.
        let (mut visible, mut known) = (Vec::new(), HashSet::new());
        for interest in wanted {
            for pattern in patterns
                .iter()
                .filter_map(|one| one.intersection(&interest.pattern))
            {
                let narrowed = Interest {
                    pattern,
                    ..interest.clone()
                };
                if known.insert(narrowed.clone()) {
                    visible.push(narrowed);
                }
                if visible.len() > MAX_PATTERNS {
                    return Err(TooManyPatterns);
                }
            }
        }
        Ok(visible)
    }
}

/// Everything in a workspace; in all of them, where that is `*`.
///
/// # Errors
/// There can be no workspace of that name.
pub(super) fn workspace(name: &str) -> Result<ChannelPattern, ChannelError> {
    ChannelPattern::new("*", name, Some("*"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> ChannelPattern {
        text.parse().unwrap()
    }

    fn visible(scope: &[&str], wanted: &[&str]) -> Vec<String> {
        let wanted = wanted.iter().map(|text| Interest::new(pattern(text), None));
        let scope = ReadScope::new(scope.iter().map(|text| pattern(text)));
        let visible = scope.visible(wanted.collect()).unwrap();
        visible
            .iter()
            .map(|interest| interest.pattern.to_string())
            .collect()
    }

    #[test]
    fn what_is_visible_is_what_is_asked_for_and_allowed() {
        let scope = ["logs:*:w1:*", "logs:etl:*:shared"];
        let cases: [(&[&str], &[&str]); 5] = [
            (&["logs:etl:w1:x"], &["logs:etl:w1:x"]),
            (&["logs:etl:w2:x"], &[]),
            (&["logs:*:*:*"], &["logs:*:w1:*", "logs:etl:*:shared"]),
            (&["logs:etl:w1"], &["logs:etl:w1"]),
            (
                &["logs:faas:*:*", "logs:*:w2:shared"],
                &["logs:faas:w1:*", "logs:etl:w2:shared"],
            ),
        ];
        for (wanted, expected) in cases {
            let mut found = visible(&scope, wanted);
            found.sort();
            let mut expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
            expected.sort();
            assert_eq!(found, expected, "{wanted:?}");
        }
        assert_eq!(
            visible(&["logs:*:*:*", "logs:a:b"], &["logs:*:x:*"]),
            ["logs:*:x:*"]
        );
        assert!(visible(&[], &["logs:*:*:*"]).is_empty());
    }

    #[test]
    fn whether_anything_may_be_seen_says_the_same() {
        let scope = ReadScope::new([pattern("logs:*:w1:*")]);
        for (text, may) in [
            ("logs:etl:w1", true),
            ("logs:etl:*:x", true),
            ("logs:*:w2:*", false),
        ] {
            assert_eq!(scope.may_see(&pattern(text)), may, "{text}");
        }
        assert!(!ReadScope::new([]).may_see(&pattern("logs:*:*:*")));
    }

    #[test]
    fn products_without_bound_are_refused() {
        let scope = ReadScope::new((0..100).map(|n| pattern(&format!("logs:*:w{n}:*"))));
        let wanted = |count: usize| {
            let patterns = (0..count).map(|n| pattern(&format!("logs:s{n}:*:*")));
            patterns
                .map(|pattern| Interest::new(pattern, None))
                .collect::<Vec<_>>()
        };
        assert_eq!(scope.visible(wanted(40)).unwrap().len(), 4_000);
        assert_eq!(scope.visible(wanted(41)), Err(TooManyPatterns));
    }
}

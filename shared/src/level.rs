//! [`Level`]: how grave a record is.

use std::{fmt, str::FromStr};

use crate::json::serde_as_text;

/// How grave a record is. Ordered: [`Level::Trace`] is the least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// Every step.
    Trace,
    /// What a developer wants while looking for something.
    Debug,
    /// The normal course of things. What a record has that names no level.
    #[default]
    Info,
    /// Not as expected, and the work goes on.
    Warn,
    /// Something failed.
    Error,
    /// The process cannot go on.
    Fatal,
}

/// The text names no level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a level is one of TRACE, DEBUG, INFO, WARN, ERROR, FATAL")]
pub struct LevelError;

impl Level {
    /// All levels, the least grave first.
    pub const ALL: [Self; 6] = [
        Self::Trace,
        Self::Debug,
        Self::Info,
        Self::Warn,
        Self::Error,
        Self::Fatal,
    ];

    /// The level's name on the wire, in capitals.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Fatal => "FATAL",
        }
    }

    /// A level by pino's numbers: 10 is TRACE, 60 is FATAL, and only these six are known.
    #[must_use]
    pub const fn from_pino(number: u64) -> Option<Self> {
        Some(match number {
            10 => Self::Trace,
            20 => Self::Debug,
            30 => Self::Info,
            40 => Self::Warn,
            50 => Self::Error,
            60 => Self::Fatal,
            _ => return None,
        })
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Level {
    type Err = LevelError;

    /// Without regard to case or surrounding space; the names other loggers use, and pino's numbers, are known.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const NAMES: [(&str, Level); 18] = [
            ("trace", Level::Trace),
            ("debug", Level::Debug),
            ("info", Level::Info),
            ("information", Level::Info),
            ("notice", Level::Info),
            ("warn", Level::Warn),
            ("warning", Level::Warn),
            ("error", Level::Error),
            ("err", Level::Error),
            ("severe", Level::Error),
            ("fatal", Level::Fatal),
            ("critical", Level::Fatal),
            ("crit", Level::Fatal),
            ("alert", Level::Fatal),
            ("emerg", Level::Fatal),
            ("emergency", Level::Fatal),
            ("panic", Level::Fatal),
            ("dbg", Level::Debug),
        ];
        let text = text.trim();
        let named = NAMES
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(text))
            .map(|(_, level)| *level);
        named
            .or_else(|| Self::from_pino(text.parse().ok()?))
            .ok_or(LevelError)
    }
}

serde_as_text!(Level);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_name_round_trips_in_any_case() {
        for level in Level::ALL {
            assert_eq!(level.as_str().parse(), Ok(level));
            assert_eq!(level.as_str().to_lowercase().parse(), Ok(level));
        }
        assert!(Level::ALL.is_sorted());
    }

    #[test]
    fn the_usual_aliases_are_known() {
        let cases = [
            ("warning", Level::Warn),
            ("err", Level::Error),
            ("SEVERE", Level::Error),
            ("Critical", Level::Fatal),
            ("alert", Level::Fatal),
            ("emerg", Level::Fatal),
            ("panic", Level::Fatal),
            ("notice", Level::Info),
            (" info ", Level::Info),
            ("10", Level::Trace),
            ("20", Level::Debug),
            ("30", Level::Info),
            ("40", Level::Warn),
            ("50", Level::Error),
            ("60", Level::Fatal),
        ];
        for (text, level) in cases {
            assert_eq!(text.parse(), Ok(level), "{text}");
        }
    }

    #[test]
    fn other_words_and_numbers_are_no_level() {
        for text in ["", "loud", "35", "-10", "9", "INFO!", "trace debug"] {
            assert_eq!(text.parse::<Level>(), Err(LevelError), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_level_or_an_error(text in "\\PC{0,12}") {
            if let Ok(level) = text.parse::<Level>() {
                prop_assert_eq!(level.as_str().parse(), Ok(level));
            }
        }
    }
}

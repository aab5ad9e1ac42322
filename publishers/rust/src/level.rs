//! [`Level`]: how grave a record is.

use std::fmt;

/// How grave a record is. Ordered: [`Level::Trace`] is the least, and the first to be dropped where there is no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

    /// As JSON.
    pub(crate) const fn json(self) -> &'static str {
        match self {
            Self::Trace => "\"TRACE\"",
            Self::Debug => "\"DEBUG\"",
            Self::Info => "\"INFO\"",
            Self::Warn => "\"WARN\"",
            Self::Error => "\"ERROR\"",
            Self::Fatal => "\"FATAL\"",
        }
    }

    /// What the gateway will take this for: a name that some logger has for a level, or pino's number.
    pub(crate) fn of(text: &str) -> Self {
        let text = text.trim().to_ascii_lowercase();
        match text.as_str() {
            "trace" | "10" => Self::Trace,
            "debug" | "dbg" | "20" => Self::Debug,
            "warn" | "warning" | "40" => Self::Warn,
            "error" | "err" | "severe" | "50" => Self::Error,
            "fatal" | "critical" | "crit" | "alert" | "emerg" | "emergency" | "panic" | "60" => Self::Fatal,
            _ => Self::Info,
        }
    }

    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_has_the_names_that_loggers_have_for_it() {
        for level in Level::ALL {
            assert_eq!(Level::of(level.as_str()), level);
            assert_eq!(level.json(), format!("\"{level}\""));
        }
        assert_eq!(Level::of(" Warning "), Level::Warn);
        assert_eq!(Level::of("50"), Level::Error);
        assert_eq!(Level::of("loud"), Level::Info);
    }
}

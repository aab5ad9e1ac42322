//! [`ConnectionStatus`]: how the page stands with the gateway.

use std::fmt;

/// How the page stands with the gateway, as a person is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConnectionStatus {
    /// Nothing is open and nothing will be, until someone connects or subscribes.
    #[default]
    Disconnected,
    /// The first stream is on its way.
    Connecting,
    /// Records arrive as they are published.
    Connected,
    /// The stream was lost, or could not be opened; it will be tried again by itself.
    Reconnecting,
    /// The gateway said no. Trying again would not help; connecting anew or another channel may.
    Error,
}

impl ConnectionStatus {
    /// The status that these capitals name; an unknown one, from a newer hub on the page, is on its way to something.
    pub(crate) fn of(text: &str) -> Self {
        let all = [
            Self::Disconnected,
            Self::Connecting,
            Self::Connected,
            Self::Reconnecting,
            Self::Error,
        ];
        all.into_iter()
            .find(|status| status.as_str() == text)
            .unwrap_or(Self::Connecting)
    }

    /// The status in capitals.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disconnected => "DISCONNECTED",
            Self::Connecting => "CONNECTING",
            Self::Connected => "CONNECTED",
            Self::Reconnecting => "RECONNECTING",
            Self::Error => "ERROR",
        }
    }
}

impl fmt::Display for ConnectionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

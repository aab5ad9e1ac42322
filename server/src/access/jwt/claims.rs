//! [`Claims`]: what a token says about its bearer.

use logs_shared::ChannelPattern;
use serde::Deserialize;

use crate::access::{ReadScope, scope};

/// The longest name of a user, in bytes.
const LONGEST_SUB: usize = 256;

/// What a token says about its bearer.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    /// Who it is.
    pub(super) sub: String,
    /// Until when it holds, in seconds since 1970 (RFC 7519, section 2: a fraction is allowed).
    exp: f64,
    /// Since when there is it.
    iat: Option<f64>,
    /// In which workspaces the bearer may see everything.
    #[serde(default)]
    workspaces: OneOrMany,
    /// Which channels it may see besides, as patterns.
    #[serde(default)]
    channels: OneOrMany,
}

/// A list, or the only one of it.
#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "the claims workspaces and channels are each a text or a list of texts"
)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Default for OneOrMany {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl OneOrMany {
    fn as_slice(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// A date in milliseconds; what is before 1970 or beyond counting is the nearest that can be had.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from float saturates"
)]
fn millis(seconds: f64) -> u64 {
    (seconds * 1_000.0) as u64
}

impl Claims {
    pub(super) fn exp_ms(&self) -> u64 {
        millis(self.exp)
    }

    pub(super) fn issued_at_ms(&self) -> Option<u64> {
        self.iat.map(millis)
    }

    /// What the bearer may see.
    ///
    /// # Errors
    /// A sentence that names the claim: what cannot be read would silently grant nothing.
    pub(super) fn scope(&self) -> Result<ReadScope, String> {
        if self.sub.is_empty() || self.sub.len() > LONGEST_SUB || self.sub.chars().any(char::is_control) {
            return Err(format!(
                "its claim sub is no name of 1 to {LONGEST_SUB} bytes without control characters"
            ));
        }
        let workspaces = self.workspaces.as_slice().iter();
        let workspaces = workspaces.map(|name| {
            scope::workspace(name).map_err(|error| format!("its claim workspaces has {name:?}: {error}"))
        });
        let channels = self.channels.as_slice().iter();
        let channels = channels.map(|text| {
            text.parse::<ChannelPattern>()
                .map_err(|error| format!("its claim channels has {text:?}: {error}"))
        });
        let patterns: Vec<_> = workspaces.chain(channels).collect::<Result<_, _>>()?;
        Ok(ReadScope::new(patterns))
    }
}

//! [`ReadAccess`]: who may read, and how a reader is known.

use std::net::IpAddr;

use logs_shared::ChannelPattern;

use super::{HashedToken, JwtAccess, ProxyAccess, ReadScope};

/// Who may read, and how a reader is known.
#[derive(Clone, Debug)]
pub enum ReadAccess {
    /// Everybody may read everything.
    Open,
    /// Nobody: no way to read was opened.
    NotConfigured,
    /// Whom a proxy has logged in, with a token of the proxy.
    Proxy(ProxyAccess),
    /// Who shows a signed token.
    Jwt(JwtAccess),
}

/// Who reads, and what it may see.
#[derive(Clone, Debug)]
pub(crate) struct ReaderIdentity {
    /// The name it goes by.
    pub(crate) user_id: String,
    /// What its streams count for: the user, or the address where the reader has no name.
    pub(crate) owner: String,
    /// Whether it has a name of its own.
    pub(crate) is_named: bool,
    /// What it may see.
    pub(crate) scope: ReadScope,
    /// What it showed.
    pub(crate) credential: Credential,
    /// Where it is, as far as that tells one stranger from another.
    pub(crate) address: Option<IpAddr>,
}

/// What a reader showed to be let in.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Credential {
    pub(crate) token: Option<HashedToken>,
    /// In milliseconds since 1970, where it says so.
    pub(crate) issued_at_ms: Option<u64>,
    /// When it ends, in milliseconds since 1970.
    pub(crate) ends_at_ms: Option<u64>,
}

impl ReaderIdentity {
    /// A reader that has a name.
    pub(crate) fn named(user_id: String, scope: ReadScope, credential: Credential) -> Self {
        Self {
            owner: format!("user {user_id}"),
            user_id,
            is_named: true,
            scope,
            credential,
            address: None,
        }
    }

    /// Whether it may see something of each of these.
    ///
    /// # Errors
    /// The first of which it may see nothing.
    pub(crate) fn sees_all(&self, wanted: &[ChannelPattern]) -> Result<(), Forbidden> {
        match wanted.iter().find(|pattern| !self.scope.may_see(pattern)) {
            None => Ok(()),
            Some(channel) => Err(Forbidden {
                user_id: self.user_id.clone(),
                channel: channel.clone(),
            }),
        }
    }
}

/// A known reader that may see nothing of what it asks for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{user_id} may not read {channel}")]
pub(crate) struct Forbidden {
    user_id: String,
    channel: ChannelPattern,
}

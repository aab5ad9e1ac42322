//! Who may publish, read and administer.

use std::{fmt, str::FromStr};

use logs_shared::{Channel, api::DEMO_TOKENS};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A secret, kept as its hash: nothing that prints or dumps it can give it away.
#[derive(Clone)]
struct HashedToken([u8; 32]);

impl HashedToken {
    fn new(token: &str) -> Self {
        Self(hash(token.as_bytes()))
    }

    /// Takes as long whatever the tokens have in common.
    fn is(&self, token: &Self) -> bool {
        self.0.ct_eq(&token.0).into()
    }
}

impl fmt::Debug for HashedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(a token)")
    }
}

/// The SHA-256 of these bytes.
pub(crate) fn hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The tokens with which services publish, each with what it may publish to.
#[derive(Clone, Debug)]
pub struct ServiceTokens(Vec<(HashedToken, Grant)>);

/// What a publisher may publish to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    services: Names,
    workspaces: Names,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Names {
    All,
    These(Vec<String>),
}

impl Names {
    fn parse(text: &str) -> Result<Self, String> {
        let names: Vec<&str> = text.split(',').map(str::trim).collect();
        if names == ["*"] {
            return Ok(Self::All);
        }
        for name in &names {
            // A name that is no channel segment would silently grant nothing.
            Channel::new(name, name, None).map_err(|_| format!("{name:?} is no service or workspace"))?;
        }
        Ok(Self::These(names.into_iter().map(str::to_owned).collect()))
    }

    fn contain(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::These(names) => names.iter().any(|known| known == name),
        }
    }
}

impl Grant {
    /// May publish everywhere.
    #[must_use]
    pub const fn everything() -> Self {
        Self {
            services: Names::All,
            workspaces: Names::All,
        }
    }

    /// Whether it covers this channel.
    #[must_use]
    pub fn covers(&self, channel: &Channel) -> bool {
        self.services.contain(channel.service()) && self.workspaces.contain(channel.workspace_id())
    }
}

impl ServiceTokens {
    /// Nobody may publish.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// The tokens that everybody knows, for trying out.
    #[must_use]
    pub fn demo() -> Self {
        let grant = |service: &str| Grant {
            services: Names::These(vec![service.to_owned()]),
            workspaces: Names::All,
        };
        Self(
            DEMO_TOKENS
                .iter()
                .map(|(token, service)| (HashedToken::new(token), grant(service)))
                .collect(),
        )
    }

    /// Whether nobody may publish.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What this token may publish to.
    #[must_use]
    pub fn grant(&self, token: &str) -> Option<&Grant> {
        let token = HashedToken::new(token);
        // Looks at every one, so that the time does not tell which it was.
        self.0.iter().fold(
            None,
            |found, (known, grant)| if known.is(&token) { Some(grant) } else { found },
        )
    }

    /// Whether one of them is known to everybody.
    #[must_use]
    pub fn has_demo_token(&self) -> bool {
        DEMO_TOKENS.iter().any(|(token, _)| self.grant(token).is_some())
    }
}

impl FromStr for ServiceTokens {
    type Err = String;

    /// `token=service[,service…][@workspace[,…]]`, grants apart by semicolons or lines; a `#` at a line's start or after a space starts a comment.
    fn from_str(text: &str) -> Result<Self, String> {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        // A token may contain the sign, so within a line a comment starts after a space.
        let lines = lines.map(|line| line.split(" #").next().unwrap_or_default());
        let grants = lines
            .flat_map(|line| line.split(';'))
            .map(str::trim)
            .filter(|grant| !grant.is_empty());
        // A message counts the grants: it must not show one, the token is in it.
        let tokens = grants.enumerate().map(|(index, text)| {
            let number = index + 1;
            // From the right: a token may contain equals signs, names may not.
            let (token, names) = text
                .rsplit_once('=')
                .filter(|(token, _)| !token.is_empty())
                .ok_or_else(|| format!("grant {number} is not token=service[,service…][@workspace[,…]]"))?;
            let (services, workspaces) = names.split_once('@').unwrap_or((names, "*"));
            let named = |error| format!("grant {number}: {error}");
            let grant = Grant {
                services: Names::parse(services).map_err(named)?,
                workspaces: Names::parse(workspaces).map_err(named)?,
            };
            Ok((HashedToken::new(token.trim()), grant))
        });
        tokens.collect::<Result<_, String>>().map(Self)
    }
}

/// Who may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadAccess {
    /// Everybody may read everything.
    Open,
    /// Nobody: no way to read was opened.
    NotConfigured,
}

impl ReadAccess {
    /// What holds where nothing is said.
    #[must_use]
    pub const fn unset(production: bool) -> Self {
        if production {
            Self::NotConfigured
        } else {
            Self::Open
        }
    }
}

impl FromStr for ReadAccess {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "open" => Ok(Self::Open),
            other => Err(format!("{other:?} is not a way to read; known is open")),
        }
    }
}

/// Who may administer.
#[derive(Clone, Debug)]
pub struct AdminAccess(Admins);

#[derive(Clone, Debug)]
enum Admins {
    Everybody,
    Nobody,
    WithToken(HashedToken),
}

impl AdminAccess {
    /// By the token, where there is one; otherwise everybody in development and nobody in production.
    #[must_use]
    pub fn new(token: Option<&str>, production: bool) -> Self {
        Self(match token.map(str::trim).filter(|token| !token.is_empty()) {
            Some(token) => Admins::WithToken(HashedToken::new(token)),
            None if production => Admins::Nobody,
            None => Admins::Everybody,
        })
    }

    /// Whether anybody at all may.
    #[must_use]
    pub const fn is_configured(&self) -> bool {
        !matches!(self.0, Admins::Nobody)
    }

    /// Whether a token is needed.
    #[must_use]
    pub const fn needs_token(&self) -> bool {
        matches!(self.0, Admins::WithToken(_))
    }

    /// Whether a caller with this token may.
    #[must_use]
    pub fn allows(&self, token: Option<&str>) -> bool {
        match (&self.0, token) {
            (Admins::Everybody, _) => true,
            (Admins::WithToken(known), Some(token)) => known.is(&HashedToken::new(token)),
            (Admins::Nobody, _) | (Admins::WithToken(_), None) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(tokens: &ServiceTokens, token: &str, channel: &str) -> Option<bool> {
        tokens
            .grant(token)
            .map(|grant| grant.covers(&channel.parse().unwrap()))
    }

    #[test]
    fn a_token_is_bound_to_its_services_and_workspaces() {
        let tokens: ServiceTokens = "one=etl; two==faas,function@w1,w2\nall=* # everything\n"
            .parse()
            .unwrap();
        let cases = [
            ("one", "logs:etl:w9:x", Some(true)),
            ("one", "logs:faas:w9", Some(false)),
            ("two=", "logs:function:w2", Some(true)),
            ("two=", "logs:function:w3", Some(false)),
            ("all", "logs:any:where", Some(true)),
            ("two", "logs:faas:w1", None),
            ("", "logs:etl:w", None),
            ("# everything", "logs:etl:w", None),
        ];
        for (token, channel, covered) in cases {
            assert_eq!(covers(&tokens, token, channel), covered, "{token} {channel}");
        }
    }

    #[test]
    fn a_grant_that_cannot_be_read_is_told_by_its_number_and_not_shown() {
        for text in [
            "good=etl;s3cret",
            "good=etl;=etl",
            "good=etl;s3cret=e tl",
            "good=etl;s3cret=",
            "good=etl;s3cret=etl@",
        ] {
            let error = text.parse::<ServiceTokens>().unwrap_err();
            assert!(error.contains("grant 2") && !error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn nothing_that_prints_a_token_shows_it() {
        let tokens: ServiceTokens = "s3cret=etl".parse().unwrap();
        assert!(!format!("{tokens:?} {:?}", AdminAccess::new(Some("s3cret"), true)).contains("s3cret"));
    }

    #[test]
    fn admin_is_open_in_development_and_closed_in_production_unless_it_has_a_token() {
        assert!(AdminAccess::new(None, false).allows(None));
        assert!(!AdminAccess::new(None, true).allows(None));
        let with_token = AdminAccess::new(Some("t"), false);
        assert!(with_token.allows(Some("t")) && !with_token.allows(Some("u")) && !with_token.allows(None));
    }
}

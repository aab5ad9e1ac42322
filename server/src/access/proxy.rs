//! [`ProxyAccess`]: readers that a proxy has logged in, which says who they are.

use logs_shared::api::{USER_ID_HEADER, WORKSPACE_ID_HEADER};

use super::{HashedToken, ReadScope, scope};

/// Readers that a proxy has logged in. It proves itself with a token of its own; several may be known, so that it can be
/// changed.
#[derive(Clone, Debug)]
pub struct ProxyAccess(Vec<HashedToken>);

/// Who a proxy says that reads.
pub(crate) struct ProxyIdentity {
    pub(crate) user_id: String,
    pub(crate) scope: ReadScope,
}

/// Why what a proxy says is not enough.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum IdentityError {
    /// It says nothing.
    #[error("the proxy does not say who reads: it sends {USER_ID_HEADER} and {WORKSPACE_ID_HEADER}")]
    Missing,
    /// It says what cannot be.
    #[error("the proxy's {0}")]
    Invalid(String),
}

/// The longest name of a user, in bytes.
const LONGEST_USER_ID: usize = 256;

impl ProxyAccess {
    /// Knows these tokens, apart by commas.
    ///
    /// # Errors
    /// There is none.
    pub fn new(tokens: &str) -> Result<Self, String> {
        let tokens = tokens.split(',').map(str::trim).filter(|token| !token.is_empty());
        let known: Vec<_> = tokens.map(HashedToken::new).collect();
        if known.is_empty() {
            return Err("there is no token in it".to_owned());
        }
        Ok(Self(known))
    }

    /// Whether a proxy that shows this token is believed. Takes as long whatever it has in common with a known one.
    pub(crate) fn knows(&self, token: &str) -> bool {
        let token = HashedToken::new(token);
        self.0.iter().fold(false, |found, known| found | known.is(&token))
    }
}

impl ProxyIdentity {
    /// What the proxy's headers say: a user, and the workspaces it may see, apart by commas, `*` for all.
    pub(crate) fn read(user_id: Option<&str>, workspaces: Option<&str>) -> Result<Self, IdentityError> {
        let user_id = user_id.map(str::trim).filter(|user_id| !user_id.is_empty());
        let user_id = user_id.ok_or(IdentityError::Missing)?;
        if user_id.len() > LONGEST_USER_ID {
            return Err(IdentityError::Invalid(format!(
                "{USER_ID_HEADER} is longer than {LONGEST_USER_ID} bytes"
            )));
        }
        let names = workspaces.unwrap_or_default().split(',');
        let names = names.map(str::trim).filter(|name| !name.is_empty());
        let patterns: Vec<_> = names
            .map(|name| {
                scope::workspace(name).map_err(|error| {
                    IdentityError::Invalid(format!("{WORKSPACE_ID_HEADER} has {name:?}: {error}"))
                })
            })
            .collect::<Result<_, _>>()?;
        if patterns.is_empty() {
            return Err(IdentityError::Missing);
        }
        Ok(Self {
            user_id: user_id.to_owned(),
            scope: ReadScope::new(patterns),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_of_the_tokens_proves_the_proxy() {
        let access = ProxyAccess::new("new, old").unwrap();
        for (token, known) in [("new", true), ("old", true), ("new, old", false), ("", false)] {
            assert_eq!(access.knows(token), known, "{token}");
        }
        assert!(ProxyAccess::new(" , ").is_err());
        assert!(!format!("{access:?}").contains("old"));
    }

    #[test]
    fn workspaces_may_be_one_or_a_list_or_all() {
        let scope = |workspaces: Option<&str>| {
            let identity = ProxyIdentity::read(Some("u"), workspaces);
            identity.map(|identity| identity.scope)
        };
        let of = |names: &[&str]| ReadScope::new(names.iter().map(|name| scope::workspace(name).unwrap()));
        assert_eq!(scope(Some("w1")), Ok(of(&["w1"])));
        assert_eq!(scope(Some("w1, w2")), Ok(of(&["w1", "w2"])));
        assert_eq!(scope(Some("w1,*")), Ok(ReadScope::Everything));
        for nothing in [None, Some(" , ")] {
            assert_eq!(scope(nothing), Err(IdentityError::Missing));
        }
        assert!(matches!(scope(Some("w:1")), Err(IdentityError::Invalid(_))));
        for nobody in [None, Some(" ")] {
            assert!(ProxyIdentity::read(nobody, Some("w1")).is_err());
        }
    }
}

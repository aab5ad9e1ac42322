//! [`AdminAccess`]: who may administer.

use super::HashedToken;

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

    #[test]
    fn admin_is_open_in_development_and_closed_in_production_unless_it_has_a_token() {
        assert!(AdminAccess::new(None, false).allows(None));
        assert!(!AdminAccess::new(None, true).allows(None));
        let with_token = AdminAccess::new(Some("t"), false);
        assert!(with_token.allows(Some("t")) && !with_token.allows(Some("u")) && !with_token.allows(None));
        assert!(!format!("{with_token:?}").contains("\"t\""));
    }
}

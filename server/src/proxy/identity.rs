//! [`IdentitySource`]: who is behind a request.

use std::fmt;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};

use super::refusal::Refusal;

/// The user of requests in development that name none.
const SOMEBODY: &str = "user123";
/// The workspace of requests in development that name none.
pub(super) const SOME_WORKSPACE: &str = "workspace123";

/// Where it is known from who is behind a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentitySource {
    /// A sign-on in front of the proxy says it in headers. Whoever else reaches the proxy can say anything.
    Header(IdentityHeaders),
    /// It is always the same.
    Fixed(Identity),
    /// A URL answers it, given the request's cookie.
    Hook {
        /// Whom to ask.
        url: Uri,
        /// The headers of its answer.
        headers: IdentityHeaders,
    },
}

/// The headers that say who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityHeaders {
    /// Names the user.
    pub user: HeaderName,
    /// Names the workspaces the user may read: one, a comma list, or `*`.
    pub workspaces: HeaderName,
}

/// Who is behind a request, as the gateway is told. Whether the names are any is for the gateway to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user's name.
    pub user: HeaderValue,
    /// The workspaces the user may read.
    pub workspaces: HeaderValue,
}

impl IdentityHeaders {
    /// Who these headers say it is. Who is not named is made up in development, and refused in production.
    ///
    /// A header that is there twice is always refused: one of them is likely to be from who wants to be somebody else, put
    /// before what the sign-on has added.
    pub(super) fn identity(&self, headers: &HeaderMap, production: bool) -> Result<Identity, Refusal> {
        Ok(Identity {
            user: named(headers, &self.user, SOMEBODY, production)?,
            workspaces: named(headers, &self.workspaces, SOME_WORKSPACE, production)?,
        })
    }
}

impl Identity {
    /// The workspace, where it is one.
    pub(super) fn workspace(&self) -> Option<&str> {
        let text = self.workspaces.to_str().ok()?.trim();
        (text != "*" && !text.contains(',')).then_some(text)
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        write!(f, "{} of {}", text(&self.user), text(&self.workspaces))
    }
}

fn named(
    headers: &HeaderMap,
    name: &HeaderName,
    made_up: &'static str,
    production: bool,
) -> Result<HeaderValue, Refusal> {
    let mut values = headers.get_all(name).iter();
    let value = values
        .next()
        .filter(|value| !value.as_bytes().trim_ascii().is_empty());
    match (value, values.next()) {
        (_, Some(_)) => Err(Refusal::AmbiguousIdentity(name.clone())),
        (Some(value), None) => Ok(value.clone()),
        (None, None) if production => Err(Refusal::MissingIdentity(name.clone())),
        (None, None) => Ok(HeaderValue::from_static(made_up)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(headers: &[(&str, &str)], production: bool) -> Result<(String, String), Refusal> {
        let names = IdentityHeaders {
            user: HeaderName::from_static("x-user-id"),
            workspaces: HeaderName::from_static("x-workspace-id"),
        };
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                value.parse().unwrap(),
            );
        }
        let identity = names.identity(&map, production)?;
        let text = |value: HeaderValue| value.to_str().unwrap().to_owned();
        Ok((text(identity.user), text(identity.workspaces)))
    }

    #[test]
    fn who_is_not_named_is_made_up_in_development_only() {
        let made_up = (SOMEBODY.to_owned(), SOME_WORKSPACE.to_owned());
        assert_eq!(identity(&[], false).unwrap(), made_up);
        assert_eq!(identity(&[("x-user-id", " ")], false).unwrap(), made_up);
        for headers in [
            &[][..],
            &[("x-user-id", "alice")],
            &[("x-workspace-id", "w"), ("x-user-id", "")],
        ] {
            assert!(matches!(
                identity(headers, true),
                Err(Refusal::MissingIdentity(_))
            ));
        }
        let named = identity(&[("x-user-id", "alice"), ("x-workspace-id", "a,b")], true).unwrap();
        assert_eq!(named, ("alice".to_owned(), "a,b".to_owned()));
    }

    #[test]
    fn a_header_that_is_there_twice_names_nobody() {
        for production in [true, false] {
            let headers = [
                ("x-user-id", "mallory"),
                ("x-user-id", "alice"),
                ("x-workspace-id", "w"),
            ];
            let refused = identity(&headers, production);
            assert!(matches!(refused, Err(Refusal::AmbiguousIdentity(_))));
        }
    }

    #[test]
    fn one_workspace_is_told_from_a_list() {
        let of = |workspaces: &'static str| {
            let identity = Identity {
                user: HeaderValue::from_static("u"),
                workspaces: HeaderValue::from_static(workspaces),
            };
            identity.workspace().map(str::to_owned)
        };
        assert_eq!(of("w1"), Some("w1".to_owned()));
        assert_eq!(of("w1,w2"), None);
        assert_eq!(of("*"), None);
    }
}

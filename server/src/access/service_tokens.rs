//! [`ServiceTokens`]: who may publish, and where.

use std::{
    collections::HashMap,
    fs,
    path::PathBuf,
    str::FromStr,
    sync::{Arc, PoisonError, RwLock},
};

use logs_shared::{Channel, api::DEMO_TOKENS};

use super::HashedToken;

/// The tokens with which services publish, each with what it may publish to. Several may be for the same, so that they
/// can be changed one after the other. Clones share them, also after they were read anew.
#[derive(Clone, Debug)]
pub struct ServiceTokens {
    /// Where they are read from again.
    file: Option<PathBuf>,
    /// Whether those that everybody knows are refused.
    production: bool,
    current: Arc<RwLock<Arc<TokenList>>>,
}

/// Tokens with their grants, as they are written down.
#[derive(Clone, Debug, Default)]
struct TokenList(Vec<(HashedToken, Arc<Grant>)>);

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
            // It is not told: who writes `service=token` has a secret there.
            Channel::new(name, name, None).map_err(|_| {
                "after the token is a name that is no service or workspace: each has A–Z a–z 0–9 . _ - only".to_owned()
            })?;
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
    pub fn none() -> Self {
        Self::of(TokenList::default(), None, false)
    }

    /// The tokens that everybody knows, for trying out.
    #[must_use]
    pub fn demo() -> Self {
        Self::of(TokenList::demo(), None, false)
    }

    /// The tokens that this text grants: `token=service[,service…][@workspace[,…]]`, apart by semicolons or lines.
    ///
    /// # Errors
    /// A grant cannot be read, or in production is one that everybody knows. No token is in the message.
    pub fn from_text(text: &str, production: bool) -> Result<Self, String> {
        Ok(Self::of(TokenList::parse(text, production)?, None, production))
    }

    /// The tokens of a file, which may be read again.
    ///
    /// # Errors
    /// It cannot be read, or as [`Self::from_text`].
    pub fn from_file(path: PathBuf, production: bool) -> Result<Self, String> {
        let list = TokenList::read(&path, production)?;
        Ok(Self::of(list, Some(path), production))
    }

    fn of(list: TokenList, file: Option<PathBuf>, production: bool) -> Self {
        let current = Arc::new(RwLock::new(Arc::new(list)));
        Self {
            file,
            production,
            current,
        }
    }

    fn current(&self) -> Arc<TokenList> {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Reads the file again, where they are from one. Whoever was granted something is asked again with its next request.
    /// Returns how many tokens there are now.
    ///
    /// # Errors
    /// The file is none that could be started with; what held before goes on to hold.
    pub fn reload(&self) -> Option<Result<usize, String>> {
        let path = self.file.as_ref()?;
        let list = TokenList::read(path, self.production);
        Some(list.map(|list| {
            let count = list.0.len();
            *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(list);
            count
        }))
    }

    /// Whether they are read from a file.
    #[must_use]
    pub fn is_from_file(&self) -> bool {
        self.file.is_some()
    }

    /// Whether nobody may publish.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.current().0.is_empty()
    }

    /// What this token may publish to.
    #[must_use]
    pub fn grant(&self, token: &str) -> Option<Grant> {
        self.grant_of(&HashedToken::new(token))
            .map(|grant| (*grant).clone())
    }

    /// As [`Self::grant`], of a token that is hashed already.
    pub(crate) fn grant_of(&self, token: &HashedToken) -> Option<Arc<Grant>> {
        self.current().grant(token).cloned()
    }

    /// Whether one of them is known to everybody.
    #[must_use]
    pub fn has_demo_token(&self) -> bool {
        self.current().has_demo_token()
    }
}

impl TokenList {
    fn demo() -> Self {
        let grant = |service: &str| {
            Arc::new(Grant {
                services: Names::These(vec![service.to_owned()]),
                workspaces: Names::All,
            })
        };
        let tokens = DEMO_TOKENS.iter();
        Self(
            tokens
                .map(|(token, service)| (HashedToken::new(token), grant(service)))
                .collect(),
        )
    }

    fn read(path: &PathBuf, production: bool) -> Result<Self, String> {
        let text =
            fs::read_to_string(path).map_err(|error| format!("{}: {error}", crate::named::Named(path)))?;
        Self::parse(&text, production)
    }

    fn parse(text: &str, production: bool) -> Result<Self, String> {
        let list: Self = text.parse()?;
        if production && list.has_demo_token() {
            return Err(
                "it holds a demo token, which everybody knows; make your own for production".to_owned(),
            );
        }
        Ok(list)
    }

    fn grant(&self, token: &HashedToken) -> Option<&Arc<Grant>> {
        // Looks at every one, so that the time does not tell which it was.
        self.0.iter().fold(
            None,
            |found, (known, grant)| if known.is(token) { Some(grant) } else { found },
        )
    }

    fn has_demo_token(&self) -> bool {
        DEMO_TOKENS
            .iter()
            .any(|(token, _)| self.grant(&HashedToken::new(token)).is_some())
    }
}

impl FromStr for TokenList {
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
            Ok((HashedToken::new(token.trim()), Arc::new(grant)))
        });
        let tokens: Vec<_> = tokens.collect::<Result<_, String>>()?;
        let mut numbers = HashMap::new();
        for (number, (token, _)) in (1..).zip(&tokens) {
            if let Some(first) = numbers.insert(token, number) {
                return Err(format!(
                    "grants {first} and {number} are of the same token; use two tokens, or one grant for all it may"
                ));
            }
        }
        Ok(Self(tokens))
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
        let text = "one=etl; two==faas,function@w1,w2\nall=* # everything\n";
        let tokens = ServiceTokens::from_text(text, true).unwrap();
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
            "good=etl;etl=s3cret+/",
            "good=etl;s3cret=etl@s3cret+/",
            "good=etl;s3cret=",
            "good=etl;s3cret=etl@",
        ] {
            let error = ServiceTokens::from_text(text, false).unwrap_err();
            assert!(error.contains("grant 2") && !error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn a_token_that_is_granted_twice_is_a_mistake() {
        let error = ServiceTokens::from_text("s3cret=etl@w1;other=etl;s3cret=faas", false).unwrap_err();
        assert!(
            error.contains("grants 1 and 3") && !error.contains("s3cret"),
            "{error}"
        );
    }

    #[test]
    fn nothing_that_prints_a_token_shows_it() {
        let tokens = ServiceTokens::from_text("s3cret=etl", true).unwrap();
        assert!(!format!("{tokens:?}").contains("s3cret"));
    }

    #[test]
    fn a_file_that_is_read_again_changes_who_may_publish_and_a_broken_one_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tokens");
        fs::write(&path, "old=etl\n").unwrap();
        let tokens = ServiceTokens::from_file(path.clone(), true).unwrap();
        let shared = tokens.clone();
        fs::write(&path, "old=etl\nnew=etl\n").unwrap();
        assert_eq!(tokens.reload(), Some(Ok(2)));
        assert!(shared.grant("old").is_some() && shared.grant("new").is_some());
        fs::write(&path, "new=etl\n").unwrap();
        tokens.reload();
        assert!(shared.grant("old").is_none() && shared.grant("new").is_some());
        for broken in ["new", "l5-etl-token=etl"] {
            fs::write(&path, broken).unwrap();
            assert!(tokens.reload().unwrap().is_err());
            assert!(shared.grant("new").is_some(), "{broken}");
        }
        fs::remove_file(&path).unwrap();
        assert!(tokens.reload().unwrap().is_err());
        assert!(ServiceTokens::demo().reload().is_none());
    }
}

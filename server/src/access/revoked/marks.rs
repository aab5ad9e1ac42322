//! [`Marks`]: who may no more, as gateways tell each other.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{Lists, Revocation, RevokedUser};
use crate::{access::HashedToken, engine::now_ms};

/// When something was revoked, and until when it is; where it was lifted, that is over. Of two marks the later counts, in
/// whatever order they are heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// When it was said. In milliseconds since 1970.
    pub(crate) at_ms: u64,
    pub(crate) until_ms: u64,
}

/// Marks by what they mark: `user:` and a name, or `token:` and a hash.
#[derive(Default)]
pub(super) struct Marks(HashMap<String, Mark>);

const USER: &str = "user:";
const TOKEN: &str = "token:";
/// How long a mark that is over is kept, so that a gateway that was cut off so long learns that it was lifted.
const KEPT_MS: u64 = 7 * 24 * 3600 * 1_000;

impl Mark {
    /// Of what cannot be read: whoever it is stays out until somebody lifts it.
    pub(crate) const FOR_GOOD: Self = Self {
        at_ms: 0,
        until_ms: u64::MAX,
    };

    /// Whether nobody needs it any more.
    pub(crate) fn is_over(&self) -> bool {
        let now = now_ms();
        self.until_ms <= now && self.at_ms.saturating_add(KEPT_MS) <= now
    }
}

impl Revocation {
    /// The marks that it makes.
    pub(crate) fn marks(&self, until_ms: u64) -> Vec<(String, Mark)> {
        let at_ms = now_ms();
        let mark = Mark { at_ms, until_ms };
        match self {
            Self::User(name) => vec![(format!("{USER}{name}"), mark)],
            Self::Token(tokens) => tokens
                .iter()
                .map(|token| (format!("{TOKEN}{}", token.hex()), mark))
                .collect(),
        }
    }
}

impl Marks {
    pub(super) fn all(&self) -> Vec<(String, Mark)> {
        let all = self.0.iter();
        all.map(|(what, mark)| (what.clone(), *mark)).collect()
    }

    pub(super) fn note(&mut self, marks: Vec<(String, Mark)>) {
        for (what, mark) in marks {
            let known = self.0.entry(what).or_insert(mark);
            if mark.at_ms > known.at_ms {
                *known = mark;
            }
        }
        self.0.retain(|_, mark| !mark.is_over());
    }

    pub(super) fn lists(&self) -> Lists {
        let mut lists = Lists::default();
        for (what, mark) in &self.0 {
            if let Some(name) = what.strip_prefix(USER) {
                let user = RevokedUser {
                    // What is not known to be from after it is from before.
                    issued_to_ms: if *mark == Mark::FOR_GOOD {
                        u64::MAX
                    } else {
                        mark.at_ms
                    },
                    until_ms: mark.until_ms,
                };
                lists.users.insert(name.to_owned(), user);
            } else if let Some(token) = what.strip_prefix(TOKEN).and_then(HashedToken::from_hex) {
                lists.tokens.insert(token, mark.until_ms);
            }
        }
        lists
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Credential, Revoked};

    fn is_out(revoked: &Revoked, user: &str) -> bool {
        revoked.shuts_out(Some(user), &Credential::default())
    }

    fn mark(at_ms: u64, until_ms: u64) -> Vec<(String, Mark)> {
        vec![("user:ann".to_owned(), Mark { at_ms, until_ms })]
    }

    #[test]
    fn of_what_was_revoked_and_lifted_the_later_counts_in_whatever_order() {
        let now = now_ms();
        for (first, second, out) in [
            (mark(now, now + 60_000), mark(now + 1, 0), false),
            (mark(now + 1, 0), mark(now, now + 60_000), false),
            (mark(now, 0), mark(now + 1, now + 60_000), true),
            (mark(now + 1, now + 60_000), mark(now, 0), true),
        ] {
            let revoked = Revoked::of_all();
            revoked.note(first.clone());
            revoked.note(second.clone());
            assert_eq!(is_out(&revoked, "ann"), out, "{first:?} {second:?}");
            assert_eq!(revoked.marks().len(), 1, "it is told to who comes back");
        }
        let revoked = Revoked::of_all();
        revoked.note(mark(1, 0));
        assert!(revoked.marks().is_empty(), "from long ago");
    }

    #[test]
    fn a_token_is_marked_by_its_hash() {
        let revoked = Revoked::of_all();
        let marks = Revocation::token("s3cret").marks(u64::MAX);
        assert!(marks.iter().all(|(what, _)| !what.contains("s3cret")));
        revoked.note(marks);
        assert!(revoked.has_token(&HashedToken::new("s3cret")));
        assert!(revoked.has_token(&HashedToken::of_signed("s3cret.x")));
        assert!(!revoked.has_token(&HashedToken::new("other")));
    }
}

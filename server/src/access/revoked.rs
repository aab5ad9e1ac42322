//! [`Revoked`]: who may no more, whatever it holds.

mod marks;

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicBool, Ordering},
    },
};

use serde::{Deserialize, Serialize};

pub(crate) use self::marks::Mark;
use self::marks::Marks;
use super::{Credential, HashedToken, ReaderIdentity, jwt::LEEWAY_S};
use crate::engine::now_ms;

/// Who may no more, whatever it holds: users, and single tokens by their hash. Kept over a restart where records are.
pub(crate) struct Revoked {
    /// Where it is kept.
    file: Option<PathBuf>,
    /// Looked at with every request, so it is never held while the disk is waited for.
    lists: RwLock<Lists>,
    /// Held from a change to the end of its way to the disk, so that the file is never older than a change before.
    keeping: Mutex<()>,
    /// What gateways have told each other, where there are others.
    marks: Mutex<Marks>,
    /// Whether it is known who may no more.
    is_known: AtomicBool,
}

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoMore {
    /// What it holds was revoked.
    #[error("what you hold was revoked by an operator of this gateway")]
    Revoked,
    /// Who was revoked has not been read yet.
    #[error("the gateway has just started, and who may no more has not been read from Redis yet")]
    Unknown,
}

/// What is revoked, each until some time in milliseconds since 1970.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Lists {
    #[serde(default)]
    users: HashMap<String, RevokedUser>,
    #[serde(default)]
    tokens: HashMap<HashedToken, u64>,
}

/// A user whose credentials from before some time count no more.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct RevokedUser {
    /// What was issued later counts. In milliseconds since 1970.
    issued_to_ms: u64,
    until_ms: u64,
}

/// What is to be revoked.
pub(crate) enum Revocation {
    /// Everything that a user holds now.
    User(String),
    /// A token, a reader's or a publisher's: as a whole, and what of it is signed.
    Token([HashedToken; 2]),
}

impl Revocation {
    /// The revocation of this token.
    pub(crate) fn token(token: &str) -> Self {
        Self::Token([HashedToken::new(token), HashedToken::of_signed(token)])
    }

    /// Whether it concerns a reader with this name and credential, which was let in before.
    pub(crate) fn concerns(&self, user: Option<&str>, credential: &Credential) -> bool {
        match self {
            Self::User(name) => user == Some(name),
            Self::Token(tokens) => {
                let shown = credential.token.as_ref();
                shown.is_some_and(|shown| tokens.iter().any(|token| token.is(shown)))
            }
        }
    }
}

const FILE: &str = "revoked.json";

impl Revoked {
    /// What is revoked, as this folder remembers it; without a folder, nothing yet.
    ///
    /// # Errors
    /// The folder's file is there and cannot be read: who was shut out would be let in.
    pub(crate) fn open(dir: Option<&Path>) -> io::Result<Self> {
        let file = dir.map(|dir| dir.join(FILE));
        let lists = match file.as_deref().map(fs::read) {
            None => Lists::default(),
            Some(Err(error)) if error.kind() == io::ErrorKind::NotFound => Lists::default(),
            Some(Err(error)) => return Err(named(file.as_deref(), &error)),
            Some(Ok(bytes)) => {
                serde_json::from_slice(&bytes).map_err(|error| named(file.as_deref(), &error))?
            }
        };
        Ok(Self {
            file,
            lists: RwLock::new(lists),
            keeping: Mutex::default(),
            marks: Mutex::default(),
            is_known: AtomicBool::new(true),
        })
    }

    /// For a gateway among others: who may no more is known when what they know was first taken over.
    pub(crate) fn of_all() -> Self {
        Self {
            file: None,
            lists: RwLock::default(),
            keeping: Mutex::default(),
            marks: Mutex::default(),
            is_known: AtomicBool::new(false),
        }
    }

    /// What this gateway and the others have told each other, each with its mark.
    pub(crate) fn marks(&self) -> Vec<(String, Mark)> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner).all()
    }

    /// Notes what was revoked or lifted, on this gateway or another; of each the newest counts.
    pub(crate) fn note(&self, marks: Vec<(String, Mark)>) {
        let mut known = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        known.note(marks);
        // Before others can note more.
        *self.lists.write().unwrap_or_else(PoisonError::into_inner) = known.lists();
    }

    /// Notes that what the others know has been taken over.
    pub(crate) fn is_known_now(&self) {
        self.is_known.store(true, Ordering::Release);
    }

    /// Whether it is known who may no more.
    pub(crate) fn is_known(&self) -> bool {
        self.is_known.load(Ordering::Acquire)
    }

    /// Whether this reader may still read.
    ///
    /// # Errors
    /// It may no more, or that is not known.
    pub(crate) fn admits(&self, reader: &ReaderIdentity) -> Result<(), NoMore> {
        self.admits_where(|| self.has(reader))
    }

    /// Whether this token still counts.
    ///
    /// # Errors
    /// It counts no more, or that is not known.
    pub(crate) fn admits_token(&self, token: &HashedToken) -> Result<(), NoMore> {
        self.admits_where(|| self.has_token(token))
    }

    fn admits_where(&self, has: impl FnOnce() -> bool) -> Result<(), NoMore> {
        if !self.is_known() {
            return Err(NoMore::Unknown);
        }
        if has() { Err(NoMore::Revoked) } else { Ok(()) }
    }

    /// Revokes until a time in milliseconds since 1970; a time that is over lifts what was revoked. Holds at once, and blocks
    /// until it is kept.
    ///
    /// # Errors
    /// It holds, and a restart would forget it: a full disk does not let in who is to be shut out.
    pub(crate) fn revoke(&self, what: &Revocation, until_ms: u64) -> io::Result<()> {
        let now = now_ms();
        let _keeping = self.keeping.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = self.lists().clone();
        match what {
            Revocation::User(name) => {
                let user = RevokedUser {
                    issued_to_ms: now,
                    until_ms,
                };
                next.users.insert(name.clone(), user);
            }
            Revocation::Token(tokens) => next.tokens.extend(tokens.map(|token| (token, until_ms))),
        }
        next.users.retain(|_, user| user.until_ms > now);
        next.tokens.retain(|_, until_ms| *until_ms > now);
        let text = serde_json::to_vec(&next)?;
        *self.lists.write().unwrap_or_else(PoisonError::into_inner) = next;
        match &self.file {
            Some(file) => write(file, &text),
            None => Ok(()),
        }
    }

    /// Whether this token may no more.
    pub(crate) fn has_token(&self, token: &HashedToken) -> bool {
        let lists = self.lists();
        lists
            .tokens
            .get(token)
            .is_some_and(|until_ms| *until_ms > now_ms())
    }

    /// Whether this reader may no more.
    pub(crate) fn has(&self, reader: &ReaderIdentity) -> bool {
        let user = reader.is_named.then_some(reader.user_id.as_str());
        self.shuts_out(user, &reader.credential)
    }

    /// Whether somebody with this name and credential may no more.
    pub(crate) fn shuts_out(&self, user: Option<&str>, credential: &Credential) -> bool {
        if credential
            .token
            .as_ref()
            .is_some_and(|token| self.has_token(token))
        {
            return true;
        }
        let lists = self.lists();
        let user = user.and_then(|user| lists.users.get(user));
        let now = now_ms();
        user.is_some_and(|user| {
            // What does not say when it was issued may be from before; so may what says a time that has not come.
            let is_from_before = credential
                .issued_at_ms
                .is_none_or(|at| at <= user.issued_to_ms || at > now + LEEWAY_S * 1_000);
            is_from_before && user.until_ms > now
        })
    }

    fn lists(&self) -> RwLockReadGuard<'_, Lists> {
        self.lists.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn named(file: Option<&Path>, error: &dyn std::error::Error) -> io::Error {
    let path = file.unwrap_or(Path::new(FILE)).display();
    io::Error::other(format!("{path}: {error}"))
}

/// Replaces a file as a whole, so that a crash leaves the old or the new one.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let next = path.with_extension("new");
    let mut file = File::create(&next)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&next, path)?;
    // The name is in the folder, which is to outlive the power as the file does.
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::ReadScope;

    fn reader(user: &str, token: &str, issued_at_ms: Option<u64>) -> ReaderIdentity {
        let credential = Credential {
            token: Some(HashedToken::new(token)),
            issued_at_ms,
            ends_at_ms: None,
        };
        ReaderIdentity::named(user.to_owned(), ReadScope::Everything, credential)
    }

    fn in_an_hour() -> u64 {
        now_ms() + 3_600_000
    }

    #[test]
    fn what_a_user_held_before_counts_no_more_and_what_it_gets_later_does() {
        let revoked = Revoked::open(None).unwrap();
        let before = now_ms();
        revoked
            .revoke(&Revocation::User("ann".to_owned()), in_an_hour())
            .unwrap();
        assert!(revoked.has(&reader("ann", "t", Some(before))));
        assert!(revoked.has(&reader("ann", "t", None)));
        assert!(!revoked.has(&reader("ann", "t", Some(now_ms() + 1_000))));
        assert!(!revoked.has(&reader("bob", "t", Some(before))));
        revoked.revoke(&Revocation::User("ann".to_owned()), 0).unwrap();
        assert!(!revoked.has(&reader("ann", "t", None)), "lifted");
    }

    #[test]
    fn a_token_counts_no_more_whoever_shows_it() {
        let revoked = Revoked::open(None).unwrap();
        revoked.revoke(&Revocation::token("t"), in_an_hour()).unwrap();
        assert!(revoked.has(&reader("ann", "t", Some(u64::MAX))));
        assert!(revoked.has_token(&HashedToken::new("t")));
        assert!(!revoked.has(&reader("ann", "u", None)));
    }

    #[test]
    fn what_cannot_be_kept_holds_until_the_restart() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("data");
        fs::create_dir(&folder).unwrap();
        let revoked = Revoked::open(Some(&folder)).unwrap();
        fs::remove_dir(&folder).unwrap();
        assert!(revoked.revoke(&Revocation::token("t"), in_an_hour()).is_err());
        assert!(revoked.has_token(&HashedToken::new("t")));
        fs::create_dir(&folder).unwrap();
        revoked.revoke(&Revocation::token("u"), in_an_hour()).unwrap();
        let again = Revoked::open(Some(&folder)).unwrap();
        assert!(again.has_token(&HashedToken::new("t")), "kept with the next");
    }

    /// The signature of a token can be written in another way that holds as well.
    #[test]
    fn a_signed_token_counts_no_more_with_whatever_signature() {
        let revoked = Revoked::open(None).unwrap();
        revoked
            .revoke(&Revocation::token("head.claims.signature"), in_an_hour())
            .unwrap();
        assert!(revoked.has_token(&HashedToken::of_signed("head.claims.other")));
        assert!(!revoked.has_token(&HashedToken::of_signed("head.others.signature")));
    }

    #[test]
    fn it_is_remembered_without_a_token_in_the_file_and_forgotten_in_time() {
        let dir = tempfile::tempdir().unwrap();
        let open = || Revoked::open(Some(dir.path())).unwrap();
        let revoked = open();
        revoked
            .revoke(&Revocation::User("ann".to_owned()), in_an_hour())
            .unwrap();
        revoked
            .revoke(&Revocation::token("s3cret"), in_an_hour())
            .unwrap();
        let again = open();
        assert!(again.has(&reader("ann", "x", None)) && again.has(&reader("bob", "s3cret", None)));
        let text = fs::read_to_string(dir.path().join(FILE)).unwrap();
        assert!(!text.contains("s3cret"), "{text}");
        again.revoke(&Revocation::User("ann".to_owned()), 0).unwrap();
        again.revoke(&Revocation::token("s3cret"), now_ms()).unwrap();
        assert_eq!(
            fs::read_to_string(dir.path().join(FILE)).unwrap(),
            r#"{"users":{},"tokens":{}}"#
        );
        fs::write(dir.path().join(FILE), "{").unwrap();
        let error = Revoked::open(Some(dir.path())).err().unwrap().to_string();
        assert!(error.contains(FILE), "{error}");
    }
}

//! [`JwtAccess`]: readers that show a token signed by whoever logs them in (RFC 7519).

mod claims;
mod keys;

use std::{
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};

use jsonwebtoken::{Validation, decode, decode_header, errors::ErrorKind};

use self::{
    claims::Claims,
    keys::{Key, Keys, SECRET_BYTES},
};
use super::{Credential, HashedToken, ReadScope};
use crate::engine::now_ms;

/// How far the clock of whoever signs may be from this one, in seconds.
pub(super) const LEEWAY_S: u64 = 30;
/// A longer token is none that a header could carry.
const LONGEST_TOKEN: usize = 16 * 1024;

/// Readers that show a JWT. The algorithm is the key's, whatever a token says about itself. Clones share the keys, also
/// after they were read anew.
#[derive(Clone, Debug)]
pub struct JwtAccess(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    settings: JwtSettings,
    keys: RwLock<Arc<Keys>>,
    /// Whether the secret is shorter than the hash that it makes (RFC 7518, section 3.2).
    has_short_secret: bool,
}

/// What is known of the tokens before one is seen.
#[derive(Clone, Debug, Default)]
pub struct JwtSettings {
    /// Where the keys are read from again; `None` where there is a secret.
    pub key_file: Option<PathBuf>,
    /// The cookie that may hold a token.
    pub cookie: Option<String>,
    /// For whom a token must be made, any of these; with none, that is not asked.
    pub audiences: Vec<String>,
    /// Who must have made it, any of these; with none, that is not asked.
    pub issuers: Vec<String>,
}

/// What a token that holds says.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) user_id: String,
    pub(crate) scope: ReadScope,
    pub(crate) credential: Credential,
}

/// Why a token does not hold. Nothing of it is in the message but its claims.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JwtError {
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its signature is none of a key that is known, or it is no token at all.
    #[error("the token is not one that this gateway knows")]
    Unknown,
    /// It is signed, and not good for this.
    #[error("the token is not valid here: {0}")]
    Invalid(String),
}

impl JwtAccess {
    /// Tokens signed with this secret (HS256).
    #[must_use]
    pub fn with_secret(secret: &str, settings: JwtSettings) -> Self {
        Self::of(Keys::of_secret(secret), settings, secret.len() < SECRET_BYTES)
    }

    /// Tokens signed by an owner of the keys in `settings.key_file`: PEM, or a set of JSON Web Keys (RFC 7517).
    ///
    /// # Errors
    /// The file cannot be read or has no key that can be used.
    pub fn with_key_file(path: PathBuf, settings: JwtSettings) -> Result<Self, String> {
        let keys = Keys::read(&path)?;
        let settings = JwtSettings {
            key_file: Some(path),
            ..settings
        };
        Ok(Self::of(keys, settings, false))
    }

    fn of(keys: Keys, settings: JwtSettings, has_short_secret: bool) -> Self {
        let keys = RwLock::new(Arc::new(keys));
        Self(Arc::new(Shared {
            settings,
            keys,
            has_short_secret,
        }))
    }

    /// Whether the secret is short enough to be found by trying.
    #[must_use]
    pub fn has_short_secret(&self) -> bool {
        self.0.has_short_secret
    }

    /// What was set.
    #[must_use]
    pub fn settings(&self) -> &JwtSettings {
        &self.0.settings
    }

    /// The algorithms of the keys, for people.
    #[must_use]
    pub fn algorithms(&self) -> String {
        self.keys().algorithms()
    }

    /// Reads the key file again, where there is one. Returns how many keys there are now.
    ///
    /// # Errors
    /// It is none that could be started with; the keys from before stay.
    pub fn reload(&self) -> Option<Result<usize, String>> {
        let path = self.0.settings.key_file.as_ref()?;
        Some(Keys::read(path).map(|keys| {
            let count = keys.len();
            *self.0.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
            count
        }))
    }

    fn keys(&self) -> Arc<Keys> {
        self.0.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What a token says, where it holds now.
    pub(crate) fn verify(&self, token: &str) -> Result<Verified, JwtError> {
        if token.len() > LONGEST_TOKEN {
            return Err(JwtError::Unknown);
        }
        let header = decode_header(token).map_err(|_| JwtError::Unknown)?;
        // RFC 7515, section 4.1.11: what must be understood and is not makes it invalid.
        if header.crit.is_some() {
            return Err(JwtError::Invalid(
                "its header has crit, which is not known here".to_owned(),
            ));
        }
        let keys = self.keys();
        let mut error = JwtError::Unknown;
        for key in keys.candidates(header.kid.as_deref(), header.alg) {
            match decode::<Claims>(token, &key.decoding, &self.validation(key)) {
                Ok(data) => return verified(token, data.claims),
                Err(other) => match why(other.kind()) {
                    JwtError::Unknown => {}
                    // The signature is right, so no other key will do better.
                    known => error = known,
                },
            }
        }
        Err(error)
    }

    fn validation(&self, key: &Key) -> Validation {
        let JwtSettings {
            audiences, issuers, ..
        } = &self.0.settings;
        let mut validation = Validation::new(key.algorithm);
        validation.leeway = LEEWAY_S;
        validation.validate_nbf = true;
        let mut required = vec!["exp", "sub"];
        if audiences.is_empty() {
            validation.validate_aud = false;
        } else {
            validation.set_audience(audiences);
            required.push("aud");
        }
        if !issuers.is_empty() {
            validation.set_issuer(issuers);
            required.push("iss");
        }
        validation.set_required_spec_claims(&required);
        validation
    }
}

fn why(kind: &ErrorKind) -> JwtError {
    let invalid = |text: &str| JwtError::Invalid(text.to_owned());
    match kind {
        ErrorKind::ExpiredSignature => JwtError::Expired,
        ErrorKind::ImmatureSignature => invalid("it is not to be used yet (nbf)"),
        ErrorKind::InvalidAudience => invalid("it was made for another audience (aud)"),
        ErrorKind::InvalidIssuer => invalid("it was made by another issuer (iss)"),
        ErrorKind::MissingRequiredClaim(claim) => invalid(&format!("it lacks the claim {claim}")),
        ErrorKind::InvalidClaimFormat(claim) => invalid(&format!("its claim {claim} cannot be read")),
        // Only what is signed is read as claims.
        ErrorKind::Json(error) => invalid(&format!("its claims cannot be read: {error}")),
        _ => JwtError::Unknown,
    }
}

fn verified(token: &str, claims: Claims) -> Result<Verified, JwtError> {
    let (exp_ms, issued_at_ms) = (claims.exp_ms(), claims.issued_at_ms());
    let scope = claims.scope().map_err(JwtError::Invalid)?;
    let now = now_ms();
    // Who is let in within the leeway is let out with it.
    let ends_at_ms = if exp_ms > now {
        exp_ms
    } else {
        exp_ms.saturating_add(LEEWAY_S * 1_000)
    };
    Ok(Verified {
        user_id: claims.sub,
        scope,
        credential: Credential {
            token: Some(HashedToken::of_signed(token)),
            issued_at_ms,
            ends_at_ms: Some(ends_at_ms),
        },
    })
}

#[cfg(test)]
impl JwtAccess {
    /// The keys in this text.
    fn with_keys(text: &str, settings: JwtSettings) -> Result<Self, String> {
        Ok(Self::of(Keys::parse(text)?, settings, false))
    }
}

#[cfg(test)]
mod tests;

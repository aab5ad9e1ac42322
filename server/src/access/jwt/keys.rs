//! [`Keys`]: whose signatures hold.

use std::{fmt, fs, path::Path};

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;

/// Whose signatures hold.
#[derive(Debug)]
pub(super) struct Keys(Vec<Key>);

/// One key, with the one algorithm that it is for.
pub(super) struct Key {
    /// By which a token may name it (RFC 7517, section 4.5).
    kid: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) decoding: DecodingKey,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?}", self.algorithm, self.kid)
    }
}

/// RFC 7517, section 5.
#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

/// The fewest bytes of a secret: as many as the hash has.
pub(super) const SECRET_BYTES: usize = 32;
/// Whoever reads the file could sign.
const PRIVATE: &str = "it has a private key; the gateway needs the public one only";
/// A point on P-256, uncompressed (SEC 1, section 2.3.3).
const P256_POINT_BYTES: usize = 65;

impl Keys {
    pub(super) fn of_secret(secret: &str) -> Self {
        Self(vec![Key {
            kid: None,
            algorithm: Algorithm::HS256,
            decoding: DecodingKey::from_secret(secret.as_bytes()),
        }])
    }

    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let named = |error: &dyn fmt::Display| format!("{}: {error}", crate::named::Named(path));
        let text = fs::read_to_string(path).map_err(|error| named(&error))?;
        Self::parse(&text).map_err(|error| named(&error))
    }

    /// The keys of a text: PEM, one or several after each other, or a set of JSON Web Keys.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let keys = if text.trim_start().starts_with('{') {
            key_set(text)?
        } else {
            pem(text)?
        };
        if keys.is_empty() {
            return Err(
                "there is no public key in it that can be used: RSA, P-256 or Ed25519, as PEM or as a set of JSON Web Keys"
                    .to_owned(),
            );
        }
        Ok(Self(keys))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn algorithms(&self) -> String {
        let mut names: Vec<_> = self.0.iter().map(|key| format!("{:?}", key.algorithm)).collect();
        names.sort();
        names.dedup();
        names.join(", ")
    }

    /// The keys that may have signed a token: those it names, or else those without a name; a token without a name may be
    /// any key's. None is used for another algorithm than its own.
    pub(super) fn candidates(&self, kid: Option<&str>, algorithm: Algorithm) -> impl Iterator<Item = &Key> {
        let is_known = kid.is_some() && self.0.iter().any(|key| key.kid.as_deref() == kid);
        self.0.iter().filter(move |key| {
            let is_named = match kid {
                None => true,
                Some(_) if is_known => key.kid.as_deref() == kid,
                Some(_) => key.kid.is_none(),
            };
            is_named && key.algorithm == algorithm
        })
    }
}

fn key_set(text: &str) -> Result<Vec<Key>, String> {
    let set: KeySet =
        serde_json::from_str(text).map_err(|error| format!("it is no set of JSON Web Keys: {error}"))?;
    // RFC 7518, sections 6.2.2 and 6.3.2: so is the private half called.
    if set.keys.iter().any(|key| key.get("d").is_some()) {
        return Err(PRIVATE.to_owned());
    }
    // What is not for this, or not known, is passed over (RFC 7517, section 5).
    let known = set
        .keys
        .into_iter()
        .filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
    Ok(known.filter_map(|jwk| key(&jwk)).collect())
}

/// The key of a set, where it is for signatures that are known here.
fn key(jwk: &Jwk) -> Option<Key> {
    if matches!(jwk.common.public_key_use, Some(PublicKeyUse::Encryption)) {
        return None;
    }
    let (algorithm, name) = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(point) if point.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        AlgorithmParameters::OctetKey(_) => (Algorithm::HS256, KeyAlgorithm::HS256),
        _ => return None,
    };
    let decoding = DecodingKey::from_jwk(jwk).ok()?;
    // A shorter secret can be found by trying, and an empty one is everybody's (RFC 7518, section 3.2).
    let is_secret = algorithm == Algorithm::HS256;
    if is_secret && decoding.try_get_as_bytes().map_or(0, <[u8]>::len) < SECRET_BYTES {
        return None;
    }
    if jwk.common.key_algorithm.is_some_and(|said| said != name) {
        return None;
    }
    Some(Key {
        kid: jwk.common.key_id.clone(),
        algorithm,
        decoding,
    })
}

fn pem(text: &str) -> Result<Vec<Key>, String> {
    /// What a block begins with (RFC 7468).
    const BEGIN: &str = "-----BEGIN ";
    let blocks = text.match_indices(BEGIN).map(|(start, _)| {
        let next = text[start + BEGIN.len()..].find(BEGIN);
        &text[start..next.map_or(text.len(), |next| start + BEGIN.len() + next)]
    });
    blocks
        .map(|block| {
            if block.lines().next().is_some_and(|line| line.contains("PRIVATE")) {
                return Err(PRIVATE.to_owned());
            }
            let (algorithm, decoding) = public_key(block.as_bytes()).ok_or_else(|| {
                "it has a key that is neither RSA nor P-256 nor Ed25519, or cannot be read".to_owned()
            })?;
            Ok(Key {
                kid: None,
                algorithm,
                decoding,
            })
        })
        .collect()
}

/// The key, and the algorithm of its kind.
fn public_key(pem: &[u8]) -> Option<(Algorithm, DecodingKey)> {
    let is_p256 = |key: &DecodingKey| {
        key.try_get_as_bytes()
            .is_ok_and(|point| point.len() == P256_POINT_BYTES)
    };
    let rsa = || {
        DecodingKey::from_rsa_pem(pem)
            .ok()
            .map(|key| (Algorithm::RS256, key))
    };
    let p256 = || {
        DecodingKey::from_ec_pem(pem)
            .ok()
            .filter(is_p256)
            .map(|key| (Algorithm::ES256, key))
    };
    let ed25519 = || {
        DecodingKey::from_ed_pem(pem)
            .ok()
            .map(|key| (Algorithm::EdDSA, key))
    };
    rsa().or_else(p256).or_else(ed25519)
}

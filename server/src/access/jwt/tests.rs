use std::fs;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
use logs_shared::ChannelPattern;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256, SignatureAlgorithm};
use serde_json::{Value, json};

use super::*;

const SECRET: &str = "a secret that is long enough for HS256";

/// A key pair as whoever signs has it, and its public half as the gateway gets it.
struct Signer {
    algorithm: Algorithm,
    private: EncodingKey,
    public_pem: String,
}

impl Signer {
    fn new(kind: &'static SignatureAlgorithm, algorithm: Algorithm) -> Self {
        let pair = KeyPair::generate_for(kind).unwrap();
        let pem = pair.serialize_pem();
        let private = match algorithm {
            Algorithm::RS256 => EncodingKey::from_rsa_pem(pem.as_bytes()),
            Algorithm::ES256 => EncodingKey::from_ec_pem(pem.as_bytes()),
            _ => EncodingKey::from_ed_pem(pem.as_bytes()),
        };
        Self {
            algorithm,
            private: private.unwrap(),
            public_pem: pair.public_key_pem(),
        }
    }

    fn es256() -> Self {
        Self::new(&PKCS_ECDSA_P256_SHA256, Algorithm::ES256)
    }

    fn sign(&self, kid: Option<&str>, claims: &Value) -> String {
        let header = Header {
            kid: kid.map(str::to_owned),
            ..Header::new(self.algorithm)
        };
        encode(&header, claims, &self.private).unwrap()
    }

    fn jwk(&self, kid: &str) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.private, self.algorithm).unwrap();
        jwk.common.key_id = Some(kid.to_owned());
        serde_json::to_value(jwk).unwrap()
    }
}

fn now_s() -> u64 {
    now_ms() / 1_000
}

fn claims() -> Value {
    json!({ "sub": "ann", "exp": now_s() + 3_600, "workspaces": ["w1"] })
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

fn hs256(claims: &Value) -> String {
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    encode(&Header::new(Algorithm::HS256), claims, &key).unwrap()
}

fn by_secret() -> JwtAccess {
    JwtAccess::with_secret(SECRET, JwtSettings::default())
}

fn scope(patterns: &[&str]) -> ReadScope {
    ReadScope::new(
        patterns
            .iter()
            .map(|text| text.parse::<ChannelPattern>().unwrap()),
    )
}

#[test]
fn a_token_says_who_reads_and_what_it_may_see() {
    let jwt = by_secret();
    let cases = [
        (json!({}), scope(&[])),
        (
            json!({ "workspaces": ["w1", "w2"] }),
            scope(&["logs:*:w1:*", "logs:*:w2:*"]),
        ),
        (json!({ "workspaces": "w1" }), scope(&["logs:*:w1:*"])),
        (json!({ "workspaces": ["*"] }), ReadScope::Everything),
        (json!({ "channels": ["logs:etl:*:x"] }), scope(&["logs:etl:*:x"])),
        (
            json!({ "workspaces": ["w1"], "channels": ["logs:etl:w2"] }),
            scope(&["logs:*:w1:*", "logs:etl:w2"]),
        ),
    ];
    for (mut claims, expected) in cases {
        claims["sub"] = "ann".into();
        claims["exp"] = (now_s() + 60).into();
        let verified = jwt.verify(&hs256(&claims)).unwrap();
        assert_eq!(
            (verified.user_id.as_str(), &verified.scope),
            ("ann", &expected),
            "{claims}"
        );
    }
}

#[test]
fn what_does_not_hold_is_told_why_as_far_as_it_is_signed() {
    let settings = JwtSettings {
        audiences: vec!["logs".to_owned()],
        issuers: vec!["login".to_owned()],
        ..JwtSettings::default()
    };
    let jwt = JwtAccess::with_secret(SECRET, settings);
    let good = with(
        with(claims(), "aud", json!(["logs", "other"])),
        "iss",
        json!("login"),
    );
    assert!(jwt.verify(&hs256(&good)).is_ok());
    let without = |name: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(name);
        claims
    };
    let but = |name: &str, value: Value| with(good.clone(), name, value);
    let invalid = [
        (without("exp"), "exp"),
        (without("sub"), "sub"),
        (without("aud"), "aud"),
        (without("iss"), "iss"),
        (but("aud", json!("other")), "aud"),
        (but("iss", json!("other")), "iss"),
        (but("nbf", json!(now_s() + 3_600)), "nbf"),
        (but("nbf", json!("soon")), "nbf"),
        (but("exp", json!("later")), "exp"),
        (but("sub", json!("")), "sub"),
        (but("sub", json!("a\nb")), "sub"),
        (but("sub", json!("x".repeat(257))), "sub"),
        (but("workspaces", json!(["a b"])), "workspaces"),
        (but("workspaces", json!([1])), "claims"),
        (but("channels", json!(["etl"])), "channels"),
    ];
    for (claims, named) in invalid {
        match jwt.verify(&hs256(&claims)) {
            Err(JwtError::Invalid(why)) => assert!(why.contains(named), "{claims}: {why}"),
            other => panic!("{claims}: {other:?}"),
        }
    }
    let expired = but("exp", json!(now_s() - 31));
    assert_eq!(jwt.verify(&hs256(&expired)).unwrap_err(), JwtError::Expired);
}

#[test]
fn a_token_holds_half_a_minute_longer_and_no_longer_than_that() {
    let jwt = by_secret();
    let now = now_s();
    let ends = |exp: u64| {
        let verified = jwt.verify(&hs256(&with(claims(), "exp", json!(exp))));
        verified.unwrap().credential.ends_at_ms.unwrap() / 1_000
    };
    assert_eq!(ends(now + 100), now + 100);
    assert_eq!(ends(now - 10), now + 20);
    assert!(
        jwt.verify(&hs256(&with(claims(), "nbf", json!(now + 20))))
            .is_ok()
    );
}

#[test]
fn what_is_no_token_of_ours_is_not_known() {
    let jwt = by_secret();
    let good = hs256(&claims());
    let mut parts: Vec<&str> = good.split('.').collect();
    let unsigned = format!("{}.{}.", parts[0], parts[1]);
    parts[2] = "AAAA";
    let none = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4iLCJleHAiOjk5OTk5OTk5OTl9.";
    let long = format!("{good}{}", "A".repeat(LONGEST_TOKEN));
    let other = JwtAccess::with_secret("another secret, which is as long as that", JwtSettings::default());
    for token in [
        "",
        ".",
        "..",
        "a.b.c",
        none,
        &unsigned,
        &parts.join("."),
        &long,
        " ",
        "ü.ü.ü",
    ] {
        assert_eq!(jwt.verify(token).unwrap_err(), JwtError::Unknown, "{token}");
    }
    assert_eq!(other.verify(&good).unwrap_err(), JwtError::Unknown);
}

#[test]
fn each_kind_of_key_is_for_its_algorithm_alone() {
    let signers = [
        Signer::new(&PKCS_RSA_SHA256, Algorithm::RS256),
        Signer::es256(),
        Signer::new(&PKCS_ED25519, Algorithm::EdDSA),
    ];
    for signer in &signers {
        let jwt = JwtAccess::with_keys(&signer.public_pem, JwtSettings::default()).unwrap();
        assert_eq!(jwt.algorithms(), format!("{:?}", signer.algorithm));
        assert!(
            jwt.verify(&signer.sign(None, &claims())).is_ok(),
            "{:?}",
            signer.algorithm
        );
        // Who knows the public key, as everybody may, signs with it as a secret.
        let key = EncodingKey::from_secret(signer.public_pem.as_bytes());
        let forged = encode(&Header::new(Algorithm::HS256), &claims(), &key).unwrap();
        assert_eq!(jwt.verify(&forged).unwrap_err(), JwtError::Unknown);
        for other in signers.iter().filter(|other| other.algorithm != signer.algorithm) {
            let token = other.sign(None, &claims());
            assert_eq!(jwt.verify(&token).unwrap_err(), JwtError::Unknown);
        }
    }
    let all: String = signers.iter().map(|signer| signer.public_pem.as_str()).collect();
    let jwt = JwtAccess::with_keys(&all, JwtSettings::default()).unwrap();
    assert!(
        signers
            .iter()
            .all(|signer| jwt.verify(&signer.sign(None, &claims())).is_ok())
    );
}

#[test]
fn keys_change_one_after_the_other_by_their_names() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("jwks.json");
    let (old, new) = (Signer::es256(), Signer::es256());
    let write = |keys: Value| fs::write(&path, json!({ "keys": keys }).to_string()).unwrap();
    write(json!([old.jwk("1"), { "kty": "quantum", "kid": "x" }]));
    let jwt = JwtAccess::with_key_file(path.clone(), JwtSettings::default()).unwrap();
    let (by_old, by_new) = (old.sign(Some("1"), &claims()), new.sign(Some("2"), &claims()));
    let holds = || (jwt.verify(&by_old).is_ok(), jwt.verify(&by_new).is_ok());
    assert_eq!(holds(), (true, false));
    write(json!([old.jwk("1"), new.jwk("2")]));
    assert_eq!(jwt.reload(), Some(Ok(2)));
    assert_eq!(holds(), (true, true));
    assert!(
        jwt.verify(&new.sign(None, &claims())).is_ok(),
        "a token that names none may be any key's"
    );
    assert!(
        jwt.verify(&new.sign(Some("1"), &claims())).is_err(),
        "the name of another key"
    );
    write(json!([new.jwk("2")]));
    jwt.reload();
    assert_eq!(holds(), (false, true));
    fs::write(&path, "{").unwrap();
    assert!(jwt.reload().unwrap().is_err());
    assert_eq!(holds(), (false, true), "what cannot be read changes nothing");
}

#[test]
fn a_file_without_a_key_that_can_be_used_is_refused_with_the_reason() {
    let private = KeyPair::generate_for(&PKCS_ED25519).unwrap().serialize_pem();
    let mut encryption = Signer::es256().jwk("1");
    encryption["use"] = "enc".into();
    let mut other = Signer::es256().jwk("1");
    other["alg"] = "ES384".into();
    let mut both_halves = Signer::es256().jwk("1");
    both_halves["d"] = "s3cret".into();
    let set = |key: Value| json!({ "keys": [key] }).to_string();
    let cases = [
        (String::new(), "no public key"),
        ("nonsense".to_owned(), "no public key"),
        (private, "private key"),
        (
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n".to_owned(),
            "cannot be read",
        ),
        ("{\"keys\":[]}".to_owned(), "no public key"),
        ("{\"keys\":3}".to_owned(), "JSON Web Keys"),
        (set(both_halves), "private key"),
        (set(encryption), "no public key"),
        (set(other), "no public key"),
    ];
    for (text, named) in cases {
        let error = JwtAccess::with_keys(&text, JwtSettings::default()).unwrap_err();
        assert!(
            error.contains(named) && !error.contains("s3cret"),
            "{text}: {error}"
        );
    }
}

/// Whoever finds the secret signs what it likes.
#[test]
fn a_secret_in_a_set_of_keys_is_as_long_as_its_hash_or_not_used() {
    // base64url of so many bytes with every bit set.
    let set = |bytes: usize| {
        let k = "_".repeat((bytes * 4).div_ceil(3));
        json!({ "keys": [{ "kty": "oct", "k": k }] }).to_string()
    };
    for bytes in [0, 6, 30] {
        assert!(
            JwtAccess::with_keys(&set(bytes), JwtSettings::default()).is_err(),
            "{bytes}"
        );
    }
    let jwt = JwtAccess::with_keys(&set(33), JwtSettings::default()).unwrap();
    let sign = |secret: &[u8]| {
        encode(
            &Header::new(Algorithm::HS256),
            &claims(),
            &EncodingKey::from_secret(secret),
        )
    };
    assert!(jwt.verify(&sign(&[0xff; 33]).unwrap()).is_ok());
    assert!(jwt.verify(&sign(&[]).unwrap()).is_err());
}

#[test]
fn what_a_token_says_twice_or_beyond_measure_is_no_way_in() {
    let jwt = by_secret();
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let later = now_s() + 600;
    let sign = |claims: &str| {
        let claims: Box<serde_json::value::RawValue> = serde_json::from_str(claims).unwrap();
        encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap()
    };
    let refused = [
        format!(r#"{{"sub":"ann","exp":1,"exp":{later}}}"#),
        format!(r#"{{"sub":"ann","sub":"bob","exp":{later}}}"#),
        format!(r#"{{"sub":"ann","exp":{later},"workspaces":["a"],"workspaces":["*"]}}"#),
        format!(r#"{{"sub":["ann"],"exp":{later}}}"#),
        format!(r#"{{"sub":"ann","exp":"{later}"}}"#),
        format!(r#"{{"sub":"ann","exp":[{later}]}}"#),
        format!(r#"{{"sub":"ann","exp":{later},"nbf":1e300}}"#),
        format!(r#"{{"sub":"ann","exp":{later},"nbf":-1}}"#),
        format!(r#"{{"sub":"ann","exp":{later},"workspaces":{{"a":1}}}}"#),
        r#"{"sub":"ann","exp":-1}"#.to_owned(),
        r#"{"sub":"ann","exp":1e300}"#.to_owned(),
        r#"{"sub":"ann","exp":null}"#.to_owned(),
        r#"{"sub":"ann","exp":true}"#.to_owned(),
        format!(r#"["ann",{later}]"#),
    ];
    for claims in refused {
        assert!(jwt.verify(&sign(&claims)).is_err(), "{claims}");
    }
    let fraction = format!(r#"{{"sub":"änn\u0000","exp":{later}.25}}"#);
    assert!(jwt.verify(&sign(&fraction)).is_err(), "a control character");
    let fraction = format!(r#"{{"sub":"änn","exp":{later}.25}}"#);
    let verified = jwt.verify(&sign(&fraction)).unwrap();
    assert_eq!(verified.credential.ends_at_ms, Some(later * 1_000 + 250));
}

#[test]
fn nothing_that_prints_it_shows_the_secret() {
    assert!(!format!("{:?}", by_secret()).contains(SECRET));
}

//! `logs-gateway token`: a reader's token, for trying out.

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context as _, bail};
use clap::Args;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use logs_shared::ChannelPattern;
use serde_json::{Map, Value};

use crate::{engine::now_ms, quantity};

/// Makes a token with which a gateway that has AUTH=jwt lets read, and prints it.
#[derive(Args)]
pub struct Token {
    /// Who reads (sub)
    #[arg(long, default_value = "user123")]
    user: String,
    /// A workspace that may be seen, `*` for all; may be repeated [default: workspace123, unless there is a channel]
    #[arg(long = "workspace", value_name = "ID")]
    workspaces: Vec<String>,
    /// A channel or pattern that may be seen; may be repeated
    #[arg(long = "channel", value_name = "PATTERN")]
    channels: Vec<ChannelPattern>,
    /// How long it holds: seconds, or with a unit as in 15m or 8h
    #[arg(long, value_name = "AGE", default_value = "1h", value_parser = quantity::parse_age)]
    expires: Duration,
    /// The gateway's secret (HS256)
    #[arg(
        long,
        env = "JWT_SECRET",
        value_name = "SECRET",
        hide_env_values = true,
        conflicts_with = "key"
    )]
    secret: Option<String>,
    /// A private key as PEM, whose public half the gateway has: RSA, P-256 or Ed25519
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The name of that key, where the gateway has several
    #[arg(long, value_name = "NAME")]
    kid: Option<String>,
    /// For whom it is (aud): what the gateway has as JWT_AUDIENCE
    #[arg(long, env = "JWT_AUDIENCE", value_name = "NAME")]
    audience: Option<String>,
    /// Who makes it (iss): what the gateway has as JWT_ISSUER
    #[arg(long, env = "JWT_ISSUER", value_name = "NAME")]
    issuer: Option<String>,
}

impl Token {
    pub(super) fn run(self) -> anyhow::Result<()> {
        println!("{}", self.signed()?);
        Ok(())
    }

    fn signed(&self) -> anyhow::Result<String> {
        let (algorithm, key) = self.signing_key()?;
        let header = Header {
            kid: self.kid.clone(),
            ..Header::new(algorithm)
        };
        encode(&header, &self.claims()?, &key).context("the token cannot be signed")
    }

    fn signing_key(&self) -> anyhow::Result<(Algorithm, EncodingKey)> {
        match (
            self.secret.as_deref().filter(|secret| !secret.is_empty()),
            &self.key,
        ) {
            (Some(secret), _) => Ok((Algorithm::HS256, EncodingKey::from_secret(secret.as_bytes()))),
            (None, Some(path)) => {
                let pem = fs::read(path).with_context(|| path.display().to_string())?;
                let rsa = || EncodingKey::from_rsa_pem(&pem).map(|key| (Algorithm::RS256, key));
                let p256 = || EncodingKey::from_ec_pem(&pem).map(|key| (Algorithm::ES256, key));
                let ed25519 = || EncodingKey::from_ed_pem(&pem).map(|key| (Algorithm::EdDSA, key));
                let key = rsa().or_else(|_| p256()).or_else(|_| ed25519()).ok();
                key.with_context(|| {
                    format!(
                        "{}: it is no private key of RSA, P-256 or Ed25519 as PEM (PKCS #8: where it begins with BEGIN EC PRIVATE KEY, \
                         `openssl pkcs8 -topk8 -nocrypt` makes it one)",
                        path.display()
                    )
                })
            }
            (None, None) => bail!(
                "a token is signed: give --secret (or JWT_SECRET), what the gateway has as JWT_SECRET, or --key, the private half \
                 of what it has as JWT_PUBLIC_KEY_FILE"
            ),
        }
    }

    fn claims(&self) -> anyhow::Result<Value> {
        let mut workspaces = self.workspaces.clone();
        if workspaces.is_empty() && self.channels.is_empty() {
            workspaces.push("workspace123".to_owned());
        }
        for name in &workspaces {
            ChannelPattern::new("*", name, None).with_context(|| format!("{name:?} is no workspace"))?;
        }
        let now_s = now_ms() / 1_000;
        let mut claims = Map::new();
        let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        claim("sub", self.user.as_str().into());
        claim("iat", now_s.into());
        claim("exp", now_s.saturating_add(self.expires.as_secs()).into());
        claim("workspaces", workspaces.into());
        claim(
            "channels",
            self.channels.iter().map(ChannelPattern::as_str).collect(),
        );
        for (name, value) in [("aud", &self.audience), ("iss", &self.issuer)] {
            // Of several that a gateway takes, any will do.
            if let Some(first) = value.as_deref().and_then(|list| list.split(',').next()) {
                claim(name, first.trim().into());
            }
        }
        Ok(claims.into())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::access::{JwtAccess, JwtSettings};

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        token: Token,
    }

    fn token(args: &[&str]) -> Token {
        Cli::parse_from([&["token"], args].concat()).token
    }

    #[test]
    fn a_gateway_with_the_same_secret_takes_it() {
        let secret = "a secret that both ends know, of course";
        let settings = JwtSettings {
            audiences: vec!["logs".to_owned()],
            issuers: vec!["here".to_owned()],
            ..JwtSettings::default()
        };
        let jwt = JwtAccess::with_secret(secret, settings);
        let args = ["--secret", secret, "--user", "ann", "--channel", "logs:etl:*:x"];
        let scoped = [
            "--audience",
            "logs,others",
            "--issuer",
            "here",
            "--expires",
            "10s",
        ];
        let verified = jwt
            .verify(&token(&[&args[..], &scoped].concat()).signed().unwrap())
            .unwrap();
        assert_eq!(verified.user_id, "ann");
        assert!(verified.scope.may_see(&"logs:etl:w:x".parse().unwrap()));
        assert!(!verified.scope.may_see(&"logs:faas:w:x".parse().unwrap()));
        let left = verified.credential.ends_at_ms.unwrap() - now_ms();
        assert!((8_000..=10_000).contains(&left), "{left}");
    }

    #[test]
    fn a_key_of_each_kind_signs_with_its_algorithm() {
        let dir = tempfile::tempdir().unwrap();
        let (private, public) = (dir.path().join("private.pem"), dir.path().join("public.pem"));
        for kind in [
            &rcgen::PKCS_ECDSA_P256_SHA256,
            &rcgen::PKCS_ED25519,
            &rcgen::PKCS_RSA_SHA256,
        ] {
            let pair = rcgen::KeyPair::generate_for(kind).unwrap();
            fs::write(&private, pair.serialize_pem()).unwrap();
            fs::write(&public, pair.public_key_pem()).unwrap();
            let jwt = JwtAccess::with_key_file(public.clone(), JwtSettings::default()).unwrap();
            let signed = token(&["--key", private.to_str().unwrap()]).signed().unwrap();
            let verified = jwt.verify(&signed).unwrap();
            assert!(
                verified
                    .scope
                    .may_see(&"logs:etl:workspace123:x".parse().unwrap())
            );
        }
    }

    #[test]
    fn what_cannot_be_made_is_said_and_no_secret_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s3cret.pem");
        fs::write(&path, "s3cret content").unwrap();
        let key = path.to_str().unwrap();
        for (args, named) in [
            (&["--user", "ann"][..], "--secret"),
            (&["--key", key], "no private key"),
            (&["--key", "/nowhere"], "/nowhere"),
            (&["--secret", "s", "--workspace", "a b"], "a b"),
        ] {
            let error = format!("{:#}", token(args).signed().unwrap_err());
            assert!(error.contains(named) && !error.contains("content"), "{error}");
        }
    }
}

//! Where Redis is, and what is asked of it.

use super::{Reading, Settings, given};
use crate::engine::{RedisSettings, RedisUrl, Storage};

const PREFIX: &str = "logs-gateway:";
/// It stands in every key.
const LONGEST_PREFIX: usize = 64;

/// Records in the Redis that this names.
pub(super) fn storage(reading: &mut Reading, settings: &Settings, url: &str) -> Storage {
    // Whatever they say: it is told once that they are for something else.
    for (name, value) in [("STORE", &settings.store), ("DURABILITY", &settings.durability)] {
        if given(value).is_some() {
            let error = format!(
                "{name}: with REDIS_URL records are kept in Redis, which says itself how safe they are there"
            );
            reading.errors.push(error);
        }
    }
    let replicas = reading.number(
        "REDIS_REPLICAS",
        settings.redis_replicas.as_deref(),
        0,
        "a whole number",
    );
    let prefix = reading.value(
        "REDIS_PREFIX",
        settings.redis_prefix.as_deref(),
        PREFIX.to_owned(),
        prefix,
    );
    match url.parse::<RedisUrl>() {
        Ok(url) => {
            // Pub/Sub knows no databases: of two logs with one prefix each would hear the other.
            let prefix = match url.database() {
                0 => prefix,
                number => format!("{prefix}{number}:"),
            };
            Storage::Redis(RedisSettings {
                url,
                prefix,
                replicas,
            })
        }
        Err(error) => {
            reading.errors.push(format!("REDIS_URL: {error}"));
            Storage::Memory
        }
    }
}

/// Says what is for Redis and has none.
pub(super) fn without(reading: &mut Reading, settings: &Settings) {
    for (name, value) in [
        ("REDIS_PREFIX", &settings.redis_prefix),
        ("REDIS_REPLICAS", &settings.redis_replicas),
    ] {
        if given(value).is_some() {
            let error = format!("{name}: it is for Redis, and REDIS_URL does not say where that is");
            reading.errors.push(error);
        }
    }
}

/// Topics are subscribed to by patterns that begin with it: a character that means something there would take in the
/// messages of others.
fn prefix(text: &str) -> Result<String, String> {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "._-:/".contains(char);
    if text.len() <= LONGEST_PREFIX && text.chars().all(is_plain) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "{text:?} is not of at most {LONGEST_PREFIX} letters, digits and . _ - : /"
        ))
    }
}

//! [`RedisUrl`]: where Redis is.

use std::{fmt, str::FromStr};

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo};

/// Where Redis is: one server, or the sentinels that know which server takes writes.
///
/// `redis://[user:password@]host[:port][/db]`, with `rediss://` over TLS, `unix:///path` for a socket, and
/// `redis-sentinel://[user:password@]host[:port][,host[:port]…]/name[/db]` (`rediss-sentinel://` over TLS) for the server
/// that these sentinels call by that name. User and password are those of the server; the sentinels are asked without.
#[derive(Clone)]
pub struct RedisUrl {
    place: Box<Place>,
    /// As it may be said.
    shown: String,
}

#[derive(Clone)]
pub(super) enum Place {
    Server(ConnectionInfo),
    Sentinels {
        sentinels: Vec<ConnectionAddr>,
        /// What they call the server.
        name: String,
        /// Everything about the server but its address.
        server: ConnectionInfo,
    },
}

/// What is wrong with a URL. Never holds a part of it that could be a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RedisUrlError(&'static str);

const SENTINEL_PORT: u16 = 26_379;

impl RedisUrl {
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// The number of the database that it names; 0 where it names none.
    #[must_use]
    pub fn database(&self) -> i64 {
        let (Place::Server(server) | Place::Sentinels { server, .. }) = &*self.place;
        server.redis_settings().db()
    }
}

impl FromStr for RedisUrl {
    type Err = RedisUrlError;

    fn from_str(text: &str) -> Result<Self, RedisUrlError> {
        let (scheme, rest) = text
            .split_once("://")
            .ok_or(RedisUrlError("it is no URL, as in redis://localhost:6379"))?;
        let is_socket = matches!(scheme, "unix" | "redis+unix");
        // The library would take `#insecure` for leave to believe anybody who says that he is Redis.
        let is_cut_short = rest.contains('#') || (!is_socket && rest.contains('?'));
        if is_cut_short {
            let error =
                "it has a # or a ?, which mean nothing here: in a password they are written %23 and %3F";
            return Err(RedisUrlError(error));
        }
        let shown = if is_socket {
            rest.split('?').next().unwrap_or_default()
        } else {
            rest.rsplit_once('@').map_or(rest, |(_, after)| after)
        };
        let shown = format!("{scheme}://{shown}");
        let place = match scheme {
            "redis" | "rediss" | "unix" | "redis+unix" => Place::Server(info(text)?),
            "redis-sentinel" => sentinels("redis", rest)?,
            "rediss-sentinel" => sentinels("rediss", rest)?,
            _ => {
                let known = "it begins with none of redis://, rediss://, unix://, redis-sentinel:// and rediss-sentinel://";
                return Err(RedisUrlError(known));
            }
        };
        let url = Self {
            place: Box::new(place),
            shown,
        };
        if url.database() < 0 {
            return Err(RedisUrlError("the number of its database is less than 0"));
        }
        Ok(url)
    }
}

fn info(url: &str) -> Result<ConnectionInfo, RedisUrlError> {
    let wrong = "it cannot be read as a URL of Redis, as in redis://user:password@host:6379/0";
    url.into_connection_info().map_err(|_| RedisUrlError(wrong))
}

fn sentinels(scheme: &str, rest: &str) -> Result<Place, RedisUrlError> {
    let (login, rest) = rest
        .rsplit_once('@')
        .map_or((None, rest), |(login, rest)| (Some(login), rest));
    let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (name, db) = path.split_once('/').unwrap_or((path, ""));
    if name.is_empty() {
        let error =
            "it does not say what the sentinels call the server, as in redis-sentinel://host:26379/mymaster";
        return Err(RedisUrlError(error));
    }
    let address = |host: &str| {
        let with_port = if host.rsplit(']').next().is_some_and(|end| end.contains(':')) {
            format!("redis://{host}")
        } else {
            format!("redis://{host}:{SENTINEL_PORT}")
        };
        info(&with_port).map(|info| info.addr().clone())
    };
    let login = login.map(|login| format!("{login}@")).unwrap_or_default();
    Ok(Place::Sentinels {
        sentinels: hosts.split(',').map(address).collect::<Result<_, _>>()?,
        name: name.to_owned(),
        server: info(&format!("{scheme}://{login}server/{db}"))?,
    })
}

impl fmt::Display for RedisUrl {
    /// Without user, password and options.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisUrl({})", self.shown)
    }
}

impl PartialEq for RedisUrl {
    fn eq(&self, other: &Self) -> bool {
        self.shown == other.shown
    }
}

impl Eq for RedisUrl {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentinels_have_a_name_for_the_server_and_a_port_of_their_own() {
        let url: RedisUrl = "redis-sentinel://ann:s3cret@a,b:7000,[::1]:26380/main/2"
            .parse()
            .unwrap();
        let Place::Sentinels {
            sentinels,
            name,
            server,
        } = url.place()
        else {
            panic!("{url}")
        };
        let told: Vec<_> = sentinels.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["a:26379", "b:7000", "::1:26380"]);
        assert_eq!((name.as_str(), server.redis_settings().db()), ("main", 2));
        assert_eq!(server.redis_settings().password(), Some("s3cret"));
    }

    #[test]
    fn a_password_is_never_told() {
        for (url, shown) in [
            ("redis://:s3cret@redis:6379/1", "redis://redis:6379/1"),
            ("redis://:s3%3Fcr%23et@redis", "redis://redis"),
            ("redis-sentinel://u:s3cret@a,b/main", "redis-sentinel://a,b/main"),
        ] {
            let url: RedisUrl = url.parse().unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), format!("RedisUrl({shown})"));
        }
        for url in [
            "redis",
            "http://:s3cret@host",
            "redis://:s3cret@host:port",
            "redis-sentinel://a",
            "redis://h#s3cret",
            "redis://u:6379?s3cret@h",
            "redis://u:6379#s3cret@h",
        ] {
            let error = url.parse::<RedisUrl>().unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    /// The password of a socket stands behind its path, and what followed an `@` in it was in the log and at the terminal.
    #[test]
    fn of_a_socket_the_path_is_told_and_what_is_behind_it_is_not() {
        for (url, shown) in [
            ("unix:///run/redis?pass=a@s3cret", "unix:///run/redis"),
            ("redis+unix:///run/r@1?db=2&pass=s3cret", "redis+unix:///run/r@1"),
        ] {
            assert_eq!(url.parse::<RedisUrl>().unwrap().to_string(), shown);
        }
    }

    /// The gateway began with it, and then said for ever that Redis fails.
    #[test]
    fn a_certificate_is_always_looked_at_and_what_asks_for_less_is_refused() {
        for url in [
            "rediss://h/#insecure",
            "rediss-sentinel://h/main#insecure",
            "rediss-sentinel://h/main/0#insecure",
        ] {
            let error = url.parse::<RedisUrl>().unwrap_err().to_string();
            assert!(error.contains('#'), "{error}");
        }
        assert!("redis://h/-1".parse::<RedisUrl>().is_err());
    }
}

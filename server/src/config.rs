//! [`Config`]: how the gateway was set up. The [`Settings`] are checked as a whole, so that all mistakes are told
//! at once.

mod misspelt;
mod otlp;
mod reading;
mod redis;
mod settings;

use std::{
    fmt,
    num::NonZeroU32,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use logs_shared::{
    api::{DEFAULT_HEARTBEAT_MS, DEFAULT_PORT},
    otlp::AttributeNames,
};

pub use self::{misspelt::misspelt, settings::Settings};
use crate::{
    access::{AdminAccess, ReadAccess, ServiceTokens},
    addresses::TrustedProxies,
    engine::{Durability, Retention, Storage},
    origins::AllowedOrigins,
    quantity,
    streams::StreamLimits,
    tls::Tls,
};

/// How the gateway was set up. Whole and checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen: `host:port`.
    pub listen: (String, u16),
    /// What connections are encrypted with, where they are.
    pub tls: Option<Tls>,
    /// Whether what is not opened stays closed.
    pub production: bool,
    /// Which pages of other origins may call.
    pub allowed_origins: AllowedOrigins,
    /// The filter of the gateway's own log.
    pub log_filter: String,
    /// The form of the gateway's own log.
    pub log_format: LogFormat,
    /// Who may publish.
    pub service_tokens: ServiceTokens,
    /// Who may see the statistics.
    pub admin: AdminAccess,
    /// Who may read.
    pub read: ReadAccess,
    /// Where records are kept.
    pub storage: Storage,
    /// How much is kept.
    pub retention: Retention,
    /// The longest silence on a stream.
    pub heartbeat: Duration,
    /// The longest a polite stop may take.
    pub drain: Duration,
    /// While the gateway is busy, a stream is woken by records no sooner than this after the last time; zero: always at once.
    pub write_pace: Duration,
    /// How many connections may be open; `None`: what streams need, as far as the system lets.
    pub max_connections: Option<usize>,
    /// How many streams may be open.
    pub stream_limits: StreamLimits,
    /// Whose word is taken for where a reader is.
    pub trusted_proxies: TrustedProxies,
    /// Streams a second that one reader may open, where that is limited.
    pub stream_rate: Option<NonZeroU32>,
    /// Records a second that one token may publish, where that is limited.
    pub publish_rate: Option<NonZeroU32>,
    /// Different channels that one token may publish to; 0 for any number.
    pub max_channels_per_token: usize,
    /// The largest body of a publication, in bytes, unpacked.
    pub max_body_bytes: usize,
    /// Which attributes name the channel of OpenTelemetry's records.
    pub otlp: AttributeNames,
    /// What is set and does nothing, or little, a sentence each.
    pub overlooked: Vec<String>,
}

/// The form of the gateway's own log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// Every mistake in the settings, a line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<String>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot start with these settings:")?;
        self.0.iter().try_for_each(|error| write!(f, "\n  {error}"))
    }
}

impl std::error::Error for ConfigErrors {}

const MIB: u64 = 1024 * 1024;
const DATA_DIR: &str = "./data";
const RETENTION_BYTES: u64 = 4096 * MIB;
/// Where records are in memory: far below what a disk would hold.
const RETENTION_BYTES_IN_MEMORY: u64 = 512 * MIB;
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
/// A shorter secret can be found by trying.
const LEAST_SECRET_BYTES: usize = 16;
/// Above, a reader would see it.
const MOST_WRITE_PACE_MS: u64 = 1_000;
/// Below, heartbeats would be the load; above, proxies cut idle connections long before.
const HEARTBEAT_MS: std::ops::RangeInclusive<u64> = 100..=300_000;

/// Takes values one by one and gathers what is wrong with them.
#[derive(Default)]
pub(crate) struct Reading {
    pub(crate) errors: Vec<String>,
    overlooked: Vec<String>,
}

impl Reading {
    /// The value, or the default where it is absent or empty. A mistake is noted and reads as the default.
    pub(crate) fn value<T, E: fmt::Display>(
        &mut self,
        name: &str,
        text: Option<&str>,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> T {
        match text.map(str::trim).filter(|text| !text.is_empty()).map(parse) {
            None => default,
            Some(Ok(value)) => value,
            Some(Err(error)) => {
                self.errors.push(format!("{name}: {error}"));
                default
            }
        }
    }

    /// A size or count of which there must be at least so much.
    fn at_least<T: PartialOrd + fmt::Display>(&mut self, name: &str, value: T, least: T) {
        if value < least {
            self.errors
                .push(format!("{name}: {value} is too little; at least {least}"));
        }
    }

    pub(crate) fn number<T: FromStr>(&mut self, name: &str, text: Option<&str>, default: T, what: &str) -> T {
        self.value(name, text, default, |text| {
            text.parse().map_err(|_| format!("{text:?} is not {what}"))
        })
    }

    /// What was read, where nothing was wrong.
    pub(crate) fn done<T>(self, config: T) -> Result<T, ConfigErrors> {
        if self.errors.is_empty() {
            Ok(config)
        } else {
            Err(ConfigErrors(self.errors))
        }
    }
}

impl Config {
    /// Makes sense of the settings.
    ///
    /// # Errors
    /// [`ConfigErrors`] with every mistake there is. No secret is in it.
    pub fn from_settings(settings: &Settings) -> Result<Self, ConfigErrors> {
        let mut reading = Reading::default();
        let production = production(&mut reading, settings.node_env.as_deref());
        let listen = listen(&mut reading, &settings.host, &settings.port, DEFAULT_PORT);
        let count = "a whole number";
        let (max_streams, per_owner) = (
            reading.number("MAX_STREAMS", settings.max_streams.as_deref(), 20_000, count),
            reading.number(
                "MAX_STREAMS_PER_USER",
                settings.max_streams_per_user.as_deref(),
                64,
                count,
            ),
        );
        let per_address = reading.number(
            "MAX_STREAMS_PER_ADDRESS",
            settings.max_streams_per_address.as_deref(),
            1_000,
            count,
        );
        let (stream_rate, publish_rate) = (
            reading.number("STREAM_RATE", settings.stream_rate.as_deref(), 50, count),
            reading.number("PUBLISH_RATE", settings.publish_rate.as_deref(), 0, count),
        );
        let storage = storage(&mut reading, settings);
        let retention_bytes = match storage {
            Storage::Memory | Storage::Redis(_) => RETENTION_BYTES_IN_MEMORY,
            Storage::Disk { .. } => RETENTION_BYTES,
        };
        let config = Self {
            listen,
            tls: tls(&mut reading, &settings.tls_cert, &settings.tls_key),
            production,
            allowed_origins: reading.value(
                "ALLOWED_ORIGINS",
                settings.allowed_origins.as_deref(),
                AllowedOrigins::Any,
                str::parse,
            ),
            log_filter: reading.value(
                "LOG_LEVEL",
                settings.log_level.as_deref(),
                "info".to_owned(),
                log_filter,
            ),
            log_format: log_format(&mut reading, settings.log_format.as_deref(), production),
            service_tokens: service_tokens(&mut reading, settings, production),
            admin: AdminAccess::new(settings.admin_token.as_deref(), production),
            read: reading::read_access(&mut reading, settings, production),
            storage,
            retention: Retention {
                records: reading.number(
                    "RETENTION_RECORDS",
                    settings.retention_records.as_deref(),
                    100_000,
                    count,
                ),
                age_ms: quantity::millis(reading.value(
                    "RETENTION_AGE",
                    settings.retention_age.as_deref(),
                    WEEK,
                    quantity::parse_age,
                )),
                bytes: reading.value(
                    "RETENTION_BYTES",
                    settings.retention_bytes.as_deref(),
                    retention_bytes,
                    quantity::parse_size,
                ),
            },
            heartbeat: Duration::from_millis(reading.value(
                "HEARTBEAT_MS",
                settings.heartbeat_ms.as_deref(),
                DEFAULT_HEARTBEAT_MS,
                heartbeat_ms,
            )),
            write_pace: Duration::from_millis(reading.value(
                "WRITE_PACE_MS",
                settings.write_pace_ms.as_deref(),
                10,
                write_pace_ms,
            )),
            drain: Duration::from_millis(reading.number(
                "DRAIN_MS",
                settings.drain_ms.as_deref(),
                10_000,
                count,
            )),
            max_connections: reading.value(
                "MAX_CONNECTIONS",
                settings.max_connections.as_deref(),
                None,
                |text| {
                    text.parse()
                        .map(Some)
                        .map_err(|_| format!("{text:?} is not {count}"))
                },
            ),
            stream_limits: StreamLimits {
                total: max_streams,
                per_owner,
                per_address,
            },
            trusted_proxies: reading.value(
                "TRUSTED_PROXIES",
                settings.trusted_proxies.as_deref(),
                TrustedProxies::default(),
                str::parse,
            ),
            stream_rate: NonZeroU32::new(stream_rate),
            publish_rate: NonZeroU32::new(publish_rate),
            max_channels_per_token: reading.number(
                "MAX_CHANNELS_PER_TOKEN",
                settings.max_channels_per_token.as_deref(),
                100_000,
                count,
            ),
            max_body_bytes: reading
                .value(
                    "MAX_BODY_BYTES",
                    settings.max_body_bytes.as_deref(),
                    8 * MIB,
                    quantity::parse_size,
                )
                .try_into()
                .unwrap_or(usize::MAX),
            otlp: otlp::attribute_names(&mut reading, settings),
            overlooked: Vec::new(),
        };
        // With less the gateway would acknowledge what it cannot keep, or refuse everything.
        reading.at_least("RETENTION_RECORDS", config.retention.records, 1);
        reading.at_least("RETENTION_BYTES", config.retention.bytes, MIB);
        reading.at_least("RETENTION_AGE", config.retention.age_ms / 1_000, 1);
        if let Some(connections) = config.max_connections {
            reading.at_least("MAX_CONNECTIONS", connections, 1);
        }
        reading.at_least("MAX_STREAMS", config.stream_limits.total, 1);
        reading.at_least("MAX_STREAMS_PER_USER", config.stream_limits.per_owner, 1);
        reading.at_least("MAX_STREAMS_PER_ADDRESS", config.stream_limits.per_address, 1);
        reading.at_least("MAX_BODY_BYTES", config.max_body_bytes, 1_024);
        if production {
            for (name, secret) in [
                ("ADMIN_TOKEN", &settings.admin_token),
                ("PROXY_TOKEN", &settings.proxy_token),
            ] {
                if given(secret).is_some_and(|secret| secret.len() < LEAST_SECRET_BYTES) {
                    let least = LEAST_SECRET_BYTES;
                    let weak = format!("{name} is shorter than {least} bytes: it can be found by trying");
                    reading.overlooked.push(weak);
                }
            }
        }
        let overlooked = std::mem::take(&mut reading.overlooked);
        reading.done(Self { overlooked, ..config })
    }
}

/// What a setting says, where it says anything.
pub(crate) fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

/// What a setting names, where it names anything.
fn given_file(path: &Option<PathBuf>) -> Option<&Path> {
    path.as_deref().filter(|path| !path.as_os_str().is_empty())
}

/// Where to listen.
pub(crate) fn listen(
    reading: &mut Reading,
    host: &Option<String>,
    port: &Option<String>,
    default_port: u16,
) -> (String, u16) {
    let host = given(host).unwrap_or("0.0.0.0").to_owned();
    let port = reading.number("PORT", port.as_deref(), default_port, "a port from 0 to 65535");
    (host, port)
}

/// Whether what is not opened stays closed.
pub(crate) fn production(reading: &mut Reading, text: Option<&str>) -> bool {
    reading.value("NODE_ENV", text, false, |text| match text {
        "production" => Ok(true),
        "development" | "test" => Ok(false),
        other => Err(format!("{other:?} is neither development nor production")),
    })
}

/// The form of a program's own log.
pub(crate) fn log_format(reading: &mut Reading, text: Option<&str>, production: bool) -> LogFormat {
    let default = if production {
        LogFormat::Json
    } else {
        LogFormat::Text
    };
    reading.value("LOG_FORMAT", text, default, |text| match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        other => Err(format!("{other:?} is neither text nor json")),
    })
}

/// The filter of a program's own log.
pub(crate) fn log_filter(text: &str) -> Result<String, String> {
    // A filter takes a lone word for a module: with a level spelt wrong the gateway would be silent.
    for word in text.split(',').map(str::trim).filter(|word| !word.contains('=')) {
        if word.parse::<tracing::level_filters::LevelFilter>().is_err() {
            return Err(format!(
                "{word:?} is not one of error, warn, info, debug, trace, off, nor module=level"
            ));
        }
    }
    match text.parse::<tracing_subscriber::EnvFilter>() {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!("{text:?} is no log filter: {error}")),
    }
}

fn write_pace_ms(text: &str) -> Result<u64, String> {
    let ms = text.parse().ok().filter(|ms| *ms <= MOST_WRITE_PACE_MS);
    ms.ok_or_else(|| format!("{text:?} is not a number of milliseconds from 0 to {MOST_WRITE_PACE_MS}"))
}

fn heartbeat_ms(text: &str) -> Result<u64, String> {
    let ms = text.parse().ok().filter(|ms| HEARTBEAT_MS.contains(ms));
    ms.ok_or_else(|| {
        format!(
            "{text:?} is not a number of milliseconds from {} to {}",
            HEARTBEAT_MS.start(),
            HEARTBEAT_MS.end()
        )
    })
}

fn storage(reading: &mut Reading, settings: &Settings) -> Storage {
    match given(&settings.redis_url) {
        Some(url) => redis::storage(reading, settings, url),
        None => {
            redis::without(reading, settings);
            own(reading, settings)
        }
    }
}

/// What this gateway keeps for itself.
fn own(reading: &mut Reading, settings: &Settings) -> Storage {
    let durability = reading.value(
        "DURABILITY",
        settings.durability.as_deref(),
        Durability::Process,
        |text| match text {
            "process" => Ok(Durability::Process),
            "fsync" => Ok(Durability::Fsync),
            other => Err(format!("{other:?} is neither process nor fsync")),
        },
    );
    if settings.store.as_deref() == Some("memory") && durability == Durability::Fsync {
        let error = "DURABILITY: fsync is for a disk, and with STORE=memory nothing outlives the process";
        reading.errors.push(error.to_owned());
    }
    let dir = given_file(&settings.data_dir)
        .unwrap_or(Path::new(DATA_DIR))
        .to_owned();
    let disk = Storage::Disk { dir, durability };
    reading.value(
        "STORE",
        settings.store.as_deref(),
        disk.clone(),
        |text| match text {
            "disk" => Ok(disk),
            "memory" => Ok(Storage::Memory),
            other => Err(format!("{other:?} is neither disk nor memory")),
        },
    )
}

/// The certificate, where there is one.
pub(crate) fn tls(reading: &mut Reading, cert: &Option<PathBuf>, key: &Option<PathBuf>) -> Option<Tls> {
    match (given_file(cert), given_file(key)) {
        (None, None) => None,
        (Some(cert), Some(key)) => Tls::load(cert, key)
            .map_err(|errors| reading.errors.extend(errors))
            .ok(),
        _ => {
            let error = "TLS_CERT and TLS_KEY: give both, or neither for plain HTTP";
            reading.errors.push(error.to_owned());
            None
        }
    }
}

fn service_tokens(reading: &mut Reading, settings: &Settings, production: bool) -> ServiceTokens {
    let file = given_file(&settings.service_tokens_file);
    let (name, tokens) = match (given(&settings.service_tokens), file) {
        (Some(_), Some(_)) => (
            "SERVICE_TOKENS and SERVICE_TOKENS_FILE",
            Err("give one of them".to_owned()),
        ),
        (Some(text), None) => ("SERVICE_TOKENS", ServiceTokens::from_text(text, production)),
        (None, Some(path)) => (
            "SERVICE_TOKENS_FILE",
            ServiceTokens::from_file(path.to_owned(), production),
        ),
        (None, None) if production => return ServiceTokens::none(),
        (None, None) => return ServiceTokens::demo(),
    };
    tokens.unwrap_or_else(|error| {
        reading.errors.push(format!("{name}: {error}"));
        ServiceTokens::none()
    })
}

#[cfg(test)]
mod tests;

//! Connections to Redis: the one way to get one, whoever needs it.

use std::{sync::OnceLock, time::Duration};

use redis::{
    AsyncConnectionConfig, Client, Connection, ConnectionAddr, ConnectionInfo, IntoConnectionInfo,
    ProtocolVersion, RedisConnectionInfo, RedisResult,
    aio::{AsyncPushSender, MultiplexedConnection},
};
use tokio::task::spawn_blocking;

use super::url::{Place, RedisUrl};

/// How long Redis may take to connect or to answer before it counts as away.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);

/// A connection for one thread, which waits no longer than [`PATIENCE`] for an answer. Blocks.
///
/// # Errors
/// Redis cannot be reached, or lets nobody in with this user and password.
pub(crate) fn connect(url: &RedisUrl) -> RedisResult<Connection> {
    let connection = client(url)?.get_connection_with_timeout(PATIENCE)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_write_timeout(Some(PATIENCE))?;
    Ok(connection)
}

/// A connection that hears what is published: each message goes to `push` in the order of the server, and what is
/// answered to a command comes after all messages that were published before it was carried out.
///
/// # Errors
/// As [`connect`].
pub(crate) async fn connect_live(
    url: &RedisUrl,
    push: impl AsyncPushSender,
) -> RedisResult<MultiplexedConnection> {
    let url = url.clone();
    let client = spawn_blocking(move || client(&url)).await;
    let client = client.map_err(|_| std::io::Error::other("nobody looks for Redis any more"))??;
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(PATIENCE))
        .set_response_timeout(Some(PATIENCE))
        .set_push_sender(push);
    client.get_multiplexed_async_connection_with_config(&config).await
}

fn client(url: &RedisUrl) -> RedisResult<Client> {
    // The TLS library wants to know once for the process which of its parts does the arithmetic.
    static PROVIDER: OnceLock<()> = OnceLock::new();
    PROVIDER.get_or_init(|| {
        // Where it was said before, the same was said.
        let _ = tokio_rustls::rustls::crypto::aws_lc_rs::default_provider().install_default();
    });
    let info = match url.place() {
        Place::Server(info) => info.clone(),
        Place::Sentinels {
            sentinels,
            name,
            server,
        } => server_that_writes(sentinels, name, server)?,
    };
    let settings = info.redis_settings().clone();
    Client::open(info.set_redis_settings(greeting(settings).set_protocol(ProtocolVersion::RESP3)))
}

/// What is said first, and no more than is needed: each answer that does not come is waited for anew.
fn greeting(settings: RedisConnectionInfo) -> RedisConnectionInfo {
    settings.set_skip_set_lib_name()
}

/// Asks one sentinel after the other.
fn server_that_writes(
    sentinels: &[ConnectionAddr],
    name: &str,
    server: &ConnectionInfo,
) -> RedisResult<ConnectionInfo> {
    let mut failed = None;
    for sentinel in sentinels {
        match ask(sentinel, name) {
            Ok((host, port)) => {
                let address = match server.addr().clone() {
                    ConnectionAddr::TcpTls {
                        insecure, tls_params, ..
                    } => ConnectionAddr::TcpTls {
                        host,
                        port,
                        insecure,
                        tls_params,
                    },
                    _ => ConnectionAddr::Tcp(host, port),
                };
                return Ok(server.clone().set_addr(address));
            }
            Err(error) => failed = Some(error),
        }
    }
    Err(failed.unwrap_or_else(|| std::io::Error::other("no sentinel is named").into()))
}

fn ask(sentinel: &ConnectionAddr, name: &str) -> RedisResult<(String, u16)> {
    let info = sentinel.clone().into_connection_info()?;
    let settings = greeting(info.redis_settings().clone());
    let client = Client::open(info.set_redis_settings(settings))?;
    let mut connection = client.get_connection_with_timeout(PATIENCE)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    let mut question = redis::cmd("SENTINEL");
    question.arg("GET-MASTER-ADDR-BY-NAME").arg(name);
    let answer: Option<(String, u16)> = question.query(&mut connection)?;
    answer
        .ok_or_else(|| std::io::Error::other("the sentinel knows no server of the name in REDIS_URL").into())
}

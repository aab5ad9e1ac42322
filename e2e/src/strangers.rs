//! [`Strangers`]: people who mean the gateway no good.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use logs_shared::api::{PUBLISH_PATH, SERVICE_TOKEN_HEADER, STREAM_PATH, USER_ID_HEADER};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use crate::{TestGateway, gateway::TOKEN};

/// People who mean the gateway no good, each with connections of their own. They go with this value.
pub struct Strangers {
    seen: Arc<Mutex<Vec<Cut>>>,
    tasks: JoinSet<()>,
}

/// A connection that the gateway has ended.
#[derive(Clone, Debug)]
pub struct Cut {
    /// How long it was open.
    pub after: Duration,
    /// What it was told.
    pub answer: String,
}

/// How often those who are slow send a byte.
const BYTE_EACH: Duration = Duration::from_millis(500);
/// Reads so little at once that a stream with traffic on it is stalled soon.
const SMALL_BUFFER: u32 = 4 * 1024;
/// What the gateway allows one user is less than what strangers have: they give themselves names.
const STREAMS_PER_NAME: usize = 50;
const PATIENCE: Duration = Duration::from_secs(30);

impl Strangers {
    /// So many who send the head of a request byte by byte, and begin again when they are cut, if they shall.
    ///
    /// # Errors
    /// The gateway's address is none.
    pub fn with_slow_heads(gateway: &TestGateway, count: usize, again: bool) -> Result<Self> {
        let start = "GET /health HTTP/1.1\r\nx-slow: ";
        Self::who_trickle(gateway, count, start.to_owned(), again)
    }

    /// So many who publish byte by byte.
    ///
    /// # Errors
    /// As [`Self::with_slow_heads`].
    pub fn with_slow_bodies(gateway: &TestGateway, count: usize) -> Result<Self> {
        let start = format!(
            "POST {PUBLISH_PATH} HTTP/1.1\r\nhost: gateway\r\n{SERVICE_TOKEN_HEADER}: {TOKEN}\r\n\
             content-type: application/json\r\ncontent-length: 1000000\r\n\r\n"
        );
        Self::who_trickle(gateway, count, start, false)
    }

    /// So many who open a stream and never read of it.
    ///
    /// # Errors
    /// One of them is refused.
    pub async fn who_never_read(gateway: &TestGateway, channel: &str, count: usize) -> Result<Self> {
        let address = address(gateway)?;
        let mut strangers = Self::nobody();
        let mut sockets = Vec::new();
        for number in 0..count {
            let socket = TcpSocket::new_v4()?;
            socket.set_recv_buffer_size(SMALL_BUFFER)?;
            let mut socket = socket.connect(address).await?;
            let name = number / STREAMS_PER_NAME;
            let request = format!(
                "GET {STREAM_PATH}?channels={channel} HTTP/1.1\r\nhost: gateway\r\n{USER_ID_HEADER}: stranger{name}\r\n\r\n"
            );
            socket.write_all(request.as_bytes()).await?;
            let mut status = [0; 12];
            timeout(PATIENCE, socket.read_exact(&mut status)).await??;
            ensure!(&status == b"HTTP/1.1 200", "{}", String::from_utf8_lossy(&status));
            sockets.push(socket);
        }
        strangers.tasks.spawn(async move {
            std::future::pending::<()>().await;
            drop(sockets);
        });
        Ok(strangers)
    }

    /// What they have met with so far.
    #[must_use]
    pub fn cut(&self) -> Vec<Cut> {
        lock(&self.seen).clone()
    }

    fn who_trickle(gateway: &TestGateway, count: usize, start: String, again: bool) -> Result<Self> {
        let address = address(gateway)?;
        let mut strangers = Self::nobody();
        for _ in 0..count {
            let (seen, start) = (strangers.seen.clone(), start.clone());
            strangers.tasks.spawn(async move {
                loop {
                    // A gateway that takes no connection now may take one later.
                    if let Ok(cut) = trickle(address, &start).await {
                        lock(&seen).push(cut);
                    }
                    if !again {
                        return;
                    }
                    sleep(BYTE_EACH).await;
                }
            });
        }
        Ok(strangers)
    }

    fn nobody() -> Self {
        let given = getrlimit(Resource::Nofile);
        let all = Rlimit {
            current: given.maximum,
            ..given
        };
        // Where it is not given, opening the connections tells.
        let _ = setrlimit(Resource::Nofile, all);
        Self {
            seen: Arc::default(),
            tasks: JoinSet::new(),
        }
    }
}

/// Sends the start, and then a byte again and again, until the other end has had enough.
async fn trickle(address: SocketAddr, start: &str) -> Result<Cut> {
    let mut socket = TcpStream::connect(address).await?;
    let began = Instant::now();
    socket.write_all(start.as_bytes()).await?;
    let mut answer = Vec::new();
    loop {
        match timeout(BYTE_EACH, socket.read_buf(&mut answer)).await {
            Ok(Ok(0) | Err(_)) => break,
            Ok(Ok(_)) => {}
            Err(_) if socket.write_all(b"x").await.is_err() => break,
            Err(_) => {}
        }
    }
    Ok(Cut {
        after: began.elapsed(),
        answer: String::from_utf8_lossy(&answer).into_owned(),
    })
}

fn address(gateway: &TestGateway) -> Result<SocketAddr> {
    let url = gateway.url("");
    let address = url.trim_start_matches("http://");
    address.parse().with_context(|| format!("{url} names no address"))
}

fn lock(seen: &Mutex<Vec<Cut>>) -> MutexGuard<'_, Vec<Cut>> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

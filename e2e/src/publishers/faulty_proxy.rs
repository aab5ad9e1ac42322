//! [`FaultyProxy`]: stands in front of the real gateway, and does one [`Fault`] after the other.

use std::{
    collections::VecDeque,
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use tokio::{
    io::{AsyncWriteExt, BufStream},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinSet,
    time::sleep,
};

use super::request::Message;
use crate::{TestGateway, deadline::eventually, port::Port};

/// What a proxy does to requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Passes them on.
    None,
    /// Accepts connections, reads what comes, and never answers.
    Hang,
    /// Passes half of the body on, and no more.
    Stall,
    /// Answers in the gateway's place.
    Answer {
        /// The answer's status.
        status: u16,
        /// Its `Retry-After`.
        retry_after: Option<u32>,
    },
    /// Writes this in place of an answer, and ends the connection.
    Say(&'static str),
    /// Begins an answer that has no end.
    Endless,
    /// Passes the request on, and the answer back a byte at a time.
    Drip,
    /// Passes the request on, and the answer comes to nothing.
    LoseAnswer,
    /// Passes the request on, and cuts the answer within its head.
    CutAnswer,
    /// Passes requests on after some time.
    Slow(Duration),
}

/// A request as it came to a [`FaultyProxy`].
#[derive(Clone, Debug)]
pub struct Seen {
    /// When its last byte came.
    pub at: Instant,
    /// The `Idempotency-Key`.
    pub key: Option<String>,
    /// The `Content-Encoding`.
    pub encoding: Option<String>,
    /// The `Content-Type`.
    pub content_type: Option<String>,
    /// The `Authorization`.
    pub authorization: Option<String>,
    /// The `User-Agent`.
    pub agent: Option<String>,
    /// The body as it came.
    pub body: Vec<u8>,
    /// What was done to it.
    pub fault: Fault,
    /// How many others were not answered yet.
    pub others: usize,
}

/// A proxy in front of a gateway, at an address of its own. It ends with this value.
pub struct FaultyProxy {
    port: Port,
    listening: Option<JoinSet<()>>,
    shared: Arc<Shared>,
}

struct Shared {
    gateway: String,
    state: Mutex<State>,
}

struct State {
    /// Of the next requests.
    coming: VecDeque<Fault>,
    /// Of the others.
    fault: Fault,
    seen: Vec<Seen>,
    under_way: usize,
}

impl FaultyProxy {
    /// A proxy that passes everything on to this gateway, also after it was started again.
    ///
    /// # Errors
    /// There is no port.
    pub fn start(gateway: &TestGateway) -> Result<Self> {
        let mut proxy = Self::start_refusing(gateway)?;
        proxy.listen()?;
        Ok(proxy)
    }

    /// A proxy to which nobody can connect yet.
    ///
    /// # Errors
    /// There is no port.
    pub fn start_refusing(gateway: &TestGateway) -> Result<Self> {
        let port = Port::free()?;
        let url = gateway.url("");
        let gateway = url.strip_prefix("http://").context("another address")?;
        let state = State {
            coming: VecDeque::new(),
            fault: Fault::None,
            seen: Vec::new(),
            under_way: 0,
        };
        Ok(Self {
            port,
            listening: None,
            shared: Arc::new(Shared {
                gateway: gateway.to_owned(),
                state: Mutex::new(state),
            }),
        })
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.port.address())
    }

    /// Refuses connections from now on, and cuts those that there are.
    pub fn refuse(&mut self) {
        self.listening = None;
    }

    /// Takes connections, after [`Self::refuse`].
    ///
    /// # Errors
    /// The port cannot be had again.
    pub fn listen(&mut self) -> Result<()> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(self.port.address())?;
        let listener = socket.listen(128)?;
        let mut tasks = JoinSet::new();
        tasks.spawn(self.shared.clone().accept(listener));
        self.listening = Some(tasks);
        Ok(())
    }

    /// Does this to every request from now on.
    pub fn always(&self, fault: Fault) {
        let mut state = self.shared.state();
        (state.fault, state.coming) = (fault, VecDeque::new());
    }

    /// Does this to the next requests, and passes on those that come later.
    pub fn next(&self, times: usize, fault: Fault) {
        self.then(vec![fault; times]);
    }

    /// Does these to the next requests, one each, and passes on those that come later.
    pub fn then(&self, faults: Vec<Fault>) {
        let mut state = self.shared.state();
        (state.fault, state.coming) = (Fault::None, faults.into());
    }

    /// The requests so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.state().seen.clone()
    }

    /// Waits until so many requests have come.
    ///
    /// # Errors
    /// They do not come.
    pub async fn has_seen(&self, requests: usize) -> Result<()> {
        let what = format!("{requests} requests");
        eventually(what, Duration::from_secs(30), async || {
            Ok((self.shared.state().seen.len() >= requests).then_some(()))
        })
        .await
    }
}

impl Shared {
    async fn accept(self: Arc<Self>, listener: TcpListener) {
        // With this task its connections end: their tasks are its own.
        let mut connections = JoinSet::new();
        loop {
            if let Ok((connection, _)) = listener.accept().await {
                let shared = self.clone();
                // An error is a connection that is no more, on either side.
                connections.spawn(async move { shared.serve(connection).await });
            }
            while connections.try_join_next().is_some() {}
        }
    }

    async fn serve(&self, connection: TcpStream) -> Result<()> {
        let mut connection = BufStream::new(connection);
        while let Some(request) = Message::read(&mut connection).await? {
            let fault = self.begin(&request);
            let _under_way = UnderWay(self);
            match fault {
                Fault::None => {}
                Fault::Hang => pending().await,
                Fault::Stall => {
                    let bytes = request.bytes();
                    let half = bytes.len() - request.body.len() / 2;
                    let mut gateway = TcpStream::connect(&self.gateway).await?;
                    gateway.write_all(&bytes[..half]).await?;
                    // Until who sent it gives up; then the gateway sees its end too.
                    ensure!(Message::read(&mut connection).await?.is_some());
                    return Ok(());
                }
                Fault::Answer { status, retry_after } => {
                    let retry_after =
                        retry_after.map_or_else(String::new, |seconds| format!("retry-after: {seconds}\r\n"));
                    let body = format!(
                        r#"{{"success":false,"status":{status},"title":"A fault","code":"a_fault","detail":"on purpose"}}"#
                    );
                    let head = format!(
                        "HTTP/1.1 {status} Fault\r\ncontent-type: application/problem+json\r\n{retry_after}content-length: {}\r\n\r\n",
                        body.len()
                    );
                    connection.write_all((head + &body).as_bytes()).await?;
                    connection.flush().await?;
                    continue;
                }
                Fault::Say(text) => {
                    connection.write_all(text.as_bytes()).await?;
                    connection.flush().await?;
                    return Ok(());
                }
                Fault::Endless => {
                    connection.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
                    loop {
                        connection.write_all(&[b' '; 65_536]).await?;
                    }
                }
                Fault::Drip => {
                    for byte in self.ask(&request).await?.bytes() {
                        connection.write_u8(byte).await?;
                        connection.flush().await?;
                        sleep(Duration::from_millis(100)).await;
                    }
                    continue;
                }
                Fault::LoseAnswer => {
                    self.ask(&request).await?;
                    return Ok(());
                }
                Fault::CutAnswer => {
                    let answer = self.ask(&request).await?;
                    connection
                        .write_all(&answer.head[..answer.head.len() / 2])
                        .await?;
                    connection.flush().await?;
                    return Ok(());
                }
                Fault::Slow(time) => sleep(time).await,
            }
            let answer = self.ask(&request).await?;
            connection.write_all(&answer.bytes()).await?;
            connection.flush().await?;
        }
        Ok(())
    }

    /// The gateway's answer.
    async fn ask(&self, request: &Message) -> Result<Message> {
        let mut gateway = BufStream::new(TcpStream::connect(&self.gateway).await?);
        gateway.write_all(&request.bytes()).await?;
        gateway.flush().await?;
        let answer = Message::read(&mut gateway).await?;
        answer.context("the gateway did not answer")
    }

    fn begin(&self, request: &Message) -> Fault {
        let header = |name| request.header(name).map(ToOwned::to_owned);
        let mut state = self.state();
        let fault = state.coming.pop_front().unwrap_or(state.fault);
        let others = state.under_way;
        state.under_way += 1;
        state.seen.push(Seen {
            at: Instant::now(),
            key: header("idempotency-key"),
            encoding: header("content-encoding"),
            content_type: header("content-type"),
            authorization: header("authorization"),
            agent: header("user-agent"),
            body: request.body.clone(),
            fault,
            others,
        });
        fault
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is not answered yet.
struct UnderWay<'a>(&'a Shared);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.state().under_way -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn health(proxy: &FaultyProxy) -> reqwest::Result<u16> {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_millis(800))
            .build()?;
        let answer = http.get(format!("{}/health", proxy.url())).send().await?;
        Ok(answer.status().as_u16())
    }

    #[tokio::test]
    async fn a_proxy_does_what_it_was_told_and_nothing_after_it() -> Result<()> {
        let gateway = TestGateway::start().await?;
        let mut proxy = FaultyProxy::start_refusing(&gateway)?;
        assert!(health(&proxy).await.is_err_and(|error| error.is_connect()));
        proxy.listen()?;
        assert_eq!(health(&proxy).await?, 200);
        proxy.next(
            1,
            Fault::Answer {
                status: 429,
                retry_after: Some(1),
            },
        );
        assert_eq!((health(&proxy).await?, health(&proxy).await?), (429, 200));
        for fault in [
            Fault::Hang,
            Fault::LoseAnswer,
            Fault::CutAnswer,
            Fault::Slow(Duration::from_secs(2)),
            Fault::Say("no HTTP"),
            Fault::Drip,
        ] {
            proxy.next(1, fault);
            assert!(health(&proxy).await.is_err(), "{fault:?}");
            assert_eq!(health(&proxy).await?, 200, "after {fault:?}");
        }
        proxy.refuse();
        assert!(health(&proxy).await.is_err_and(|error| error.is_connect()));
        proxy.listen()?;
        assert_eq!(health(&proxy).await?, 200);
        let faults = proxy
            .seen()
            .iter()
            .filter(|seen| seen.fault != Fault::None)
            .count();
        assert_eq!(faults, 7);
        Ok(())
    }
}

//! [`TurnedAway`]: what those hear for whom there is no room.

use std::{io, sync::Arc, time::Duration};

use logs_shared::{Problem, api::PROBLEM_TYPE, problem::code};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
    time::timeout,
};

/// What those hear for whom there is no room: why, and when to come back. Where many come at once most hear nothing,
/// because a word costs more than a connection, and so do those that came to be encrypted.
pub(super) struct TurnedAway {
    words: Option<Arc<[u8]>>,
    listening: Arc<Semaphore>,
}

/// How many are told at once.
const TOLD_AT_ONCE: usize = 64;
/// How long it may take.
const WITHIN: Duration = Duration::from_secs(1);
const RETRY_AFTER_SECONDS: u16 = 5;

impl TurnedAway {
    pub(super) fn new(is_encrypted: bool) -> Self {
        Self {
            words: (!is_encrypted).then(|| words().into()),
            listening: Arc::new(Semaphore::new(TOLD_AT_ONCE)),
        }
    }

    /// Tells the other end, and closes the connection.
    pub(super) fn tell(&self, mut socket: TcpStream) {
        let (Some(words), Ok(turn)) = (self.words.clone(), self.listening.clone().try_acquire_owned()) else {
            return;
        };
        tokio::spawn(timeout(WITHIN, async move {
            let _turn = turn;
            say(&mut socket, &words).await
        }));
    }
}

/// Tells somebody who speaks plain HTTP that this is not the place for it.
pub(super) async fn tell_to_encrypt(mut socket: TcpStream) -> io::Result<()> {
    const WORDS: &str = "This port speaks HTTPS only: use https:// in the address.\n";
    let head = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        WORDS.len()
    );
    let said = timeout(WITHIN, say(&mut socket, (head + WORDS).as_bytes())).await;
    said.unwrap_or(Ok(()))
}

async fn say(socket: &mut TcpStream, words: &[u8]) -> io::Result<()> {
    socket.write_all(words).await?;
    socket.shutdown().await?;
    // A socket that is closed with something unread takes back what it has sent.
    while socket.read(&mut [0; 4 * 1024]).await? > 0 {}
    Ok(())
}

fn words() -> Vec<u8> {
    let problem = Problem {
        status: 503,
        title: "Service Unavailable".to_owned(),
        success: false,
        code: code::TOO_MANY_CONNECTIONS.to_owned(),
        detail: "the gateway has as many connections open as it may have; try again soon".to_owned(),
        rejected: Vec::new(),
    };
    let body = serde_json::to_string(&problem).unwrap_or_default();
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: {PROBLEM_TYPE}\r\ncontent-length: {}\r\n\
         retry-after: {RETRY_AFTER_SECONDS}\r\ncache-control: no-store\r\nconnection: close\r\n\r\n",
        body.len()
    );
    (head + &body).into_bytes()
}

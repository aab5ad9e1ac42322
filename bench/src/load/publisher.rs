//! [`Publisher`]: one connection that publishes, a request after the other.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;

use anyhow::{Result, bail};

use super::answer::Answer;
use crate::wire::{self, Publish};

/// A connection that publishes.
#[derive(Debug)]
pub(crate) struct Publisher {
    pub(crate) socket: TcpStream,
    request: Vec<u8>,
    written: usize,
    body: String,
    answer: Answer,
    answered: bool,
    /// What it publishes to, in turn.
    lanes: Vec<usize>,
    turn: usize,
    under_way: Option<UnderWay>,
    /// Whether it is to be told when there is room to write.
    pub(crate) is_waiting_for_room: bool,
}

/// A request that is not answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UnderWay {
    pub(crate) began_us: u64,
    pub(crate) records: u64,
}

/// What a request is to say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batch<'a> {
    pub(crate) channel: &'a str,
    pub(crate) lane: usize,
    pub(crate) first: u64,
    pub(crate) records: u64,
    pub(crate) sent_us: u64,
    pub(crate) record_bytes: usize,
}

impl Publisher {
    pub(crate) fn new(socket: TcpStream, lanes: Vec<usize>) -> Self {
        Self {
            socket,
            request: Vec::new(),
            written: 0,
            body: String::new(),
            answer: Answer::default(),
            answered: true,
            lanes,
            turn: 0,
            under_way: None,
            is_waiting_for_room: false,
        }
    }

    /// The lane whose turn it is.
    pub(crate) fn next_lane(&mut self) -> usize {
        self.turn = (self.turn + 1) % self.lanes.len();
        self.lanes[self.turn]
    }

    /// Begins a request.
    pub(crate) fn begin(&mut self, publish: &Publish, batch: Batch<'_>, now: u64) {
        self.body.clear();
        for number in batch.first..batch.first + batch.records {
            let message = wire::message(batch.sent_us, number, batch.lane, batch.record_bytes);
            fill(
                &mut self.body,
                &publish.body,
                batch.channel,
                "{message}",
                &message,
            );
        }
        let mut request = String::from_utf8(std::mem::take(&mut self.request)).unwrap_or_default();
        request.clear();
        if !publish.head.is_empty() {
            fill(
                &mut request,
                &publish.head,
                batch.channel,
                "{length}",
                &self.body.len().to_string(),
            );
        }
        request.push_str(&self.body);
        self.request = request.into_bytes();
        self.written = 0;
        self.answered = publish.head.is_empty();
        self.under_way = Some(UnderWay {
            began_us: now,
            records: batch.records,
        });
    }

    /// Writes as far as it can. What it gives has been written and needs no answer: the next request may begin.
    pub(crate) fn write(&mut self) -> Result<Option<UnderWay>> {
        while self.written < self.request.len() {
            match self.socket.write(&self.request[self.written..]) {
                Ok(length) => self.written += length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(self.take_answered())
    }

    /// Reads what there is of an answer. What it gives has been answered: the next request may begin.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<Option<UnderWay>> {
        match self.socket.read(buffer) {
            Ok(0) => bail!("a publisher's connection was ended by the server"),
            Ok(length) => self.answered = self.answer.take(&buffer[..length])?,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        Ok(self.take_answered())
    }

    fn take_answered(&mut self) -> Option<UnderWay> {
        if self.answered {
            self.under_way.take()
        } else {
            None
        }
    }

    /// Whether something of its request is still to be written.
    pub(crate) fn is_writing(&self) -> bool {
        self.written < self.request.len()
    }
}

/// Writes a template with a channel and one thing more.
fn fill(into: &mut String, template: &str, channel: &str, name: &str, value: &str) {
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        into.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(behind) = rest.strip_prefix("{channel}") {
            into.push_str(channel);
            rest = behind;
        } else if let Some(behind) = rest.strip_prefix(name) {
            into.push_str(value);
            rest = behind;
        } else {
            into.push('{');
            rest = &rest[1..];
        }
    }
    into.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_filled_wherever_it_says_so_and_keeps_other_braces() {
        let mut filled = String::new();
        fill(
            &mut filled,
            r#"{"channel":"{channel}","a":{"b":"{message}"}}"#,
            "c{0}",
            "{message}",
            "m{channel}",
        );
        assert_eq!(filled, r#"{"channel":"c{0}","a":{"b":"m{channel}"}}"#);
    }
}

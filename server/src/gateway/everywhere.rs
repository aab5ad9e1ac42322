//! What concerns other gateways too, where several share a Redis.

use std::{
    io,
    sync::{Arc, Weak},
};

use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use logs_shared::{Channel, ChannelPattern, StreamChange, StreamChanged, overview::ChannelOverview};
use tokio::task::spawn_blocking;

use super::{Gateway, Shared};
use crate::{
    access::{Mark, ReadScope, ReaderIdentity, Revocation, Revoked, TooManyPatterns},
    engine::now_ms,
    nodes::{Answer, Here, NoAnswer, NodeId, Nodes, PATIENCE, Place, Question, in_short},
    streams::{NotChanged, Refused, UnknownStream},
};

/// Why something was not revoked on all gateways, or not for good.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotRevoked {
    /// It holds, and a restart would forget it: a full disk does not let in who is to be shut out.
    #[error(transparent)]
    NotKept(#[from] io::Error),
    /// It holds on this gateway, and Redis does not take it for the others.
    #[error("Redis does not take it")]
    NotTold,
    /// Nobody does it any more.
    #[error("the gateway has ended")]
    Ended,
}

impl Gateway {
    /// Becomes one of the gateways that share a Redis, where it is one.
    pub(super) fn join(&self) {
        if let Some(nodes) = &self.shared.nodes {
            let here: Weak<Shared> = Arc::downgrade(&self.shared);
            nodes.join(here);
        }
    }

    /// Is none of them any more.
    pub async fn leave(&self) {
        if let Some(nodes) = &self.shared.nodes {
            nodes.leave().await;
        }
    }

    /// The other gateways, and which of them has the stream of this name, where one has.
    fn elsewhere(&self, name: &str) -> Option<(&Nodes, NodeId)> {
        let nodes = self.shared.nodes.as_ref()?;
        Some((nodes, nodes.other_in(name)?))
    }

    /// Takes a place for a stream among those that its reader may have on all gateways.
    ///
    /// # Errors
    /// [`Refused`]: there are as many as may be.
    pub(crate) async fn place(&self, reader: &ReaderIdentity) -> Result<Option<Place>, Refused> {
        match &self.shared.nodes {
            Some(nodes) => nodes
                .take(reader, self.shared.config.stream_limits)
                .await
                .map(Some),
            None => Ok(None),
        }
    }

    /// Changes what an open stream follows, on whichever gateway. `body` is the change as it was written.
    ///
    /// # Errors
    /// [`NotChanged`]: it is not open or not this reader's, or would follow too much; or its gateway cannot be asked.
    pub(crate) async fn change_stream(
        &self,
        stream_id: String,
        change: StreamChange,
        body: Bytes,
        reader: ReaderIdentity,
    ) -> Result<StreamChanged, NotChanged> {
        let ReaderIdentity { owner, scope, .. } = reader;
        let Some((nodes, node)) = self.elsewhere(&stream_id) else {
            return self.clone().change_in_turn(stream_id, change, owner, scope).await;
        };
        let question = Question::Change {
            stream_id,
            // What is no UTF-8 was refused before.
            body: String::from_utf8_lossy(&body).into_owned(),
            owner,
            scope: scope.to_patterns(),
        };
        match nodes.ask(node, question).await? {
            Answer::Changed(changed) => Ok(changed),
            Answer::TooManyPatterns => Err(TooManyPatterns.into()),
            Answer::UnknownStream => Err(UnknownStream.into()),
            _ => Err(NoAnswer::Silent.into()),
        }
    }

    /// Changes a stream that is open here where nobody else waits for it.
    async fn change_in_turn(
        self,
        stream_id: String,
        change: StreamChange,
        owner: String,
        scope: ReadScope,
    ) -> Result<StreamChanged, NotChanged> {
        let changing = spawn_blocking(move || self.change_here(stream_id, &change, &owner, &scope));
        changing.await.unwrap_or(Err(NotChanged::Ended))
    }

    /// Ends the stream with this id, or this name in the statistics, at once, on whichever gateway; or the one of this
    /// gateway with this number.
    ///
    /// # Errors
    /// There is none, or its gateway cannot be asked.
    pub(crate) async fn close_stream(&self, name: String) -> Result<(), NotChanged> {
        let Some((nodes, node)) = self.elsewhere(&name) else {
            return Ok(self.shared.streams.close(&name)?);
        };
        match nodes.ask(node, Question::Close { name }).await? {
            Answer::Closed(_) => Ok(()),
            Answer::UnknownStream => Err(UnknownStream.into()),
            _ => Err(NoAnswer::Silent.into()),
        }
    }

    /// Ends what a user or a token may until a time in milliseconds since 1970, on all gateways, and says how many streams that
    /// closed on those that answered. A time that is over lets them again.
    ///
    /// # Errors
    /// [`NotRevoked`]: it holds here.
    pub(crate) async fn revoke(&self, what: Revocation, until_ms: u64) -> Result<usize, NotRevoked> {
        let Some(nodes) = &self.shared.nodes else {
            let gateway = self.clone();
            let revoking = spawn_blocking(move || gateway.revoke_here(&what, until_ms));
            return revoking.await.map_err(|_| NotRevoked::Ended)?;
        };
        let marks = self.shared.revoked.marks_of(&what, until_ms);
        // Here first, whatever becomes of Redis.
        let here = self.shared.shut_out(marks.clone());
        nodes.keep(&marks).await.map_err(|_| NotRevoked::NotTold)?;
        // Who does not hear it now reads it when it is back.
        let answers = nodes.ask_all(Question::Revoke(marks), PATIENCE).await;
        let closed = answers
            .unwrap_or_default()
            .into_iter()
            .map(|(_, answer)| match answer {
                Answer::Closed(count) => count,
                _ => 0,
            });
        Ok(closed.sum::<usize>() + here)
    }

    /// The same of a gateway that has no others beside it. Blocks until it is kept.
    fn revoke_here(&self, what: &Revocation, until_ms: u64) -> Result<usize, NotRevoked> {
        let kept = self.shared.revoked.revoke(what, until_ms);
        let closed = if until_ms <= now_ms() {
            0
        } else {
            self.shared.streams.revoke(what)
        };
        Ok(kept.map(|()| closed)?)
    }

    /// Puts in how many streams follow each channel on all gateways.
    pub(crate) async fn count_readers(&self, channels: &mut [ChannelOverview]) {
        if let Some(nodes) = &self.shared.nodes {
            nodes.count_readers(channels).await;
        }
    }

    async fn answer_to(self, question: Question) -> Answer {
        match question {
            Question::Change {
                stream_id,
                body,
                owner,
                scope,
            } => {
                let Ok(change) = StreamChange::parse(body.as_bytes()) else {
                    return Answer::Refused;
                };
                let scope = ReadScope::new(scope);
                match self.change_in_turn(stream_id, change, owner, scope).await {
                    Ok(changed) => Answer::Changed(changed),
                    Err(NotChanged::Unknown(_)) => Answer::UnknownStream,
                    Err(NotChanged::TooManyPatterns(_)) => Answer::TooManyPatterns,
                    Err(NotChanged::NotReached(_) | NotChanged::Ended) => Answer::Refused,
                }
            }
            Question::Close { name } => match self.shared.streams.close(&name) {
                Ok(()) => Answer::Closed(1),
                Err(UnknownStream) => Answer::UnknownStream,
            },
            Question::Revoke(marks) => Answer::Closed(self.shared.shut_out(marks)),
            Question::Stats { rows } => {
                let looking = spawn_blocking(move || {
                    let mut stats = self.stats(rows);
                    in_short(&mut stats);
                    stats
                });
                match looking.await {
                    Ok(stats) => Answer::Stats(Box::new(stats)),
                    Err(_) => Answer::Refused,
                }
            }
        }
    }
}

impl Here for Shared {
    fn answer(self: Arc<Self>, question: Question) -> BoxFuture<'static, Answer> {
        Gateway { shared: self }.answer_to(question).boxed()
    }

    fn revoked(&self) -> &Revoked {
        &self.revoked
    }

    fn shut_out(&self, marks: Vec<(String, Mark)>) -> usize {
        self.revoked.note(marks);
        self.streams.shut_out(&self.revoked)
    }

    fn changed_readers(&self) -> Vec<(Channel, usize)> {
        self.engine.take_recounted()
    }
}

impl ReadScope {
    /// As patterns: everything is one too.
    fn to_patterns(&self) -> Vec<ChannelPattern> {
        match self {
            Self::Everything => vec![ChannelPattern::everything()],
            Self::Patterns(patterns) => patterns.to_vec(),
        }
    }
}

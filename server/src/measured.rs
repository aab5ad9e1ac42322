//! What benchmarks need of the inside, with the feature `measured` only: streams without connections.

use std::{
    future::poll_fn,
    task::{Context, Poll},
};

use logs_shared::StreamQuery;

use crate::{
    access::{ReadScope, ReaderIdentity},
    gateway::Gateway,
    stream::LogStream,
};

/// A stream as a connection has it, of a reader that may see everything.
pub struct Stream(LogStream);

impl Stream {
    /// Opens it. To be called on a runtime; blocks for as long as it takes to find where it begins.
    ///
    /// # Errors
    /// Too many are open, or the store cannot be read.
    pub fn open(gateway: &Gateway, query: StreamQuery) -> anyhow::Result<Self> {
        let reader = ReaderIdentity::named("measured".to_owned(), ReadScope::Everything, Default::default());
        let begun = gateway.begin_stream(query, reader, None)?;
        Ok(Self(gateway.open_stream(begun)?))
    }

    /// How many bytes of events its connection would be given next; `None` at its end. The first are the opening events.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<usize>> {
        let chunk = self.0.poll_chunk(cx);
        chunk.map(|chunk| chunk.map(|chunk| chunk.len()))
    }

    /// Waits for [`Self::poll_next`].
    pub async fn next(&mut self) -> Option<usize> {
        poll_fn(|cx| self.poll_next(cx)).await
    }
}

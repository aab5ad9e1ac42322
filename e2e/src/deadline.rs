//! [`eventually`]: waits for a condition, and for a limited time.

use std::{fmt::Display, time::Duration};

use anyhow::{Result, bail};
use tokio::time::{Instant, sleep};

/// How soon a condition is looked at again.
const AGAIN: Duration = Duration::from_millis(20);

/// Asks again and again until there is an answer.
///
/// # Errors
/// Asking fails, or there is none within `deadline`; then `what` is named.
pub async fn eventually<T>(
    what: impl Display,
    deadline: Duration,
    mut ask: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let until = Instant::now() + deadline;
    loop {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        if Instant::now() >= until {
            bail!("not within {deadline:?}: {what}");
        }
        sleep(AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_never_comes_is_named_when_the_time_is_up() {
        let waited = eventually("a miracle", Duration::from_millis(50), async || Ok(None::<()>)).await;
        assert_eq!(waited.unwrap_err().to_string(), "not within 50ms: a miracle");
    }

    #[tokio::test]
    async fn an_answer_ends_the_wait() {
        let mut asked = 0;
        let third = eventually("three", Duration::from_secs(5), async || {
            asked += 1;
            Ok((asked == 3).then_some(asked))
        });
        assert_eq!(third.await.unwrap(), 3);
    }

    #[tokio::test]
    async fn a_question_that_fails_ends_the_wait() {
        let waited = eventually("x", Duration::from_secs(5), async || -> Result<Option<()>> {
            bail!("no")
        })
        .await;
        assert_eq!(waited.unwrap_err().to_string(), "no");
    }
}

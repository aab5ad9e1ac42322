//! [`Refusal`]: why the gateway did not open a stream.

use gloo_net::http::Request;
use logs_shared::Problem;
use wasm_bindgen_futures::spawn_local;
use web_sys::AbortController;

/// Why the gateway did not open a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It says no, and would say so again.
    Final(String),
    /// It, or something on the way to it, cannot at the moment.
    Passing(String),
    /// It would open it now.
    None,
}

/// A question to the gateway that is given up when it is dropped.
pub(crate) struct Question(Option<AbortController>);

impl Question {
    /// Asks `url` once, as `EventSource` did, and reads what `EventSource` does not show.
    pub(crate) fn ask(url: String, tell: impl FnOnce(Refusal) + 'static) -> Self {
        let abort = AbortController::new().ok();
        let signal = abort.as_ref().map(AbortController::signal);
        spawn_local(async move {
            let answer = Request::get(&url).abort_signal(signal.as_ref()).send().await;
            if signal.as_ref().is_some_and(web_sys::AbortSignal::aborted) {
                return;
            }
            let refusal = match answer {
                Err(_) => Refusal::Passing("The gateway cannot be reached.".into()),
                Ok(answer) if answer.ok() => Refusal::None,
                Ok(answer) => {
                    let problem = answer.json::<Problem>().await.ok();
                    refusal(answer.status(), problem.map(|problem| problem.detail))
                }
            };
            tell(refusal);
        });
        Self(abort)
    }
}

impl Drop for Question {
    /// Ends the request, which may have become a stream nobody reads.
    fn drop(&mut self) {
        if let Some(abort) = &self.0 {
            abort.abort();
        }
    }
}

/// A status from 400 to 499 is final, but for those that say "later": 408, 425 and 429 (RFC 9110, 8470, 6585).
fn refusal(status: u16, detail: Option<String>) -> Refusal {
    let words = detail.map_or_else(
        || format!("The gateway answered with status {status}."),
        |detail| {
            let mut letters = detail.chars();
            let first = letters.next().map(char::to_uppercase).into_iter().flatten();
            let end = if detail.ends_with(['.', '!', '?']) {
                ""
            } else {
                "."
            };
            format!("{}{}{end}", first.collect::<String>(), letters.as_str())
        },
    );
    match status {
        408 | 425 | 429 => Refusal::Passing(words),
        400..500 => Refusal::Final(words),
        _ => Refusal::Passing(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_is_wrong_stays_wrong() {
        let detail = Some("name at least one channel".to_owned());
        assert_eq!(
            refusal(400, detail),
            Refusal::Final("Name at least one channel.".into())
        );
        assert_eq!(
            refusal(404, None),
            Refusal::Final("The gateway answered with status 404.".into())
        );
    }

    #[test]
    fn a_full_gateway_is_tried_again() {
        for status in [408, 429, 500, 502, 503] {
            assert!(matches!(refusal(status, None), Refusal::Passing(_)), "{status}");
        }
    }
}

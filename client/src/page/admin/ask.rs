//! What an operator asks of the gateway.

use gloo_net::http::{Request, RequestBuilder, Response};
use logs_shared::{Problem, api, overview::Stats, problem::code};
use serde_json::json;
use web_sys::AbortController;

use crate::{page::tab_token::TabToken, timer::Timer};

/// How long an answer may take, in milliseconds.
const PATIENCE_MS: u64 = 10_000;

/// Why there is no answer of use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nobody answers.
    Unreachable,
    /// A token is needed, and there is none or another.
    TokenWanted {
        /// Whether one was shown.
        is_wrong: bool,
    },
    /// Nobody may administer this gateway.
    Off,
    /// Something else, in a sentence.
    Refused(String),
}

/// What the gateway is doing.
pub(super) async fn stats(token: TabToken) -> Result<Stats, Trouble> {
    let answer = send(Request::get(api::STATS_PATH), token, None).await?;
    let read = answer.json().await;
    read.map_err(|_| Trouble::Refused("What the gateway answered are not its figures.".to_owned()))
}

/// Ends the stream that the gateways call by this name.
pub(super) async fn close(token: TabToken, name: &str) -> Result<(), Trouble> {
    let path = format!("{}/{name}/close", api::ADMIN_STREAMS_PATH);
    send(Request::post(&path), token, None).await.map(drop)
}

/// Ends what a user may, for so many seconds, and gives how many streams ended with it.
pub(super) async fn revoke(token: TabToken, user: &str, for_s: u64) -> Result<u64, Trouble> {
    let body = json!({ "user": user, "for_s": for_s }).to_string();
    let answer = send(Request::post(api::REVOKE_PATH), token, Some(body)).await?;
    let read: Result<serde_json::Value, _> = answer.json().await;
    Ok(read
        .ok()
        .and_then(|answer| answer["closed"].as_u64())
        .unwrap_or_default())
}

async fn send(request: RequestBuilder, token: TabToken, body: Option<String>) -> Result<Response, Trouble> {
    // Who does not answer is not waited for without end.
    let controller = AbortController::new().ok();
    let signal = controller.as_ref().map(AbortController::signal);
    let _timer = controller.map(|controller| Timer::after(PATIENCE_MS, move || controller.abort()));
    let mut request = request.abort_signal(signal.as_ref());
    if let Some(authorization) = token.authorization() {
        request = request.header("authorization", &authorization);
    }
    let request = match body {
        None => request.build(),
        Some(body) => request.header("content-type", api::JSON_TYPE).body(body),
    };
    // Fails for a token that is no header's value.
    let request = request.map_err(|_| Trouble::TokenWanted { is_wrong: true })?;
    let answer = request.send().await.map_err(|_| Trouble::Unreachable)?;
    if answer.ok() {
        return Ok(answer);
    }
    let problem = answer.json::<Problem>().await.ok();
    Err(trouble(answer.status(), problem))
}

fn trouble(status: u16, problem: Option<Problem>) -> Trouble {
    let said = problem.as_ref().map_or("", |problem| problem.code.as_str());
    match status {
        401 if said == code::ADMIN_NOT_CONFIGURED => Trouble::Off,
        401 | 403 => Trouble::TokenWanted {
            is_wrong: said != code::MISSING_TOKEN,
        },
        // What stands before the gateway, and says that it is not there.
        502..=504 if problem.is_none() => Trouble::Unreachable,
        status => Trouble::Refused(problem.map_or_else(
            || format!("The gateway answered with status {status}."),
            |problem| format!("The gateway refused: {}.", problem.detail),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_an_operator_can_do() {
        let problem = |status, code: &str| {
            Some(Problem {
                status,
                title: String::new(),
                success: false,
                code: code.to_owned(),
                detail: "no stream is open".to_owned(),
                rejected: Vec::new(),
            })
        };
        let wanted = |is_wrong| Trouble::TokenWanted { is_wrong };
        for (status, code, expected) in [
            (401, code::MISSING_TOKEN, wanted(false)),
            (401, code::INVALID_TOKEN, wanted(true)),
            (401, code::ADMIN_NOT_CONFIGURED, Trouble::Off),
            (
                404,
                code::UNKNOWN_STREAM,
                Trouble::Refused("The gateway refused: no stream is open.".to_owned()),
            ),
        ] {
            assert_eq!(trouble(status, problem(status, code)), expected);
        }
        assert_eq!(trouble(502, None), Trouble::Unreachable);
        assert_eq!(trouble(403, None), wanted(true));
    }
}

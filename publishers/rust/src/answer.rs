//! [`Verdict`]: what an answer means for a batch.

use std::time::Duration;

use serde::Deserialize;

/// What an answer means for a batch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Stored, but for those at these places.
    Stored { rejected: Vec<usize> },
    /// It will never be taken.
    Refused,
    /// Too much at once.
    Halve,
    /// Later.
    Again {
        /// Not before this time, where one is named.
        after: Option<Duration>,
        /// Whether it may be stored all the same.
        may_be_there: bool,
    },
}

/// Longer than that no answer puts anybody off.
const LONGEST: Duration = Duration::from_secs(60);

/// Of a gateway's answers, whatever comes.
#[derive(Default, Deserialize)]
struct Body {
    #[serde(default)]
    success: bool,
    #[serde(default)]
    code: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    rejected: Vec<Rejected>,
}

#[derive(Deserialize)]
struct Rejected {
    index: usize,
    #[serde(default)]
    detail: String,
}

/// What an answer means, and what is wrong in words where something is.
pub(crate) fn judge(status: u16, retry_after: Option<&str>, body: &[u8]) -> (Verdict, Option<String>) {
    let is_read = serde_json::from_slice::<Body>(body);
    let body = is_read.unwrap_or_default();
    let words = || {
        let detail = match body.rejected.first() {
            Some(rejected) => &rejected.detail,
            None => &body.detail,
        };
        let detail: String = detail
            .chars()
            .filter(|char| !char.is_control())
            .take(200)
            .collect();
        let code = if body.code.is_empty() {
            String::new()
        } else {
            format!(" {}", body.code)
        };
        format!("it answers {status}{code}: {detail}")
    };
    match status {
        // Something else than a gateway answers 200 to anything.
        200 if body.success => {
            let rejected: Vec<_> = body.rejected.iter().map(|rejected| rejected.index).collect();
            let problem = (!rejected.is_empty()).then(words);
            (Verdict::Stored { rejected }, problem)
        }
        400 | 403 | 422 => (Verdict::Refused, Some(words())),
        // Its room comes back after a day, not sooner: others would wait behind it.
        429 if body.code == "too_many_token_channels" => (Verdict::Refused, Some(words())),
        413 => (Verdict::Halve, None),
        429 if body.code == "batch_over_rate" => (Verdict::Halve, None),
        _ => {
            let is_named = matches!(status, 429 | 503 | 507);
            let after = retry_after
                .filter(|_| is_named)
                .and_then(|seconds| seconds.trim().parse().ok());
            let after = after.map(|seconds| Duration::from_secs(seconds).min(LONGEST));
            // A proxy may have passed it on before it gave up, and a gateway whose store fails does not know. Of a full disk it does.
            let may_be_there = status == 200 || (status >= 500 && status != 507);
            let problem = match status {
                200 => "what answers is no log gateway".to_owned(),
                _ => words(),
            };
            (Verdict::Again { after, may_be_there }, Some(problem))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(status: u16, retry_after: Option<&str>, body: &str) -> Verdict {
        judge(status, retry_after, body.as_bytes()).0
    }

    #[test]
    fn an_answer_means_what_the_contract_says() {
        let stored = |rejected: &[usize]| Verdict::Stored {
            rejected: rejected.to_vec(),
        };
        let again = |seconds: Option<u64>, may_be_there| Verdict::Again {
            after: seconds.map(Duration::from_secs),
            may_be_there,
        };
        let partly = r#"{"success":true,"accepted":1,"rejected":[{"index":3,"code":"x","detail":"y"}]}"#;
        for (status, retry_after, body, expected) in [
            (200, None, r#"{"success":true,"rejected":[]}"#, stored(&[])),
            (200, None, "{}", again(None, true)),
            (200, Some("9"), "<a/>", again(None, true)),
            (200, None, partly, stored(&[3])),
            (400, None, "", Verdict::Refused),
            (403, None, "no", Verdict::Refused),
            (422, Some("1"), "", Verdict::Refused),
            (401, Some("7"), "", again(None, false)),
            (413, None, "", Verdict::Halve),
            (429, Some("1"), r#"{"code":"batch_over_rate"}"#, Verdict::Halve),
            (
                429,
                None,
                r#"{"code":"too_many_token_channels"}"#,
                Verdict::Refused,
            ),
            (
                429,
                Some("3"),
                r#"{"code":"publish_rate_exceeded"}"#,
                again(Some(3), false),
            ),
            (503, Some("3600"), "", again(Some(60), true)),
            (507, Some("soon"), "", again(None, false)),
            (500, Some("3"), "", again(None, true)),
            (502, None, "", again(None, true)),
            (204, None, "", again(None, false)),
        ] {
            assert_eq!(verdict(status, retry_after, body), expected, "{status} {body}");
        }
    }

    #[test]
    fn a_problem_is_one_short_line() {
        let body = format!(r#"{{"code":"c","detail":"a\nb{}"}}"#, "x".repeat(1000));
        let problem = judge(400, None, body.as_bytes()).1.unwrap();
        assert!(
            problem.starts_with("it answers 400 c: abx") && problem.len() < 300,
            "{problem}"
        );
    }
}

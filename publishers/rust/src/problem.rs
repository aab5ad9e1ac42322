//! [`Problems`]: what is said when something is wrong.

use std::{
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Who is told of problems.
pub(crate) type OnProblem = Arc<dyn Fn(&str) + Send + Sync>;

/// Says what is wrong, at most once in a while, and never what the token is.
pub(crate) struct Problems {
    on_problem: OnProblem,
    token: Option<String>,
    last: Mutex<Option<Instant>>,
}

/// What is shorter is no secret, and is in many words.
const SHORTEST_TOKEN: usize = 4;
/// The longest that is said.
const MOST_CHARS: usize = 400;
const EVERY: Duration = Duration::from_secs(60);

impl Problems {
    pub(crate) fn new(on_problem: Option<OnProblem>, token: Option<String>) -> Self {
        let on_problem = on_problem.unwrap_or_else(|| Arc::new(to_standard_error));
        Self {
            on_problem,
            token: token
                .map(|token| token.trim().to_owned())
                .filter(|token| token.len() >= SHORTEST_TOKEN),
            last: Mutex::new(None),
        }
    }

    pub(crate) fn say(&self, problem: &str) {
        if self.may_say() {
            self.say_last(problem);
        }
    }

    fn may_say(&self) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| last.elapsed() < EVERY) {
            return false;
        }
        *last = Some(Instant::now());
        true
    }

    /// Says it whatever was said before: there will be no other time.
    pub(crate) fn say_last(&self, problem: &str) {
        // What a proxy or a library says is not known beforehand.
        let problem = match &self.token {
            Some(token) => problem.replace(token, "[token]"),
            None => problem.to_owned(),
        };
        let problem: String = problem
            .chars()
            .filter(|char| !char.is_control())
            .take(MOST_CHARS)
            .collect();
        // It is somebody else's code, and the sender goes on.
        let _ = catch_unwind(AssertUnwindSafe(|| (self.on_problem)(&problem)));
    }
}

/// Where standard error is closed, to nobody: `eprintln` would panic.
fn to_standard_error(problem: &str) {
    let _ = writeln!(std::io::stderr(), "logs-publisher: {problem}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_said_once_in_a_while_and_without_the_token() {
        let said = Arc::<Mutex<Vec<String>>>::default();
        let to = said.clone();
        let on_problem: OnProblem = Arc::new(move |problem| {
            to.lock().unwrap().push(problem.to_owned());
            panic!("I cannot");
        });
        let problems = Problems::new(Some(on_problem), Some("secret".to_owned()));
        problems.say(&format!("no secret\u{1b}[31m here{}", "x".repeat(500)));
        problems.say("and again");
        problems.say_last("the end");
        let said = said.lock().unwrap();
        assert_eq!(said.last().map(String::as_str), Some("the end"));
        assert!(
            said.len() == 2 && said[0].starts_with("no [token][31m herex") && said[0].len() == MOST_CHARS,
            "{said:?}"
        );
    }
}

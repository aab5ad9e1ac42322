//! [`Report`]: what was found, for people and for programs.

use std::fmt::Write as _;

use serde::Serialize;

use super::finding::{Check, Finding, Status};
use crate::cli::colour::{paint, without_escapes};

/// What was found at one hop.
#[derive(Serialize)]
pub(super) struct HopReport {
    /// The stream's address there, without a query.
    pub(super) stream: String,
    /// Scheme, host and port.
    pub(super) origin: String,
    /// Who stands there, where answers tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) party: Option<&'static str>,
    /// In the order of the report.
    pub(super) findings: Vec<Finding>,
}

/// What was found.
#[derive(Serialize)]
pub(super) struct Report {
    /// 0: all well. 1: a fault. 2: it could not be examined.
    pub(super) exit: u8,
    /// In one or more sentences.
    pub(super) verdict: Vec<String>,
    /// From the outside in.
    pub(super) hops: Vec<HopReport>,
}

impl Report {
    /// Says which hop is at fault: the innermost of those that show it.
    pub(super) fn new(mut hops: Vec<HopReport>) -> Self {
        blame(&mut hops);
        let mut report = Self {
            exit: 0,
            verdict: Vec::new(),
            hops,
        };
        let has = |wanted: Status| {
            let mut all = report.hops.iter().flat_map(|hop| &hop.findings);
            all.any(|finding| finding.status == wanted && !finding.from_behind)
        };
        report.exit = if has(Status::Fail) {
            1
        } else if has(Status::Blocked) {
            2
        } else {
            0
        };
        report.verdict = report.sentences();
        report
    }

    fn sentences(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        for (at, hop) in self.hops.iter().enumerate() {
            for finding in &hop.findings {
                if finding.from_behind || !matches!(finding.status, Status::Fail | Status::Blocked) {
                    continue;
                }
                // A page's policy is of no hop.
                let place = match (hop.party, finding.check) {
                    (_, Check::Csp) => "the page".to_owned(),
                    (Some(party), _) => format!("{} ({party})", hop.origin),
                    (None, _) => hop.origin.clone(),
                };
                let behind = match self.hops.get(at + 1) {
                    Some(next) if is_well(next, finding.check) => {
                        format!(" (behind it, {} is well)", next.origin)
                    }
                    _ => String::new(),
                };
                let what = match finding.status {
                    Status::Blocked if finding.check != Check::Reach => "could not be examined",
                    _ => finding.check.fault(),
                };
                sentences.push(format!("{place}: {what}{behind}."));
            }
        }
        if sentences.is_empty() {
            let warnings = self.hops.iter().flat_map(|hop| &hop.findings);
            let warnings = warnings.filter(|finding| finding.status == Status::Warn).count();
            sentences.push(match warnings {
                0 => "All well.".to_owned(),
                1 => "No fault, and 1 thing to look at.".to_owned(),
                count => format!("No fault, and {count} things to look at."),
            });
        }
        sentences
    }

    /// For people.
    pub(super) fn to_text(&self, colours: bool) -> String {
        let mut text = String::new();
        for (number, hop) in self.hops.iter().enumerate() {
            let party = hop.party.map(|party| format!("  ({party})")).unwrap_or_default();
            let number = if self.hops.len() > 1 {
                format!("{} ", number + 1)
            } else {
                String::new()
            };
            let title = format!("{number}{}{party}", without_escapes(&hop.stream));
            let _ = writeln!(text, "{}", paint(colours, "1", &title));
            for finding in &hop.findings {
                line(&mut text, finding, colours);
            }
            text.push('\n');
        }
        let sgr = if self.exit == 0 { "1;32" } else { "1;31" };
        for sentence in &self.verdict {
            let _ = writeln!(text, "{}", paint(colours, sgr, &without_escapes(sentence)));
        }
        text
    }
}

fn line(text: &mut String, finding: &Finding, colours: bool) {
    let (mark, sgr) = match finding.status {
        Status::Ok => ("✓", "32"),
        Status::Warn => ("!", "33"),
        Status::Fail | Status::Blocked => ("✗", "31"),
        Status::Skipped => ("–", "2"),
    };
    let label = format!("{:14}", finding.check.label());
    let behind = if finding.from_behind {
        "; so it is behind this hop"
    } else {
        ""
    };
    let seen = format!("{}{behind}", finding.seen);
    // Servers name themselves, and not always as one would print.
    let _ = writeln!(
        text,
        "  {} {label}{}",
        paint(colours, sgr, mark),
        without_escapes(&seen)
    );
    if let Some(change) = finding.change.as_deref().filter(|_| !finding.from_behind) {
        let _ = writeln!(text, "    {:14}→ {}", "", without_escapes(change));
    }
}

/// Whether that check was passed there.
fn is_well(hop: &HopReport, check: Check) -> bool {
    hop.findings
        .iter()
        .any(|finding| finding.check == check && matches!(finding.status, Status::Ok | Status::Warn))
}

/// Marks what a hop only passes on, from the inside out.
fn blame(hops: &mut [HopReport]) {
    let has = |hop: &HopReport, check: Check, statuses: &[Status]| {
        let mut all = hop.findings.iter();
        all.any(|finding| finding.check == check && statuses.contains(&finding.status))
    };
    for outer in (0..hops.len().saturating_sub(1)).rev() {
        let (before, behind) = hops.split_at_mut(outer + 1);
        let (Some(hop), Some(behind)) = (before.last_mut(), behind.first_mut()) else {
            continue;
        };
        for finding in &mut hop.findings {
            // Whether a connection comes to be is a matter of one hop alone.
            if !matches!(finding.status, Status::Fail | Status::Blocked)
                || matches!(finding.check, Check::Reach | Check::Tls)
            {
                continue;
            }
            let bad = [Status::Fail, Status::Blocked];
            let unreachable = [Check::Reach, Check::Tls]
                .into_iter()
                .any(|check| has(behind, check, &bad));
            let has_none = finding.check == Check::Stream && unreachable;
            finding.from_behind = has(behind, finding.check, &[finding.status]) || has_none;
            if has_none {
                // Not only from here.
                for reach in behind
                    .findings
                    .iter_mut()
                    .filter(|finding| finding.check == Check::Reach)
                {
                    reach.status = Status::Fail;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::party::Party, *};

    fn hop(origin: &str, findings: Vec<Finding>) -> HopReport {
        HopReport {
            stream: format!("{origin}/api/logs/stream"),
            origin: origin.to_owned(),
            party: Party::Nginx.name(),
            findings,
        }
    }

    #[test]
    fn the_innermost_hop_that_shows_a_fault_has_it() {
        let held = || Finding::fail(Check::Delivery, "held").change("off");
        let well = || Finding::ok(Check::Delivery, "at once");
        let report = Report::new(vec![
            hop("http://a", vec![held()]),
            hop("http://b", vec![held()]),
            hop("http://c", vec![well()]),
        ]);
        assert_eq!(report.exit, 1);
        assert_eq!(
            report.verdict,
            ["http://b (nginx): the stream is held back (behind it, http://c is well)."]
        );
        assert!(report.hops[0].findings[0].from_behind);
        let text = report.to_text(false);
        assert_eq!(text.matches("→ off").count(), 1, "{text}");
    }

    #[test]
    fn what_cannot_be_reached_is_a_fault_when_a_hop_before_it_says_so_too() {
        let down = || Finding::blocked(Check::Reach, "refused");
        assert_eq!(Report::new(vec![hop("http://a", vec![down()])]).exit, 2);
        let bad = Finding::fail(Check::Stream, "502");
        let report = Report::new(vec![hop("http://a", vec![bad]), hop("http://b", vec![down()])]);
        assert_eq!(
            (report.exit, &*report.verdict),
            (1, &["http://b (nginx): nothing can be reached.".to_owned()][..])
        );
        // An inner address need not be reachable from everywhere.
        let fine = Finding::ok(Check::Stream, "200");
        assert_eq!(
            Report::new(vec![hop("http://a", vec![fine]), hop("http://b", vec![down()])]).exit,
            2
        );
    }

    #[test]
    fn warnings_are_no_fault_and_a_terminal_obeys_nothing() {
        let report = Report::new(vec![hop(
            "http://a",
            vec![Finding::warn(Check::Clock, "late\u{1b}[2J")],
        )]);
        assert_eq!(
            (report.exit, &*report.verdict[0]),
            (0, "No fault, and 1 thing to look at.")
        );
        assert!(!report.to_text(true).contains("[2J"));
    }
}

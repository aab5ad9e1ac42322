//! The metrics that a query of Prometheus names.

use std::collections::BTreeSet;

/// Words of the language that stand where names do.
const WORDS: [&str; 11] = [
    "and",
    "or",
    "unless",
    "by",
    "without",
    "on",
    "ignoring",
    "bool",
    "offset",
    "group_left",
    "group_right",
];

/// The metrics that a query of Prometheus names: every word that is none of the language, of a function, a label or a text.
pub(crate) fn metrics(query: &str) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    let mut rest = query;
    let mut is_label_list = false;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        if let Some(end) = match first {
            '"' => rest[1..].find('"').map(|at| at + 2),
            '{' => rest.find('}').map(|at| at + 1),
            '[' => rest.find(']').map(|at| at + 1),
            '(' if is_label_list => rest.find(')').map(|at| at + 1),
            _ => None,
        } {
            rest = &rest[end..];
            is_label_list = false;
        } else if first.is_ascii_alphabetic() || first == '_' {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            is_label_list = ["by", "without", "on", "ignoring"].contains(&word);
            if !WORDS.contains(&word) && !after.trim_start().starts_with('(') && !is_aggregation(word, after)
            {
                found.insert(word);
            }
            rest = after;
        } else if first.is_ascii_digit() {
            // With the unit of a time, or the letters of 0x10 and 1e9.
            rest = rest.trim_start_matches(|c: char| is_word(c) || c == '.');
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    found
}

/// `sum by (le) (…)`: a function whose labels stand before its argument.
fn is_aggregation(_: &str, after: &str) -> bool {
    let next = after.trim_start();
    ["by", "without"].iter().any(|word| {
        next.strip_prefix(word)
            .is_some_and(|rest| rest.trim_start().starts_with('('))
    })
}

#[test]
fn every_name_is_found_and_nothing_else() {
    for (query, names) in [
        ("up{job=\"logs-gateway\"} == 0", &["up"][..]),
        (
            "histogram_quantile(0.99, sum by (le) (rate(a_seconds_bucket{job=~\"$job\"}[$__rate_interval])))",
            &["a_seconds_bucket"],
        ),
        (
            "a < 1e9 or predict_linear(b_bytes[1h], 4 * 3600) < 134217728",
            &["a", "b_bytes"],
        ),
        (
            "sum without (reason) (rate(c_total{reason=~\"d|e\"}[5m])) > 0.9 * time()",
            &["c_total"],
        ),
        ("x unless on (job) y offset 5m", &["x", "y"]),
        (
            "count by (version) (info) - sum(misspelt{a=\"}\"})",
            &["info", "misspelt"],
        ),
    ] {
        assert_eq!(metrics(query), names.iter().copied().collect(), "{query}");
    }
}

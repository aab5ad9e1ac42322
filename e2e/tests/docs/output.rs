//! What a snippet prints, compared with what its page says that it prints.

/// Stands for anything.
const ANYTHING: char = '…';

/// Whether `printed` is what `expected` says.
pub(crate) fn is_output(printed: &str, expected: &str) -> bool {
    matches(&plain(printed), &plain(expected))
}

/// Whether `printed` begins as `expected` says: there may be more.
pub(crate) fn begins_as(printed: &str, expected: &str) -> bool {
    matches(&plain(printed), &format!("{}{ANYTHING}", plain(expected)))
}

/// Whether what `expected` says is somewhere in `shown`.
pub(crate) fn contains(shown: &str, expected: &str) -> bool {
    matches(&plain(shown), &format!("{ANYTHING}{}{ANYTHING}", plain(expected)))
}

/// Without what cannot be seen: space at the end of lines, empty lines at the end.
fn plain(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_end().to_owned()
}

fn matches(printed: &str, expected: &str) -> bool {
    let mut parts = expected.split(ANYTHING);
    let Some(mut rest) = parts.next().and_then(|first| printed.strip_prefix(first)) else {
        return false;
    };
    let mut parts: Vec<_> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_dots_stand_for_anything() {
        assert!(is_output("{\"id\":\"17-0\",\"n\":2}\n", "{\"id\":\"…\",\"n\":2}"));
        assert!(is_output("a\nb\nc", "a\n…\nc") && is_output("anything", "…"));
        assert!(is_output("a  \n\n", "a"));
    }

    #[test]
    fn anything_else_must_be_there_in_its_order() {
        for (printed, expected) in [
            ("ab", "a"),
            ("ab", "b"),
            ("b a", "a…b"),
            ("a", "a…a"),
            ("", "a"),
            ("{\"id\":1}", "{\"id\":\"…\"}"),
        ] {
            assert!(!is_output(printed, expected), "{printed} {expected}");
        }
        assert!(begins_as("a\nb", "a") && !begins_as("b\na", "a"));
        assert!(contains("a\nb\nc", "b") && !contains("a\nb\nc", "c…b"));
    }
}

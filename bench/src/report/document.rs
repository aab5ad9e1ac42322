//! What was measured, put into a document that says the rest.

use anyhow::{Context, Result};

/// What stands before the part that is written anew,
pub(super) const BEGIN: &str = "<!-- measured -->";
/// and what behind it.
pub(super) const END: &str = "<!-- /measured -->";

/// The document with this between its marks.
///
/// # Errors
/// It does not have them, one behind the other.
pub(super) fn with(document: &str, measured: &str) -> Result<String> {
    let missing = || format!("the document has no {BEGIN} … {END}");
    let (before, rest) = document.split_once(BEGIN).with_context(missing)?;
    let (_, after) = rest.split_once(END).with_context(missing)?;
    Ok(format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", measured.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_marks_is_written_anew() {
        let document = "before\n<!-- measured -->old<!-- /measured -->\nafter\n";
        let once = with(document, "new\n").unwrap();
        assert_eq!(
            once,
            "before\n<!-- measured -->\n\nnew\n\n<!-- /measured -->\nafter\n"
        );
        assert_eq!(with(&once, "new").unwrap(), once);
        assert!(with("no marks", "new").is_err());
        assert!(with("<!-- /measured --><!-- measured -->", "new").is_err());
    }
}

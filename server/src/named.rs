//! [`Named`]: a file by its name in a message.

use std::{fmt, path::Path};

/// The name of a file, for people. Who gives a key or a token where its file belongs finds it in no message.
pub(crate) struct Named<'a>(pub(crate) &'a Path);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let looks_like_content = |name: &str| name.contains(['\n', '=']) || name.contains("-----BEGIN");
        match self.0.to_str() {
            Some(name) if looks_like_content(name) => {
                f.write_str("the name of the file, which looks like what should be in it")
            }
            _ => self.0.display().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_not_told() {
        for content in ["token=etl", "-----BEGIN PRIVATE KEY-----\nsecret\n"] {
            let told = Named(Path::new(content)).to_string();
            assert!(told.contains("looks like"), "{told}");
        }
        assert_eq!(Named(Path::new("/etc/tokens")).to_string(), "/etc/tokens");
    }
}

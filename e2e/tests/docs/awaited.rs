//! What documents speak of before it is in the source tree.
//!
//! A part that is not there yet cannot be executed. Each entry is without effect as soon as it is; then it can go.

use std::path::Path;

/// What a document says of a part, and the file that comes with the part.
const PARTS: [(&str, &str); 1] = [("OPERATING.md", "docs/OPERATING.md")];

/// Whether `text` speaks of a part that is not in the tree below `root` yet.
pub(crate) fn is_awaited(root: &Path, text: &str) -> bool {
    PARTS
        .iter()
        .any(|(said, file)| text.contains(said) && !root.join(file).exists())
}

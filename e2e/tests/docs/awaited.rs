//! What documents speak of before it is in the source tree.
//!
//! A part that is not there yet cannot be executed. Each entry is without effect as soon as it is; then it can go.

use std::path::Path;

/// What a document says of a part, and the file that comes with the part.
const PARTS: [(&str, &str); 25] = [
    ("e2e/tests/publishers", "e2e/tests/publishers"),
    ("deploy/README.md", "deploy/README.md"),
    ("deploy/grafana", "deploy/grafana"),
    ("deploy/prometheus", "deploy/prometheus"),
    ("path /docs", "server/src/http/reference"),
    ("path /admin", "client/src/page/admin.rs"),
    ("INTEGRATION.md", "docs/INTEGRATION.md"),
    ("sse_publisher", "publishers/python/pyproject.toml"),
    ("@datashop/logs-sse-publisher", "publishers/node/package.json"),
    ("publishers/rust/README.md", "publishers/rust/README.md"),
    ("rust/README.md", "publishers/rust/README.md"),
    ("publishers/python", "publishers/python/README.md"),
    ("python/README.md", "publishers/python/README.md"),
    ("publishers/node", "publishers/node/README.md"),
    ("node/README.md", "publishers/node/README.md"),
    ("logs-gateway doctor", "server/src/cli/doctor"),
    ("/v1/logs", "server/src/http/otlp.rs"),
    ("`OTLP_", "server/src/http/otlp.rs"),
    ("there is no prometheus", "deploy/prometheus"),
    ("there is no grafana", "deploy/grafana"),
    (
        "publishers/rust/examples",
        "publishers/rust/examples/quick_start.rs",
    ),
    ("OPERATING.md", "docs/OPERATING.md"),
    ("TROUBLESHOOTING.md", "docs/TROUBLESHOOTING.md"),
    ("OPENTELEMETRY.md", "docs/OPENTELEMETRY.md"),
    ("AGENTS.md", "docs/AGENTS.md"),
];

/// Whether `text` speaks of a part that is not in the tree below `root` yet.
pub(crate) fn is_awaited(root: &Path, text: &str) -> bool {
    PARTS
        .iter()
        .any(|(said, file)| text.contains(said) && !root.join(file).exists())
}

//! The live logs page and the embeddable widget, served from inside the binary.

use axum::{
    extract::Path,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use logs_shared::api::{ADMIN_PATH, DEMO_PATH, DEMO_VIEW_PATHS, PAGE_PATH, WIDGET_PATH};

use self::coding::Coding;
use crate::http::{Access, ApiError, Routes};

mod coding;

/// One file of the page, in every form it is sent in.
#[derive(Debug)]
struct File {
    /// From the page's folder, without a leading slash.
    path: &'static str,
    /// Of the content.
    hash: &'static str,
    plain: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

/// Written by `build.rs`; empty where the page was not built.
static FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/page_files.rs"));

const INDEX: &str = "index.html";
const WIDGET: &str = "logs-widget.js";

/// What stands in for the page where it was not built.
static MISSING: File = File {
    path: INDEX,
    hash: "missing",
    plain: include_bytes!("page/missing.html"),
    brotli: None,
    gzip: None,
};

/// What stands in for the widget where it was not built.
static MISSING_WIDGET: File = File {
    path: WIDGET,
    hash: "missing",
    plain: br#"console.error("This gateway was built without its pages and without <logs-widget>. `cargo xtask run` builds them in.");
"#,
    brotli: None,
    gzip: None,
};

/// What a browser is to keep the pages from. They may load and contact only their own origin, run WebAssembly and no
/// inline script, and be framed only by their own origin: log text that slipped through as markup would still run
/// nothing. No address of theirs, which may hold a token, goes to anybody, nor into the log of a proxy in front. What
/// they do not need of the machine they cannot be made to ask for, and no page that opened them has a hold on them.
const PROTECTION: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), display-capture=(), geolocation=(), microphone=(), midi=(), payment=(), serial=(), usb=()",
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
];

/// The headers of every page, whoever writes it.
pub(crate) fn protection() -> HeaderMap {
    HeaderMap::from_iter(PROTECTION.map(|(name, policy)| (name, HeaderValue::from_static(policy))))
}

/// The name of a file below `/assets/` has its content's hash, so the content never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Kept, but asked for again each time: what has a fixed name names the assets of this binary.
const ASK_FIRST: &str = "no-cache";

/// The page at its paths, and the files it loads.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Routes<S> {
    routes_of(FILES)
}

fn routes_of<S: Clone + Send + Sync + 'static>(files: &'static [File]) -> Routes<S> {
    let index = files.iter().find(|file| file.path == INDEX).unwrap_or(&MISSING);
    let start = move |headers: HeaderMap| async move { index.answer(&headers) };
    let asset = move |Path(path): Path<String>, headers: HeaderMap| async move {
        let wanted = |file: &&File| file.path.strip_prefix("assets/") == Some(&path);
        match files.iter().find(wanted) {
            Some(file) => file.answer(&headers),
            None => ApiError::NotFound(format!("/assets/{path}")).into_response(),
        }
    };
    let widget = files
        .iter()
        .find(|file| file.path == WIDGET)
        .unwrap_or(&MISSING_WIDGET);
    let widget = move |headers: HeaderMap| async move { widget.answer(&headers) };
    let mut routes =
        Routes::new()
            .get("/assets/{*path}", Access::Public, asset)
            .get(WIDGET_PATH, Access::Public, widget);
    for path in [PAGE_PATH, DEMO_PATH, ADMIN_PATH]
        .into_iter()
        .chain(DEMO_VIEW_PATHS)
    {
        routes = routes.get(path, Access::Public, start);
    }
    routes
}

impl File {
    /// 200 with the form the browser likes best, or 304 where it has that already.
    fn answer(&'static self, request: &HeaderMap) -> Response {
        let existing = [
            self.brotli.map(|_| Coding::Brotli),
            self.gzip.map(|_| Coding::Gzip),
            Some(Coding::Identity),
        ];
        let coding = Coding::choose(request, existing.into_iter().flatten());
        let etag = self.etag(coding);
        let headers = self.headers(&etag);
        if has(request, &etag) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        let mut response = (headers, self.body(coding)).into_response();
        let content_type = HeaderValue::from_static(content_type(self.path));
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        if coding != Coding::Identity {
            let name = HeaderValue::from_static(coding.name());
            response.headers_mut().insert(header::CONTENT_ENCODING, name);
        }
        response
    }

    fn body(&self, coding: Coding) -> &'static [u8] {
        match coding {
            Coding::Brotli => self.brotli,
            Coding::Gzip => self.gzip,
            Coding::Identity => None,
        }
        .unwrap_or(self.plain)
    }

    /// Strong, and so another one for each form: their bytes differ (RFC 9110, section 8.8.3.3).
    fn etag(&self, coding: Coding) -> String {
        match coding {
            Coding::Identity => format!("\"{}\"", self.hash),
            packed => format!("\"{}-{}\"", self.hash, packed.name()),
        }
    }

    fn headers(&self, etag: &str) -> HeaderMap {
        let cached = if self.path.starts_with("assets/") {
            FOR_EVER
        } else {
            ASK_FIRST
        };
        let mut headers = HeaderMap::from_iter([
            (header::CACHE_CONTROL, HeaderValue::from_static(cached)),
            (header::VARY, HeaderValue::from_static("accept-encoding")),
        ]);
        if let Ok(etag) = HeaderValue::from_str(etag) {
            headers.insert(header::ETAG, etag);
        }
        if self.path == INDEX {
            headers.extend(protection());
        } else {
            // The program of the widget, for pages of any origin, also where ALLOWED_ORIGINS names those that may
            // read records: there is nothing secret in it. The second is for pages that are isolated (Fetch Standard,
            // section 3.8).
            let open: [(HeaderName, &str); 2] = [
                (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
                (
                    HeaderName::from_static("cross-origin-resource-policy"),
                    "cross-origin",
                ),
            ];
            headers.extend(open.map(|(name, value)| (name, HeaderValue::from_static(value))));
        }
        headers
    }
}

/// Whether `If-None-Match` names this tag (compared weakly, RFC 9110, section 13.1.2) or any.
fn has(request: &HeaderMap, etag: &str) -> bool {
    request
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

/// By the file's extension; bytes of an unknown kind are only that.
fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, kind)| kind) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "json" => "application/json",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, http::Request};
    use http_body_util::BodyExt;
    use logs_shared::{Problem, problem::code};
    use tower::ServiceExt;

    use super::*;

    static SAMPLE: &[File] = &[
        File {
            path: "assets/page-1.js",
            hash: "1",
            plain: b"plain",
            brotli: Some(b"br"),
            gzip: Some(b"gz"),
        },
        File {
            path: WIDGET,
            hash: "3",
            plain: b"import",
            brotli: None,
            gzip: None,
        },
        File {
            path: INDEX,
            hash: "2",
            plain: b"<p>",
            brotli: None,
            gzip: None,
        },
    ];

    struct Answer {
        status: StatusCode,
        headers: HeaderMap,
        body: Vec<u8>,
    }

    impl Answer {
        fn header(&self, name: HeaderName) -> &str {
            self.headers.get(name).map_or("", |value| value.to_str().unwrap())
        }
    }

    async fn ask(files: &'static [File], method: &str, path: &str, headers: &[(HeaderName, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let router: Router<()> = routes_of(files).into_router();
        let response = router
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        let (head, body) = response.into_parts();
        Answer {
            status: head.status,
            headers: head.headers,
            body: body.collect().await.unwrap().to_bytes().to_vec(),
        }
    }

    #[tokio::test]
    async fn the_page_is_at_each_of_its_paths() {
        for path in [
            "/",
            "/demo",
            "/admin",
            "/indata/logs",
            "/faas/logs",
            "/functions/logs",
            "/?channels=logs:etl:w",
        ] {
            let answer = ask(SAMPLE, "GET", path, &[]).await;
            assert_eq!(
                (answer.status, &*answer.body),
                (StatusCode::OK, &b"<p>"[..]),
                "{path}"
            );
            assert_eq!(answer.header(header::CONTENT_TYPE), "text/html; charset=utf-8");
            assert_eq!(answer.header(header::CACHE_CONTROL), "no-cache");
            for (name, policy) in PROTECTION {
                assert_eq!(answer.header(name), policy, "{path}");
            }
        }
    }

    #[tokio::test]
    async fn an_asset_is_kept_for_ever_and_sent_in_the_form_that_is_wanted() {
        for (accept, coding, body) in [
            ("br, gzip", "br", "br"),
            ("gzip", "gzip", "gz"),
            ("", "", "plain"),
        ] {
            let answer = ask(
                SAMPLE,
                "GET",
                "/assets/page-1.js",
                &[(header::ACCEPT_ENCODING, accept)],
            )
            .await;
            assert_eq!(answer.status, StatusCode::OK);
            assert_eq!(answer.header(header::CONTENT_ENCODING), coding);
            assert_eq!(answer.header(header::VARY), "accept-encoding");
            assert_eq!(
                answer.header(header::CONTENT_TYPE),
                "text/javascript; charset=utf-8"
            );
            assert_eq!(answer.header(header::CACHE_CONTROL), FOR_EVER);
            assert_eq!(answer.body, body.as_bytes());
        }
    }

    #[tokio::test]
    async fn the_widget_is_for_pages_of_any_origin_and_asked_for_again_each_time() {
        for (path, cached) in [(WIDGET_PATH, ASK_FIRST), ("/assets/page-1.js", FOR_EVER)] {
            let answer = ask(SAMPLE, "GET", path, &[(header::ORIGIN, "https://host.test")]).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}");
            assert_eq!(
                answer.header(header::CONTENT_TYPE),
                "text/javascript; charset=utf-8"
            );
            assert_eq!(answer.header(header::CACHE_CONTROL), cached);
            assert_eq!(answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "*");
            let policy = HeaderName::from_static("cross-origin-resource-policy");
            assert_eq!(answer.header(policy), "cross-origin");
            assert!(!answer.header(header::ETAG).is_empty());
        }
        let page = ask(SAMPLE, "GET", "/", &[]).await;
        assert_eq!(page.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "");
    }

    #[tokio::test]
    async fn without_the_widget_its_script_says_so() {
        let answer = ask(&[], "GET", WIDGET_PATH, &[]).await;
        assert_eq!(
            answer.header(header::CONTENT_TYPE),
            "text/javascript; charset=utf-8"
        );
        assert!(
            String::from_utf8(answer.body)
                .unwrap()
                .contains("cargo xtask run")
        );
    }

    #[tokio::test]
    async fn what_the_browser_has_is_not_sent_again() {
        let path = "/assets/page-1.js";
        let packed = (header::ACCEPT_ENCODING, "br");
        for known in ["\"1-br\"", "W/\"1-br\"", "\"0\", \"1-br\"", "*"] {
            let answer = ask(
                SAMPLE,
                "GET",
                path,
                &[packed.clone(), (header::IF_NONE_MATCH, known)],
            )
            .await;
            assert_eq!(answer.status, StatusCode::NOT_MODIFIED, "{known}");
            assert_eq!(answer.header(header::ETAG), "\"1-br\"");
            assert_eq!(answer.header(header::VARY), "accept-encoding");
            assert!(answer.body.is_empty());
        }
    }

    #[tokio::test]
    async fn each_form_has_a_tag_of_its_own() {
        let path = "/assets/page-1.js";
        let plain_tag = (header::IF_NONE_MATCH, "\"1\"");
        assert_eq!(
            ask(SAMPLE, "GET", path, std::slice::from_ref(&plain_tag))
                .await
                .status,
            StatusCode::NOT_MODIFIED
        );
        let packed = ask(
            SAMPLE,
            "GET",
            path,
            &[plain_tag, (header::ACCEPT_ENCODING, "gzip")],
        )
        .await;
        assert_eq!(packed.status, StatusCode::OK);
        assert_eq!(packed.header(header::ETAG), "\"1-gzip\"");
    }

    #[tokio::test]
    async fn head_tells_the_same_without_the_body() {
        let answer = ask(SAMPLE, "HEAD", "/", &[]).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header(header::CONTENT_LENGTH), "3");
        assert!(answer.body.is_empty());
    }

    #[tokio::test]
    async fn an_unknown_asset_is_a_problem_and_not_the_page() {
        for path in [
            "/assets/gone-0.js",
            "/assets/index.html",
            "/assets/assets/page-1.js",
        ] {
            let answer = ask(SAMPLE, "GET", path, &[]).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
            let problem: Problem = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(problem.code, code::NOT_FOUND);
        }
    }

    #[tokio::test]
    async fn without_the_page_the_gateway_says_how_to_get_it() {
        let answer = ask(&[], "GET", "/demo", &[]).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(
            String::from_utf8(answer.body)
                .unwrap()
                .contains("cargo xtask run")
        );
    }
}

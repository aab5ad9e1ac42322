//! What the description says stands on the page.

use logs_shared::problem::code;

use super::{html::anchor, *};

fn document() -> Json {
    serde_json::from_str(openapi::text()).unwrap()
}

fn written() -> String {
    page::page(&document(), STYLE)
}

fn escaped(text: &str) -> String {
    let mut html = html::Html::default();
    html.text(text);
    html.into_string()
}

#[test]
fn every_operation_has_its_place_its_summary_and_a_command() {
    let (html, document) = (written(), document());
    let mut count = 0;
    for (path, methods) in document.at("paths").parts() {
        for (method, described) in methods.parts() {
            let place = operation::place(described);
            for kind in [format!("id=\"{place}\""), format!("href=\"#{place}\"")] {
                assert_eq!(html.matches(&kind).count(), 1, "{method} {path}: {kind}");
            }
            let command = curl::command(&document, path, method, described);
            assert!(html.contains(&escaped(&command)), "{command}");
            count += 1;
        }
    }
    assert!(count > 20, "{count}");
    assert_eq!(html.matches("class=\"logs-operation\"").count(), count);
}

#[test]
fn every_code_has_a_status_a_meaning_and_what_to_do() {
    let (html, document) = (written(), document());
    for code in code::ALL {
        assert_eq!(
            html.matches(&format!("id=\"{}\"", anchor("code", code))).count(),
            1,
            "{code}"
        );
        let advice = document.at("x-codes").at(code);
        for part in ["means", "do"] {
            assert!(!advice.at(part).text().is_empty(), "{code} says not: {part}");
        }
        let row = html
            .split(&format!("id=\"{}\"", anchor("code", code)))
            .nth(1)
            .unwrap();
        let status = row
            .split("</th><td>")
            .nth(1)
            .unwrap()
            .split("</td>")
            .next()
            .unwrap();
        assert!(status.len() >= 3, "{code} has no status");
    }
    let described = document
        .at("x-codes")
        .parts()
        .iter()
        .map(|(name, _)| name.as_str());
    let unknown: Vec<_> = described.filter(|code| !code::ALL.contains(code)).collect();
    assert_eq!(unknown, Vec::<&str>::new());
}

#[test]
fn every_schema_and_event_is_there_and_no_link_leads_nowhere() {
    let (html, document) = (written(), document());
    for (name, _) in document.at("components").at("schemas").parts() {
        assert!(
            html.contains(&format!("id=\"{}\"", anchor("schema", name))),
            "{name}"
        );
    }
    let events = html
        .split("id=\"events\"")
        .nth(1)
        .unwrap()
        .split("<h2")
        .next()
        .unwrap();
    for event in [
        "connection",
        "log",
        "heartbeat",
        "caught_up",
        "gap",
        "subscription",
        "expiring",
        "drain",
        "close",
    ] {
        assert!(
            events.contains(&format!("<th scope=\"row\"><code>{event}</code>")),
            "{event}"
        );
    }
    for link in html.split("href=\"#").skip(1) {
        let link = link.split('"').next().unwrap();
        assert_eq!(html.matches(&format!("id=\"{link}\"")).count(), 1, "{link}");
    }
}

#[test]
fn hostile_text_in_a_description_stays_text() {
    let hostile = "</code><script>alert(1)</script><img src=x onerror='alert(2)'>";
    let text = openapi::text();
    for part in [
        "Stores records",
        "A record, as streams and history have it.",
        "Whose.",
    ] {
        assert!(text.contains(part));
        let document: Json = serde_json::from_str(&text.replace(part, hostile)).unwrap();
        let html = page::page(&document, STYLE);
        assert!(html.contains("&lt;script&gt;"), "{part}");
        assert!(!html.contains("<script") && !html.contains("<img"), "{part}");
    }
}

#[test]
fn the_page_is_whole_by_itself() {
    let html = written();
    for forbidden in ["<script", " src=", " style=", "@import", "url(", "javascript:"] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
    for element in [
        "section", "table", "tr", "td", "th", "div", "dl", "dd", "p", "code", "a", "nav", "ul", "li",
    ] {
        let opened =
            html.matches(&format!("<{element}>")).count() + html.matches(&format!("<{element} ")).count();
        assert_eq!(
            opened,
            html.matches(&format!("</{element}>")).count(),
            "{element}"
        );
    }
}

#[test]
fn the_policy_names_the_style_sheet_by_its_hash() {
    // RFC 4648, section 10.
    for (bytes, text) in [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg=="),
    ] {
        assert_eq!(base64(bytes.as_bytes()), text);
    }
    // Of the empty text, as FIPS 180 has it.
    assert!(policy("").contains("'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"));
    let html = written();
    let style = html
        .split("<style>")
        .nth(1)
        .unwrap()
        .split("</style>")
        .next()
        .unwrap();
    let header = REFERENCE.headers[header::CONTENT_SECURITY_POLICY]
        .to_str()
        .unwrap();
    assert_eq!(header, policy(style));
}

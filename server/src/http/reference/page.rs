//! The reference as a whole.

use logs_shared::api::{ADMIN_PATH, DEFAULT_URL, DEMO_PATH, DOCS_PATH, OPENAPI_PATH, PAGE_PATH};

use super::{
    codes,
    html::{Html, anchor},
    json::Json,
    operation, schema,
};

/// How the groups of operations are headed, by their tag.
fn heading(tag: &str) -> &str {
    match tag {
        "reading" => "Reading",
        "publishing" => "Publishing",
        "operating" => "Operating",
        "pages" => "Pages",
        other => other,
    }
}

/// Everything that can be asked of the gateway, as one page without anything outside of it but links.
pub(super) fn page(document: &Json, style: &'static str) -> String {
    let mut html = Html::default();
    html.raw("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    html.raw("<meta name=\"color-scheme\" content=\"light dark\">");
    html.raw("<link rel=\"icon\" href=\"data:,\">");
    let title = document.at("info").at("title").text();
    html.raw("<title>")
        .text(title)
        .text(": API")
        .raw("</title><style>");
    html.raw(style);
    html.raw("</style></head><body class=\"logs-page\">");
    html.raw("<a class=\"logs-skip\" href=\"#reference\">To the reference</a>");
    head(&mut html);
    html.raw("<div class=\"logs-reference\">");
    contents(&mut html, document);
    html.raw("<main id=\"reference\">");
    html.raw("<h2>")
        .text(title)
        .text(" ")
        .text(document.at("info").at("version").text())
        .raw("</h2>");
    html.raw("<p>")
        .prose(document.at("info").at("description").text())
        .raw("</p>");
    html.raw("<p>For programs the same is at ");
    html.open("a", &[("href", OPENAPI_PATH)])
        .element("code", OPENAPI_PATH)
        .close("a");
    html.raw(" (OpenAPI 3.1). The commands are for a gateway on this machine: put another address in the place of ");
    html.element("code", DEFAULT_URL)
        .raw(", and what you hold in the place of what begins with <code>$</code>.</p>");
    credentials(&mut html, document);
    for (tag, operations) in groups(document) {
        let place = anchor("group", tag);
        html.open("h2", &[("id", &place)]).text(heading(tag)).close("h2");
        for (path, method, described) in operations {
            operation::section(&mut html, document, path, method, described);
        }
    }
    events(&mut html, document);
    html.raw("<h2 id=\"codes\">Refusals</h2>");
    html.raw(
        "<p>A refusal is <code>application/problem+json</code>, a <a href=\"#schema-Problem\">Problem</a>. ",
    );
    html.raw(
        "Its <code>code</code> is for programs and stays what it is; its <code>detail</code> is for people. ",
    );
    html.raw("Where waiting helps, <code>Retry-After</code> says how long.</p>");
    codes::table(&mut html, document);
    html.raw("<h2 id=\"schemas\">Schemas</h2>");
    schema::all(&mut html, document);
    html.raw("</main></div></body></html>\n");
    html.into_string()
}

fn head(html: &mut Html) {
    html.raw("<header class=\"logs-header\"><h1 class=\"logs-brand\">Logs</h1><nav class=\"logs-nav\" aria-label=\"Pages\">");
    for (path, name) in [
        (PAGE_PATH, "Live logs"),
        (DEMO_PATH, "Micro frontends"),
        (ADMIN_PATH, "Gateway"),
    ] {
        html.open("a", &[("class", "logs-link"), ("href", path)])
            .text(name)
            .close("a");
    }
    html.open(
        "a",
        &[
            ("class", "logs-link"),
            ("href", DOCS_PATH),
            ("aria-current", "page"),
        ],
    )
    .text("API")
    .close("a");
    html.raw("</nav></header>");
}

type Operation<'a> = (&'a str, &'a str, &'a Json);

/// The operations by their tag, in the order of the document. One without a known tag is in a group of its own.
fn groups(document: &Json) -> Vec<(&str, Vec<Operation<'_>>)> {
    let tags = document
        .at("tags")
        .items()
        .iter()
        .map(|tag| tag.at("name").text());
    let mut groups: Vec<(&str, Vec<_>)> = tags.map(|tag| (tag, Vec::new())).collect();
    for (path, methods) in document.at("paths").parts() {
        for (method, operation) in methods.parts() {
            let tag = operation.at("tags").items().first().map_or("", Json::text);
            let found = groups.iter().position(|(name, _)| *name == tag);
            let place = found.unwrap_or_else(|| {
                groups.push((tag, Vec::new()));
                groups.len() - 1
            });
            groups[place].1.push((path.as_str(), method.as_str(), operation));
        }
    }
    groups.retain(|(_, operations)| !operations.is_empty());
    groups
}

fn contents(html: &mut Html, document: &Json) {
    html.raw("<nav class=\"logs-contents\" aria-label=\"Contents\" tabindex=\"0\"><ul><li><a href=\"#credentials\">Credentials</a></li></ul>");
    for (tag, operations) in groups(document) {
        html.open(
            "a",
            &[
                ("class", "logs-group"),
                ("href", &format!("#{}", anchor("group", tag))),
            ],
        )
        .text(heading(tag))
        .close("a");
        html.raw("<ul>");
        for (path, method, described) in operations {
            html.raw("<li>");
            html.open("a", &[("href", &format!("#{}", operation::place(described)))]);
            operation::name(html, method, path);
            html.raw("</a></li>");
        }
        html.raw("</ul>");
    }
    html.raw(
        "<ul><li><a href=\"#events\">Events of a stream</a></li><li><a href=\"#codes\">Refusals</a></li>",
    );
    html.raw("<li><a href=\"#schemas\">Schemas</a></li></ul></nav>");
}

fn credentials(html: &mut Html, document: &Json) {
    html.raw("<h2 id=\"credentials\">Credentials</h2>");
    html.raw("<div class=\"logs-wide\" tabindex=\"0\" role=\"group\" aria-label=\"Credentials\"><table><thead><tr>");
    html.raw("<th scope=\"col\">Shown as</th><th scope=\"col\">What it is</th></tr></thead><tbody>");
    for (name, scheme) in document.at("components").at("securitySchemes").parts() {
        html.open("tr", &[("id", &anchor("credential", name))]);
        html.raw("<th scope=\"row\">")
            .element("code", &operation::shown_as(scheme))
            .raw("</th><td>");
        html.prose(scheme.at("description").text()).raw("</td></tr>");
    }
    html.raw("</tbody></table></div>");
}

fn events(html: &mut Html, document: &Json) {
    /// What comes without an event name, so that `EventSource.onmessage` gets it.
    const UNNAMED: [&str; 2] = ["connection", "log"];
    html.raw("<h2 id=\"events\">Events of a stream</h2>");
    html.raw("<p>Of each event the data is one line of JSON, whose <code>type</code> tells them apart, and the id is the cursor to go on from. ");
    html.raw("Those without a name come to <code>onmessage</code>, the others to <code>addEventListener</code>.</p>");
    html.raw(
        "<div class=\"logs-wide\" tabindex=\"0\" role=\"group\" aria-label=\"Events\"><table><thead><tr>",
    );
    html.raw("<th scope=\"col\">Type</th><th scope=\"col\">Event name</th><th scope=\"col\">What it says</th><th scope=\"col\">Data</th>");
    html.raw("</tr></thead><tbody>");
    for event in document
        .named("#/components/schemas/StreamEvent")
        .at("oneOf")
        .items()
    {
        let reference = event.at("$ref").text();
        let described = document.named(reference);
        let kind = described.at("properties").at("type").at("const").text();
        html.raw("<tr><th scope=\"row\">")
            .element("code", kind)
            .raw("</th><td>");
        match UNNAMED.contains(&kind) {
            true => html.text("none"),
            false => html.element("code", kind),
        };
        html.raw("</td><td>")
            .prose(described.at("description").text())
            .raw("</td><td>");
        schema::kind(html, event);
        html.raw("</td></tr>");
    }
    html.raw("</tbody></table></div>");
}

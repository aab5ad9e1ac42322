//! One operation, as people read it.

use super::{
    curl,
    html::{Html, anchor},
    json::Json,
    schema,
};

/// Where an operation stands on the page.
pub(super) fn place(operation: &Json) -> String {
    anchor("operation", operation.at("operationId").text())
}

/// Its method and path, as they are shown.
pub(super) fn name(html: &mut Html, method: &str, path: &str) {
    let method = method.to_uppercase();
    html.open("span", &[("class", "logs-method"), ("data-method", &method)])
        .text(&method)
        .close("span")
        .text(" ")
        .element("code", path);
}

/// All that is said about an operation.
pub(super) fn section(html: &mut Html, document: &Json, path: &str, method: &str, operation: &Json) {
    let place = place(operation);
    html.open(
        "section",
        &[("class", "logs-operation"), ("aria-labelledby", &place)],
    );
    html.open("h3", &[("id", &place)]);
    name(html, method, path);
    html.raw("</h3><p class=\"logs-summary\">")
        .prose(operation.at("summary").text())
        .raw("</p>");
    paragraph(html, operation.at("description").text());
    who(html, document, operation);
    parameters(html, document, operation);
    body(html, operation);
    html.raw("<h4>On a command line</h4>");
    let command = curl::command(document, path, method, operation);
    code(html, &command);
    answers(html, document, operation);
    html.close("section");
}

fn paragraph(html: &mut Html, text: &str) {
    if !text.is_empty() {
        html.raw("<p>").prose(text).raw("</p>");
    }
}

fn code(html: &mut Html, text: &str) {
    html.raw("<pre tabindex=\"0\"><code>")
        .text(text)
        .raw("</code></pre>");
}

/// How a credential is shown to the gateway.
pub(super) fn shown_as(scheme: &Json) -> String {
    let name = scheme.at("name").text();
    match (scheme.at("type").text(), scheme.at("in").text()) {
        ("http", _) => "Authorization: Bearer …".to_owned(),
        (_, "query") => format!("?{name}=…"),
        (_, "cookie") => format!("Cookie: {name}=…"),
        _ => format!("{name}: …"),
    }
}

fn who(html: &mut Html, document: &Json, operation: &Json) {
    html.raw("<p class=\"logs-who\"><strong>Who may:</strong> ");
    let alternatives = operation.at("security").items();
    let needs_nothing = alternatives.iter().any(|one| one.parts().is_empty());
    let schemes: Vec<&str> = alternatives
        .iter()
        .flat_map(Json::parts)
        .map(|(name, _)| name.as_str())
        .collect();
    if schemes.is_empty() {
        html.text("everybody.");
    } else {
        html.text("who shows ");
        for (place, name) in schemes.iter().enumerate() {
            if place > 0 {
                html.text(" or ");
            }
            let scheme = document.at("components").at("securitySchemes").at(name);
            html.open("a", &[("href", &format!("#{}", anchor("credential", name)))])
                .element("code", &shown_as(scheme))
                .close("a");
        }
        html.text(if needs_nothing {
            "; everybody, where the gateway is set up to ask for nothing."
        } else {
            "."
        });
    }
    html.raw("</p>");
}

fn parameters(html: &mut Html, document: &Json, operation: &Json) {
    if operation.at("parameters").items().is_empty() {
        return;
    }
    html.raw("<h4>Parameters</h4>");
    html.raw(
        "<div class=\"logs-wide\" tabindex=\"0\" role=\"group\" aria-label=\"Parameters\"><table><thead><tr>",
    );
    html.raw("<th scope=\"col\">Name</th><th scope=\"col\">In</th><th scope=\"col\">Type</th>");
    html.raw("<th scope=\"col\">What it is</th></tr></thead><tbody>");
    for parameter in curl::parameters(document, operation) {
        html.raw("<tr><th scope=\"row\">")
            .element("code", parameter.at("name").text());
        if parameter.at("required") == &Json::Bool(true) {
            html.raw(" <span class=\"logs-required\">required</span>");
        }
        html.raw("</th><td>")
            .text(parameter.at("in").text())
            .raw("</td><td>");
        schema::kind(html, parameter.at("schema"));
        html.raw("</td><td>");
        paragraph(html, parameter.at("description").text());
        schema::notes(html, parameter.at("schema"));
        match parameter.at("example") {
            Json::Null => {}
            Json::Text(example) => paragraph(html, &format!("Example `{example}`.")),
            example => paragraph(html, &format!("Example `{example}`.")),
        }
        html.raw("</td></tr>");
    }
    html.raw("</tbody></table></div>");
}

fn body(html: &mut Html, operation: &Json) {
    let body = operation.at("requestBody");
    if !body.is_there() {
        return;
    }
    html.raw("<h4>Body</h4>");
    if body.at("required") == &Json::Bool(false) {
        html.raw("<p>May be left out.</p>");
    }
    paragraph(html, body.at("description").text());
    contents(html, body);
}

/// Each kind of content, with its schema and its example.
fn contents(html: &mut Html, of: &Json) {
    for (kind, content) in of.at("content").parts() {
        html.raw("<p class=\"logs-kind\">")
            .element("code", kind)
            .raw("</p>");
        schema::block(html, content.at("schema"));
        match content.at("example") {
            Json::Null => {}
            Json::Text(text) => code(html, text.trim_end()),
            example => code(html, &format!("{example:#}")),
        }
    }
}

fn answers(html: &mut Html, document: &Json, operation: &Json) {
    html.raw("<h4>Answers</h4><dl class=\"logs-answers\">");
    for (status, answer) in operation.at("responses").parts() {
        let answer = match answer.at("$ref").text() {
            "" => answer,
            reference => document.named(reference),
        };
        html.raw("<div><dt>").element("code", status).raw("</dt><dd>");
        paragraph(html, answer.at("description").text());
        for (name, header) in answer.at("headers").parts() {
            html.raw("<p>Header ").element("code", name).text(" ");
            if let constant @ Json::Text(_) = header.at("schema").at("const") {
                html.element("code", constant.text()).text(" ");
            }
            html.prose(header.at("description").text()).raw("</p>");
        }
        let codes = super::codes::of_answer(answer);
        if codes.is_empty() {
            contents(html, answer);
        } else {
            html.raw("<p>");
            for (place, code) in codes.iter().enumerate() {
                html.text(if place > 0 { ", " } else { "" });
                html.open("a", &[("href", &format!("#{}", anchor("code", code)))])
                    .element("code", code)
                    .close("a");
            }
            html.raw("</p>");
        }
        html.raw("</dd></div>");
    }
    html.raw("</dl>");
}

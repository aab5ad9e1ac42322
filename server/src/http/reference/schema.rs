//! Schemas, as people read them.

use super::{
    html::{Html, anchor},
    json::Json,
};

/// Where a schema stands on the page.
pub(super) fn place(reference: &str) -> String {
    anchor("schema", reference.rsplit('/').next().unwrap_or_default())
}

/// All schemas that have a name, each with its place.
pub(super) fn all(html: &mut Html, document: &Json) {
    for (name, schema) in document.at("components").at("schemas").parts() {
        let place = anchor("schema", name);
        html.open(
            "section",
            &[("class", "logs-schema"), ("aria-labelledby", &place)],
        );
        html.open("h3", &[("id", &place)])
            .element("code", name)
            .close("h3");
        block(html, schema);
        html.close("section");
    }
}

/// A schema with all that is in it, as paragraphs and tables.
pub(super) fn block(html: &mut Html, schema: &Json) {
    html.raw("<p>");
    kind(html, schema);
    html.raw("</p>");
    notes(html, schema);
    nested(html, schema);
}

/// The tables of the objects that have no name of their own.
fn nested(html: &mut Html, schema: &Json) {
    properties(html, schema);
    for choice in choices(schema).chain([schema.at("items")]) {
        if is_bare_object(choice) {
            properties(html, choice);
        }
    }
}

fn is_bare_object(schema: &Json) -> bool {
    !schema.at("properties").parts().is_empty()
}

fn choices(schema: &Json) -> impl Iterator<Item = &Json> {
    let of = |name| schema.at(name).items().iter();
    of("anyOf")
        .chain(of("oneOf"))
        .chain(of("allOf"))
        .filter(|choice| {
            // Which names must be there together is told by their descriptions.
            choice.parts().iter().any(|(name, _)| name != "required")
        })
}

fn properties(html: &mut Html, schema: &Json) {
    let properties = schema.at("properties").parts();
    if properties.is_empty() {
        return;
    }
    html.raw(
        "<div class=\"logs-wide\" tabindex=\"0\" role=\"group\" aria-label=\"Members\"><table><thead><tr>",
    );
    html.raw("<th scope=\"col\">Member</th><th scope=\"col\">Type</th><th scope=\"col\">What it is</th>");
    html.raw("</tr></thead><tbody>");
    for (name, property) in properties {
        let is_required = schema
            .at("required")
            .items()
            .iter()
            .any(|required| required.text() == name);
        html.raw("<tr><th scope=\"row\">").element("code", name);
        if is_required {
            html.raw(" <span class=\"logs-required\">required</span>");
        }
        html.raw("</th><td>");
        kind(html, property);
        html.raw("</td><td>");
        notes(html, property);
        nested(html, property);
        html.raw("</td></tr>");
    }
    html.raw("</tbody></table></div>");
}

/// What kind of value it is, in a few words.
pub(super) fn kind(html: &mut Html, schema: &Json) {
    let reference = schema.at("$ref").text();
    let kinds = schema.at("type");
    let mut is_first = true;
    if !reference.is_empty() {
        html.link(
            &place(reference),
            reference.rsplit('/').next().unwrap_or_default(),
        );
    } else if schema.at("const").is_there() {
        html.element("code", &schema.at("const").to_string());
    } else if schema.at("enum").is_there() {
        for value in schema.at("enum").items() {
            separate(html, &mut is_first, ", ");
            html.element("code", &value.to_string());
        }
    } else if choices(schema).next().is_some() {
        let joint = if schema.at("allOf").is_there() {
            " and "
        } else {
            " or "
        };
        for choice in choices(schema) {
            separate(html, &mut is_first, joint);
            kind(html, choice);
        }
    } else if schema.at("items").is_there() {
        html.text("array of ");
        kind(html, schema.at("items"));
    } else if kinds.is_there() {
        for kind in kinds
            .items()
            .iter()
            .chain(std::iter::once(kinds).filter(|kind| !kind.text().is_empty()))
        {
            separate(html, &mut is_first, " or ");
            html.text(kind.text());
        }
    } else if is_bare_object(schema) {
        html.text("object");
    } else {
        html.text("anything");
    }
}

fn separate(html: &mut Html, is_first: &mut bool, joint: &'static str) {
    if !std::mem::take(is_first) {
        html.text(joint);
    }
}

/// What is said about a value, and its limits.
pub(super) fn notes(html: &mut Html, schema: &Json) {
    let mut sentences = vec![schema.at("description").text().to_owned()];
    sentences.extend(limits(schema));
    for sentence in sentences.iter().filter(|sentence| !sentence.is_empty()) {
        html.raw("<p>").prose(sentence).raw("</p>");
    }
}

/// What a value may be at most, at least and otherwise.
fn limits(schema: &Json) -> Vec<String> {
    let mut limits = Vec::new();
    for (name, words) in [
        ("default", "Default"),
        ("minimum", "At least"),
        ("maximum", "At most"),
        ("minLength", "Shortest, in characters:"),
        ("maxLength", "Longest, in characters:"),
        ("maxItems", "At most so many items:"),
        ("format", "Format"),
        ("pattern", "Pattern"),
    ] {
        match schema.at(name) {
            Json::Null => {}
            Json::Text(text) => limits.push(format!("{words} `{text}`.")),
            value => limits.push(format!("{words} `{value}`.")),
        }
    }
    if let Json::Bool(false) = schema.at("additionalProperties") {
        limits.push("Other members are refused.".to_owned());
    }
    for example in schema.at("examples").items() {
        limits.push(format!("Example `{}`.", example.text()));
    }
    limits
}

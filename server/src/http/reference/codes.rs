//! The codes of refusals, with what to do about each.

use super::{
    html::{Html, anchor},
    json::Json,
};

/// The codes that an answer may carry.
pub(super) fn of_answer(answer: &Json) -> Vec<&str> {
    let problem = answer.at("content").at("application/problem+json").at("schema");
    let parts = problem.at("allOf").items().iter();
    parts
        .flat_map(|part| part.at("properties").at("code").at("enum").items())
        .map(Json::text)
        .collect()
}

/// A row a code.
pub(super) fn table(html: &mut Html, document: &Json) {
    html.raw(
        "<div class=\"logs-wide\" tabindex=\"0\" role=\"group\" aria-label=\"Codes\"><table><thead><tr>",
    );
    html.raw("<th scope=\"col\">Code</th><th scope=\"col\">Status</th><th scope=\"col\">What it means</th>");
    html.raw("<th scope=\"col\">What to do</th></tr></thead><tbody>");
    let components = document.at("components");
    for code in components.at("schemas").at("Code").at("enum").items() {
        let code = code.text();
        let advice = document.at("x-codes").at(code);
        html.open("tr", &[("id", &anchor("code", code))]);
        html.raw("<th scope=\"row\">")
            .element("code", code)
            .raw("</th><td>");
        let statuses = statuses(components.at("responses"), code);
        html.text(&statuses.join(", "));
        html.text(advice.at("status").text()).raw("</td><td>");
        html.prose(advice.at("means").text()).raw("</td><td>");
        html.prose(advice.at("do").text()).raw("</td></tr>");
    }
    html.raw("</tbody></table></div>");
}

/// With which statuses a code comes.
fn statuses(answers: &Json, code: &str) -> Vec<String> {
    let carries = |answer: &&Json| of_answer(answer).contains(&code);
    let status = |answer: &Json| {
        let problem = answer.at("content").at("application/problem+json").at("schema");
        let parts = problem.at("allOf").items().iter();
        parts
            .map(|part| part.at("properties").at("status").at("const"))
            .find(|status| status.is_there())
            .map_or_else(String::new, Json::to_string)
    };
    let answers = answers.parts().iter().map(|(_, answer)| answer);
    answers.filter(carries).map(status).collect()
}

//! The embeddable viewer: one script with a stable address, and the hashed files it loads.

use std::fs;

use anyhow::{Context, Result};

use super::{Recipe, assets::Assets, program::Program};
use crate::workspace::Workspace;

/// The package and the program of the viewer.
pub(super) const MANIFEST: &str = "client/Cargo.toml";
pub(super) const BIN: &str = "logs-widget";
/// The element's class.
const ELEMENT: &str = "client/js/element.js";
/// The rules of the element itself; those of the viewer are the page's.
const STYLES: &str = "style/element.css";
/// What only pages have.
const PAGE_STYLES: [&str; 2] = ["style/page.css", "style/admin.css"];
/// Where hosts load it from, for ever.
const SCRIPT: &str = "logs-widget.js";

/// Adds the viewer's files, and gives the paths of all that a browser loads for it. `styles` are the page's.
pub(super) fn add(
    workspace: &Workspace,
    recipe: &Recipe,
    assets: &mut Assets,
    program: &Program,
    styles: &[&str],
) -> Result<Vec<String>> {
    let read = |path: &str| {
        fs::read_to_string(workspace.source(path)).with_context(|| format!("cannot read {path}"))
    };
    let mut css = String::new();
    for path in styles
        .iter()
        .filter(|path| !PAGE_STYLES.contains(path))
        .chain([&STYLES])
    {
        css.push_str(&read(path)?);
    }
    // Inside the element its own root takes the place of the page's.
    let css = css.replace(":root", ":host");
    let css = recipe.shrink(workspace, "logs-widget.css", css.into_bytes())?;
    let css = String::from_utf8(css).context("the style sheet is not UTF-8")?;
    // As a module: a style sheet in a <style> or from a host would need the consent of the page's content policy.
    let css = format!("export default {};\n", js_string(&css));
    let styles = assets.add("logs-widget-styles.js", css.into_bytes())?;
    let element = recipe.shrink(workspace, "element.js", read(ELEMENT)?.into_bytes())?;
    let element = assets.add("logs-element.js", element)?;

    let script = script(&element, &styles, program);
    let script = recipe.shrink(workspace, SCRIPT, script.into_bytes())?;
    assets.add_fixed(SCRIPT, script);

    let urls = [&styles, &element, &program.js, &program.wasm]
        .into_iter()
        .chain(&program.snippets);
    let paths = urls.map(|url| url.trim_start_matches('/').to_owned());
    Ok(paths.chain([SCRIPT.to_owned()]).collect())
}

/// The script: names what belongs to this build, relative to itself, because hosts are on other origins and gateways
/// may be below a path. The program is loaded with the first element, all its files at once.
fn script(element: &str, styles: &str, program: &Program) -> String {
    let snippets = program
        .snippets
        .iter()
        .map(|url| format!(r#", import(".{url}")"#));
    let Program { js, wasm, .. } = program;
    format!(
        r#"import {{ define }} from ".{element}";
import styles from ".{styles}";
define({{
  styles,
  gatewayUrl: new URL(".", import.meta.url).href.replace(/\/$/, ""),
  load: async () => {{
    const wasm = fetch(new URL(".{wasm}", import.meta.url));
    const [program, module_or_path] = await Promise.all([import(".{js}"), wasm{snippets}]);
    await program.default({{ module_or_path }});
    return program;
  }},
}});
"#,
        snippets = snippets.collect::<String>()
    )
}

/// The text as JavaScript writes it (ECMA-262, section 12.9.4).
fn js_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_what_it_is_in_javascript() {
        assert_eq!(
            js_string("a { content: \"\\25b8\"; }\n"),
            r#""a { content: \"\\25b8\"; }\n""#
        );
    }

    #[test]
    fn the_script_names_its_files_relative_to_itself() {
        let program = Program {
            js: "/assets/w-1.js".to_owned(),
            wasm: "/assets/w-2.wasm".to_owned(),
            snippets: vec!["/assets/snippets-3/hub.js".to_owned()],
        };
        let script = script("/assets/e-4.js", "/assets/s-5.js", &program);
        for name in ["w-1.js", "w-2.wasm", "snippets-3/hub.js", "e-4.js", "s-5.js"] {
            assert!(script.contains(&format!("\"./assets/{name}\"")), "{script}");
        }
    }
}

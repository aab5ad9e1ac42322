//! Documents that are wrong are told to be: what checks them is itself able to fail.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::{claims, document::Document, execute, is_part, page_run};

/// Executes a page with this text, and gives what is said of it. `test` is the name of the test that asks.
fn complaint(test: &str, text: &str) -> Result<String> {
    if let Some(page) = page_run::wanted() {
        execute(test, &page)?;
        return Ok(String::new());
    }
    let folder = TempDir::new()?;
    let page = folder.path().join("page.md");
    fs::write(&page, text)?;
    let error = execute(test, &page).err().context("nothing was said of it")?;
    Ok(format!("{error:#}"))
}

#[test]
fn a_snippet_that_fails_is_named_with_its_place_its_text_and_what_it_printed() -> Result<()> {
    const TEST: &str =
        "bad_documents::a_snippet_that_fails_is_named_with_its_place_its_text_and_what_it_printed";
    let said = complaint(
        TEST,
        "# A\n\n```sh run\nA=1\n```\n\n```sh run\necho \"A is $A\"\nls /nowhere\n```\n",
    )?;
    if page_run::wanted().is_none() {
        for part in ["page.md:7", "ls /nowhere", "A is 1", "No such file"] {
            ensure!(said.contains(part), "{part} is not in: {said}");
        }
    }
    Ok(())
}

#[test]
fn a_snippet_that_prints_something_else_is_told_with_both() -> Result<()> {
    const TEST: &str = "bad_documents::a_snippet_that_prints_something_else_is_told_with_both";
    let said = complaint(
        TEST,
        "```sh run\ncurl http://localhost:3002/health/live\n```\n\n```text output\n{\"status\":\"unwell\"…\n```\n",
    )?;
    if page_run::wanted().is_none() {
        for part in ["page.md:1", "{\"status\":\"unwell\"…", "it printed"] {
            ensure!(said.contains(part), "{part} is not in: {said}");
        }
    }
    Ok(())
}

#[test]
fn a_page_that_shows_no_line_is_told() -> Result<()> {
    const TEST: &str = "bad_documents::a_page_that_shows_no_line_is_told";
    let stream = "http://localhost:3002/api/logs/stream?channels=logs:etl:w";
    let said = complaint(
        TEST,
        &format!("```html run\n<p>nothing</p><script>new EventSource('{stream}')</script>\n```\n"),
    )?;
    if page_run::wanted().is_none() {
        for part in ["page.md:1", "the page shows \"a line for 1\"", "nothing"] {
            ensure!(said.contains(part), "{part} is not in: {said}");
        }
    }
    Ok(())
}

#[test]
fn what_is_named_and_is_not_there_is_told() -> Result<()> {
    let folder = TempDir::new()?;
    fs::create_dir(folder.path().join("docs"))?;
    fs::write(folder.path().join("docs/B.md"), "# There\n")?;
    let text = "# Here\n[a](#here) [b](docs/B.md#there) [c](docs/C.md) [d](docs/B.md#gone) [e](#gone) `docs/B.md` \
                `docs/D.md`\n\n`p tail` `p gone` `p --flag` `A=x/p python`\n";
    fs::write(folder.path().join("A.md"), text)?;
    let page = Document::read(folder.path(), Path::new("A.md"))?;
    assert_eq!(
        claims::dead_links(folder.path(), &page)?,
        [
            "A.md:2: there is no docs/C.md",
            "A.md:2: docs/B.md has no heading for #gone",
            "A.md:2: A.md has no heading for #gone"
        ]
    );
    assert_eq!(
        claims::missing_files(folder.path(), &page),
        ["A.md:2: there is no docs/D.md"]
    );
    let known = claims::commands("Commands:\n  tail  Show\n\nOptions:\n  -h  Help\n");
    assert_eq!(known, BTreeSet::from(["tail".to_owned()]));
    assert_eq!(
        claims::unknown_commands(&page, "p", &known),
        ["A.md:4: `p` has no command `gone`"]
    );
    Ok(())
}

#[test]
fn settings_that_are_not_told_or_told_wrongly_are_listed() -> Result<()> {
    let help = "  --port <PORT>\n    Port to listen on [default: 3002] [env:\n    PORT=]\n  --a <A>\n    A [env: A_TOKEN]\n  \
                --b [default: one; two in production] [env: B=]";
    let settings = claims::settings(help);
    assert_eq!(settings["PORT"], "3002");
    assert_eq!(settings["A_TOKEN"], "none");
    assert_eq!(settings["B"], "one; two in production");
    let text = "| variable | default |\n|---|---|\n| `PORT` | 3003 |\n| `A_TOKEN` | none |\n| `C` | none |\n";
    let page = Document::parse(Path::new("A.md"), text)?;
    assert_eq!(
        claims::differences(&page, &settings),
        [
            "A.md:3: the default of `PORT` is `3002`, not `3003`",
            "A.md:5: there is no setting `C`",
            "A.md: nothing is said of `B`"
        ]
    );
    Ok(())
}

#[test]
fn paths_are_compared_without_the_names_of_their_parameters() -> Result<()> {
    let text = "| path | what |\n|---|---|\n| `POST` or `GET /a/{id}`, `/b` | x |\n";
    let page = Document::parse(Path::new("A.md"), text)?;
    assert_eq!(
        claims::paths(&page),
        BTreeSet::from(["/a/{}".to_owned(), "/b".to_owned()])
    );
    assert_eq!(claims::nameless("/a/{stream_id}"), "/a/{}");
    Ok(())
}

#[test]
fn a_part_of_a_file_is_all_of_its_lines_in_their_order() {
    let source = "fn a() {\n    b();\n    c();\n}\n";
    assert!(is_part(source, "b();\nc();\n"));
    assert!(is_part("/// ```\n///     b();\n/// ```\n", "    b();\n"));
    assert!(!is_part(source, "c();\nb();\n") && !is_part(source, "b()\n") && !is_part(source, ""));
}

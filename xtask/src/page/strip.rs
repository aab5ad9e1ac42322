//! Takes out of a bound program what a person who uses it never meets.
//!
//! The compiler's stable channel always builds panics with their words, where they happened, and all the code that
//! would write them. In a page that is handed out nobody reads them: a panic ends the program either way.

use std::{collections::BTreeMap, env, ops::Range, path::PathBuf};

use anyhow::{Result, bail};
use walrus::{ConstExpr, Data, DataKind, FunctionBuilder, FunctionKind, Module, ir::Value};

/// Functions that only panic, by the ends of their names.
const PANICS: [&str; 9] = [
    "::panicking::panic_fmt",
    "::result::unwrap_failed",
    "::option::unwrap_failed",
    "::option::expect_failed",
    "::str::slice_error_fail",
    "::str::slice_error_fail_rt",
    "::slice::index::slice_index_fail",
    "::raw_vec::capacity_overflow",
    "::alloc::handle_alloc_error",
];
/// What Leptos exports for functions that run on a server, which there are none of here: in the names of exports, and at
/// the start of those of classes.
const UNUSED_EXPORTS: &str = "intounderlying";
const UNUSED_CLASSES: &str = "IntoUnderlying";

/// Makes panics end the program at once and drops exports that nothing calls, with all that only they need. The names of
/// functions must still be there.
///
/// # Errors
/// None of the functions is there: the standard library has other names for them now.
pub(super) fn silence(module: &mut Module) -> Result<()> {
    let unused: Vec<_> = module
        .exports
        .iter()
        .filter(|export| export.name.contains(UNUSED_EXPORTS))
        .map(walrus::Export::id)
        .collect();
    for export in unused {
        module.exports.delete(export);
    }
    let panics: Vec<_> = module
        .funcs
        .iter_local()
        .filter(|(id, _)| module.funcs.get(*id).name.as_deref().is_some_and(only_panics))
        .map(|(id, _)| id)
        .collect();
    if panics.is_empty() {
        bail!(
            "no function is called {}: how panics are built has changed",
            PANICS[0]
        );
    }
    for id in panics {
        let of = module.types.get(module.funcs.get(id).ty());
        let (params, results) = (of.params().to_vec(), of.results().to_vec());
        let mut body = FunctionBuilder::new(&mut module.types, &params, &results);
        body.func_body().unreachable();
        let args = params.iter().map(|kind| module.locals.add(*kind)).collect();
        module.funcs.get_mut(id).kind = FunctionKind::Local(body.local_func(args));
    }
    walrus::passes::gc::run(module);
    Ok(())
}

/// `core[c5930c85a12de822]::panicking::panic_fmt`, or an older form that ends in `::h` and a hash.
fn only_panics(name: &str) -> bool {
    let name = match name.rsplit_once("::h") {
        Some((name, hash)) if is_hash(hash.as_bytes()) => name,
        _ => name,
    };
    PANICS.iter().any(|end| name.ends_with(end))
}

/// The JavaScript half without the classes of what [`silence`] drops, and without the way to start that waits for
/// nothing.
pub(super) fn without_unused(js: &str) -> String {
    let mut out = String::with_capacity(js.len());
    let mut end = "";
    for line in js.lines() {
        let is_of = |start: &str| {
            line.strip_prefix(start)
                .is_some_and(|rest| rest.starts_with(UNUSED_CLASSES))
        };
        if end.is_empty() {
            end = match () {
                () if is_of("export class ") => "}",
                () if is_of("const ") => ";",
                () if is_of("if (Symbol.dispose) ") => ";",
                () => "",
            };
            if end.is_empty() {
                out.push_str(&line.replace("export { initSync, ", "export { "));
                out.push('\n');
                continue;
            }
        }
        let is_end = if end == "}" {
            line == end
        } else {
            line.ends_with(end)
        };
        if is_end {
            end = "";
        }
    }
    out
}

/// Gives short names to what both sides know each other by, and drops exports that the JavaScript half does not name:
/// wasm-bindgen's names say what they are, with hashes, which do not compress.
pub(super) fn shorten_names(js: &str, module: &mut Module) -> String {
    let mut names = BTreeMap::new();
    let mut shorten = |name: &str| {
        let next = names.len();
        let short = names.entry(name.to_owned()).or_insert_with(|| letters(next));
        short.clone()
    };
    for import in module.imports.iter_mut() {
        import.name = shorten(&import.name);
    }
    let mut unused = Vec::new();
    for export in module.exports.iter_mut() {
        if export.name == MEMORY {
            continue;
        }
        if words(js).any(|(_, word)| word == export.name) {
            export.name = shorten(&export.name);
        } else {
            unused.push(export.id());
        }
    }
    for export in unused {
        module.exports.delete(export);
    }
    walrus::passes::gc::run(module);
    let renamed = words(js).map(|(before, word)| [before, names.get(word).map_or(word, String::as_str)]);
    renamed.flatten().collect()
}

/// The export that has the same name on both sides, as other programs expect.
const MEMORY: &str = "memory";

/// The names of a text in JavaScript, each with what is before it.
fn words(js: &str) -> impl Iterator<Item = (&str, &str)> {
    let is_of_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$');
    let mut rest = js;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (before, from) = rest.split_at(rest.find(is_of_word).unwrap_or(rest.len()));
        let (word, after) = from.split_at(from.find(|c| !is_of_word(c)).unwrap_or(from.len()));
        rest = after;
        Some((before, word))
    })
}

/// A number in letters: $a, $b, … $z, $ba, $bb, … Those without the sign may be words or variables of JavaScript.
fn letters(mut number: usize) -> String {
    let mut letters = Vec::new();
    loop {
        letters.push(LETTERS[number % LETTERS.len()]);
        number /= LETTERS.len();
        if number == 0 {
            break;
        }
    }
    letters.push('$');
    letters.into_iter().rev().collect()
}

const LETTERS: [char; 26] = [
    'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u',
    'v', 'w', 'x', 'y', 'z',
];

/// The digits of a hash in a name.
const HASH: usize = 16;

fn is_hash(text: &[u8]) -> bool {
    text.len() == HASH && text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Blanks where panics would say that they happened: lines of source files, and the files' paths, which also name the
/// folders of who built it.
pub(super) fn blank_locations(module: &mut Module) {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    let sources = home.map(|home| format!("{}/", home.join("registry/src").display()));
    let starts: Vec<&str> = sources.as_deref().into_iter().chain(["/rustc/"]).collect();

    let ids: Vec<_> = module.data.iter().map(Data::id).collect();
    let mut paths = BTreeMap::new();
    for id in &ids {
        let data = module.data.get_mut(*id);
        let Some(address) = address(data) else { continue };
        for start in &starts {
            for path in paths_from(&data.value, start.as_bytes()) {
                paths.insert(address + path.start, path.len());
                data.value[path].fill(0);
            }
        }
    }
    for id in ids {
        let data = module.data.get_mut(id);
        if let Some(address) = address(data) {
            blank_locations_of(&mut data.value, address, &paths);
        }
    }
}

/// Where it is in the program's memory.
fn address(data: &Data) -> Option<usize> {
    match data.kind {
        DataKind::Active {
            offset: ConstExpr::Value(Value::I32(address)),
            ..
        } => usize::try_from(address).ok(),
        _ => None,
    }
}

/// The paths of source files that begin like this.
fn paths_from(data: &[u8], start: &[u8]) -> Vec<Range<usize>> {
    /// The longest.
    const MOST: usize = 512;
    let mut paths = Vec::new();
    let mut from = 0;
    while let Some(found) = data[from..].windows(start.len()).position(|bytes| bytes == start) {
        let at = from + found;
        let path = &data[at..data.len().min(at + MOST)];
        let end = path
            .windows(3)
            .position(|bytes| bytes == b".rs")
            .map(|end| end + 3);
        match end {
            Some(end) if path[..end].iter().all(u8::is_ascii_graphic) => {
                paths.push(at..at + end);
                from = at + end;
            }
            _ => from = at + start.len(),
        }
    }
    paths
}

/// Blanks what is a `core::panic::Location`: address and length of one of `paths`, line, column.
fn blank_locations_of(data: &mut [u8], address: usize, paths: &BTreeMap<usize, usize>) {
    const WORD: usize = 4;
    const LOCATION: usize = 4 * WORD;
    let mut at = address.next_multiple_of(WORD) - address;
    while let Some(place) = data.get_mut(at..at + LOCATION) {
        let word = |index: usize| {
            let word = &place[index * WORD..][..WORD];
            word.iter()
                .rev()
                .fold(0, |word, byte| word << 8 | usize::from(*byte))
        };
        let is_place = (1..100_000).contains(&word(2)) && (1..10_000).contains(&word(3));
        if is_place && paths.get(&word(0)) == Some(&word(1)) {
            place.fill(0);
            at += LOCATION;
        } else {
            at += WORD;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_are_known_by_both_forms_of_their_names() {
        for name in [
            "core[c5930c85a12de822]::panicking::panic_fmt",
            "core::panicking::panic_fmt::h0123456789abcdef",
            "alloc[3ca501edff3f0c7c]::alloc::handle_alloc_error",
        ] {
            assert!(only_panics(name), "{name}");
        }
        for name in [
            "core::panicking::panic_fmt::inner",
            "app::panic_fmt",
            "app::expect_failed::hash",
        ] {
            assert!(!only_panics(name), "{name}");
        }
    }

    #[test]
    fn names_are_letters() {
        assert_eq!(
            [0, 25, 26, 27, 26 * 26].map(letters),
            ["$a", "$z", "$ba", "$bb", "$baa"]
        );
    }

    #[test]
    fn both_sides_get_the_same_short_name() {
        let mut module = Module::default();
        let of = module.types.add(&[], &[]);
        let (called, _) = module.add_import_func("./w_bg.js", "__wbg_a_00000000000000ff", of);
        module.exports.add("run", called);
        module.exports.add("nobody_calls", called);
        let js = "x = { __wbg_a_00000000000000ff: function(run2) { wasm.run(); } };";
        assert_eq!(
            shorten_names(js, &mut module),
            "x = { $a: function(run2) { wasm.$b(); } };"
        );
        let exports: Vec<_> = module.exports.iter().map(|export| &export.name).collect();
        assert_eq!(exports, ["$b"]);
        assert!(module.imports.find("./w_bg.js", "$a").is_some());
    }

    #[test]
    fn classes_that_nobody_uses_are_cut_out() {
        let js = "export class IntoUnderlyingSink {\n    free() {\n    }\n}\nif (Symbol.dispose) IntoUnderlyingSink.x = 1;\nexport class Viewer {\n}\nconst IntoUnderlyingSinkFinalization = (a)\n    ? b\n    : new C();\nexport { initSync, d as default };\n";
        assert_eq!(
            without_unused(js),
            "export class Viewer {\n}\nexport { d as default };\n"
        );
    }

    #[test]
    fn paths_are_found_and_not_what_only_begins_like_one() {
        let text = b"text/rustc/59807/library/core/src/str.rs/rustc/1/a.rstext/rustc/ is no path.rs";
        assert_eq!(paths_from(text, b"/rustc/"), [4..40, 40..53]);
    }

    #[test]
    fn a_location_is_blanked_and_what_is_beside_it_stays() {
        let words = |words: &[u32]| {
            words
                .iter()
                .flat_map(|word| word.to_le_bytes())
                .collect::<Vec<u8>>()
        };
        let paths = BTreeMap::from([(0x1234, 36)]);
        let mut data = words(&[7, 0x1234, 36, 120, 9, 0x1234, 35, 120, 9, 0x1234, 36, 0, 9]);
        blank_locations_of(&mut data, 0x8000, &paths);
        assert_eq!(
            data,
            words(&[7, 0, 0, 0, 0, 0x1234, 35, 120, 9, 0x1234, 36, 0, 9])
        );
    }
}

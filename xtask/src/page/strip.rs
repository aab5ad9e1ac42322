//! Takes out of a bound program what a person who uses it never meets.
//!
//! The compiler's stable channel always builds panics with their words, where they happened, and all the code that
//! would write them. In a page that is handed out nobody reads them: a panic ends the program either way.

use std::{collections::BTreeMap, env, path::PathBuf};

use anyhow::{Result, bail};
use walrus::{FunctionBuilder, FunctionKind, Module};

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
/// What Leptos exports for functions that run on a server, which there are none of here.
const UNUSED_EXPORTS: &str = "intounderlying";

/// Makes panics end the program at once and drops exports that nothing calls, with all that only they need. The names of
/// functions must still be there.
///
/// # Errors
/// None of the functions is there: the standard library has other names for them now.
pub(super) fn silence(module: &mut Module) -> Result<()> {
    let unused: Vec<_> = module
        .exports
        .iter()
        .filter(|export| export.name.starts_with(UNUSED_EXPORTS))
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

/// Numbers the names that both sides know each other by: wasm-bindgen tells them apart by hashes, which do not compress.
/// A number is as long as a hash, so nothing moves.
pub(super) fn number_names(js: &mut [u8], wasm: &mut [u8]) {
    let mut numbers = BTreeMap::new();
    for at in hashes(js) {
        let next = numbers.len();
        let hash = js[at..at + HASH].to_vec();
        numbers.entry(hash).or_insert_with(|| format!("{next:0HASH$}"));
    }
    for side in [js, wasm] {
        for at in hashes(side) {
            let place = &mut side[at..at + HASH];
            if let Some(number) = numbers.get(&*place) {
                place.copy_from_slice(number.as_bytes());
            }
        }
    }
}

/// The digits of a hash in a name.
const HASH: usize = 16;

fn is_hash(text: &[u8]) -> bool {
    text.len() == HASH && text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Where there are hashes: after `_` or `_h`, and no longer than they are.
fn hashes(text: &[u8]) -> Vec<usize> {
    let follows_name = |at: usize| {
        let before = &text[..at];
        before.ends_with(b"_") || before.ends_with(b"_h")
    };
    let ends = |at: usize| !text.get(at).is_some_and(u8::is_ascii_alphanumeric);
    let starts = 1..text.len().saturating_sub(HASH - 1);
    starts
        .filter(|at| is_hash(&text[*at..*at + HASH]) && follows_name(*at) && ends(*at + HASH))
        .collect()
}

/// Blanks the paths of source files, which only panics would tell, and which name the folders of who built it.
pub(super) fn blank_paths(wasm: &mut [u8]) {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    let sources = home.map(|home| format!("{}/", home.join("registry/src").display()));
    for start in sources.as_deref().into_iter().chain(["/rustc/"]) {
        blank_paths_from(wasm, start.as_bytes());
    }
}

fn blank_paths_from(wasm: &mut [u8], start: &[u8]) {
    /// The longest path.
    const MOST: usize = 512;
    let mut at = 0;
    while let Some(found) = wasm[at..].windows(start.len()).position(|bytes| bytes == start) {
        at += found;
        let limit = wasm.len().min(at + MOST);
        let path = &mut wasm[at..limit];
        let end = path
            .windows(3)
            .position(|bytes| bytes == b".rs")
            .map(|end| end + 3);
        match end {
            Some(end) if path[..end].iter().all(u8::is_ascii_graphic) => {
                path[..end].fill(0);
                at += end;
            }
            _ => at += start.len(),
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
    fn both_sides_get_the_same_number_for_a_hash() {
        let mut js =
            *b"__wbg_a_00000000000000ff: x, __wbg_b_0123456789abcdef: y, invoke__h00000000000000ff_2";
        let mut wasm = *b"\x18__wbg_b_0123456789abcdef\x00 0123456789abcdef _0123456789abcdef0";
        number_names(&mut js, &mut wasm);
        let text = String::from_utf8_lossy(&js);
        assert_eq!(
            text,
            "__wbg_a_0000000000000000: x, __wbg_b_0000000000000001: y, invoke__h0000000000000000_2"
        );
        let text = String::from_utf8_lossy(&wasm);
        assert_eq!(
            text,
            "\x18__wbg_b_0000000000000001\x00 0123456789abcdef _0123456789abcdef0"
        );
    }

    #[test]
    fn paths_are_blanked_and_what_is_beside_them_stays() {
        let mut wasm = *b"text/rustc/59807/library/core/src/str.rstext/rustc/ is no path.rs";
        blank_paths_from(&mut wasm, b"/rustc/");
        let mut expected = b"text".to_vec();
        expected.resize(4 + 36, 0);
        expected.extend(b"text/rustc/ is no path.rs");
        assert_eq!(wasm.as_slice(), expected);
    }
}

//! Takes out of a bound program what a person who uses it never meets.
//!
//! The compiler's stable channel always builds panics with their words, where they happened, and all the code that
//! would write them. In a page that is handed out nobody reads them: a panic ends the program either way.

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
/// What Leptos exports for functions that run on a server, which there are none of here: in the names of exports.
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

/// The digits of a hash in a name.
fn is_hash(text: &[u8]) -> bool {
    text.len() == 16 && text.iter().all(u8::is_ascii_hexdigit)
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
}

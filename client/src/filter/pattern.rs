//! [`Pattern`]: a regular expression, as the browser reads it.

use std::ops::Range;

/// A regular expression, as the browser's `RegExp` reads it: none of our own has to be sent to the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    source: String,
    flags: String,
}

impl Pattern {
    /// # Errors
    /// Why it is no regular expression, in the browser's words.
    pub(crate) fn new(source: &str, flags: &str) -> Result<Self, String> {
        // Every match is wanted, wherever it is; indices of groups are not.
        let flags: String = flags.chars().filter(|flag| !"dgy".contains(*flag)).collect();
        // A text is a row of characters rather than of UTF-16 units, where the expression lets it.
        let whole = (!flags.contains(['u', 'v'])).then(|| format!("{flags}gu"));
        let pattern = |flags| Self {
            source: source.to_owned(),
            flags,
        };
        let whole = whole.map(pattern).filter(|pattern| pattern.check().is_ok());
        let pattern = whole.unwrap_or_else(|| pattern(format!("{flags}g")));
        pattern.check()?;
        Ok(pattern)
    }

    pub(crate) fn find(&self, text: &str, most: usize) -> Vec<Range<usize>> {
        let mut place = Place {
            text,
            unit: 0,
            byte: 0,
        };
        let found = self.find_units(text, most).into_iter();
        found
            .map(|(start, end)| place.at_or_before(start)..place.at_or_after(end))
            .filter(|found| !found.is_empty())
            .collect()
    }
}

/// A place in a text, counted both as JavaScript does, in UTF-16 units, and in bytes. It only goes on.
struct Place<'a> {
    text: &'a str,
    unit: usize,
    byte: usize,
}

impl Place<'_> {
    /// The byte where the character of this unit begins.
    fn at_or_before(&mut self, unit: usize) -> usize {
        self.go_on(|end| end <= unit)
    }

    /// The byte where the character of this unit begins, or ends where the unit is its second.
    fn at_or_after(&mut self, unit: usize) -> usize {
        let from = self.unit;
        self.go_on(|end| end <= unit);
        if self.unit < unit && self.unit >= from {
            let mut is_first = true;
            self.go_on(|_| std::mem::take(&mut is_first));
        }
        self.byte
    }

    /// Passes characters as long as it is told to, each with the unit at its end.
    fn go_on(&mut self, mut passes: impl FnMut(usize) -> bool) -> usize {
        for c in self.text[self.byte..].chars() {
            let end = self.unit + c.len_utf16();
            if !passes(end) {
                break;
            }
            self.unit = end;
            self.byte += c.len_utf8();
        }
        self.byte
    }
}

#[cfg(target_arch = "wasm32")]
mod engine {
    use std::cell::RefCell;

    use js_sys::{JsString, RegExp};
    use leptos::wasm_bindgen::{JsCast, JsValue};

    use super::Pattern;

    /// So many expressions are kept ready: one for each viewer that is looked at.
    const MOST_KEPT: usize = 8;

    thread_local! {
        static KEPT: RefCell<Vec<(Pattern, RegExp)>> = const { RefCell::new(Vec::new()) };
    }

    impl Pattern {
        pub(super) fn check(&self) -> Result<(), String> {
            self.compile().map(drop)
        }

        fn compile(&self) -> Result<RegExp, String> {
            // The binding's constructor takes an error for an expression.
            let arguments = js_sys::Array::of2(&(&*self.source).into(), &(&*self.flags).into());
            let constructor = js_sys::Reflect::get(&js_sys::global(), &"RegExp".into());
            let made = constructor.and_then(|constructor| {
                js_sys::Reflect::construct(constructor.unchecked_ref::<js_sys::Function>(), &arguments)
            });
            made.map(JsCast::unchecked_into).map_err(|error: JsValue| {
                let message = error
                    .dyn_into::<js_sys::Error>()
                    .map(|error| String::from(error.message()))
                    .unwrap_or_default();
                // Some browsers repeat the expression, with flags nobody wrote.
                let repeated = ["/", &self.flags, ": "].concat();
                let mut ends = message.match_indices('/').map(|(at, _)| &message[at..]);
                let why = ends.find_map(|end| end.strip_prefix(&*repeated));
                ["Not a regular expression: ", why.unwrap_or(&message)].concat()
            })
        }

        fn with<T>(&self, read: impl FnOnce(&RegExp) -> T) -> Option<T> {
            KEPT.with_borrow_mut(|kept| {
                let place = match kept.iter().position(|(pattern, _)| pattern == self) {
                    Some(place) => place,
                    None => {
                        kept.truncate(MOST_KEPT - 1);
                        kept.insert(0, (self.clone(), self.compile().ok()?));
                        0
                    }
                };
                let (_, expression) = kept.get(place)?;
                expression.set_last_index(0);
                Some(read(expression))
            })
        }

        pub(in crate::filter) fn is_in(&self, text: &str) -> bool {
            self.with(|expression| expression.test(text)).unwrap_or(true)
        }

        /// Where matches start and end, in UTF-16 units.
        pub(super) fn find_units(&self, text: &str, most: usize) -> Vec<(usize, usize)> {
            let find = |expression: &RegExp| {
                let mut found = Vec::new();
                while found.len() < most
                    && let Some(matched) = expression.exec(text)
                {
                    let index = js_sys::Reflect::get(&matched, &"index".into());
                    let start = index.ok().and_then(|index| index.as_f64()).unwrap_or_default();
                    // Exact: no text is longer than 2^53 units.
                    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                    let start = start as usize;
                    let length = matched.get(0).unchecked_into::<JsString>().length();
                    if length == 0 {
                        // It would be found here for ever.
                        expression.set_last_index(expression.last_index() + 1);
                        if start >= text.len() {
                            break;
                        }
                    } else {
                        found.push((start, start + length as usize));
                    }
                }
                found
            };
            self.with(find).unwrap_or_default()
        }
    }
}

/// Where there is no browser, in unit tests, an expression is text that is looked for as it is.
#[cfg(not(target_arch = "wasm32"))]
mod engine {
    use super::Pattern;

    impl Pattern {
        pub(super) fn check(&self) -> Result<(), String> {
            (!self.source.ends_with('('))
                .then_some(())
                .ok_or_else(|| "Unterminated group".to_owned())
        }

        pub(in crate::filter) fn is_in(&self, text: &str) -> bool {
            text.contains(&self.source)
        }

        pub(super) fn find_units(&self, text: &str, most: usize) -> Vec<(usize, usize)> {
            let units = |text: &str| text.encode_utf16().count();
            let found = text.match_indices(&self.source).take(most);
            found
                .map(|(at, found)| (units(&text[..at]), units(&text[..at]) + units(found)))
                .collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_a_script_become_bytes_of_the_text() {
        for text in ["plain row", "😀😀 row", "שלום row עולם", "é row", "row"] {
            let found = Pattern::new("row", "").unwrap().find(text, 9);
            let at = text.find("row").unwrap();
            assert_eq!(found.first(), Some(&(at..at + 3)), "{text}");
        }
        assert_eq!(Pattern::new("😀", "").unwrap().find("a😀b😀", 9), [1..5, 6..10]);
    }

    /// Without the flag `u` an expression can match half of a character.
    #[test]
    fn half_a_character_is_the_whole_of_it() {
        let text = "a😀b";
        let range = |start, end| {
            let mut place = Place {
                text,
                unit: 0,
                byte: 0,
            };
            place.at_or_before(start)..place.at_or_after(end)
        };
        assert_eq!(range(1, 2), 1..5);
        assert_eq!(range(2, 3), 1..5);
        assert_eq!(range(0, 2), 0..5);
        assert_eq!(range(3, 4), 5..6);
    }

    #[test]
    fn an_expression_that_is_none_says_why() {
        assert!(Pattern::new("a(", "").is_err());
        assert_eq!(
            Pattern::new("a", "giy").map(|pattern| pattern.flags),
            Ok("igu".into())
        );
    }
}

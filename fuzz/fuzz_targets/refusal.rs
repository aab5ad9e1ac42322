//! A refusal's sentence, which names what a stranger sent: nothing in it that a terminal obeys, and an end.

#![no_main]

use libfuzzer_sys::fuzz_target;
use logs_shared::problem::legible;

fuzz_target!(|sentence: &str| {
    let text = legible(sentence);
    assert!(!text.contains(char::is_control), "{text:?}");
    assert!(text.chars().count() <= 501 * "\\u{10ffff}".len());
    let is_plain = !sentence.contains(char::is_control) && sentence.chars().count() <= 500;
    assert!(!is_plain || text == sentence, "{text:?}");
    assert_eq!(legible(&text).is_empty(), sentence.is_empty());
});

//! [`lower()`]: a letter in lower case, for comparing without regard to case.

/// One letter in lower case: of Latin, Greek, Cyrillic and Armenian, which are the scripts in use that have cases. One
/// that becomes several keeps the first. Other characters, and a few letters of old or phonetic alphabets, stay as they
/// are.
///
/// The standard library knows all of them, by tables that would be a tenth of what a browser loads.
pub(crate) fn lower(c: char) -> char {
    let code = u32::from(c);
    let lower = match code {
        0x41..=0x5A | 0xC0..=0xD6 | 0xD8..=0xDE | 0x391..=0x3A1 | 0x3A3..=0x3AB | 0x410..=0x42F => code + 32,
        0x130 => 0x69,
        0x178 => 0xFF,
        0x1E9E => 0xDF,
        0x386 => 0x3AC,
        0x388..=0x38A => code + 37,
        0x38C => 0x3CC,
        0x38E | 0x38F => code + 63,
        0x400..=0x40F => code + 80,
        0x4C0 => 0x4CF,
        0x531..=0x556 => code + 48,
        // Pairs, the small letter after the capital: most begin with an even number …
        0x100..=0x137
        | 0x14A..=0x177
        | 0x218..=0x233
        | 0x460..=0x481
        | 0x48A..=0x4BF
        | 0x4D0..=0x52F
        | 0x1E00..=0x1E95
        | 0x1EA0..=0x1EFF => code | 1,
        // … and some with an odd one.
        0x139..=0x148 | 0x179..=0x17E | 0x1CD..=0x1DC | 0x4C1..=0x4CE => code + code % 2,
        _ => code,
    };
    char::from_u32(lower).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_in_use_are_as_the_standard_library_has_them() {
        let in_use = [
            0x00..=0x17F,
            0x1CD..=0x1DC,
            0x218..=0x21F,
            0x370..=0x3CE,
            0x400..=0x52F,
            0x531..=0x587,
            0x1E00..=0x1EFF,
        ];
        for c in in_use.into_iter().flatten().filter_map(char::from_u32) {
            // Archaic Greek, and the kai.
            if matches!(u32::from(c), 0x370..=0x37F | 0x3CF) {
                continue;
            }
            assert_eq!(
                lower(c),
                c.to_lowercase().next().unwrap(),
                "{c} {:x}",
                u32::from(c)
            );
        }
    }

    #[test]
    fn what_has_no_case_stays() {
        for c in "漢字かなعربي🔴 \u{1b}\u{0}ß".chars() {
            assert_eq!(lower(c), c);
        }
    }

    #[test]
    fn a_small_letter_stays_small() {
        for c in (0..0x2_0000).filter_map(char::from_u32).map(lower) {
            assert_eq!(lower(c), c, "{:x}", u32::from(c));
        }
    }
}

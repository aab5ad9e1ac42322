//! When a certificate ends (RFC 5280, section 4.1).

/// The second since 1970 at which this certificate (DER) ends, where it can be read.
pub(super) fn ends_at(der: &[u8]) -> Option<u64> {
    const SEQUENCE: u8 = 0x30;
    let (tag, certificate, _) = element(der)?;
    let (inner, to_be_signed, _) = element(certificate)?;
    if (tag, inner) != (SEQUENCE, SEQUENCE) {
        return None;
    }
    // The version may be left out; then come serial number, algorithm, issuer, and the validity: two times.
    let mut rest = to_be_signed;
    let mut sequences = 0;
    loop {
        let (tag, content, after) = element(rest)?;
        rest = after;
        sequences += u8::from(tag == SEQUENCE);
        if sequences == 3 {
            let (_, _, end) = element(content)?;
            let (tag, end, _) = element(end)?;
            return time(tag, std::str::from_utf8(end).ok()?);
        }
    }
}

/// Tag, content, and what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        if bytes.len() > 4 {
            return None;
        }
        (
            bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)),
            rest,
        )
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// `UTCTime` has two digits of the year, `GeneralizedTime` four.
fn time(tag: u8, text: &str) -> Option<u64> {
    const UTC: u8 = 0x17;
    let text = text.strip_suffix('Z')?;
    let century = match text.get(..2)?.parse::<u8>().ok()? {
        _ if tag != UTC => "",
        ..50 => "20",
        50.. => "19",
    };
    let text = format!("{century}{text}");
    let part = |from, to| text.get(from..to);
    let rfc3339 = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0, 4)?,
        part(4, 6)?,
        part(6, 8)?,
        part(8, 10)?,
        part(10, 12)?,
        part(12, 14)?
    );
    let at = logs_shared::Timestamp::from_date_time(&rfc3339).ok()?;
    u64::try_from(at.unix_ms() / 1_000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_the_one_it_was_made_with() {
        for (year, seconds) in [(2031, 1_925_078_400), (2060, 2_840_227_200)] {
            let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
            params.not_after = rcgen::date_time_ymd(year, 1, 2);
            let key = rcgen::KeyPair::generate().unwrap();
            let certificate = params.self_signed(&key).unwrap();
            assert_eq!(ends_at(certificate.der()), Some(seconds));
        }
    }

    #[test]
    fn what_is_no_certificate_has_no_end() {
        for der in [
            &b""[..],
            b"\x30",
            b"\x30\x84\xff\xff\xff\xff",
            b"\x30\x02\x30\x00",
            &[0x30; 64],
        ] {
            assert_eq!(ends_at(der), None);
        }
    }
}

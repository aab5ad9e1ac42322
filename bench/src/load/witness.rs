//! Which id a record had, from what a reader was sent.

use super::scan::Scan;

/// The id of the record of this number, from the text of a stream. `None` where there is no such record, or it has no id.
pub(crate) fn id_of(stream: &[u8], number: u64) -> Option<String> {
    let text = String::from_utf8_lossy(stream).replace("\r\n", "\n");
    let frame = text.split("\n\n").find(|frame| {
        let mut found = false;
        Scan::default().feed(frame.as_bytes(), 0, |told| found |= told.number == number);
        found
    })?;
    let id = frame.lines().find_map(|line| line.strip_prefix("id:"))?;
    Some(id.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::message;

    #[test]
    fn an_id_is_that_of_the_record_and_not_of_another_frame() {
        let stream = format!(
            "id: 0-0\ndata: {{}}\n\nid: 5-1\ndata: {}\n\ndata: {}\nid:5-2\n\ndata: {}\n\n",
            message(1, 7, 0, 50),
            message(1, 8, 0, 50),
            message(1, 9, 0, 50)
        );
        assert_eq!(id_of(stream.as_bytes(), 7).as_deref(), Some("5-1"));
        assert_eq!(id_of(stream.as_bytes(), 8).as_deref(), Some("5-2"));
        assert_eq!(id_of(stream.as_bytes(), 9), None);
        assert_eq!(id_of(stream.as_bytes(), 10), None);
    }
}

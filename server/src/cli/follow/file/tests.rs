use std::{io::Write, thread::sleep};

use rustix::fs::{CWD, Mode, mkfifoat};
use tempfile::TempDir;

use super::*;

struct Log {
    dir: TempDir,
}

impl Log {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("x.log")
    }

    fn write(&self, text: &str) {
        let mut file = File::options()
            .append(true)
            .create(true)
            .open(self.path())
            .unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn rename(&self, name: &str) {
        fs::rename(self.path(), self.dir.path().join(name)).unwrap();
    }

    fn followed(&self) -> Followed {
        Followed::begin(self.path(), true).unwrap()
    }
}

/// The lines that are there now, acknowledged.
fn lines(followed: &mut Followed) -> Vec<String> {
    let mut all = Vec::new();
    while let Some(batch) = followed.next(3).unwrap() {
        all.extend(batch.lines().map(std::borrow::Cow::into_owned));
        followed.move_to(&batch);
    }
    all
}

/// The lines that come within the time a renamed file must be quiet.
fn lines_in_time(followed: &mut Followed, count: usize) -> Vec<String> {
    let mut all = lines(followed);
    let began = Instant::now();
    while all.len() < count && began.elapsed() < Duration::from_secs(20) {
        sleep(Duration::from_millis(20));
        all.extend(lines(followed));
    }
    all
}

#[test]
fn only_whole_lines_are_read_and_none_twice() {
    let log = Log::new();
    log.write("a\nb\r\n\nc");
    let mut followed = log.followed();
    assert_eq!(lines(&mut followed), ["a", "b"]);
    log.write("d\ne\nf\ng\nh\n");
    assert_eq!(lines(&mut followed), ["cd", "e", "f", "g", "h"]);
    assert!(lines(&mut followed).is_empty());
    let mut from_end = Followed::begin(log.path(), false).unwrap();
    log.write("new\n");
    assert_eq!(lines(&mut from_end), ["new"]);
}

#[test]
fn what_is_not_acknowledged_is_read_again() {
    let log = Log::new();
    log.write("a\nb\n");
    let mut followed = log.followed();
    let batch = followed.next(1).unwrap().unwrap();
    assert_eq!(followed.next(1).unwrap().unwrap(), batch);
    followed.move_to(&batch);
    assert_eq!(lines(&mut followed), ["b"]);
}

#[test]
fn a_file_that_does_not_exist_yet_is_read_from_its_start() {
    let log = Log::new();
    let mut followed = Followed::begin(log.path(), false).unwrap();
    assert!(lines(&mut followed).is_empty());
    log.write("first\n");
    assert_eq!(lines(&mut followed), ["first"]);
}

#[test]
fn what_is_written_to_a_renamed_file_comes_before_its_successor() {
    let log = Log::new();
    log.write("a\n");
    let mut followed = log.followed();
    assert_eq!(lines(&mut followed), ["a"]);
    let mut writer = File::options().append(true).open(log.path()).unwrap();
    log.rename("x.log.1");
    log.write("c\n");
    assert!(lines(&mut followed).is_empty());
    // Who writes has not opened the new one yet.
    writer.write_all(b"b\nlast words").unwrap();
    assert_eq!(lines_in_time(&mut followed, 3), ["b", "last words", "c"]);
}

#[test]
fn a_file_that_is_cut_is_read_from_its_start() {
    let log = Log::new();
    log.write("a long line\nanother\n");
    let mut followed = log.followed();
    assert_eq!(lines(&mut followed).len(), 2);
    File::create(log.path()).unwrap();
    log.write("short\n");
    assert_eq!(lines(&mut followed), ["short"]);
    // Longer than before when it is looked at again.
    File::create(log.path()).unwrap();
    log.write("other words than before\n");
    assert_eq!(lines(&mut followed), ["other words than before"]);
}

#[test]
fn a_line_that_is_too_long_is_passed_over_and_counted() {
    let log = Log::new();
    log.write("a\n");
    log.write(&"x".repeat(BYTES_AT_ONCE * 3 + 5));
    log.write("\nb\n");
    let mut followed = log.followed();
    let mut cut = 0;
    let mut all = Vec::new();
    while let Some(batch) = followed.next(1_000).unwrap() {
        cut += usize::from(batch.is_cut);
        all.extend(batch.lines().map(std::borrow::Cow::into_owned));
        followed.move_to(&batch);
    }
    assert_eq!((cut, all), (1, vec!["a".to_owned(), "b".to_owned()]));
}

#[test]
fn a_place_is_found_again_under_another_name_and_by_its_content() {
    let log = Log::new();
    log.write("a\nb\nc\n");
    let mut followed = log.followed();
    let batch = followed.next(1).unwrap().unwrap();
    let sending = Sending {
        to: 4,
        key: "k".to_owned(),
    };
    followed.move_to(&batch);
    let place = followed.place(Some(sending)).unwrap();
    let mut again = Followed::resume(log.path(), &place).unwrap();
    assert_eq!(
        again.until(4).unwrap().unwrap().lines().collect::<Vec<_>>(),
        ["b"]
    );
    assert_eq!(again.until(100).unwrap(), None);
    assert_eq!(lines(&mut again), ["b", "c"]);

    log.rename("x.log.1");
    log.write("d\n");
    let mut renamed = Followed::resume(log.path(), &place).unwrap();
    assert_eq!(lines_in_time(&mut renamed, 3), ["b", "c", "d"]);

    // Another file with the same number.
    File::create(log.dir.path().join("x.log.1"))
        .unwrap()
        .write_all(b"not the same\n")
        .unwrap();
    let mut another = Followed::resume(log.path(), &place).unwrap();
    assert_eq!(lines(&mut another), ["d"]);
}

#[test]
fn at_the_end_nothing_more_is_read() {
    let log = Log::new();
    log.write("a\n");
    let mut followed = log.followed();
    followed.end_here();
    log.write("b\n");
    assert_eq!(lines(&mut followed), ["a"]);
}

#[test]
fn a_folder_or_a_pipe_is_no_file() {
    let log = Log::new();
    let error = Followed::begin(log.dir.path().to_owned(), false).err().unwrap();
    assert!(error.to_string().contains("is no file"), "{error}");
}

#[test]
fn what_cannot_be_read_for_a_while_is_waited_for() {
    let log = Log::new();
    log.write("one\n");
    let mut followed = log.followed();
    assert_eq!(lines(&mut followed), ["one"]);
    log.rename("x.log.1");
    fs::create_dir(log.path()).unwrap();
    fs::write(log.path().join("x"), "").unwrap();
    let began = Instant::now();
    while !followed.is_barred && began.elapsed() < Duration::from_secs(20) {
        assert_eq!(lines(&mut followed), [""; 0]);
        sleep(Duration::from_millis(20));
    }
    assert!(followed.is_barred);
    fs::remove_dir_all(log.path()).unwrap();
    log.write("two\n");
    assert_eq!(lines(&mut followed), ["two"]);
}

#[test]
fn a_pipe_is_refused_and_not_waited_for() {
    let log = Log::new();
    mkfifoat(CWD, log.path(), Mode::RWXU).unwrap();
    let error = Followed::begin(log.path(), true).err().unwrap();
    assert!(error.to_string().contains("standard input"), "{error}");
}

#[test]
fn of_a_file_that_was_renamed_twice_nothing_is_missed() {
    let log = Log::new();
    log.write("one\n");
    let mut followed = log.followed();
    assert_eq!(lines(&mut followed), ["one"]);
    let place = followed.place(None).unwrap();
    log.write("two\n");
    // Each is written to later than the one before, by the clock of the file system.
    let later = || sleep(Duration::from_millis(20));
    for (text, name) in [("three\n", "x.log.2"), ("four\n", "x.log.1")] {
        log.rename(name);
        later();
        log.write(text);
    }
    log.rename("x.log-20260102");
    later();
    log.write("five\n");
    // Neither is one of them.
    for name in ["x.log.error", "x.log.1.gz", "y.log.1"] {
        fs::write(log.dir.path().join(name), "other\n").unwrap();
    }
    let all = ["two", "three", "four", "five"];
    assert_eq!(lines_in_time(&mut followed, 4), all);
    drop(followed);
    let mut resumed = Followed::resume(log.path(), &place).unwrap();
    assert_eq!(lines_in_time(&mut resumed, 4), all);
    assert_eq!(lines(&mut resumed), [""; 0]);
}

#[test]
fn the_rest_of_a_long_line_is_passed_over_by_who_comes_back_too() {
    let log = Log::new();
    log.write(&"x".repeat(BYTES_AT_ONCE + 10));
    let mut followed = log.followed();
    assert_eq!(lines(&mut followed), [""; 0]);
    let place = followed.place(None).unwrap();
    log.write("rest\nnext\n");
    let mut resumed = Followed::resume(log.path(), &place).unwrap();
    assert_eq!(lines(&mut resumed), ["next"]);
}

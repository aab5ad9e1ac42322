//! What a call may count on, whatever the program around it does.

use std::{
    io::{self, Read, Write},
    net::TcpListener,
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use logs_publisher::{Level, LogData, Publisher};
use tracing_subscriber::{layer::SubscriberExt, util::SubscriberInitExt};

/// Where nobody listens: the port of a service that was for throwing things away.
const NOWHERE: &str = "http://127.0.0.1:9";

fn to_nowhere() -> Publisher {
    let builder = Publisher::builder().url(NOWHERE).service("etl").workspace_id("w");
    builder
        .close_timeout(Duration::from_millis(50))
        .on_problem(|_| ())
        .build()
}

#[test]
fn every_call_is_counted_once_from_many_threads() {
    let publisher = to_nowhere();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let publisher = publisher.clone();
            thread::spawn(move || {
                for n in 0..10_000 {
                    publisher.publish(LogData::new("m").level(Level::ALL[n % 6]).field("n", n));
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let stats = publisher.stats();
    assert_eq!(
        (stats.queued, stats.dropped.queue_full, stats.sent),
        (10_000, 30_000, 0)
    );
    publisher.close(Duration::ZERO);
    publisher.info("late");
    let stats = publisher.stats();
    assert_eq!(
        (stats.queued, stats.dropped.closed, stats.dropped.total()),
        (0, 10_001, 40_001)
    );
}

#[test]
fn a_publisher_in_a_static_is_closed_by_its_guard() {
    static LOGS: LazyLock<Publisher> = LazyLock::new(to_nowhere);
    let guard = LOGS.close_on_drop();
    LOGS.info("m");
    drop(guard);
    assert_eq!(LOGS.stats().dropped.closed, 1);
}

#[test]
fn who_waits_while_another_closes_is_told_at_once_that_not_all_is_sent() {
    let publisher = to_nowhere();
    publisher.info("m");
    let other = publisher.clone();
    let waiting = thread::spawn(move || {
        let began = Instant::now();
        (other.flush(Duration::from_secs(60)), began.elapsed())
    });
    thread::sleep(Duration::from_millis(100));
    assert!(!publisher.close(Duration::from_millis(50)));
    let (is_sent, took) = waiting.join().unwrap();
    assert!(!is_sent && took < Duration::from_secs(20), "{is_sent} {took:?}");
}

#[test]
fn the_last_clone_waits_no_longer_than_it_may() {
    let publisher = to_nowhere();
    let clone = publisher.clone();
    publisher.info("m");
    let began = Instant::now();
    drop(publisher);
    assert_eq!(clone.stats().queued, 1, "it was not the last one");
    drop(clone);
    let took = began.elapsed();
    assert!(
        took >= Duration::from_millis(50) && took < Duration::from_secs(2),
        "{took:?}"
    );
}

#[test]
fn addresses_and_tokens_that_cannot_be_are_problems_and_no_panics() {
    for (url, token) in [
        ("", "t"),
        ("not a url", "t"),
        ("ftp://localhost", "t"),
        ("http://localhost:1", "t\n\u{0}ü"),
        ("http://[::1", "t"),
    ] {
        let said = Arc::<Mutex<Vec<String>>>::default();
        let to = said.clone();
        let publisher = Publisher::builder()
            .url(url)
            .token(token)
            .on_problem(move |problem| to.lock().unwrap().push(problem.to_owned()))
            .build();
        publisher.info("m");
        assert!(!publisher.flush(Duration::from_millis(300)));
        publisher.close(Duration::ZERO);
        assert_eq!(publisher.stats().dropped.closed, 1, "{url}");
        let said = said.lock().unwrap();
        // What is wrong, and what the end has left over.
        let [wrong, left] = &said[..] else {
            panic!("{url}: {said:?}")
        };
        assert!(
            !wrong.contains("failed") && left.contains("1 records"),
            "{url}: {said:?}"
        );
    }
}

/// Keeps what a program prints of its events.
#[derive(Clone, Default)]
struct Printed(Arc<Mutex<Vec<u8>>>);

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The libraries that send log the bytes of requests, which have the token in them.
#[test]
fn what_is_logged_while_it_sends_is_neither_published_nor_printed() {
    static TOLD: AtomicUsize = AtomicUsize::new(0);
    let tell = |_: &str| {
        TOLD.fetch_add(1, Ordering::Relaxed);
        tracing::error!("the publisher has a problem");
    };
    // Takes a request, and answers nothing.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let accepted = thread::spawn(move || {
        let mut request = [0; 1000];
        listener.accept().unwrap().0.read(&mut request).unwrap()
    });
    let builder = Publisher::builder()
        .url(url)
        .token("sehr-geheim-0815")
        .on_problem(tell);
    let publisher = builder.build();
    let printed = Printed::default();
    let to = printed.clone();
    let format = tracing_subscriber::fmt::layer().with_writer(move || to.clone());
    // For every thread and with what goes through `log`, as a program does it; other tests of this program log nothing.
    tracing_subscriber::registry()
        .with(publisher.layer())
        .with(format)
        .init();
    tracing::info!("of the program");
    publisher.flush(Duration::from_millis(500));
    assert!(accepted.join().unwrap() > 0);
    assert_eq!(TOLD.load(Ordering::Relaxed), 1);
    let printed = String::from_utf8(printed.0.lock().unwrap().clone()).unwrap();
    assert!(
        printed.contains("of the program") && printed.lines().count() == 1,
        "{printed}"
    );
    // Who closes it is told on a thread of the program's, where what is logged is the program's.
    publisher.close(Duration::ZERO);
    assert_eq!(TOLD.load(Ordering::Relaxed), 2);
    assert_eq!(publisher.stats().dropped.closed, 2, "{:?}", publisher.stats());
}

#[tokio::test]
async fn it_works_inside_a_runtime() {
    let publisher = to_nowhere();
    publisher.info("m");
    assert_eq!(publisher.stats().queued, 1);
    assert!(
        !tokio::task::spawn_blocking(move || publisher.flush(Duration::from_millis(100)))
            .await
            .unwrap()
    );
}

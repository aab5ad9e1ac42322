"""A gateway that is away, slow, or not a gateway."""

import gc
import json
import os
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
from unittest import mock

import support

from sse_publisher import Publisher, _batch, _connection

TOKEN = "sehr-geheim-0815"


def drip(sock):
    """Answers, a byte at a time, for longer than anybody waits."""
    try:
        for byte in b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 10_000:
            sock.sendall(bytes([byte]))
            time.sleep(0.05)
    except OSError:
        pass


def endless(sock):
    """Says more than a gateway ever says."""
    try:
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            sock.sendall(b"x" * 65536)
    except OSError:
        pass


class Trouble(support.WithPeer):
    def test_an_answer_that_comes_drop_by_drop_ends_with_the_time_for_all_of_it(self):
        peer = self.peer(drip)
        publisher = self.publisher(peer, timeout_ms=300)
        began = time.monotonic()
        publisher.info("m")
        peer.wait_for(2)
        self.assertLess(time.monotonic() - began, 5)
        self.assertTrue(publisher.flush(10))
        self.assertEqual(publisher.stats()["sent"], 1)

    def test_what_is_no_answer_of_a_gateway_is_none(self):
        junk = [
            b"junk\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n<a/>",
            b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{",
            b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{"success":true}',
            b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 204 No Content\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 200 + b"\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n" + b"x" * 100_000,
            endless,
        ]
        for said in junk:
            with self.subTest(said if callable(said) else said[:60]):
                peer = self.peer(lambda sock: sock.shutdown(socket.SHUT_RDWR), said)
                if not callable(said):
                    # Whoever waits for the rest of it waits for nothing.
                    peer.answers[1] = lambda sock, said=said: (
                        sock.sendall(said),
                        sock.shutdown(socket.SHUT_RDWR),
                    )
                publisher = self.publisher(peer, timeout_ms=2000)
                publisher.info("m")
                peer.wait_for(3)
                self.assertTrue(publisher.flush(10))
                self.assertEqual(publisher.stats(), {"queued": 0, "sent": 1, "dropped": {}})
                self.assertEqual(len({r.headers["idempotency-key"] for r in peer.requests[:3]}), 1)

    def test_an_answer_in_chunks_is_one(self):
        peer = self.peer(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b'8\r\n{"succes\r\n8\r\ns":true}\r\n0\r\n\r\n'
        )
        publisher = self.publisher(peer)
        publisher.info("m")
        self.assertTrue(publisher.flush(10))
        self.assertEqual((len(peer.requests), publisher.stats()["sent"]), (1, 1))

    def test_a_connection_is_kept_and_replaced_quietly_when_the_gateway_closes_it(self):
        problems = []
        peer = self.peer(
            support.OK, support.OK, lambda sock: (sock.sendall(support.OK), sock.shutdown(socket.SHUT_RDWR))
        )
        publisher = self.publisher(peer, on_problem=problems.append)
        for n in range(5):
            publisher.info(f"m{n}")
            self.assertTrue(publisher.flush(10))
            if n == 2:
                connection = publisher._sender._connection
                while connection._wire is not None and connection._wire.is_idle():
                    time.sleep(0.01)
        self.assertEqual((len(peer.requests), peer.connections, problems), (5, 2, []))

    def test_a_batch_that_is_too_much_goes_in_halves_and_a_single_record_that_is_is_refused(self):
        peer = self.peer(support.answer(413), support.answer(413), support.OK, support.answer(413))
        publisher = self.publisher(peer, linger_ms=5000)
        for n in range(4):
            publisher.info("m", n=n)
        self.assertTrue(publisher.flush(10))
        # 4 → 2 (413) → 1 (stored), 1 (413: refused), then 2.
        self.assertEqual(publisher.stats(), {"queued": 0, "sent": 3, "dropped": {"refused": 1}})
        self.assertEqual(
            [[line["n"] for line in map(data, r.text().splitlines()) if "n" in line] for r in peer.requests][
                :5
            ],
            [[0, 1, 2, 3], [0, 1], [0], [1], [2, 3]],
        )
        self.assertEqual(peer.lines()[-1]["reasons"], {"refused": 1})

    def test_a_batch_that_may_be_stored_is_not_sent_again_in_halves(self):
        for first in [None, support.answer(502), support.answer(503, {"code": "storage_failed"})]:
            with self.subTest(first):
                over = support.answer(429, {"code": "batch_over_rate"})
                peer = self.peer(first if first else lambda sock: sock.shutdown(socket.SHUT_RDWR), over)
                publisher = self.publisher(peer, linger_ms=5000)
                for n in range(4):
                    publisher.info("m", n=n)
                self.assertTrue(publisher.flush(10))
                stats = {"queued": 0, "sent": 0, "dropped": {"unconfirmed": 4}}
                self.assertEqual(publisher.stats(), stats)
                self.assertEqual(len(peer.requests), 3)
                self.assertEqual(peer.lines()[-1]["reasons"], {"unconfirmed": 4})

    def test_what_may_be_stored_as_anothers_is_not_sent_again_with_another_token(self):
        # A gateway keeps the keys of each token apart.
        peer = self.peer(*[support.answer(502)] * 1000)
        publisher = self.publisher(peer)
        publisher.info("m")
        peer.wait_for(2)
        publisher.configure(token="another")
        until = time.monotonic() + 10
        while not publisher.stats()["dropped"] and time.monotonic() < until:
            time.sleep(0.01)
        peer.answers.clear()
        self.assertTrue(publisher.flush(10))
        self.assertEqual(publisher.stats(), {"queued": 0, "sent": 0, "dropped": {"unconfirmed": 1}})
        tokens = [r.headers["x-service-token"] for r in peer.requests if '"m"' in r.text()]
        self.assertEqual(set(tokens), {"l5-etl-token"})

    def test_a_full_disk_stores_nothing_so_that_a_batch_may_still_be_halved(self):
        peer = self.peer(support.answer(507, {"code": "storage_full"}), support.answer(413))
        publisher = self.publisher(peer, linger_ms=5000)
        for n in range(4):
            publisher.info("m", n=n)
        self.assertTrue(publisher.flush(10))
        self.assertEqual(publisher.stats(), {"queued": 0, "sent": 4, "dropped": {}})

    def test_who_is_told_to_come_back_at_once_does_not_ask_without_end(self):
        peer = self.peer(*[support.answer(503, b"{}", "Retry-After: 0")] * 10_000)
        publisher = self.publisher(peer)
        publisher.info("m")
        peer.wait_for(2)
        time.sleep(0.5)
        self.assertLess(len(peer.requests), 30)

    def test_what_is_refused_is_not_tried_again(self):
        for status, code in [
            (400, "invalid_channel"),
            (403, "forbidden"),
            (422, "x"),
            (429, "too_many_token_channels"),
        ]:
            with self.subTest(status):
                problems = []
                peer = self.peer(support.answer(status, {"code": code}))
                publisher = self.publisher(peer, on_problem=problems.append)
                publisher.error("m")
                self.assertTrue(publisher.flush(10))
                self.assertEqual(publisher.stats(), {"queued": 0, "sent": 0, "dropped": {"refused": 1}})
                self.assertEqual(
                    [line["message"] for line in peer.lines()], ["m", "1 records dropped by the publisher"]
                )
                self.assertIn(f"{status} {code}", problems[0])

    def test_what_was_not_confirmed_for_nine_minutes_is_dropped_and_told(self):
        peer = self.peer(None, None)
        now = time.monotonic()
        with mock.patch.object(_batch, "clock", lambda: now):
            publisher = self.publisher(peer, timeout_ms=50)
            publisher.info("lost")
            peer.wait_for(1)
            while publisher._sender._batches[0]._maybe_stored is None:
                time.sleep(0.001)
            now += 9 * 60 - 1
            peer.wait_for(2)
            now += 2
            self.assertTrue(publisher.flush(10))
        self.assertEqual(publisher.stats(), {"queued": 0, "sent": 0, "dropped": {"unconfirmed": 1}})
        told = peer.lines()[-1]
        self.assertEqual((told["message"], told["level"]), ("1 records dropped by the publisher", "WARN"))
        self.assertEqual(
            (told["dropped"], told["reasons"], told["levels"]), (1, {"unconfirmed": 1}, {"INFO": 1})
        )

    def test_a_refused_connection_is_tried_for_ever(self):
        url = support.nobody()
        publisher = self.publisher(url)
        now = time.monotonic()
        with mock.patch.object(_batch, "clock", lambda: now):
            publisher.info("m")
            while publisher._sender._batches == [] or publisher._sender._batches[0].tries < 2:
                time.sleep(0.01)
            now += 10_000
            self.assertFalse(publisher.flush(0.5))
        self.assertEqual(publisher.stats(), {"queued": 1, "sent": 0, "dropped": {}})

    def test_a_token_is_in_nothing_that_is_said(self):
        said = []
        for url in [
            support.nobody(),
            f"http://user:{TOKEN}@127.0.0.1:1",
            f"no url {TOKEN}",
            "http://[",
            "http://a:99999",
            self.peer(support.answer(401)).url,
        ]:
            for token in [TOKEN, f"{TOKEN}\r\nX: y", f"{TOKEN}\udc00"]:
                publisher = Publisher(
                    **support.settings(url, token=token, on_problem=said.append, timeout_ms=200)
                )
                publisher.info("m")
                publisher.close(0.1)
                said.append(f"{publisher!r} {publisher._settings!r} {publisher.stats()}")
        self.assertGreater(len(said), 12)
        self.assertNotIn(TOKEN, "".join(said))

    def test_a_name_and_password_in_the_url_are_sent_to_the_proxy_that_asks_for_them(self):
        peer = self.peer()
        publisher = self.publisher(peer.url.replace("//", "//ann:p%3Aw@"))
        publisher.info("m")
        self.assertTrue(publisher.flush(10))
        self.assertEqual(peer.requests[0].headers["authorization"], "Basic YW5uOnA6dw==")

    def test_a_token_is_not_said_where_a_stranger_says_it(self):
        problems = []
        peer = self.peer(support.answer(401, {"code": "sehrgeheim0815"}))
        publisher = self.publisher(peer, token="sehrgeheim0815", on_problem=problems.append)
        publisher.info("m")
        self.assertTrue(publisher.flush(10))
        self.assertIn("[token]", problems[0])
        self.assertNotIn("sehrgeheim0815", problems[0])

    def test_a_problem_is_said_once_a_minute_and_whoever_hears_it_may_fail(self):
        problems = []

        def hear(problem):
            problems.append(problem)
            raise RuntimeError

        publisher = self.publisher(support.nobody(), on_problem=hear)
        publisher.info("m")
        self.assertFalse(publisher.flush(1))
        self.assertEqual(len(problems), 1)
        self.assertIn("connection refused", problems[0])

    def test_settings_that_cannot_be_read_are_said_and_stop_nothing(self):
        problems = []
        peer = self.peer()
        publisher = self.publisher(
            peer, max_records="many", linger_ms=float("nan"), close_ms=-1, on_problem=problems.append
        )
        publisher.info("m")
        self.assertTrue(publisher.flush(10))
        self.assertIn("max_records", problems[0])
        with self.assertRaisesRegex(TypeError, "urll"):
            publisher.configure(urll="x")

    def test_a_record_without_a_channel_is_counted_and_said(self):
        problems = []
        publisher = self.publisher(self.peer(), service=None, on_problem=problems.append)
        publisher.info("m")
        self.assertTrue(publisher.flush(10))
        while not problems:
            time.sleep(0.01)
        self.assertEqual(
            (publisher.stats()["dropped"], "LOGS_SERVICE" in problems[0]), ({"refused": 1}, True)
        )

    def test_a_name_with_a_colon_is_no_way_into_another_channel(self):
        problems = []
        publisher = self.publisher(self.peer(), workflow_id=None, on_problem=problems.append)
        publisher.publish("m", workspace_id="w:others")
        publisher.publish("m", service="etl:w", workspace_id="others")
        self.assertTrue(publisher.flush(10))
        self.assertEqual(publisher.stats(), {"queued": 0, "sent": 0, "dropped": {"refused": 2}})

    def test_who_waits_when_another_thread_closes_is_told_at_once_that_not_all_is_sent(self):
        for url in [support.nobody(), self.peer(None).url]:
            publisher = self.publisher(url)
            publisher.info("m")
            said = []
            waiting = threading.Thread(target=lambda p=publisher, s=said: s.append(p.flush(60)))
            waiting.start()
            while not publisher._sender._waiters:
                time.sleep(0.001)
            self.assertFalse(publisher.close(0.1))
            waiting.join(10)
            self.assertEqual(said, [False])

    def test_a_signal_handler_and_a_destructor_may_publish(self):
        peer = self.peer()
        publisher = self.publisher(peer, max_records=10_000_000, max_bytes=1 << 30)
        count = 0

        def handler(*_):
            nonlocal count
            publisher.info("from the handler")
            count += 1

        before = signal.signal(signal.SIGALRM, handler)
        self.addCleanup(signal.signal, signal.SIGALRM, before)

        class Last:
            def __init__(self):
                self.me = self

            def __del__(self):
                publisher.info("from the destructor")

        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        calls = 0
        try:
            until = time.monotonic() + 1.5
            while time.monotonic() < until:
                publisher.info("from the program")
                calls += 1
                if calls % 10 == 0:
                    Last()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        gc.collect()
        self.assertGreater(count, 50)
        self.assertTrue(publisher.flush(20))
        stats = publisher.stats()
        self.assertGreaterEqual(stats["sent"], calls + count)
        self.assertEqual(stats["dropped"], {})
        self.assertEqual(stats["sent"], len(peer.lines()))

    def test_many_threads_publish_at_once_and_each_keeps_its_order(self):
        peer = self.peer()
        publisher = self.publisher(peer, max_records=1_000_000, max_bytes=1 << 30)

        def run(me):
            for n in range(2000):
                publisher.info("m", me=me, n=n, level="error" if n % 3 else "info")

        threads = [threading.Thread(target=run, args=(me,)) for me in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertTrue(publisher.flush(20))
        for me in range(8):
            self.assertEqual([line["n"] for line in peer.lines() if line["me"] == me], list(range(2000)))


def data(line):
    return json.loads(line)["logData"]


class Tls(support.WithPeer):
    def test_a_certificate_is_checked_and_the_systems_file_is_named_by_the_environment(self):
        with tempfile.TemporaryDirectory() as folder:
            key, certificate = f"{folder}/key.pem", f"{folder}/cert.pem"
            made = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
            made += " -addext subjectAltName=DNS:localhost"
            subprocess.run(
                [*made.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True
            )
            gateway = support.Gateway(TLS_CERT=certificate, TLS_KEY=key)
            self.addCleanup(gateway.stop)
            url = gateway.url.replace("http://", "https://").replace("127.0.0.1", "localhost")
            problems = []
            publisher = self.publisher(url, on_problem=problems.append)
            publisher.info("m")
            self.assertFalse(publisher.flush(1))
            self.assertIn("certificate", problems[0])
            with mock.patch.dict(os.environ, SSL_CERT_FILE=certificate):
                publisher = self.publisher(url)
                for _ in range(2):
                    publisher.info("m")
                    self.assertTrue(publisher.flush(10))
                self.assertEqual(publisher.stats()["sent"], 2)
                self.assertIsInstance(publisher._sender._connection._wire.sock, ssl.SSLSocket)


class Addresses(unittest.TestCase):
    def test_an_error_is_described_without_its_words(self):
        self.assertEqual(_connection.describe(ValueError(TOKEN)), "ValueError")
        self.assertEqual(_connection.describe(ConnectionRefusedError(111, TOKEN)), "connection refused")
        self.assertEqual(_connection.describe(socket.timeout()), "no answer in time")


if __name__ == "__main__":
    unittest.main()

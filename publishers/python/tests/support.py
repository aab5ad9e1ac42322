"""What the tests share: a real gateway, a peer that misbehaves, and programs of their own."""

import gzip
import json
import os
import socket
import subprocess
import sys
import threading
import time
import unittest
import urllib.request
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(SOURCE))

CHANNEL = "logs:etl:w:f"


class Gateway:
    """The gateway itself, with its records in memory."""

    def __init__(self, **environment):
        binary = os.environ.get("LOGS_GATEWAY_BIN")
        if not binary:
            raise AssertionError("LOGS_GATEWAY_BIN is not set: it names the gateway that the tests publish to")
        settings = {"PORT": "0", "HOST": "127.0.0.1", "STORE": "memory", "PATH": os.environ.get("PATH", ""), **environment}
        self._process = subprocess.Popen([binary], env=settings, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for line in self._process.stdout:
            if b"listening on " in line:
                self.url = line.split()[-1].decode()
                break
        else:
            raise AssertionError("the gateway does not start")
        # Nobody reads what else it says; it is not to wait for that.
        threading.Thread(target=self._process.stdout.read, daemon=True).start()

    def stop(self):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def records(self, channels=CHANNEL):
        with urllib.request.urlopen(f"{self.url}/api/logs/history?channels={channels}&limit=10000", timeout=10) as answer:
            return json.load(answer)["records"]

    def messages(self, channels=CHANNEL):
        return [record["message"] for record in self.records(channels)]


def settings(url, **others):
    """Of a publisher that publishes to :data:`CHANNEL`, and says nothing to standard error."""
    base = dict(url=url, token="l5-etl-token", service="etl", workspace_id="w", workflow_id="f", linger_ms=5)
    return {**base, "on_problem": lambda problem: None, **others}


OK = b'HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{"success":true}'


class Peer:
    """A server that answers requests with what it is given, one after the other, and after that as a gateway that takes all.

    An answer is bytes; a function that is given the socket; or `None`: none, ever.
    """

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []
        self.connections = 0
        self._came = threading.Condition()
        self._open = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        self._listener.close()
        for sock in self._open:
            sock.close()

    def wait_for(self, count, seconds=10):
        with self._came:
            if not self._came.wait_for(lambda: len(self.requests) >= count, seconds):
                raise AssertionError(f"{len(self.requests)} requests of {count}")

    def lines(self):
        """The `logData` of all requests."""
        return [json.loads(line)["logData"] for request in self.requests for line in request.text().splitlines()]

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            file = sock.makefile("rb")
            while True:
                head = file.readline()
                if not head:
                    return
                headers = {}
                while True:
                    line = file.readline().strip()
                    if not line:
                        break
                    name, _, value = line.decode().partition(":")
                    headers[name.lower()] = value.strip()
                request = Request(head.decode().strip(), headers, file.read(int(headers.get("content-length", 0))))
                with self._came:
                    self.requests.append(request)
                    answer = self.answers.pop(0) if self.answers else OK
                    self._came.notify_all()
                if answer is None:
                    return
                if callable(answer):
                    answer(sock)
                    return
                sock.sendall(answer)
        except OSError:
            pass


class Request:
    def __init__(self, head, headers, body):
        self.head = head
        self.headers = headers
        self.body = body

    def text(self):
        body = gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body
        return body.decode()


def answer(status, body=b"{}", *headers):
    """An answer's bytes."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Any", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


class Program:
    """A program of its own, with the settings of `url` in its environment."""

    def __init__(self, code, url, seconds=30, **environment):
        env = {
            **os.environ,
            "PYTHONPATH": str(SOURCE),
            "LOGS_GATEWAY_URL": url,
            "LOGS_GATEWAY_TOKEN": "l5-etl-token",
            "LOGS_SERVICE": "etl",
            "LOGS_WORKSPACE_ID": "w",
            "LOGS_WORKFLOW_ID": "f",
            **environment,
        }
        began = time.monotonic()
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=seconds)
        self.took = time.monotonic() - began
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr


class WithGateway(unittest.TestCase):
    """Each test has a gateway of its own."""

    def setUp(self):
        self.gateway = Gateway()
        self.addCleanup(self.gateway.stop)


class WithPeer(unittest.TestCase):
    def peer(self, *answers):
        peer = Peer(*answers)
        self.addCleanup(peer.stop)
        return peer

    def publisher(self, peer, **others):
        from sse_publisher import Publisher

        publisher = Publisher(**settings(peer if isinstance(peer, str) else peer.url, **others))
        self.addCleanup(publisher.close, 0)
        return publisher


def nobody():
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

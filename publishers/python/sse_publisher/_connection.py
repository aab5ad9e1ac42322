"""One kept-alive connection to the gateway, on which a request has a time in all, however slowly it is
answered.
"""

import codecs
import http.client
import os
import socket
import ssl
import time
from typing import Any, Dict, Optional, Tuple

from ._settings import Target

for _encoding in ("idna", "ascii", "latin-1", "utf-8", "utf-16-le"):
    # Loaded when it is first used, on another thread: a process that forks at that moment would have a child in which
    # the module's lock is held for ever.
    codecs.lookup(_encoding)


_LARGEST_ANSWER = 4 * 1024 * 1024
"""More than the gateway has to say of a thousand records."""
_PIECE = 64 * 1024


class _Wire:
    """A socket as `http.client` wants one. Before each step it is given what is left of the time.

    Reads by itself: the buffers of the standard library have locks, which a process that was forked in the
    middle of a read would inherit locked.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.deadline = 0.0
        self.received = 0
        self._read = b""

    def _hurry(self) -> None:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.sock.settimeout(left)

    def sendall(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            self._hurry()
            view = view[self.sock.send(view[:_PIECE]) :]

    def makefile(self, *_: Any) -> "_Wire":
        return self

    def _more(self) -> bool:
        self._hurry()
        piece = self.sock.recv(_PIECE)
        self.received += len(piece)
        if self.received > _LARGEST_ANSWER:
            raise http.client.HTTPException
        self._read += piece
        return bool(piece)

    def readline(self, limit: int = _PIECE) -> bytes:
        while True:
            end = self._read.find(b"\n") + 1
            if end or len(self._read) >= limit:
                return self.read(min(end or limit, limit))
            if not self._more():
                return self.read(len(self._read))

    def read(self, size: int = -1) -> bytes:
        while size < 0 or len(self._read) < size:
            if not self._more():
                size = len(self._read)
        read, self._read = self._read[:size], self._read[size:]
        return read

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """The answer's file and the connection's socket are one: :meth:`Connection.close` closes it."""

    def is_idle(self) -> bool:
        """Whether the other end has neither closed the connection nor said anything unasked."""
        try:
            self.sock.settimeout(0)
            self._read += self.sock.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return not self._read
        except OSError:
            pass
        return False


class Answer:
    """What the gateway said."""

    def __init__(self, status: int, retry_after: Optional[str], body: bytes) -> None:
        self.status = status
        self.retry_after = retry_after
        self.body = body


class Connection:
    """The connection to a target. Proxies of the environment are not asked: the gateway is one's own."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._wire: Optional[_Wire] = None
        self._context: Optional[ssl.SSLContext] = None
        self.reached = False
        """Whether the last request may have arrived: something of it was sent."""

    def post(self, body: bytes, headers: Dict[str, str], timeout: float) -> Answer:
        """Sends a request, and gives its answer.

        Raises :class:`OSError` and :class:`http.client.HTTPException`; the connection is closed then.
        """
        deadline = time.monotonic() + timeout
        self.reached = False
        whole = False
        try:
            if self._wire is None or not self._wire.is_idle():
                self.close()
                self._wire = _Wire(self._connect(deadline))
            wire = self._wire
            wire.deadline, wire.received = deadline, 0
            client = http.client.HTTPConnection(self.target.authority)
            client.sock = wire
            client.putrequest("POST", self.target.path, skip_host=True, skip_accept_encoding=True)
            client.putheader("Host", self.target.authority)
            client.putheader("Content-Length", str(len(body)))
            for name, value in headers.items():
                client.putheader(name, value)
            self.reached = True
            try:
                client.endheaders(body)
            except (BrokenPipeError, ConnectionResetError):
                # Who refuses a body may do so without reading all of it.
                pass
            response = client.getresponse()
            said = response.read()
            whole = not response.will_close and response.isclosed()
            return Answer(response.status, response.getheader("Retry-After"), said)
        finally:
            if not whole:
                self.close()

    def _connect(self, deadline: float) -> socket.socket:
        failure: OSError = OSError("it has no address")
        addresses = socket.getaddrinfo(self.target.host, self.target.port, type=socket.SOCK_STREAM)
        for index, address in enumerate(addresses):
            # One that does not answer leaves the others their share of the time.
            left = deadline - time.monotonic()
            try:
                return self._connect_to(address, time.monotonic() + left / (len(addresses) - index))
            except OSError as error:
                failure = error
        raise failure

    def _connect_to(self, address: Tuple[Any, ...], deadline: float) -> socket.socket:
        family, kind, protocol, _, place = address
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(max(deadline - time.monotonic(), 0.001))
            sock.connect(place)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.target.secure:
                if self._context is None:
                    self._context = ssl.create_default_context()
                sock.settimeout(max(deadline - time.monotonic(), 0.001))
                sock = self._context.wrap_socket(sock, server_hostname=self.target.host)
            return sock
        except BaseException:
            sock.close()
            raise

    def close(self) -> None:
        """Closes the connection; the next request opens another."""
        wire, self._wire = self._wire, None
        if wire is not None:
            try:
                wire.sock.close()
            except OSError:
                pass

    def interrupt(self) -> None:
        """Ends a request that another thread is in the middle of."""
        wire = self._wire
        if wire is not None:
            try:
                wire.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def forget(self) -> None:
        """After a fork: gives this process's end away without a word to the gateway, for whom it is the
        parent's.
        """
        wire, self._wire = self._wire, None
        if wire is not None:
            try:
                os.close(wire.sock.detach())
            except OSError:
                pass


def describe(error: BaseException) -> str:
    """What went wrong, without what was sent: an error's own words may quote a header."""
    if isinstance(error, (TimeoutError, socket.timeout)):
        return "no answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or 'failed'}"
    if isinstance(error, socket.gaierror):
        return "its name has no address"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()
    if isinstance(error, (http.client.HTTPException, ConnectionError)):
        return "the answer was cut off or is none"
    return type(error).__name__

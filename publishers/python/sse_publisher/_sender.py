"""What takes records from the queue to the gateway: one request at a time, on a thread of its own."""

import json
import queue
import random
import threading
import time
from http.client import HTTPException
from typing import Any, List, Optional, Set, Tuple

from . import _level, _process
from ._batch import Batch, Verdict
from ._connection import Connection, describe
from ._encode import opening
from ._problems import Problems
from ._queue import Entry, Queue
from ._settings import Settings
from ._version import __version__

BATCH_RECORDS = 1000
BATCH_BYTES = 1024 * 1024
_FIRST_WAIT = 0.1
_LONGEST_WAIT = 10.0
_IN_A_HURRY = 0.5
"""The longest wait between tries while somebody waits for what is left to be sent."""

_random = random.SystemRandom()
"""Not the program's own, which may have been given a seed, and not the parent's after a fork."""


class Sender:
    """Sends while there is something to send.

    The thread sleeps on `wake`, a queue whose `put` may interrupt itself: a signal handler that publishes
    cannot lock it up.
    """

    def __init__(self, records: Queue, settings: Settings, problems: Problems) -> None:
        self.settings = settings
        self._queue = records
        self._problems = problems
        self._wake: "queue.SimpleQueue[None]" = queue.SimpleQueue()
        self._asleep_until: Optional[int] = None
        self._connection: Optional[Connection] = None
        self._batches: List[Batch] = []
        self._waiters: Set[Tuple[int, threading.Event]] = set()
        self._retry_at: Optional[float] = None
        self._running = threading.Lock()
        self._thread: Optional[threading.Thread] = None
        self._next_start = 0.0
        self._told_when = False
        self._orphaned = False
        self.ended = False

    def nudge(self) -> None:
        """After a record was put into the queue: wakes the thread if it is time for that."""
        wanted = self._asleep_until
        if wanted is not None and (self._queue.waiting >= wanted or self._queue.waiting_bytes >= BATCH_BYTES):
            self._asleep_until = None
            self._wake.put(None)
        if self._thread is None:
            self.start()

    def start(self) -> None:
        """Starts the thread; where there can be none (the interpreter ends), :meth:`finish` sends."""
        if time.monotonic() < self._next_start or self.ended:
            return
        self._next_start = time.monotonic() + 1.0
        _process.enroll(self)
        thread = threading.Thread(target=self._run, name="logs-sse-publisher", daemon=True)
        self._thread = thread
        try:
            thread.start()
        except RuntimeError:
            self._thread = None

    def hurry(self) -> None:
        """Wakes the thread, whatever it waits for."""
        self._asleep_until = None
        self._wake.put(None)

    def mention(self) -> None:
        """After something was dropped or noted: wakes the thread if it sleeps for want of anything to do."""
        if self._asleep_until == 1:
            self.hurry()
        if self._thread is None:
            self.start()

    def finish(self, timeout: float) -> bool:
        """Waits until all that is in the queue now is sent or dropped, and says whether it is."""
        deadline = time.monotonic() + max(timeout, 0.0)
        waiter = (self._queue.newest, threading.Event())
        self._waiters.add(waiter)
        try:
            while not self._is_finished(waiter[0]):
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                if self._thread is None:
                    self.start()
                if self._thread is None:
                    self._send_here(deadline)
                else:
                    self.hurry()
                    waiter[1].wait(left)
                    waiter[1].clear()
            return not self._queue.left_over
        finally:
            self._waiters.discard(waiter)

    def finish_last(self) -> None:
        """At the end of the process: as :meth:`finish`, within what is left of `close_ms` since it began
        to end.
        """
        if not self.finish(_process.left_to_end(self.settings.close) or 0.0):
            self.say_left(self._queue.count)
        self._problems.end()

    def say_left(self, left: int) -> None:
        """Says how many records the end of the publisher has left over."""
        if left:
            self._problems.say(
                f"{left} records could not be sent to {self.settings.where} before the end: they are dropped",
                is_last=True,
            )

    def orphan(self) -> None:
        """Nobody holds the publisher any more: what waits is still sent, and then the thread ends."""
        self._orphaned = True
        self.hurry()

    def end(self) -> None:
        """Ends the thread, also out of the middle of a request."""
        self.ended = True
        _process.retire(self)
        self.hurry()
        if self._batches:
            connection = self._connection
            if connection is not None:
                connection.interrupt()

    def forget(self) -> None:
        """After a fork: the connection is the parent's."""
        if self._connection is not None:
            self._connection.forget()

    def _is_finished(self, number: int) -> bool:
        return number < self._queue.oldest and not self._queue.has_losses

    def _run(self) -> None:
        with self._running:
            try:
                while not self.ended:
                    try:
                        self._step()
                    except Exception as error:
                        # No way is known here; a thread that is gone would be worse than one that tries
                        # again.
                        self._problems.say(f"an error of the publisher itself: {type(error).__name__}")
                        time.sleep(1.0)
            finally:
                self._close()
                self._thread = None
                # Whoever closed it has dropped what others wait for.
                for _, event in list(self._waiters):
                    event.set()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send_here(self, deadline: float) -> None:
        """Sends on the caller's thread, where another cannot be had any more."""
        with self._running:
            while (self._batches or self._queue.busy) and time.monotonic() < deadline:
                if not self._batches:
                    self._queue.reporting = False
                    self._fill()
                self._try(max(deadline - time.monotonic(), 0.001))
                if self._retry_at is not None:
                    time.sleep(max(min(self._retry_at, deadline) - time.monotonic(), 0.0))

    def _step(self) -> None:
        self._problems.say_noted()
        if not self._batches:
            self._queue.reporting = False
            if not self._queue.busy:
                self._tell_waiters()
                if self._orphaned:
                    self.end()
                else:
                    self._sleep(1, None)
                return
            self._linger()
            self._fill()
        if self._batches and not self.ended:
            self._try(self.settings.timeout)
            if not self._batches:
                self._queue.reporting = False
            self._tell_waiters()
            self._back_off()

    def _tell_waiters(self) -> None:
        for number, event in list(self._waiters):
            if self._is_finished(number):
                event.set()

    def _sleep(self, records: Optional[int], seconds: Optional[float]) -> None:
        """Sleeps until so many records wait or fill a batch, the time is over, or somebody is in a hurry."""
        self._asleep_until = records
        try:
            # What came in before it was said that this sleeps.
            came = (records == 1 and self._queue.busy) or (
                records is not None and self._queue.waiting >= records
            )
            if not came and not self.ended:
                self._wake.get(timeout=seconds)
        except queue.Empty:
            pass
        self._asleep_until = None

    def _linger(self) -> None:
        until = time.monotonic() + self.settings.linger
        while not self.ended and not self._waiters:
            left = until - time.monotonic()
            if left <= 0 or self._queue.waiting >= BATCH_RECORDS or self._queue.waiting_bytes >= BATCH_BYTES:
                return
            self._sleep(BATCH_RECORDS, left)

    def _back_off(self) -> None:
        while self._retry_at is not None and not self.ended:
            left = self._retry_at - time.monotonic()
            if left <= 0:
                return
            if self._waiters:
                # Somebody's time is short: what was to be tried much later is tried soon, unless the
                # gateway has named the time.
                soon = _random.uniform(0, _IN_A_HURRY)
                if not self._told_when and left > soon:
                    self._retry_at = time.monotonic() + soon
                    continue
            self._sleep(None, left)

    def _fill(self) -> None:
        reports = [self._report(channel, loss) for channel, loss in self._queue.take_losses().items()]
        entries = reports + self._queue.take(BATCH_RECORDS, BATCH_BYTES)
        if entries:
            self._batches = [Batch(entries)]

    def _report(self, channel: str, loss: Any) -> Entry:
        data = {
            "timestamp": time.time_ns() // 1_000_000,
            "level": "WARN",
            "message": f"{loss.dropped} records dropped by the publisher",
            "dropped": loss.dropped,
            "reasons": loss.reasons,
            "levels": loss.levels,
        }
        line = f"{opening(channel)}{json.dumps(data, separators=(',', ':'))}}}\n".encode("utf-8", "replace")
        return Entry(0, line, channel, _level.WARN, loss)

    def _try(self, timeout: float) -> None:
        """Sends the first batch once."""
        if not self._batches:
            return
        batch = self._batches[0]
        self._retry_at = None
        if batch.is_unconfirmed:
            self._drop(
                batch.entries,
                "unconfirmed",
                f"no answer for 9 minutes to {len(batch.entries)} records: they are dropped",
            )
            self._batches.pop(0)
            return
        settings = self.settings
        sent_as = (settings.target, settings.token)
        if batch.is_lost_on(sent_as):
            self._drop(
                batch.entries,
                "unconfirmed",
                f"the settings changed before {len(batch.entries)} records had an answer: they are dropped",
            )
            self._batches.pop(0)
            return
        batch.tries += 1
        if settings.target is None:
            self._again(None, settings.problems[0])
            return
        if self._connection is None or self._connection.target != settings.target:
            self._close()
            self._connection = Connection(settings.target)
        headers = {**batch.headers, "User-Agent": f"logs-sse-publisher/{__version__} (Python)"}
        if settings.token is not None:
            headers["X-Service-Token"] = settings.token
        if settings.target.authorization is not None:
            headers["Authorization"] = settings.target.authorization
        try:
            answer = self._connection.post(batch.body, headers, timeout)
        except (OSError, HTTPException, ValueError) as error:
            if self._connection.reached:
                batch.may_be_stored(sent_as)
            self._again(None, f"{settings.where}: {describe(error)}")
            return
        verdict = Verdict(answer, len(batch.entries))
        if verdict.maybe_stored:
            batch.may_be_stored(sent_as)
        self._judge(batch, verdict)

    def _judge(self, batch: Batch, verdict: Verdict) -> None:
        where = self.settings.where
        if verdict.stored:
            rejected = [batch.entries[index] for index in sorted(set(verdict.rejected))]
            if rejected:
                self._refuse(rejected, f"{where} refuses {len(rejected)} records: {verdict.code}")
                gone = set(map(id, rejected))
                self._queue.done([entry for entry in batch.entries if id(entry) not in gone])
            else:
                self._queue.done(batch.entries)
            self._batches.pop(0)
        elif verdict.refused or (verdict.too_much and len(batch.entries) == 1):
            self._refuse(batch.entries, f"{where} refuses {len(batch.entries)} records: {verdict.words}")
            self._batches.pop(0)
        elif verdict.too_much and batch.is_maybe_stored:
            # The halves would have other keys: what is stored would be stored again.
            self._drop(
                batch.entries,
                "unconfirmed",
                f"{where} had not answered {len(batch.entries)} records that are now too many at once:"
                " they are dropped",
            )
            self._batches.pop(0)
        elif verdict.too_much:
            self._batches[:1] = batch.halves()
        else:
            self._again(verdict.wait, f"{where} answers {verdict.words}")

    def _refuse(self, entries: List[Entry], problem: str) -> None:
        self._problems.say(problem)
        self._queue.refuse(entries, "refused")

    def _drop(self, entries: List[Entry], reason: str, problem: str) -> None:
        self._problems.say(problem)
        self._queue.refuse(entries, reason)
        for entry in entries:
            if entry.report is not None:
                self._queue.give_back(entry.channel, entry.report)

    def _again(self, wait: Optional[float], problem: str) -> None:
        """Plans the next try: after `wait` seconds where the gateway has named them."""
        if self.ended:
            return
        self._problems.say(f"{problem}; {self._queue.count} records wait")
        tries = self._batches[0].tries if self._batches else 1
        self._told_when = wait is not None
        # Also where the gateway says 0: nobody is to be asked again and again without a pause.
        pause = _random.uniform(0, min(_FIRST_WAIT * 2 ** min(max(tries - 1, 0), 20), _LONGEST_WAIT))
        wait = max(wait or 0.0, pause)
        self._retry_at = time.monotonic() + wait

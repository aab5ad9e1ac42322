"""The records that wait, bounded in number and bytes, and the count of what was dropped."""

import threading
from bisect import bisect_right
from collections import Counter, deque
from itertools import accumulate, islice
from typing import Any, Deque, Dict, List, NamedTuple, Optional, Tuple

from . import _level

MAX_CHANNELS = 100
"""Of more channels at once, what was dropped is counted for the first of them."""

_RANKS = range(len(_level.NAMES))


_Waiting = Tuple[int, bytes, str, int]
"""As :class:`Entry` begins. A bare tuple is made in no time, and the garbage collector does not look at
thousands of them.
"""


class Entry(NamedTuple):
    """A record that is being sent. Its number is its place in the order of the calls."""

    number: int
    line: bytes
    channel: str
    rank: int
    report: Optional["Loss"] = None
    """What this record itself tells the gateway of; nobody's record then."""


class Loss:
    """What was dropped of a channel."""

    def __init__(self) -> None:
        self.reasons: Dict[str, int] = {}
        self.levels: Dict[str, int] = {}

    def add(self, reason: str, level: str, count: int = 1) -> None:
        self.reasons[reason] = self.reasons.get(reason, 0) + count
        self.levels[level] = self.levels.get(level, 0) + count

    def merge(self, other: "Loss") -> None:
        for reason, count in other.reasons.items():
            self.reasons[reason] = self.reasons.get(reason, 0) + count
        for level, count in other.levels.items():
            self.levels[level] = self.levels.get(level, 0) + count

    @property
    def dropped(self) -> int:
        return sum(self.reasons.values())


class Queue:
    """Records on their way: those that wait, by level, and those that are being sent.

    A call first puts its record into an inbox, which is a single step, and then takes the lock. A call that
    interrupts another one of its own thread (from a signal handler, or a destructor) finds it busy and
    leaves its record in the inbox: the interrupted one takes it along. So nothing can wait for itself.
    """

    def __init__(self, max_records: int, max_bytes: int) -> None:
        self._lock = threading.RLock()
        self._busy = False
        self._inbox: Deque[Tuple[bytes, str, int]] = deque()
        self._waiting: List[Deque[_Waiting]] = [deque() for _ in _RANKS]
        self._bytes_by_rank = [0 for _ in _RANKS]
        self._losses: Dict[str, Loss] = {}
        self._sending: List[Entry] = []
        self._closed = False
        self.max_records = max_records
        self.max_bytes = max_bytes
        self.count = 0
        """Records that wait or are being sent."""
        self.bytes = 0
        self.waiting = 0
        """Records that wait."""
        self.waiting_bytes = 0
        self.number = 0
        """The number of the newest record."""
        self.sent = 0
        self.dropped: "Counter[str]" = Counter()
        self.reporting = False
        """Whether what was dropped is being told at this moment."""
        self.left_over = False
        """Whether something was left when it was abandoned."""

    def put(self, line: bytes, channel: str, rank: int) -> None:
        """Takes a record in, in the place of others where there is no room."""
        self._inbox.append((line, channel, rank))
        with self._lock:
            self._settle()

    def drop(self, reason: str, channel: Optional[str], rank: int, count: int = 1) -> None:
        """Counts what never was a record of the queue."""
        with self._lock:
            self._lose(reason, channel, rank, count)

    def _settle(self) -> None:
        if self._busy:
            return
        self._busy = True
        try:
            while self._inbox:
                self._admit(*self._inbox.popleft())
        finally:
            self._busy = False

    def _admit(self, line: bytes, channel: str, rank: int) -> None:
        if self._closed:
            self._lose("closed", None, rank)
            return
        size = len(line)
        if self.count >= self.max_records or self.bytes + size > self.max_bytes:
            if not self._make_room(size, rank):
                self._lose("queue_full", channel, rank)
                return
        self.number += 1
        self._waiting[rank].append((self.number, line, channel, rank))
        self._bytes_by_rank[rank] += size
        self.count += 1
        self.bytes += size
        self.waiting += 1
        self.waiting_bytes += size

    def _make_room(self, size: int, rank: int) -> bool:
        """Drops the oldest of the lowest level until `size` fits; none where that would not be enough."""
        lower = self._waiting[: rank + 1]
        if self.count - sum(map(len, lower)) >= self.max_records:
            return False
        if self.bytes - sum(self._bytes_by_rank[: rank + 1]) + size > self.max_bytes:
            return False
        for entries in lower:
            while entries and (self.count >= self.max_records or self.bytes + size > self.max_bytes):
                self._remove(entries.popleft())
        return True

    def _remove(self, entry: _Waiting) -> None:
        _, line, channel, rank = entry
        size = len(line)
        self._bytes_by_rank[rank] -= size
        self.count -= 1
        self.bytes -= size
        self.waiting -= 1
        self.waiting_bytes -= size
        self._lose("queue_full", channel, rank)

    def _lose(self, reason: str, channel: Optional[str], rank: int, count: int = 1) -> None:
        self.dropped[reason] += count
        if channel is None or reason == "closed":
            return
        loss = self._losses.get(channel)
        if loss is None:
            if len(self._losses) >= MAX_CHANNELS:
                loss = next(iter(self._losses.values()))
            else:
                loss = self._losses[channel] = Loss()
        loss.add(reason, _level.NAMES[rank], count)

    def take(self, records: int, size: int) -> List[Entry]:
        """The oldest records, of any level, at most `records` of `size` bytes; one at least where one waits.

        They count until :meth:`done` or :meth:`refuse` has had each of them.
        """
        with self._lock:
            self._settle()
            used = [entries for entries in self._waiting if entries]
            oldest = [waiting for entries in used for waiting in islice(entries, records)]
            if len(used) > 1:
                oldest.sort()
            del oldest[records:]
            fit = bisect_right(list(accumulate([len(line) for _, line, _, _ in oldest])), size)
            del oldest[max(fit, 1) :]
            for _, line, _, rank in oldest:
                self._waiting[rank].popleft()
                self._bytes_by_rank[rank] -= len(line)
                self.waiting_bytes -= len(line)
            self.waiting -= len(oldest)
            taken = [Entry(*waiting) for waiting in oldest]
            self._sending = taken
            return list(taken)

    def take_losses(self) -> Dict[str, Loss]:
        """What was dropped and not told yet, by channel."""
        with self._lock:
            losses, self._losses = self._losses, {}
            self.reporting = bool(losses)
            return losses

    def give_back(self, channel: str, loss: Loss) -> None:
        """A report that did not arrive is to be told again, together with what has been dropped since."""
        with self._lock:
            known = self._losses.get(channel)
            if known is None and len(self._losses) >= MAX_CHANNELS:
                known = next(iter(self._losses.values()))
            if known is None:
                self._losses[channel] = loss
            else:
                known.merge(loss)

    def done(self, entries: List[Entry]) -> None:
        """These are stored."""
        with self._lock:
            self.sent += self._let_go(entries)

    def refuse(self, entries: List[Entry], reason: str) -> None:
        """These are dropped for `reason`. Reports among them are nobody's records: nothing tells of them."""
        with self._lock:
            if self._let_go(entries):
                for entry in entries:
                    if entry.report is None:
                        self._lose(reason, entry.channel, entry.rank)

    def _let_go(self, entries: List[Entry]) -> int:
        """How many of these were being sent, which they are no longer; none of a queue that was abandoned
        meanwhile.
        """
        if not self._sending:
            return 0
        records = [entry for entry in entries if entry.report is None]
        self.count -= len(records)
        self.bytes -= sum(len(entry.line) for entry in records)
        if len(records) == len(self._sending):
            self._sending = []
        else:
            gone = {entry.number for entry in records}
            self._sending = [entry for entry in self._sending if entry.number not in gone]
        return len(records)

    @property
    def busy(self) -> bool:
        """Whether there is anything that the gateway has not been told."""
        return bool(self.count or self._inbox or self._losses)

    @property
    def has_losses(self) -> bool:
        """Whether records were dropped that the gateway has not been told of."""
        return bool(self._losses) or self.reporting

    @property
    def newest(self) -> int:
        """The number of the newest record."""
        with self._lock:
            self._settle()
            return self.number

    @property
    def oldest(self) -> int:
        """The number of the oldest record that waits or is being sent; beyond the newest where none does."""
        with self._lock:
            self._settle()
            heads = [entries[0][0] for entries in self._waiting if entries]
            heads.extend(entry.number for entry in self._sending[:1])
            return min(heads, default=self.number + 1)

    def close(self) -> None:
        """Takes no more records in."""
        with self._lock:
            self._settle()
            self._closed = True

    def abandon(self) -> int:
        """Drops all that is left, also what is being sent; gives how many they were."""
        with self._lock:
            self._settle()
            left = self.count
            self.left_over = left > 0
            self.dropped["closed"] += left
            for entries in self._waiting:
                entries.clear()
            self._bytes_by_rank = [0 for _ in _RANKS]
            self._sending = []
            self._losses = {}
            self.reporting = False
            self.count = self.bytes = self.waiting = self.waiting_bytes = 0
            return left

    def stats(self) -> Dict[str, Any]:
        """The counts."""
        with self._lock:
            self._settle()
            return {
                "queued": self.count,
                "sent": self.sent,
                "dropped": {r: n for r, n in self.dropped.items() if n},
            }

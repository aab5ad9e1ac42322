"""A request's worth of records, and what an answer to it means."""

import gzip
import json
import time
import uuid
from typing import Any, Dict, List, Optional, Tuple

from ._connection import Answer
from ._queue import Entry

_GZIP_FROM = 1024
_UNCONFIRMED_AFTER = 9 * 60.0
"""The gateway knows a key for ten minutes."""


def clock() -> float:
    """Seconds that go on while the machine sleeps, where the system has such a clock."""
    boot_time = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot_time is None else time.clock_gettime(boot_time)


class Batch:
    """Records that are sent together: the same bytes under the same key on every try."""

    def __init__(self, entries: List[Entry]) -> None:
        self.entries = entries
        self.tries = 0
        self._maybe_stored: Optional[float] = None
        self._sent_as: Any = None
        body = b"".join([entry.line for entry in entries])
        self.headers = {
            "Content-Type": "application/x-ndjson",
            "Idempotency-Key": uuid.uuid4().hex,
        }
        if len(body) >= _GZIP_FROM:
            # The fastest level: log lines repeat themselves enough for it. It lets other threads run.
            body = gzip.compress(body, 1)
            self.headers["Content-Encoding"] = "gzip"
        self.body = body

    def may_be_stored(self, sent_as: object) -> None:
        """A try that may have arrived got no answer. `sent_as` is where it went and whose it was."""
        if self._maybe_stored is None:
            self._maybe_stored = clock()
            self._sent_as = sent_as

    def is_lost_on(self, sent_as: object) -> bool:
        """Whether it may be stored elsewhere, or as another's: there, its key is not known."""
        return self._maybe_stored is not None and self._sent_as != sent_as

    @property
    def is_maybe_stored(self) -> bool:
        """Whether it may be stored already: under another key it would be stored again."""
        return self._maybe_stored is not None

    @property
    def is_unconfirmed(self) -> bool:
        """Whether the gateway may have forgotten soon that it has stored this."""
        return self._maybe_stored is not None and clock() - self._maybe_stored >= _UNCONFIRMED_AFTER

    def halves(self) -> Tuple["Batch", "Batch"]:
        """Two batches of what this one holds, in order."""
        middle = len(self.entries) // 2
        return Batch(self.entries[:middle]), Batch(self.entries[middle:])


class Verdict:
    """What an answer says of a batch. One of `stored`, `refused`, `too_much` or, where none is true, to be
    tried again.
    """

    def __init__(self, answer: Answer, count: int) -> None:
        self.stored = self.refused = self.too_much = False
        self.maybe_stored = False
        self.rejected: List[int] = []
        self.wait: Optional[float] = None
        said = _object(answer.body)
        self.code = _word(said.get("code"))
        self.words = f"{answer.status} {self.code}".rstrip()
        status = answer.status
        if status == 200 and said.get("success") is True:
            self.stored = True
            self._read_rejected(said.get("rejected"), count)
        elif status in (400, 403, 422) or (status == 429 and self.code == "too_many_token_channels"):
            self.refused = True
        elif status == 413 or (status == 429 and self.code == "batch_over_rate"):
            self.too_much = True
        else:
            if status in (429, 503, 507):
                self.wait = _seconds(answer.retry_after)
            # Whoever said this may have been in between and have passed the request on, and a gateway whose
            # store fails does not know. Of a full disk it does.
            self.maybe_stored = status == 200 or (status >= 500 and status != 507)

    def _read_rejected(self, listed: Any, count: int) -> None:
        if not isinstance(listed, list):
            return
        for item in listed:
            index = item.get("index") if isinstance(item, dict) else None
            if type(index) is int and 0 <= index < count:
                self.rejected.append(index)
                self.code = self.code or _word(item.get("code"))


def _object(body: bytes) -> Dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _word(code: object) -> str:
    return code[:64] if isinstance(code, str) and code.replace("_", "").isalnum() else ""


def _seconds(retry_after: Optional[str]) -> Optional[float]:
    try:
        return min(max(float(int(retry_after or "")), 0.0), 60.0)
    except (ValueError, OverflowError):
        return None

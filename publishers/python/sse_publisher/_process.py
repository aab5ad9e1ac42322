"""The process around the publishers: its end, and its forks."""

import atexit
import os
import sys
import time
import weakref
from typing import TYPE_CHECKING, Any, Optional, Set, Tuple

if TYPE_CHECKING:
    from ._publisher import Publisher
    from ._sender import Sender

_senders: "Set[Sender]" = set()
"""Those that have begun: a publisher that nobody holds any more may have left them something to send."""
_publishers: "weakref.WeakSet[Publisher]" = weakref.WeakSet()
exit_at: Optional[float] = None
"""When the process began to end."""


def renew_in_children(publisher: "Publisher") -> None:
    """Has `publisher` begin anew in each child of the process."""
    _publishers.add(publisher)


def enroll(sender: "Sender") -> None:
    """Has `sender` finish at the end of the process."""
    if sender not in _senders:
        _senders.add(sender)
        _watch_multiprocessing()


def retire(sender: "Sender") -> None:
    """`sender` has ended."""
    _senders.discard(sender)


def left_to_end(allowed: float) -> Optional[float]:
    """The seconds of `allowed` that an ending process still has; nothing while it does not end."""
    return None if exit_at is None else max(exit_at + allowed - time.monotonic(), 0.0)


def _flush() -> None:
    """Sends what is left. Publishers stay open: what runs after this may still publish, as `logging.shutdown` does."""
    global exit_at
    if exit_at is None:
        exit_at = time.monotonic()
    for sender in list(_senders):
        sender.finish_last()


atexit.register(_flush)


class _Child:
    """What `multiprocessing` holds on to until its child has forgotten what the parent had registered."""

    def watch(self, _: Any = None) -> None:
        for name in ("multiprocessing.util", "billiard.util"):
            util = sys.modules.get(name)
            if util is not None:
                util.Finalize(None, _flush, exitpriority=-100)


_child = _Child()


def _watch_multiprocessing() -> None:
    """Has the end of the process noticed where it ends without `atexit`.

    Children of `multiprocessing` do, in most versions, and so do those of Celery's `billiard`; both have an end of their own.
    """
    for process, finish in (("multiprocessing.process", "multiprocessing.util"), ("billiard.process", "billiard.util")):
        util = sys.modules.get(finish)
        if util is None or process not in sys.modules or not _is_child(sys.modules[process]):
            continue
        try:
            util.Finalize(None, _flush, exitpriority=-100)
            # Where it is asked for before the child has begun, it is forgotten when it does.
            util.register_after_fork(_child, _Child.watch)
        except Exception:
            continue


def _is_child(process: Any) -> bool:
    current: Tuple[Any, ...] = (process.current_process(),)
    return type(current[0]).__name__ != "_MainProcess"


def _after_fork_in_child() -> None:
    global exit_at
    exit_at = None
    _senders.clear()
    for publisher in list(_publishers):
        publisher._begin_anew()
    for name in ("multiprocessing.util", "billiard.util"):
        util = sys.modules.get(name)
        if util is not None:
            try:
                util.register_after_fork(_child, _Child.watch)
            except Exception:
                continue


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)

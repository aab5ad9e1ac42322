""":class:`LogsHandler`: the standard library's `logging` goes to the gateway."""

import logging
import threading
import traceback
from typing import Any, Dict, Optional

from . import _default, _level, _process
from ._plain import text
from ._publisher import Publisher
from ._settings import check_names

_STANDARD = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {"message", "asctime", "taskName"}
_TRACEBACK = 64 * 1024
"""The end of a longer traceback is what tells."""
_NESTED = 4
"""An object may log while it is being logged; one that logs itself is stopped here."""


class LogsHandler(logging.Handler):
    """A handler of `logging` that publishes each record.

    `message` is the record's, by the formatter where one is set; `logger`, `exception`, `traceback`, `stack` and what came
    as `extra` are fields. The time is that of the call.

    With settings, the handler has a publisher of its own, which it closes; without, it is the one of `publish_log`.
    It takes no lock: no thread waits for another one's record.
    """

    def __init__(self, level: Any = logging.NOTSET, *, publisher: Optional[Publisher] = None, **settings: Any) -> None:
        check_names(settings)
        super().__init__(level)
        self._own = publisher is None and bool(settings)
        self._publisher = Publisher(**settings) if self._own else publisher
        self._inside = threading.local()

    @property
    def publisher(self) -> Publisher:
        """Where the records go."""
        return _default.publisher() if self._publisher is None else self._publisher

    def createLock(self) -> None:
        """Makes none."""
        self.lock = None

    def _at_fork_reinit(self) -> None:
        """There is no lock to be made anew."""

    def handle(self, record: logging.LogRecord) -> Any:
        """Publishes `record` if the filters let it pass. Raises nothing that `emit` could meet."""
        passed = self.filter(record)
        if passed:
            self.emit(passed if isinstance(passed, logging.LogRecord) else record)
        return passed

    def emit(self, record: logging.LogRecord) -> None:
        """Publishes `record`."""
        depth = getattr(self._inside, "depth", 0)
        if depth >= _NESTED:
            return
        self._inside.depth = depth + 1
        try:
            try:
                data = self._log_data(record)
            except Exception:
                # A record that is not as `logging` makes them.
                data = {"level": text(getattr(record, "levelname", "INFO")), "message": text(getattr(record, "msg", record))}
            self.publisher.publish(data)
        finally:
            self._inside.depth = depth

    def flush(self) -> None:
        """Waits until what was published is sent, at most `close_ms`: `logging.shutdown` calls it at the end of a program."""
        publisher = self._publisher or _default.known()
        if publisher is not None and not publisher._closed:
            publisher.flush(_process.left_to_end(publisher._settings.close))

    def close(self) -> None:
        """Closes the publisher if it is the handler's own. Waits no longer: :meth:`flush` has."""
        super().close()
        if self._own and self._publisher is not None:
            self._publisher.close(0)

    def _log_data(self, record: logging.LogRecord) -> Dict[str, Any]:
        data: Dict[str, Any] = {
            "timestamp": int(record.created * 1000),
            "level": _level.name_of_number(record.levelno),
            "message": self._message(record),
            "logger": record.name,
        }
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            said = text(error)
            data["exception"] = f"{type(error).__name__}: {said}" if said else type(error).__name__
            data["traceback"] = _traceback(error)
        elif record.exc_text:
            data["traceback"] = record.exc_text[-_TRACEBACK:]
        if record.stack_info:
            data["stack"] = record.stack_info[-_TRACEBACK:]
        for name, value in record.__dict__.items():
            if name not in _STANDARD:
                data[f"{name}_" if name in data else name] = value
        return data

    def _message(self, record: logging.LogRecord) -> str:
        try:
            return self.formatter.format(record) if self.formatter is not None else record.getMessage()
        except Exception:
            # Arguments that do not fit the text, or raise when they are asked for theirs.
            return f"{text(record.msg)} {text(record.args)}" if record.args else text(record.msg)


def _traceback(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(type(error), error, error.__traceback__)).rstrip()[-_TRACEBACK:]
    except Exception:
        return text(error)

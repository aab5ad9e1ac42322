""":class:`Publisher`: what a program holds."""

import weakref
from typing import Any, Callable, Dict, Optional, Tuple

from . import _encode, _level, _process
from ._plain import TooLarge, text
from ._problems import Problems
from ._queue import Queue
from ._sender import Sender
from ._settings import Settings, check_names

_CHANNELS = 1000
"""How many channels' openings are kept: made for each record where there are more."""


class Publisher:
    """Publishes records to a logs gateway from a thread of its own.

    A call takes a few microseconds, whatever the gateway does, and never raises. What is not given comes
    from the environment: see the README for the settings.

    Raises :class:`TypeError` for a setting that there is not; any other bad setting is said as a problem,
    and its default used.
    """

    def __init__(
        self,
        *,
        url: Optional[str] = None,
        token: Optional[str] = None,
        service: Optional[str] = None,
        workspace_id: Optional[str] = None,
        workflow_id: Optional[str] = None,
        resource_id: Optional[str] = None,
        function_id: Optional[str] = None,
        max_records: Optional[int] = None,
        max_bytes: Optional[int] = None,
        linger_ms: Optional[float] = None,
        timeout_ms: Optional[float] = None,
        close_ms: Optional[float] = None,
        on_problem: Optional[Callable[[str], object]] = None,
    ) -> None:
        given = dict(locals())
        del given["self"]
        self._given: Dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        self._settings = Settings(self._given)
        self._problems = Problems(self._settings.on_problem, self._settings.token)
        self._closed = False
        self._openings: Dict[Tuple[object, ...], Tuple[str, str]] = {}
        self._queue = Queue(self._settings.max_records, self._settings.max_bytes)
        self._sender = Sender(self._queue, self._settings, self._problems)
        self._note_settings()
        _process.renew_in_children(self)
        weakref.finalize(self, Sender.orphan, self._sender).atexit = False

    def __repr__(self) -> str:
        return f"<Publisher {self._settings.where}>"

    def __enter__(self) -> "Publisher":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def configure(self, **settings: Any) -> None:
        """Changes settings from here on; `None` goes back to the environment or the default. What waits is
        sent by the new ones.
        """
        check_names(settings)
        given = {**self._given, **settings}
        self._given = {name: value for name, value in given.items() if value is not None}
        self._settings = Settings(self._given)
        self._problems.on_problem = self._settings.on_problem
        self._problems.token = self._settings.token
        self._queue.max_records = self._settings.max_records
        self._queue.max_bytes = self._settings.max_bytes
        self._sender.settings = self._settings
        self._openings = {}
        self._note_settings()

    def publish(
        self,
        log_data: object,
        *,
        service: Optional[str] = None,
        workspace_id: Optional[str] = None,
        workflow_id: Optional[str] = None,
        resource_id: Optional[str] = None,
        function_id: Optional[str] = None,
    ) -> None:
        """Publishes a record: a `dict` with `message`, `level`, `timestamp` and any other fields, or a text.

        What is not given is the publisher's. Returns at once, and raises nothing.
        """
        settings = self._settings
        self.publish_to(
            settings.service if service is None else service,
            settings.workspace_id if workspace_id is None else workspace_id,
            workflow_id or resource_id or function_id or settings.workflow_id,
            log_data,
        )

    def publish_to(
        self, service: object, workspace_id: object, workflow_id: object, log_data: object
    ) -> None:
        """As :meth:`publish`, on this channel and no other; `workflow_id` may be `None`: the channel of
        the workspace itself.
        """
        channel: Optional[str] = None
        try:
            key = (service, workspace_id, workflow_id)
            known = self._openings.get(key) if _are_names(service, workspace_id, workflow_id) else None
            if known is None:
                known = self._opening(key)
                if known is None:
                    self._lose("refused", None, log_data)
                    return
            channel, start = known
            line, rank = _encode.line(start, log_data)
            self._queue.put(line, channel, rank)
            self._sender.nudge()
            if _process.exit_at is not None:
                # Nothing comes after this that would send it.
                self._sender.finish_last()
        except TooLarge:
            self._lose("too_large", channel, log_data)
        except Exception as error:
            # At the end of the stack or of the memory.
            self._problems.note(f"a record could not be taken: {type(error).__name__}")
            self._lose("refused", None, log_data)

    def log(self, level: str, message: object, /, **fields: Any) -> None:
        """Publishes `message` with a level and fields."""
        fields["message"] = message
        fields["level"] = level
        self.publish(fields)

    def trace(self, message: object, /, **fields: Any) -> None:
        """Publishes at level TRACE."""
        self.log("TRACE", message, **fields)

    def debug(self, message: object, /, **fields: Any) -> None:
        """Publishes at level DEBUG."""
        self.log("DEBUG", message, **fields)

    def info(self, message: object, /, **fields: Any) -> None:
        """Publishes at level INFO."""
        self.log("INFO", message, **fields)

    def warn(self, message: object, /, **fields: Any) -> None:
        """Publishes at level WARN."""
        self.log("WARN", message, **fields)

    warning = warn

    def error(self, message: object, /, **fields: Any) -> None:
        """Publishes at level ERROR."""
        self.log("ERROR", message, **fields)

    def fatal(self, message: object, /, **fields: Any) -> None:
        """Publishes at level FATAL."""
        self.log("FATAL", message, **fields)

    critical = fatal

    def flush(self, timeout: Optional[float] = None) -> bool:
        """Waits until all records so far are sent or dropped. Says whether none is left.

        At most `timeout` seconds; `close_ms` unless given.
        """
        return self._sender.finish(self._settings.close if timeout is None else timeout)

    def close(self, timeout: Optional[float] = None) -> bool:
        """As :meth:`flush`, and ends the publisher: what is left then, and what comes later, is dropped as
        `closed`.
        """
        if self._closed:
            return True
        self._closed = True
        self._queue.close()
        finished = self._sender.finish(self._settings.close if timeout is None else timeout)
        left = self._queue.abandon()
        self._sender.end()
        self._sender.say_left(left)
        return finished

    def stats(self) -> Dict[str, Any]:
        """``{"queued": …, "sent": …, "dropped": {reason: …}}``"""
        return self._queue.stats()

    def _opening(self, key: Tuple[object, ...]) -> Optional[Tuple[str, str]]:
        """The channel of these names, and what its lines begin with; nothing where they name none."""
        names = ["logs", *(text(name) for name in key if name is not None)]
        if key[0] is None or key[1] is None:
            missing = "service (LOGS_SERVICE)" if key[0] is None else "workspace_id (LOGS_WORKSPACE_ID)"
            self._problems.note(f"records have no {missing}: they are dropped")
            return None
        if any(":" in name for name in names):
            # It would be the channel of others.
            self._problems.note("records have a name with a colon in it: they are dropped")
            return None
        if len(self._openings) >= _CHANNELS:
            self._openings = {}
        channel = ":".join(names if key[2] != "" else names[:3])[:1024]
        known = (channel, _encode.opening(channel.encode("utf-8", "replace").decode()))
        if _are_names(*key):
            self._openings[key] = known
        return known

    def _lose(self, reason: str, channel: Optional[str], log_data: object) -> None:
        try:
            level = log_data.get("level") if isinstance(log_data, dict) else None
            rank = _level.INFO if level is None else _level.rank(text(level))
        except Exception:
            rank = _level.INFO
        try:
            self._queue.drop(reason, channel, rank)
            if reason == "too_large":
                self._problems.note("a record has more than 256 KiB: it is dropped")
            self._sender.mention()
        except Exception:
            # There is not even room to say so.
            pass

    def _note_settings(self) -> None:
        if self._settings.problems:
            self._problems.note(self._settings.problems[0])

    def _begin_anew(self) -> None:
        """In a child process: an empty queue and a thread to come. What waited is the parent's to send."""
        self._sender.forget()
        self._queue = Queue(self._settings.max_records, self._settings.max_bytes)
        if self._closed:
            self._queue.close()
        self._sender = Sender(self._queue, self._settings, self._problems)
        weakref.finalize(self, Sender.orphan, self._sender).atexit = False


def _are_names(service: object, workspace_id: object, workflow_id: object) -> bool:
    """Whether these can be looked up, as texts can: `1` and `True` are one key, and name two channels."""
    return (
        type(service) is str
        and type(workspace_id) is str
        and (workflow_id is None or type(workflow_id) is str)
    )

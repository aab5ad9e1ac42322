"""A call's record as the line that goes to the gateway."""

import datetime
import json
import time
from typing import Any, Dict, Tuple

from . import _level
from ._plain import LIMIT, TooLarge, is_plain, plain, text

# Built once; its loop over the values is C as long as there is nothing to ask back for.
_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode

_ABSENT = object()


def opening(channel: str) -> str:
    """What every line of a channel begins with."""
    return '{"channel":' + _json(channel) + ',"logData":'


def line(start: str, log_data: object) -> Tuple[bytes, int]:
    """The line of a record, and the rank of its level. `start` is the channel's :func:`opening`.

    Encoded here and now, so that what the caller changes later changes nothing.

    Raises :class:`TooLarge`, and nothing else.
    """
    try:
        return _line(start, log_data)
    except TooLarge:
        raise
    except Exception:
        # Changed by another thread at this moment, or of a kind that lies about itself.
        pass
    try:
        return _line(start, plain(log_data))
    except TooLarge:
        raise
    except Exception as error:
        return _line(start, f"a record of type {type(log_data).__name__} that cannot be written: {type(error).__name__}")


def _line(start: str, log_data: object) -> Tuple[bytes, int]:
    data: Dict[Any, Any]
    if type(log_data) is dict:
        data = log_data
    elif type(log_data) is str:
        data = {"message": log_data}
    else:
        made = plain(log_data)
        data = made if type(made) is dict else {"message": made}
    level = data.get("level")
    timestamp = data.get("timestamp")
    message = data.get("message", _ABSENT)
    if isinstance(timestamp, datetime.datetime) and timestamp.tzinfo is None:
        # Python's times without a zone are local, the gateway's are UTC.
        data = {**data, "timestamp": timestamp.astimezone().isoformat()}
    if type(message) is not str and message is not _ABSENT:
        made = plain(message)
        data = {**data, "message": made if type(made) is str else _json(made)}
    if not is_plain(data):
        data = plain(data)
    if timestamp is None:
        if "timestamp" in data:
            data = {name: value for name, value in data.items() if name != "timestamp"}
        body = _json(data)
        now = time.time_ns() // 1_000_000
        body = f'{{"timestamp":{now}{"," if data else ""}{body[1:]}'
    else:
        body = _json(data)
    try:
        encoded = f"{start}{body}}}\n".encode()
    except UnicodeEncodeError:
        # Halves of a character, as they come from file names and from texts that were cut: pairs are joined, others are U+FFFD.
        whole = body.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        encoded = f"{start}{whole}}}\n".encode("utf-8", "replace")
    if len(encoded) > LIMIT:
        raise TooLarge
    return encoded, _level.INFO if level is None else _level.rank(level if type(level) is str else text(level))

"""The publisher that a program need not make: set by the environment and :func:`configure`, made when it is first used."""

import os
import threading
from typing import Any, Dict, Optional

from ._publisher import Publisher
from ._settings import check_names

_lock = threading.RLock()
_given: Dict[str, Any] = {}
_publisher: Optional[Publisher] = None


def _after_fork_in_child() -> None:
    """Another thread of the parent may have held the lock."""
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


def publisher() -> Publisher:
    """The program's publisher."""
    global _publisher
    known = _publisher
    if known is None:
        with _lock:
            known = _publisher
            if known is None:
                known = _publisher = Publisher(**_given)
    return known


def known() -> Optional[Publisher]:
    """The program's publisher, if it has been used."""
    return _publisher


def configure(**settings: Any) -> None:
    """Sets the program's publisher, before or after its first use. `None` goes back to the environment or the default.

    Raises :class:`TypeError` for a setting that there is not.
    """
    check_names(settings)
    with _lock:
        _given.update(settings)
        if _publisher is not None:
            _publisher.configure(**settings)


def publish_log(message: object, level: str = "INFO", **fields: Any) -> None:
    """Publishes a message with its level and fields on the channel of the settings. Returns at once, and raises nothing."""
    publisher().log(level, message, **fields)


def publish_etl_log(workspace_id: object, workflow_id: object, log_data: object) -> None:
    """Publishes a record, a `dict` or a text, of an ETL workflow. Returns at once, and raises nothing."""
    publisher().publish_to("etl", workspace_id, workflow_id, log_data)


def publish_faas_log(workspace_id: object, workflow_id: object, log_data: object) -> None:
    """Publishes a record, a `dict` or a text, of a FaaS workflow. Returns at once, and raises nothing."""
    publisher().publish_to("faas", workspace_id, workflow_id, log_data)


def flush(timeout: Optional[float] = None) -> bool:
    """Waits until all records so far are sent or dropped, at most `timeout` seconds. Says whether none is left."""
    return _publisher is None or _publisher.flush(timeout)

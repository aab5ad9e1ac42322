"""Publishes log records to a logs gateway from behind the program: never waits, never raises.

>>> from sse_publisher import publish_log
>>> publish_log("loaded", rows=42)
"""

from ._default import configure, flush, publish_etl_log, publish_faas_log, publish_log
from ._handler import LogsHandler
from ._publisher import Publisher
from ._version import __version__

__all__ = [
    "LogsHandler",
    "Publisher",
    "__version__",
    "configure",
    "flush",
    "publish_etl_log",
    "publish_faas_log",
    "publish_log",
]

"""A program that logs as many others do, with OpenTelemetry's SDK behind Python's own logging.

Where and how it sends is in the environment (OTEL_*). Each line of standard input is how many records it is to log; it says
when they were handed over.
"""

import logging
import sys

from opentelemetry import trace
from opentelemetry.context import attach
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

# Below DEBUG the SDK sends no number, and of the level its name.
logging.addLevelName(5, "TRACE")
LEVELS = [5, logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL]

provider = LoggerProvider()
provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(), schedule_delay_millis=200))
log = logging.getLogger("shop.orders")
log.setLevel(1)
log.propagate = False
log.addHandler(LoggingHandler(logger_provider=provider))

span = trace.SpanContext(0x5B8AA5A2D2C872E8321CF37308D69DF2, 0x051581BF3CB55C13, False, trace.TraceFlags(1))
attach(trace.set_span_in_context(trace.NonRecordingSpan(span)))

n = 0
for line in sys.stdin:
    for _ in range(int(line)):
        extra = {
            "n": n,
            "big": 9007199254740993 + n,
            "share": n + 0.5,
            "even": n % 2 == 0,
            "customer": f"Zoë \"{n}\"\n☃",
            "tags": ["a", "b", str(n)],
            "order": {"id": n, "lines": [{"sku": "x"}, {"sku": "y"}], "nothing": None},
            "raw": b"\x00\xff",
        }
        try:
            if n % 50 == 7:
                raise ValueError(f"no {n}")
            log.log(LEVELS[n % 6], "record %d ✓", n, extra=extra)
        except ValueError:
            log.exception("record %d ✓", n, extra=extra)
        n += 1
    provider.force_flush()
    print("handed over", n, flush=True)
provider.shutdown()

"""What `cargo xtask api` teaches schemathesis about the gateway.

A stream has no end; lines of JSON are a body too; and the id of a stream is to be had by opening one.
"""

import collections
import itertools
import json
import os

import requests
import schemathesis

EVENT_STREAM = "text/event-stream"
URL = os.environ["LOGS_GATEWAY_URL"]

to_the_end = requests.Session.send


def send(session, request, **options):
    """Reads an answer to its end; of a stream its beginning, up to its first event, and then leaves it."""
    options["stream"] = True
    answer = to_the_end(session, request, **options)
    if not answer.headers.get("content-type", "").startswith(EVENT_STREAM):
        answer.content  # is read by being asked for
        return answer
    beginning = b""
    for chunk in answer.iter_content(None):
        beginning += chunk
        if b"\n\n" in beginning:
            break
    answer.close()
    assert b'"type":"connection"' in beginning, beginning
    answer._content, answer._content_consumed = beginning, True
    return answer


requests.Session.send = send


@schemathesis.serializer("application/x-ndjson")
def lines(_, value):
    """A list is a line for each of its items."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, list):
        return "\n".join(json.dumps(item) for item in value).encode()
    return str(value).encode("utf-8", "surrogatepass")


# A stream lasts as long as somebody is in the middle of reading it.
held = collections.deque(maxlen=8)
streams = requests.Session()
turns = itertools.count()


def opened():
    """The id of a stream of one's own."""
    request = requests.Request("GET", f"{URL}/api/logs/stream?channels=logs:api:test").prepare()
    events = to_the_end(streams, request, stream=True).iter_lines()
    held.append(events)
    for line in events:
        if line.startswith(b"data: "):
            return json.loads(line.removeprefix(b"data: "))["stream_id"]


@schemathesis.hook
def before_call(context, case, options):
    """Every other request for a stream is for one that is open."""
    if case.path_parameters and "stream_id" in case.path_parameters and next(turns) % 2:
        case.path_parameters = {**case.path_parameters, "stream_id": opened()}

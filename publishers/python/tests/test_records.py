"""What a call may be given, and what is stored of it."""

import collections
import dataclasses
import datetime
import decimal
import enum
import json
import math
import threading
import unittest
import uuid

import support
from sse_publisher import Publisher, _encode
from sse_publisher._plain import TooLarge


class Colour(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    HIGH = 7


class Name(str, enum.Enum):
    A = "a"


@dataclasses.dataclass
class Point:
    x: int
    y: object


class Number:
    """As numpy's are."""

    size = 1

    def tolist(self):
        return 7


class Pretender:
    """Has any attribute, as mocks have."""

    def __getattr__(self, name):
        return Pretender()

    def __repr__(self):
        return "pretender"


class Rude:
    def __str__(self):
        raise RuntimeError("no")

    __repr__ = __str__


class Liar(dict):
    def items(self):
        raise RuntimeError("no")

    keys = get = __iter__ = __len__ = items


def encoded(value):
    line, _ = _encode.line(_encode.opening("logs:etl:w:f"), {"message": "m", "value": value})
    return json.loads(line, parse_constant=lambda name: unittest.TestCase().fail(f"{name} is no JSON"))["logData"]["value"]


class Records(unittest.TestCase):
    def test_what_json_has_no_word_for_is_text(self):
        when = datetime.datetime(2026, 1, 31, 10, 0, tzinfo=datetime.timezone.utc)
        cases = [
            (b"caf\xc3\xa9 \xff", "café \\xff"),
            (bytearray(b"a"), "a"),
            (memoryview(b"a"), "a"),
            (when, "2026-01-31T10:00:00+00:00"),
            (when.date(), "2026-01-31"),
            (datetime.timedelta(seconds=5), "0:00:05"),
            (decimal.Decimal("1.10"), "1.10"),
            (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
            (math.nan, "NaN"),
            (math.inf, "Infinity"),
            (-math.inf, "-Infinity"),
            (Colour.RED, "Colour.RED"),
            (Level.HIGH, 7),
            (Name.A, "a"),
            ((1, 2), [1, 2]),
            ({3}, [3]),
            (collections.deque([1]), [1]),
            (collections.OrderedDict(a=1), {"a": 1}),
            (collections.ChainMap({"a": 1}), {"a": 1}),
            (Point(1, [2]), {"x": 1, "y": [2]}),
            (ValueError("bad"), "ValueError: bad"),
            (KeyError(), "KeyError"),
            (Number(), 7),
            (Pretender(), "pretender"),
            (Rude(), "<Rude that has no text>"),
            (1 << 20_000, hex(1 << 20_000)),
            ({1: "a", None: "b", False: "c", b"k": "d", (1, 2): "e"}, {"1": "a", "null": "b", "false": "c", "k": "d", "(1, 2)": "e"}),
            ({1: "a", "1": "b"}, {"1": "a", "1#1": "b"}),
            ("half \ud83d, whole \ud83d\ude00", "half \ufffd, whole \U0001f600"),
            ({"half \udc00": 1}, {"half \ufffd": 1}),
            (10**100, 10**100),
        ]
        for value, expected in cases:
            with self.subTest(type(value).__name__):
                self.assertEqual(encoded(value), expected)
        self.assertEqual(encoded(Liar(a=1)), {"a": 1})

    def test_a_cycle_ends_where_it_begins_again(self):
        cycle = {"a": 1}
        cycle["self"] = [cycle]
        self.assertEqual(encoded(cycle), {"a": 1, "self": ["[circular]"]})
        twice = [1]
        self.assertEqual(encoded([twice, twice, Colour.RED]), [[1], [1], "Colour.RED"])

    def test_what_is_nested_deeper_than_the_gateway_takes_is_cut(self):
        deep = []
        for _ in range(100_000):
            deep = [deep]
        self.assertIn("[too deep]", json.dumps(encoded(deep)))

    def test_more_than_256_kib_is_known_before_it_is_encoded(self):
        shared = ["x"]
        for _ in range(60):
            shared = [shared, shared]
        # Two to the power of 60 values, a gigabyte of text: nothing that could be written down in time.
        for value in ["x" * 300_000, b"x" * 300_000, [0] * 300_000, shared, {n: n for n in range(300_000)}, "é" * 200_000]:
            with self.subTest(type(value).__name__):
                with self.assertRaises(TooLarge):
                    encoded(value)

    def test_a_record_is_what_it_was_when_it_was_published(self):
        peer = support.Peer()
        self.addCleanup(peer.stop)
        with Publisher(**support.settings(peer.url, linger_ms=200)) as publisher:
            record = {"message": "m", "rows": [1]}
            publisher.publish(record)
            record["message"] = "changed"
            record["rows"].append(2)
        self.assertEqual([(line["message"], line["rows"]) for line in peer.lines()], [("m", [1])])
        self.assertEqual(record, {"message": "changed", "rows": [1, 2]}, "the caller's record is not touched")

    def test_a_call_near_the_end_of_the_stack_returns(self):
        publisher = Publisher(**support.settings(support.nobody(), close_ms=0))
        self.addCleanup(publisher.close, 0)
        raised = []

        def descend(depth):
            try:
                publisher.publish({"message": "m", "nested": [{"a": [depth]}], "odd": Point(1, [2])})
            except RecursionError:
                raised.append(depth)
            descend(depth + 1)

        with self.assertRaises(RecursionError):
            descend(0)
        # Where a function that does nothing could not be called either.
        self.assertLessEqual(len(raised), 4)

    def test_a_time_without_a_zone_is_local(self):
        local = datetime.datetime(2026, 1, 31, 10, 0)
        line, _ = _encode.line("{", {"message": "m", "timestamp": local})
        self.assertIn(local.astimezone().isoformat().encode(), line)
        line, _ = _encode.line("{", {"timestamp": None})
        self.assertNotIn(b"null", line)


class Anything(support.WithGateway):
    def test_whatever_is_published_the_call_returns_and_the_gateway_takes_it(self):
        values = [None, 1, 1.5, True, [], {}, [{}], b"b", Rude(), Liar(message="m"), ValueError("x"), object(), math.nan, Pretender()]
        values += ["\ud800", "\x00\x1b", {"message": Rude()}, {"message": [1]}, {"level": Rude()}, {"level": math.nan}]
        values += [{"timestamp": Rude()}, {"timestamp": []}, {"timestamp": "soon"}, {Rude(): Rude()}, {("a",): 1}, 10**10_000]
        with Publisher(**support.settings(self.gateway.url)) as publisher:
            for value in values:
                publisher.publish(value)
                publisher.info(value, self=value, level="x", message=value)
            self.assertTrue(publisher.flush(10))
            self.assertEqual(publisher.stats(), {"queued": 0, "sent": 2 * len(values), "dropped": {}})

    def test_a_channel_may_be_given_as_anything(self):
        with Publisher(**support.settings(self.gateway.url)) as publisher:
            publisher.publish("a", workspace_id=12, workflow_id=uuid.UUID(int=1))
            for odd in [Rude(), [], {}, object(), "\ud800", "x" * 10_000]:
                publisher.publish("b", workspace_id=odd)
            self.assertTrue(publisher.flush(10))
            self.assertEqual(publisher.stats()["dropped"], {"refused": 6})
        self.assertEqual(self.gateway.messages("logs:etl:12:00000000-0000-0000-0000-000000000001"), ["a"])

    def test_threads_that_change_a_record_while_it_is_published_do_no_harm(self):
        record, stop = {"message": "m", "rows": {}}, threading.Event()

        def change():
            n = 0
            while not stop.is_set():
                n += 1
                record["rows"][n % 100] = n
                record["rows"].pop((n * 7) % 100, None)

        thread = threading.Thread(target=change)
        thread.start()
        with Publisher(**support.settings(self.gateway.url)) as publisher:
            for _ in range(2000):
                publisher.publish(record)
            stop.set()
            thread.join()
            self.assertTrue(publisher.flush(10))
            self.assertEqual(publisher.stats()["sent"], 2000)


if __name__ == "__main__":
    unittest.main()

"""What waits, in which order, and what makes room."""

import unittest

import support  # noqa: F401
from sse_publisher import _level
from sse_publisher._queue import MAX_CHANNELS, Queue

TRACE, DEBUG, INFO, WARN, ERROR, FATAL = range(6)


def line(size=10):
    return b"x" * size


class Order(unittest.TestCase):
    def test_records_come_out_in_the_order_of_their_calls_whatever_their_level(self):
        queue = Queue(100, 10_000)
        ranks = [INFO, ERROR, INFO, DEBUG, FATAL, INFO]
        for rank in ranks:
            queue.put(line(), "c", rank)
        self.assertEqual([entry.rank for entry in queue.take(4, 10_000)], ranks[:4])
        self.assertEqual([entry.rank for entry in queue.take(4, 10_000)], ranks[4:])

    def test_a_batch_has_so_many_records_of_so_many_bytes_and_one_at_least(self):
        queue = Queue(100, 10_000)
        for size in [30, 30, 30, 200, 10]:
            queue.put(line(size), "c", INFO)
        sizes = []
        while True:
            taken = queue.take(100, 90)
            if not taken:
                break
            sizes.append([len(entry.line) for entry in taken])
            queue.done(taken)
        self.assertEqual(sizes, [[30, 30, 30], [200], [10]])
        self.assertEqual((queue.count, queue.bytes, queue.sent), (0, 0, 5))


class Room(unittest.TestCase):
    def test_what_is_being_sent_counts_and_is_not_dropped(self):
        queue = Queue(3, 10_000)
        for _ in range(3):
            queue.put(line(), "c", DEBUG)
        taken = queue.take(2, 10_000)
        queue.put(line(), "c", DEBUG)
        self.assertEqual((queue.count, queue.dropped["queue_full"]), (3, 1))
        queue.done(taken)
        self.assertEqual((queue.count, queue.sent), (1, 2))
        self.assertEqual([entry.number for entry in queue.take(9, 10_000)], [4])

    def test_nothing_is_dropped_for_a_record_that_finds_no_room_all_the_same(self):
        queue = Queue(100, 100)
        queue.put(line(40), "c", DEBUG)
        queue.put(line(60), "c", ERROR)
        queue.put(line(50), "c", INFO)
        self.assertEqual([len(entry.line) for entry in queue.take(9, 10_000)], [40, 60])
        self.assertEqual(queue.take_losses()["c"].levels, {"INFO": 1})

    def test_a_large_record_takes_the_place_of_several(self):
        queue = Queue(100, 100)
        for rank in [INFO, DEBUG, DEBUG, WARN, DEBUG]:
            queue.put(line(20), "c", rank)
        queue.put(line(50), "c", WARN)
        self.assertEqual([entry.rank for entry in queue.take(9, 10_000)], [INFO, WARN, WARN])
        self.assertLessEqual(queue.bytes, 100)

    def test_of_too_many_channels_the_first_tells_for_the_others(self):
        queue = Queue(1, 10_000)
        for n in range(MAX_CHANNELS + 50):
            queue.drop("too_large", f"c{n}", INFO)
        losses = queue.take_losses()
        self.assertEqual((len(losses), losses["c0"].dropped), (MAX_CHANNELS, 51))
        queue.give_back("c0", losses["c0"])
        queue.drop("refused", "c0", FATAL)
        self.assertEqual(queue.take_losses()["c0"].reasons, {"too_large": 51, "refused": 1})

    def test_what_is_abandoned_is_counted_once_even_if_it_arrives(self):
        queue = Queue(10, 10_000)
        for _ in range(3):
            queue.put(line(), "c", INFO)
        taken = queue.take(2, 10_000)
        queue.close()
        self.assertEqual(queue.abandon(), 3)
        queue.done(taken)
        queue.refuse(taken, "refused")
        queue.put(line(), "c", INFO)
        self.assertEqual(queue.stats(), {"queued": 0, "sent": 0, "dropped": {"closed": 4}})


class Levels(unittest.TestCase):
    def test_a_level_is_read_as_the_gateway_reads_it(self):
        cases = {"warning": WARN, " Err ": ERROR, "CRIT": FATAL, "notice": INFO, "10": TRACE, 60: FATAL, "dbg": DEBUG, "loud": INFO, 35: INFO}
        for level, rank in cases.items():
            self.assertEqual(_level.rank(level), rank, level)
        self.assertEqual([_level.name_of_number(n) for n in (5, 10, 19, 25, 30, 45, 99)], ["TRACE", "DEBUG", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"])


if __name__ == "__main__":
    unittest.main()

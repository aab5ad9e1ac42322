"""`logging` through the handler."""

import logging
import logging.config
import logging.handlers
import queue
import threading
import unittest

import support
from sse_publisher import LogsHandler, Publisher


class Rude:
    def __str__(self):
        raise RuntimeError("no")


class Handler(support.WithPeer):
    def setUp(self):
        self.server = self.peer()
        self.handler = LogsHandler(**support.settings(self.server.url))
        self.addCleanup(self.handler.close)
        self.logger = logging.Logger("shop.orders")
        self.logger.addHandler(self.handler)

    def lines(self):
        self.handler.flush()
        return self.server.lines()

    def test_a_record_has_level_message_logger_extra_and_the_time_of_its_call(self):
        record = self.logger.makeRecord("shop.orders", 30, "f", 1, "%d of %d", (3, 5), None, extra={"order": 7, "level": "x", "logger": "y"})
        record.created = 1758796200.25
        self.logger.handle(record)
        expected = {"timestamp": 1758796200250, "level": "WARN", "message": "3 of 5", "logger": "shop.orders"}
        self.assertEqual(self.lines(), [{**expected, "order": 7, "level_": "x", "logger_": "y"}])

    def test_an_exception_has_its_text_and_its_traceback(self):
        try:
            raise ValueError("bad order")
        except ValueError:
            self.logger.exception("failed", stack_info=True)
        (line,) = self.lines()
        self.assertEqual((line["level"], line["message"], line["exception"]), ("ERROR", "failed", "ValueError: bad order"))
        self.assertTrue(line["traceback"].endswith("ValueError: bad order") and "test_logging.py" in line["traceback"])
        self.assertIn("test_logging.py", line["stack"])

    def test_a_very_long_exception_is_kept_from_its_end(self):
        try:
            raise ValueError("x" * 80_000 + " the end")
        except ValueError:
            self.logger.exception("failed")
        (line,) = self.lines()
        self.assertTrue(line["traceback"].endswith(" the end") and len(line["traceback"]) == 64 * 1024)

    def test_a_formatter_and_filters_are_respected(self):
        self.handler.setFormatter(logging.Formatter("[%(name)s] %(message)s"))
        self.handler.addFilter(lambda record: "secret" not in record.msg)
        self.handler.setLevel("INFO")
        for message in ["a", "secret"]:
            self.logger.info(message)
        self.logger.debug("b")
        self.assertEqual([line["message"] for line in self.lines()], ["[shop.orders] a"])

    def test_whatever_is_logged_nothing_is_raised(self):
        self.logger.info("%d", "no number")
        self.logger.info("%s", Rude())
        self.logger.info(Rude())
        self.logger.info("a %s", extra={"cause": Rude()})
        self.logger.error("m", exc_info=RuntimeError(Rude()))
        self.logger.log(5, {"a": 1})
        record = logging.makeLogRecord({"msg": "odd", "created": None, "levelno": 40, "levelname": "ERROR"})
        self.logger.handle(record)
        lines = self.lines()
        self.assertEqual(lines[0]["message"], "%d ('no number',)")
        self.assertRegex(lines[2]["message"], "^<.*Rude object")
        self.assertRegex(lines[4]["exception"], "^RuntimeError: .*Rude object")
        self.assertEqual((lines[6]["level"], lines[6]["message"], len(lines)), ("ERROR", "odd", 7))

    def test_an_object_that_logs_while_it_is_logged_comes_to_an_end(self):
        logger = self.logger

        class Chatty:
            def __str__(self):
                logger.info("%s", self)
                return "chatty"

        logger.info("%s", Chatty())
        self.assertEqual(len(self.lines()), 4)

    def test_a_problem_that_is_logged_comes_to_an_end(self):
        logger = logging.Logger("problems")
        handler = LogsHandler(**support.settings(support.nobody(), on_problem=logger.error, close_ms=1000))
        self.addCleanup(handler.close)
        logger.addHandler(handler)
        logger.info("m")
        handler.flush()
        self.assertEqual(handler.publisher.stats()["queued"], 2)

    def test_no_thread_waits_while_another_flushes(self):
        self.server.answers[:] = [None]
        self.logger.info("hangs")
        self.server.wait_for(1)
        flushing = threading.Thread(target=self.handler.flush)
        flushing.start()
        for _ in range(100):
            self.logger.info("meanwhile")
        self.assertTrue(flushing.is_alive(), "the calls have waited")
        self.assertEqual(self.handler.publisher.stats()["queued"], 101)
        self.handler.publisher.close(0)
        flushing.join()

    def test_a_queue_handler_in_front_of_it_works(self):
        waiting = queue.Queue()
        logger = logging.Logger("front")
        logger.addHandler(logging.handlers.QueueHandler(waiting))
        listener = logging.handlers.QueueListener(waiting, self.handler)
        listener.start()
        logger.warning("a %s", "b", extra={"n": 1})
        listener.stop()
        (line,) = self.lines()
        self.assertEqual((line["message"], line["level"], line["n"], line["logger"]), ("a b", "WARN", 1, "front"))

    def test_a_publisher_that_was_given_is_not_closed(self):
        publisher = Publisher(**support.settings(self.server.url))
        self.addCleanup(publisher.close)
        handler = LogsHandler("ERROR", publisher=publisher)
        handler.close()
        publisher.info("still open")
        self.assertTrue(publisher.flush(10))
        self.assertEqual(publisher.stats()["dropped"], {})


class Configured(support.WithGateway):
    def test_dict_config_makes_it_and_makes_it_again(self):
        config = {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"short": {"format": "%(levelname)s %(message)s"}},
            "handlers": {
                "gateway": {"class": "sse_publisher.LogsHandler", "level": "INFO", "formatter": "short", **support.settings(self.gateway.url)}
            },
            "loggers": {"configured": {"handlers": ["gateway"], "level": "DEBUG", "propagate": False}},
        }
        logger = logging.getLogger("configured")
        for n in range(2):
            logging.config.dictConfig(config)
            logger.info("message %d", n, extra={"n": n})
            logger.debug("unseen")
        logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})
        logger.handlers.clear()
        self.assertEqual(self.gateway.messages(), ["INFO message 0", "INFO message 1"])


if __name__ == "__main__":
    unittest.main()

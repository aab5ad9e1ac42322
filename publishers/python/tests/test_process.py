"""The end of a program, and its children."""

import unittest

import support

HANGS = (None,) * 100


class End(support.WithGateway):
    def ends(self, code, expected, status=0, **environment):
        program = support.Program(code, self.gateway.url, **environment)
        self.assertEqual((program.code, self.gateway.messages()), (status, expected), program.err)
        return program

    def test_what_is_left_is_sent_at_the_end(self):
        self.ends("from sse_publisher import publish_log\npublish_log('a'); publish_log('b', 'error', rows=1)", ["a", "b"])

    def test_sys_exit_and_an_exception_are_ends_too(self):
        self.ends("import sys, sse_publisher as s\ns.publish_log('a')\nsys.exit(3)", ["a"], 3)
        self.ends("import sse_publisher as s\ns.publish_log('b')\nraise ValueError", ["a", "b"], 1)
        self.ends("import sse_publisher as s\ns.publish_log('c')\nraise KeyboardInterrupt", ["a", "b", "c"], -2)

    def test_a_publisher_that_nobody_holds_any_more_sends_what_it_had(self):
        code = """
from sse_publisher import Publisher
def main():
    publisher = Publisher(linger_ms=60_000)
    publisher.info("a")
main()
"""
        self.ends(code, ["a"])

    def test_what_threads_and_executors_publish_last_is_sent(self):
        code = """
import threading, time
from concurrent.futures import ThreadPoolExecutor
from sse_publisher import publish_log
def late(message, seconds):
    time.sleep(seconds)
    publish_log(message)
ThreadPoolExecutor().submit(late, "executor", 0.2)
threading.Thread(target=late, args=("thread", 0.4)).start()
"""
        self.ends(code, ["executor", "thread"])

    def test_what_is_published_only_while_the_interpreter_ends_is_sent(self):
        code = """
import atexit
atexit.register(lambda: publish_log("after the publisher's own end"))
import logging, logging.handlers
from sse_publisher import LogsHandler, publish_log
memory = logging.handlers.MemoryHandler(100, target=LogsHandler())
logger = logging.getLogger("memory")
logger.addHandler(memory)
logger.warning("kept until logging.shutdown")
atexit.register(lambda: publish_log("before it"))
"""
        program = support.Program(code, self.gateway.url)
        self.assertEqual(program.err, "")
        expected = ["before it", "kept until logging.shutdown", "after the publisher's own end"]
        self.assertEqual(self.gateway.messages(), expected)

    def test_a_child_has_a_queue_of_its_own_and_the_parents_records_are_sent_once(self):
        code = """
import os, sys, time
from sse_publisher import Publisher
publisher = Publisher(linger_ms=300)
publisher.info("parent 0")
children = []
for n in range(4):
    pid = os.fork()
    if pid == 0:
        assert publisher.stats() == {"queued": 0, "sent": 0, "dropped": {}}
        publisher.info(f"child {n}")
        assert publisher.flush(10)
        os._exit(0)
    children.append(pid)
    publisher.info(f"parent {n + 1}")
assert all(os.waitpid(pid, 0)[1] == 0 for pid in children)
"""
        # From 3.12 on Python warns of any fork of a process with threads.
        program = support.Program(code, self.gateway.url, PYTHONWARNINGS="ignore::DeprecationWarning")
        self.assertEqual((program.code, program.err), (0, ""))
        expected = [f"parent {n}" for n in range(5)] + [f"child {n}" for n in range(4)]
        self.assertEqual(sorted(self.gateway.messages()), sorted(expected))

    def test_children_of_multiprocessing_send_what_they_have_at_their_end(self):
        for method in ["fork", "spawn", "forkserver"]:
            for first in ["", "publish_log('parent')"]:
                with self.subTest(method, first=first):
                    code = f"""
import multiprocessing, sys
sys.path.insert(0, {str(support.SOURCE / 'tests')!r})
from sse_publisher import publish_log
import child_work
if __name__ == "__main__":
    {first}
    context = multiprocessing.get_context({method!r})
    children = [context.Process(target=child_work.publish, args=(f"{method} {{n}}",)) for n in range(2)]
    for child in children: child.start()
    for child in children: child.join()
"""
                    gateway = support.Gateway()
                    self.addCleanup(gateway.stop)
                    program = support.Program(code, gateway.url)
                    self.assertEqual((program.code, program.err), (0, ""))
                    expected = sorted([f"{method} 0", f"{method} 1", *(["parent"] if first else [])])
                    self.assertEqual(sorted(gateway.messages()), expected)

    def test_a_fork_while_other_threads_publish_does_not_stop_the_child(self):
        code = """
import os, threading, time
from sse_publisher import Publisher, publish_log
publisher = Publisher(max_records=100)
stop = threading.Event()
def run():
    while not stop.is_set():
        publisher.info("busy")
threads = [threading.Thread(target=run) for _ in range(3)]
for thread in threads: thread.start()
for n in range(30):
    pid = os.fork()
    if pid == 0:
        publisher.publish("child", workflow_id="children")
        os._exit(0 if publisher.flush(10) else 1)
    assert os.waitpid(pid, 0)[1] == 0
stop.set()
for thread in threads: thread.join()
"""
        program = support.Program(code, self.gateway.url, seconds=60)
        self.assertEqual((program.code, self.gateway.messages("logs:etl:w:children")), (0, ["child"] * 30), program.err)


class Deadline(support.WithPeer):
    CODE = "from sse_publisher import Publisher\np = Publisher(close_ms=500)\np.info('a')\n"

    def test_a_gateway_that_hangs_does_not_hold_the_end_longer_than_close_ms(self):
        program = support.Program(self.CODE, self.peer(*HANGS).url)
        self.assertEqual(program.code, 0, program.err)
        self.assertLess(program.took, 4)
        self.assertIn("logs-sse-publisher: 1 records could not be sent", program.err)

    def test_several_publishers_share_the_time(self):
        code = "from sse_publisher import Publisher\nall = [Publisher(close_ms=800) for _ in range(8)]\nfor p in all: p.info('a')\n"
        program = support.Program(code, self.peer(*HANGS).url)
        self.assertLess(program.took, 4)

    def test_a_child_forked_in_the_middle_of_a_request_leaves_it_alone(self):
        peer = self.peer(None)
        code = """
import os, time
from sse_publisher import Publisher
publisher = Publisher(close_ms=200)
publisher.info("hangs")
while publisher._sender._connection is None or not publisher._sender._connection.reached:
    time.sleep(0.01)
time.sleep(0.1)
pid = os.fork()
if pid == 0:
    publisher.info("child")
    os._exit(0 if publisher.flush(10) else 1)
assert os.waitpid(pid, 0)[1] == 0
assert publisher.stats()["queued"] == 1
"""
        program = support.Program(code, peer.url)
        self.assertEqual(program.code, 0, program.err)
        self.assertEqual([line["message"] for line in peer.lines()], ["hangs", "child"])

    def test_a_program_that_publishes_nothing_starts_no_thread(self):
        code = "import threading, sse_publisher\nsse_publisher.Publisher()\nsse_publisher.LogsHandler()\nassert threading.active_count() == 1"
        self.assertEqual(support.Program(code, support.nobody()).code, 0)

    def test_a_publisher_that_nobody_holds_ends_its_thread(self):
        code = """
import threading, time
from sse_publisher import Publisher
for _ in range(20):
    Publisher(linger_ms=0).info("m")
while threading.active_count() > 1:
    time.sleep(0.01)
"""
        self.assertEqual(support.Program(code, self.peer().url).code, 0)

    def test_settings_come_from_the_code_then_from_the_environment(self):
        peer = self.peer()
        code = """
import sse_publisher
sse_publisher.publish_log("a")
sse_publisher.configure(service="faas", token="other")
sse_publisher.publish_log("b")
sse_publisher.publish_etl_log("w2", "f2", {"message": "c"})
sse_publisher.publish_faas_log("w2", None, "d")
sse_publisher.configure(service=None)
sse_publisher.publish_log("e")
assert sse_publisher.flush(10)
"""
        program = support.Program(code, peer.url)
        self.assertEqual((program.code, program.err), (0, ""))
        text = "".join(request.text() for request in peer.requests)
        channels = [line.split('"')[3] for line in text.splitlines()]
        self.assertEqual(channels, ["logs:etl:w:f", "logs:faas:w:f", "logs:etl:w2:f2", "logs:faas:w2", "logs:etl:w:f"])


if __name__ == "__main__":
    unittest.main()

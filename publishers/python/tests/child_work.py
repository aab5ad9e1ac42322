"""What the children of `multiprocessing` do: in a module of its own, so that a child that was spawned finds it."""

from sse_publisher import publish_log


def publish(message):
    publish_log(message)

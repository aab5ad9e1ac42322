"""What goes wrong, said to people: once a minute at most, and never by way of the logging that it is
about.
"""

import sys
import time
from typing import Callable, Optional

_EVERY = 60.0
_SHORTEST_TOKEN = 4
"""What is shorter is no secret, and is in many words."""


class Problems:
    """Where the publisher's complaints go. Only its own thread and who closes it say any: a call may note
    one, which costs nothing.
    """

    def __init__(self, on_problem: Optional[Callable[[str], object]], token: Optional[str] = None) -> None:
        self.on_problem = on_problem
        self.token = token
        self.noted: Optional[str] = None
        self._next = 0.0
        self._ended = False

    def note(self, problem: str) -> None:
        """Leaves a problem to be said by the publisher's thread."""
        self.noted = problem

    def say_noted(self) -> None:
        """Says what a call has noted."""
        noted, self.noted = self.noted, None
        if noted is not None:
            self.say(noted)

    def say(self, problem: str, is_last: bool = False) -> None:
        """Says `problem`, unless another was said in the last minute and there will be a time to say it."""
        now = time.monotonic()
        if (now < self._next and not is_last) or self._ended:
            return
        self._next = now + _EVERY
        if self.token is not None and len(self.token) >= _SHORTEST_TOKEN:
            # A stranger in the gateway's place may say anything, also what it was sent.
            problem = problem.replace(self.token, "[token]")
        try:
            if self.on_problem is not None:
                self.on_problem(problem)
            elif sys.stderr is not None:
                sys.stderr.write(f"logs-sse-publisher: {problem}\n")
        except Exception:
            # There is nobody left to tell.
            pass

    def end(self) -> None:
        """Says nothing any more: a thread that writes while the interpreter ends can take it down."""
        self._ended = True

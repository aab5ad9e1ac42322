"""What JSON has words for, made of anything."""

import dataclasses
import datetime
import math
from collections import deque
from collections.abc import Mapping
from itertools import islice
from typing import Any, Dict, List, Tuple

LIMIT = 256 * 1024
"""The bytes of an encoded record: what has more is dropped before any time goes into it."""

_DEPTH = 60
"""The gateway keeps 64 levels; the record itself is some of them."""

_LARGEST = 1 << 1023
"""Readers take a number as a double; what lies beyond one is written as text."""


class TooLarge(Exception):
    """The record has more than :data:`LIMIT` bytes, whatever else is in it."""


def is_plain(value: Dict[Any, Any]) -> bool:
    """Whether `value` is made of JSON's own types only, so that it can be encoded as it is.

    Level by level and not by recursion, and no further than a record may be large: neither a cycle nor a list that holds
    the same list twice, fifty times over, keeps it busy.

    Raises :class:`TooLarge`.
    """
    weight = 0
    containers: List[Any] = [value]
    for _ in range(_DEPTH):
        inner: List[Any] = []
        for container in containers:
            weight += 2 * len(container)
            if weight > LIMIT:
                raise TooLarge
            values = container
            if type(container) is dict:
                for key in container:
                    if type(key) is not str:
                        return False
                    weight += len(key)
                values = container.values()
            for item in values:
                kind = type(item)
                if kind is str:
                    weight += len(item)
                elif kind is int:
                    if not -_LARGEST < item < _LARGEST:
                        return False
                elif kind is dict or kind is list or kind is tuple:
                    inner.append(item)
                elif kind is float:
                    if item - item != 0.0:
                        return False
                elif item is not None and kind is not bool:
                    return False
        if weight > LIMIT:
            raise TooLarge
        if not inner:
            return True
        containers = inner
    return False


def plain(value: object) -> Any:
    """`value` in JSON's own types: a copy, in which everything else is text and a cycle is ``"[circular]"``.

    Raises :class:`TooLarge`, and nothing else unless an object of the caller raises what is no `Exception`.
    """
    return _Copy().of(value, 0)


def text(value: object) -> str:
    """`value` as text, also where its own words for itself raise."""
    for words in (str, repr):
        try:
            said = words(value)
            return str.__str__(said)
        except Exception:
            continue
    return f"<{type(value).__name__} that has no text>"


class _Copy:
    """One copy that is being made: how much there is of it, and what it is in the middle of."""

    def __init__(self) -> None:
        self._weight = 0
        self._above: Dict[int, object] = {}

    def _take(self, weight: int) -> None:
        self._weight += weight
        if self._weight > LIMIT:
            raise TooLarge

    def of(self, value: object, depth: int) -> Any:
        self._take(1)
        try:
            made = self._scalar(value)
            if made is not None or value is None:
                return made
            if id(value) in self._above:
                return "[circular]"
            if depth >= _DEPTH:
                return "[too deep]"
            self._above[id(value)] = value
            try:
                return self._container(value, depth + 1)
            finally:
                del self._above[id(value)]
        except TooLarge:
            raise
        except Exception:
            return self._text(value)

    def _text(self, value: object) -> str:
        said = text(value)
        self._take(len(said))
        return said

    def _scalar(self, value: object) -> Any:
        """What is a single value in JSON; nothing where `value` may be more."""
        if value is None or value is True or value is False:
            return value
        if isinstance(value, str):
            self._take(len(value))
            # The text itself: a subclass may have others words for it.
            return str.__str__(value)
        if isinstance(value, int):
            number = int.__add__(value, 0)
            return number if -_LARGEST < number < _LARGEST else hex(number)
        if isinstance(value, float):
            return _number(float.__add__(value, 0.0))
        if isinstance(value, (bytes, bytearray, memoryview)):
            self._take(value.nbytes if isinstance(value, memoryview) else len(value))
            return bytes(value).decode("utf-8", "backslashreplace")
        if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
            return value.isoformat()
        if isinstance(value, BaseException):
            said = text(value)
            return self._text(f"{type(value).__name__}: {said}" if said else type(value).__name__)
        return None

    def _container(self, value: object, depth: int) -> Any:
        if isinstance(value, dict):
            return self._object(list(dict.items(value)), depth)
        if isinstance(value, (list, tuple, set, frozenset, deque)):
            self._take(len(value))
            return [self.of(item, depth) for item in list(value)]
        if isinstance(value, Mapping):
            return self._object([(key, value[key]) for key in islice(value, LIMIT)], depth)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return self._object([(f.name, getattr(value, f.name, None)) for f in dataclasses.fields(value)], depth)
        # What numpy's numbers and arrays have, and others took over. Asked of the type: some objects have any attribute.
        if hasattr(type(value), "tolist"):
            size = getattr(value, "size", 1)
            self._take(size if isinstance(size, int) else 1)
            listed = value.tolist()  # type: ignore[attr-defined]
            if type(listed) in (list, int, float, bool, str):
                return self.of(listed, depth)
        return self._text(value)

    def _object(self, items: List[Tuple[object, object]], depth: int) -> Dict[str, Any]:
        self._take(2 * len(items))
        made: Dict[str, Any] = {}
        for key, value in items:
            name = self._key(key)
            if name in made:
                name = f"{name}#{len(made)}"
            made[name] = self.of(value, depth)
        return made

    def _key(self, key: object) -> str:
        if key is None:
            return "null"
        if isinstance(key, bool):
            return "true" if key else "false"
        single = self._scalar(key)
        return single if type(single) is str else self._text(key)


def _number(number: float) -> object:
    if math.isfinite(number):
        return number
    if math.isnan(number):
        return "NaN"
    return "Infinity" if number > 0 else "-Infinity"

"""How grave a record is: a rank from 0 (TRACE) to 5 (FATAL), read as the gateway reads it."""

from typing import Dict, Tuple

NAMES: Tuple[str, ...] = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
INFO = 2
WARN = 3

_ALIASES = (
    ("trace", "10"),
    ("debug", "dbg", "20"),
    ("info", "information", "notice", "30"),
    ("warn", "warning", "40"),
    ("error", "err", "severe", "50"),
    ("fatal", "critical", "crit", "alert", "emerg", "emergency", "panic", "60"),
)
_RANKS: Dict[str, int] = {name: rank for rank, names in enumerate(_ALIASES) for name in names}
# As they are nearly always written, so that a call need not fold them.
_KNOWN: Dict[str, int] = {spelt: rank for name, rank in _RANKS.items() for spelt in (name, name.upper())}


def rank(level: object) -> int:
    """The rank of a level's name, alias or number; what nobody knows is INFO."""
    if type(level) is str:
        known = _KNOWN.get(level)
        if known is None:
            return _RANKS.get(level.strip().lower(), INFO)
        return known
    return _RANKS.get(str(level).strip().lower(), INFO)


def name_of_number(number: int) -> str:
    """The level of a number of `logging`, which may stand between two that have names."""
    if number >= 50:
        return "FATAL"
    if number >= 40:
        return "ERROR"
    if number >= 30:
        return "WARN"
    if number >= 20:
        return "INFO"
    if number >= 10:
        return "DEBUG"
    return "TRACE"

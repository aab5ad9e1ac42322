"""The settings of a publisher: what the code says, then the environment, then the default."""

import base64
import math
import os
from typing import Any, Callable, Dict, List, Mapping, Optional
from urllib.parse import unquote, urlsplit

NAMES = frozenset(
    "url token service workspace_id workflow_id resource_id function_id".split()
    + "max_records max_bytes linger_ms timeout_ms close_ms on_problem".split()
)


class Settings:
    """Settings that have been read. None of them can make a publisher fail: what cannot be read is in
    :attr:`problems`.
    """

    def __init__(self, given: Mapping[str, Any], environment: Optional[Mapping[str, str]] = None) -> None:
        env = os.environ if environment is None else environment
        self.problems: List[str] = []
        self.url = _text(given.get("url")) or _text(env.get("LOGS_GATEWAY_URL")) or "http://localhost:3002"
        self.token = self._token(_text(given.get("token")) or _text(env.get("LOGS_GATEWAY_TOKEN")))
        self.service = _text(given.get("service")) or _text(env.get("LOGS_SERVICE"))
        self.workspace_id = _text(given.get("workspace_id")) or _text(env.get("LOGS_WORKSPACE_ID"))
        self.workflow_id = (
            _text(given.get("workflow_id"))
            or _text(given.get("resource_id"))
            or _text(given.get("function_id"))
            or _text(env.get("LOGS_WORKFLOW_ID"))
        )
        self.max_records = int(self._number(given, "max_records", 10_000, 1))
        self.max_bytes = int(self._number(given, "max_bytes", 8 * 1024 * 1024, 1))
        self.linger = self._number(given, "linger_ms", 100, 0) / 1000
        self.timeout = self._number(given, "timeout_ms", 5_000, 1) / 1000
        self.close = self._number(given, "close_ms", 5_000, 0) / 1000
        self.on_problem: Optional[Callable[[str], object]] = given.get("on_problem")
        self.target = self._target()

    def __repr__(self) -> str:
        return f"<Settings {self.where}>"

    @property
    def where(self) -> str:
        """The gateway as a sentence names it: without what may be a secret in its address."""
        return self.target.where if self.target else "the gateway"

    def _token(self, token: Optional[str]) -> Optional[str]:
        if token is not None and not all("!" <= character <= "~" for character in token):
            self.problems.append("the token has characters that no token has; it is not sent")
            return None
        return token

    def _number(self, given: Mapping[str, Any], name: str, default: float, least: float) -> float:
        value = given.get(name)
        if value is None:
            return default
        try:
            number = float(value)
        except Exception:
            number = math.nan
        # A larger number than the system's clocks take is as good as none.
        if not least <= number <= 1e12:
            self.problems.append(f"{name} is no number of at least {least}; it is {default}")
            return default
        return number

    def _target(self) -> Optional["Target"]:
        try:
            parts = urlsplit(self.url)
            secure = {"http": False, "https": True}[parts.scheme]
            host, port = parts.hostname, parts.port
            path = parts.path.rstrip("/")
            if host and not any(ord(c) <= 32 or ord(c) > 126 for c in host + path):
                target = Target(secure, host, port or (443 if secure else 80), path)
                if parts.username:
                    target.authorization = _basic(parts.username, parts.password or "")
                return target
        except (ValueError, KeyError):
            pass
        self.problems.append("the url is no http:// or https:// address: nothing can be sent")
        return None


class Target:
    """Where requests go."""

    def __init__(self, secure: bool, host: str, port: int, path: str) -> None:
        self.secure = secure
        self.host = host
        self.port = port
        self.path = path + "/api/logs/publish"
        named = f"[{host}]" if ":" in host else host
        self.authority = named if port == (443 if secure else 80) else f"{named}:{port}"
        self.authorization: Optional[str] = None
        """What a proxy in front of the gateway asks for, where the url has it."""
        self.where = f"{'https' if secure else 'http'}://{self.authority}{path}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Target) and self.where == other.where

    def __hash__(self) -> int:
        return hash(self.where)


def check_names(given: Dict[str, Any]) -> None:
    """Raises :class:`TypeError` for a setting that there is not: misspelt, it would be missed in silence."""
    for name in given:
        if name not in NAMES:
            raise TypeError(f"there is no setting {name!r}; there are {', '.join(sorted(NAMES))}")


def _basic(user: str, password: str) -> str:
    said = f"{unquote(user)}:{unquote(password)}".encode()
    return f"Basic {base64.b64encode(said).decode()}"


def _text(value: object) -> Optional[str]:
    if value is None:
        return None
    try:
        return str(value).strip() or None
    except Exception:
        return None

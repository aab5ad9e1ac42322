"""Does what a plan on standard input says, and says on standard output what came of it: see ../README.md."""

import json
import logging
import os
import sys
import time
from typing import Any, Callable, Dict, List, Optional

from sse_publisher import Publisher


def main() -> None:
    """Carries the plan out. Returns without closing what the plan does not close."""
    plan = json.load(sys.stdin)
    problems: List[str] = []
    publisher = Publisher(**plan.get("options", {}), on_problem=problems.append)
    flushed: Optional[bool] = None
    calls = 0
    took: Dict[str, Optional[int]] = {f"{peer}{name}_ns": None for peer in ("", "peer_") for name in ("p50", "p99", "max")}
    for step in plan["steps"]:
        do = step["do"]
        if do == "publish":
            names = {name: step[name] for name in ("service", "workspace_id", "workflow_id") if name in step}
            publisher.publish(step["logData"], **names)
            calls += 1
        elif do == "repeat":
            took.update(repeat(publisher.publish, step, ""))
            calls += step["count"]
        elif do == "repeat_peer":
            took.update(repeat(peer(), step, "peer_"))
        elif do == "wait":
            time.sleep(step["ms"] / 1000)
        elif do == "flush":
            flushed = publisher.flush(step["ms"] / 1000)
        elif do == "close":
            flushed = publisher.close(step["ms"] / 1000)
        else:
            raise SystemExit(f"no such step: {do}")
    print(json.dumps({**publisher.stats(), "flushed": flushed, "calls": calls, **took, "problems": problems}), flush=True)


def repeat(publish: Callable[[Dict[str, Any]], None], step: Dict[str, Any], named: str) -> Dict[str, Optional[int]]:
    """Makes many calls, none before its time, and measures each."""
    message, level, pause = step.get("message", "line"), step.get("level", "INFO"), step.get("pause_us", 0) * 1000
    took: List[int] = []
    clock = time.perf_counter_ns
    began = clock()
    for n in range(step["count"]):
        early = began + n * pause - clock()
        if pause and early > 0:
            time.sleep(early / 1e9)
        record = {"message": f"{message} {n}", "level": level, "n": n}
        start = clock()
        publish(record)
        took.append(clock() - start)
    took.sort()
    if not took:
        return {}
    return {
        f"{named}p50_ns": took[len(took) // 2],
        f"{named}p99_ns": took[len(took) * 99 // 100],
        f"{named}max_ns": took[-1],
    }


def peer() -> Callable[[Dict[str, Any]], None]:
    """What programs log with otherwise: `logging`, to a file."""
    handler = logging.StreamHandler(open(os.devnull, "w"))
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logger = logging.Logger("peer")
    logger.addHandler(handler)

    def log(record: Dict[str, Any]) -> None:
        logger.info(record["message"], extra={"n": record["n"]})

    return log


if __name__ == "__main__":
    main()

"""Does what a plan on standard input says, and says on standard output what came of it: see ../README.md."""

import json
import sys
import time
from typing import Any, Dict, List

from sse_publisher import Publisher


def main() -> None:
    """Carries the plan out. Returns without closing what the plan does not close."""
    plan = json.load(sys.stdin)
    problems: List[str] = []
    publisher = Publisher(**plan.get("options", {}), on_problem=problems.append)
    flushed = None
    took: List[int] = []
    for step in plan["steps"]:
        do = step["do"]
        if do == "publish":
            names = {name: step[name] for name in ("service", "workspace_id", "workflow_id") if name in step}
            publisher.publish(step["logData"], **names)
        elif do == "repeat":
            repeat(publisher, step, took)
        elif do == "wait":
            time.sleep(step["ms"] / 1000)
        elif do == "flush":
            flushed = publisher.flush(step["ms"] / 1000)
        elif do == "close":
            flushed = publisher.close(step["ms"] / 1000)
        else:
            raise SystemExit(f"no such step: {do}")
    took.sort()
    result: Dict[str, Any] = {**publisher.stats(), "flushed": flushed, "calls": len(took), "problems": problems}
    if took:
        result.update(p50_ns=took[len(took) // 2], p99_ns=took[len(took) * 99 // 100], max_ns=took[-1])
    print(json.dumps(result), flush=True)


def repeat(publisher: Publisher, step: Dict[str, Any], took: List[int]) -> None:
    """Publishes many records, and measures each call."""
    message, level, pause = step.get("message", "line"), step.get("level", "INFO"), step.get("pause_us", 0) / 1e6
    clock = time.perf_counter_ns
    for n in range(step["count"]):
        record = {"message": f"{message} {n}", "level": level, "n": n}
        start = clock()
        publisher.publish(record)
        took.append(clock() - start)
        if pause:
            time.sleep(pause)


if __name__ == "__main__":
    main()

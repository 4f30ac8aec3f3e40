"""Waiting for things to become true, with a limit. Nothing in these tests sleeps and hopes."""
import os
import time

# Sanitizers slow the daemon down: every limit is multiplied by this.
FACTOR = float(os.environ.get("BRAID_TIME_FACTOR") or ("4" if "san" in os.environ.get("BRAID_BUILD", "") else "1"))
INTERVAL = 0.01


class Timeout(Exception):
    pass


def until(condition, what, limit=10.0):
    """The first true value that condition() returns; Timeout after limit seconds."""
    deadline = time.monotonic() + limit * FACTOR
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Timeout(f"waited {limit * FACTOR:.0f} s in vain: {what}")
        time.sleep(INTERVAL)


def stays(value, what, span=0.5, limit=20.0):
    """Waits until value() has not changed for span seconds, and returns it."""
    seen, since = value(), time.monotonic()

    def settled():
        nonlocal seen, since
        now = value()
        if now != seen:
            seen, since = now, time.monotonic()
        return time.monotonic() - since >= span * FACTOR

    until(settled, f"{what} comes to rest", limit)
    return seen

"""What every application of the benchmark answers. The harness knows the same bytes (`src/events.rs`) and compares."""

import json
import time
from functools import cache

HELLO = b'{"message": "Hello from the benchmark"}'
PRODUCTS = 50  # rows of the shops' list
LINE = b'The quick brown fox said "jump" over 13 lazy dogs and went home.\n'


@cache  # made once, and not at the import: starts and memory are those of a small application
def text():
    return LINE * (5_000_000 // len(LINE))


@cache
def binary():
    return bytes(range(256)) * (3_750_000 // 256)  # 5 MB as base64


def count(number):
    return b'{"count": %d}' % number


def summary(body):
    """A JSON body is parsed and a little of it read, as an API would."""
    items = json.loads(body)["items"]
    return b'{"items": %d, "sum": %d}' % (len(items), sum(item["price"] for item in items))


def ticks(number=20, pause=0.02):
    """Lines that say when they were yielded, on the clock that the harness reads, too."""
    for _ in range(number):
        yield b"%020d\n" % time.monotonic_ns()
        time.sleep(pause)


class SlowClose:
    """A response whose `close` takes 20 ms: what an application does after its answer, such as writing an audit record."""

    def __iter__(self):
        yield HELLO

    def close(self):
        time.sleep(0.02)


def megabytes(number, size=65536):
    block = b"x" * size
    for _ in range(number * 1_048_576 // size):
        yield block

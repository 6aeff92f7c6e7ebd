"""Another adapter's own handler, in a process of its own, which theirs.py runs."""

import json
import subprocess
import sys
from pathlib import Path

from ours import Failed, environment


class Handler:
    """`name` is `module.function`, in the function's folder. `close` gets what ends it."""

    def __init__(self, name, folder, close, **variables):
        log = (folder / "handler.log").open("w")
        close(log.close)
        self.process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("theirs.py"), name],
            cwd=folder,
            env=environment(**variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        close(self.stop)

    def invoke(self, event):
        print(json.dumps(event), file=self.process.stdin, flush=True)
        outcome = json.loads(self.process.stdout.readline())
        if "error" in outcome:
            raise Failed(outcome["error"], outcome["message"])
        return outcome["result"]

    def stop(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()

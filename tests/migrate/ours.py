"""The runtime as `wsgi-lambda serve` runs it: HTTP through every front end, and Lambda's Invoke for the rest."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import boto3
from botocore.config import Config

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = ROOT / "target/release/wsgi-lambda"
# Credentials that nobody checks, and none of this machine's settings.
AWS = {
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_REGION": "eu-west-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}


def environment(**more):
    """Variables for a program that these tests start."""
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "VIRTUAL_ENV": sys.prefix, **AWS, **more}


def command(*arguments, folder, variables=None, **more):
    """Runs `wsgi-lambda` in a folder; `variables` are the function's. Returns exit code and output."""
    given = [part for name, value in (variables or {}).items() for part in ("--env", f"{name}={value}")]
    kind, *rest = arguments
    run = subprocess.run(
        [PROGRAM, kind, *given, *rest],
        cwd=folder,
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    return run.returncode, run.stdout


class Failed(Exception):
    """A Lambda error: type and message."""


class Served:
    """One function, behind all front ends."""

    def __init__(self, folder, variables, *options):
        given = [part for name, value in {**AWS, **variables}.items() for part in ("--env", f"{name}={value}")]
        arguments = ["--front", "all", "--port", "0", "--inspector-port", "0", "--no-reload", *options]
        self.process = subprocess.Popen(
            [PROGRAM, "serve", *arguments, *given],
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said, self.fronts = [], {}
        for line in self.process.stdout:
            self.said.append(line)
            if found := re.match(r"  http://(127\.0\.0\.1:\d+)(/\S*)  (\S+)$", line):
                self.fronts[found[3]] = found[1], found[2].rstrip("/")
            if "Ctrl-C ends" in line:
                break
        self.endpoint = "http://" + self.fronts.pop("inspector")[0]
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        keys = {"aws_access_key_id": "none", "aws_secret_access_key": "none", "region_name": "eu-west-1"}
        once = Config(retries={"max_attempts": 0}, read_timeout=60)
        self._client = boto3.client("lambda", endpoint_url=self.endpoint, config=once, **keys)

    def _read(self):
        self.said.extend(self.process.stdout)

    def log(self):
        return "".join(self.said)

    def shows(self, text):
        """Waits until the log has it: a result can be here before the log is."""
        for _ in range(200):
            if text in self.log():
                return True
            time.sleep(0.1)
        return False

    def invoke(self, event):
        """The result of an event that is sent to the function itself."""
        reply = self._client.invoke(FunctionName="shop", Payload=json.dumps(event))
        payload = json.loads(reply["Payload"].read())
        if "FunctionError" in reply:
            raise Failed(payload["errorType"], payload["errorMessage"])
        return payload

    def request(self, front, method, path, headers=None, body=None):
        """Status, headers as a list of pairs, body of a client's request through a front end."""
        address, prefix = self.fronts[front]
        connection = http.client.HTTPConnection(address, timeout=60)
        connection.request(method, prefix + path, body, headers or {})
        reply = connection.getresponse()
        answer = reply.status, [(name.lower(), value) for name, value in reply.getheaders()], reply.read()
        connection.close()
        return answer

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)
        self.reader.join(30)
        self.process.stdout.close()

"""What the tests of this folder share: blocks of docs/, an application in the real runtime behind `wsgi-lambda serve`, and moto's
server in AWS's place on this machine. `make test-edge` runs them."""

import http.client
import json
import logging
import re
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.parse
from pathlib import Path

import boto3
from moto.server import ThreadedMotoServer

ROOT = Path(__file__).resolve().parent.parent.parent
CLI = ROOT / "target/release/wsgi-lambda"
# A token as a role has it, for AWS's extension.
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_SESSION_TOKEN": "session-token"}
REGION = "eu-west-1"


def shown(page, name):
    """The block of a page whose first line is a comment with this name; of JSON, which has no comments, the first block."""
    text = (ROOT / "docs" / page).read_text()
    first = r"(?:#|//) " + re.escape(name) + "\n" if not name.endswith(".json") else r"\{\n"
    [block] = re.findall(rf"^```[a-z]+\n({first}.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return block


class Served:
    """An application behind `wsgi-lambda serve`, which imitates a Function URL."""

    def __init__(self, folder, app, variables):
        variables = {"AWS_ENDPOINT_URL": Edge.url, "AWS_DEFAULT_REGION": REGION, **KEYS, **variables}
        command = [CLI, "serve", app, "--dir", folder, "--venv", sys.prefix, "--port", "0", "--no-inspector"]
        command += ["--no-reload", "--region", REGION]
        command += [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.log = []
        for line in self.process.stdout:
            self.log.append(line)
            if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
                self.port = int(found[1])
                break
        else:
            raise RuntimeError("".join(self.log))
        self.reader = threading.Thread(target=lambda: self.log.extend(self.process.stdout))
        self.reader.start()

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        return "".join(self.log)

    def send(self, method, path, value=None, **headers):
        """Returns status, headers and body. A redirect is not followed."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        body = None if value is None else json.dumps(value)
        headers = {name.replace("_", "-"): text for name, text in headers.items()}
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection.request(method, path, body, headers)
        reply = connection.getresponse()
        data = reply.read()
        connection.close()
        return reply.status, reply.headers, data

    def json(self, method, path, value=None):
        status, _, body = self.send(method, path, value)
        return status, json.loads(body) if body.startswith(b"{") else body.decode()


class Edge(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request
        cls.server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        cls.server.start()
        Edge.url = "http://{}:{}".format(*cls.server.get_host_and_port())

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def setUp(self):
        self.call(f"{self.url}/moto-api/reset", "POST")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def call(self, url, method="GET", data=None, headers=None):
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=60)
        connection.request(method, f"{parts.path}?{parts.query}", data, headers or {})
        reply = connection.getresponse()
        body = reply.read()
        connection.close()
        return reply.status, reply.headers, body

    def client(self, service):
        keys = {name.lower(): value for name, value in KEYS.items()}
        return boto3.client(service, region_name=REGION, endpoint_url=self.url, **keys)

    def bucket(self, name):
        self.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        return name

    def write(self, files):
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def show(self, page, *names):
        self.write({name: shown(page, name) for name in names})

    def serve(self, app, **variables):
        served = Served(self.folder, app, variables)
        self.addCleanup(lambda: served.process.poll() is None and served.stop())
        return served


DJANGO = """
import os, sys
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
application = get_wsgi_application()
if __name__ == "__main__":
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)
"""

"""Runs docs/django.md and docs/flask.md from top to bottom, in an empty folder: `make test-guides`. page.py says how a page
is read. In the commands, a page's Python and processor become those of this machine, and the ports of `serve` free ones.
"""

import os
import platform
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path

from page import Commands, File, Shown, blocks, matches

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAMS = ROOT / "target/release"
# `sam`, and with it this Python; `aws`.
TOOLS = [Path(sys.executable).parent, ROOT / ".cache/venv-tools/bin"]
# The versions of what the pages install.
PACKAGES = ROOT / "tests/guides/packages.txt"
# What needs an account. The end of the page has to name it.
NOT_RUN = ("sam deploy", "sam list")
# How long a server may take to say where it is.
PATIENCE = 60


class Failed(Exception):
    pass


def embedded():
    """The Python that the runtime has."""
    said = subprocess.run([PROGRAMS / "bootstrap", "--version"], capture_output=True, text=True, check=True).stdout
    return re.search(r"python(\d\.\d+)", said)[1]


class Server:
    """`wsgi-lambda serve` in the background."""

    def __init__(self, command, folder, environment):
        # Not through a shell, so that the signal reaches it.
        arguments = [*shlex.split(command), "--port", "0"]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        pipes |= {"encoding": "utf-8", "errors": "replace"}
        self.process = subprocess.Popen(arguments, cwd=folder, env=environment, **pipes)
        self.said = []
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self):
        self.said.extend(iter(self.process.stdout.readline, ""))

    def ports(self):
        """That of the application and that of the inspector."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            ports = re.findall(r"http://127\.0\.0\.1:(\d+)", "".join(self.said))
            if len(ports) >= 2:
                return ports[:2]
            time.sleep(0.05)
        raise Failed(f"`wsgi-lambda serve` does not say where it is:\n{self.output()}")

    def output(self):
        return "".join(self.said)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=PATIENCE)
        self.reader.join()


class Guide:
    """A page, and the shell that its reader has: folder, variables, a server in another terminal."""

    def __init__(self, page, folder):
        self.page = page
        self.folder = folder
        self.python = embedded()
        self.environment = self._environment()
        self.server = None
        self.ports = ["8000", "8100"]
        self.output = ""

    def _environment(self):
        programs = self.folder.parent / "programs"
        programs.mkdir()
        python = Path(sys._base_executable).resolve()  # not the one of this virtual environment
        (programs / "python3").write_text(f'#!/bin/sh\nexec {shlex.quote(str(python))} "$@"\n')
        (programs / "python3").chmod(0o755)
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "XDG_CACHE_HOME") if name in os.environ}
        # How this machine reaches packages.
        kept |= {name: value for name, value in os.environ.items() if name.upper().startswith(("PIP_", "UV_", "SSL_"))}
        kept |= {name: value for name, value in os.environ.items() if name.upper().endswith(("_PROXY", "_CA_BUNDLE"))}
        path = [programs, PROGRAMS, *TOOLS, *os.environ["PATH"].split(os.pathsep)]
        return kept | {
            "PATH": os.pathsep.join(map(str, path)),
            "PIP_CONSTRAINT": str(PACKAGES),
            "UV_CONSTRAINT": str(PACKAGES),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "SAM_CLI_TELEMETRY": "0",
            "AWS_DEFAULT_REGION": "eu-west-1",
            # Somebody's, whom `serve` does not check.
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def adapted(self, text):
        """What the page says, for this machine."""
        processor = platform.machine().replace("aarch64", "arm64")
        text = text.replace("3.13", self.python).replace("x86_64", processor)
        return text.replace("127.0.0.1:8000", f"127.0.0.1:{self.ports[0]}").replace(
            "127.0.0.1:8100", f"127.0.0.1:{self.ports[1]}"
        )

    def run(self):
        for block in blocks(self.page):
            match block:
                case File():
                    self.write(block)
                case Commands():
                    self.output = ""
                    for command in block.each():
                        self.command(command, block.line)
                case Shown():
                    self.compare(block)

    def compare(self, shown):
        text = self.adapted(shown.text)
        if not matches(text, self.output):
            raise Failed(f"line {shown.line} shows\n{text}\nbut the commands showed\n{self.output}")

    def write(self, file):
        path = self.folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text("utf-8") + "\n" if file.added else ""
        path.write_text(before + self.adapted(file.text), "utf-8")

    def command(self, command, line):
        command = self.adapted(command)
        began = time.monotonic()
        if command.startswith(NOT_RUN):
            self.has_to_name(command)
            print(f"not run  {command}", flush=True)
            return
        if command.startswith("wsgi-lambda layer"):
            self.layer()
            print(f"stand-in {command}", flush=True)
            return
        if command.startswith("wsgi-lambda serve"):
            self.stop()
            self.server = Server(command, self.folder, self.environment)
            self.ports = self.server.ports()
        else:
            self.shell(command, line)
        print(f"ok       {command}  ({time.monotonic() - began:.1f} s)", flush=True)

    def layer(self):
        """A stand-in: a real one needs a runtime that was built for Lambda's machines (tests/wheel, tests/layer.rs)."""
        processor = platform.machine().replace("aarch64", "arm64")
        path = self.folder / f"layer/dist/wsgi-lambda-bootstrap-python{self.python}-{processor}.zip"
        path.parent.mkdir(parents=True)
        with zipfile.ZipFile(path, "w") as layer:
            layer.write(PROGRAMS / "bootstrap", "bootstrap")

    def shell(self, command, line):
        """Runs it, and keeps what it has changed: the folder and the variables."""
        state = self.folder.parent / "state"
        # In place of AWS, the server: for `aws`, and for ours with --function.
        environment = self.environment | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.ports[1]}"}
        script = f"{command}\nstatus=$?\n{{ pwd; env -0; }} >{shlex.quote(str(state))}\nexit $status"
        shell = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=environment,
            input="a password\n",  # if it asks for one: without a terminal of its own it asks here
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=600,
        )
        self.output += shell.stdout
        if shell.returncode != 0:
            raise Failed(f"line {line}: {command}\nended with {shell.returncode}:\n{shell.stdout}")
        folder, _, variables = state.read_text("utf-8").partition("\n")
        self.folder = Path(folder)
        self.environment = dict(entry.split("=", 1) for entry in variables.split("\0") if entry)

    def has_to_name(self, command):
        end = self.page.read_text("utf-8").rpartition("\n## ")[2]
        if not any(f"`{name}`" in end for name in NOT_RUN if command.startswith(name)):
            raise Failed(f"{command} is not run: the last section of the page has to say so")

    def stop(self):
        if self.server is not None:
            self.server.stop()
            self.server = None


def main(pages):
    failed = False
    for page in pages:
        print(f"{page.relative_to(ROOT)}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder).resolve() / "place"
            place.mkdir()
            guide = Guide(page, place)
            try:
                guide.run()
            except Failed as error:
                failed = True
                print(f"FAILED   {page.relative_to(ROOT)}, {error}", file=sys.stderr)
                if guide.server is not None:
                    print(f"--- `wsgi-lambda serve` showed\n{guide.server.output()}", file=sys.stderr)
            finally:
                guide.stop()
    return failed


if __name__ == "__main__":
    named = [ROOT / "docs" / f"{name}.md" for name in sys.argv[1:] or ("django", "flask")]
    sys.exit(main(named))

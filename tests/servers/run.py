"""Compares the runtime, through seven front ends, with gunicorn, Waitress, uWSGI and mod_wsgi: `make test-servers`.

The same application (app.py) gets the same requests (cases.py): as events, through `wsgi-lambda replay`, and over HTTP,
through `wsgi-lambda serve`, whose responses are compared with gunicorn's. Each difference has to have a row in
docs/servers.md (rows.py says which), and each row has to be seen. A server that is not there is skipped, loudly.
"""

import base64
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from cases import FRONT_ENDS, ROOT, SERVED, event, requests
from rows import row_of

HERE = pathlib.Path(__file__).parent
# What each server adds, and what belongs to a connection.
THEIRS = {
    "date",
    "server",
    "connection",
    "transfer-encoding",
    "keep-alive",
    "via",
    "content-length",
    "content-location",
}
# What the front ends that `serve` imitates add.
ADDED = {"x-amzn-requestid", "x-amzn-trace-id", "x-amz-apigw-id", "apigw-requestid"}
# Fields of environ that are the test's own arrangement: each server has another host and port.
ARRANGED = {"HTTP_HOST"}


def start(name, port, folder):
    """The command of a server, or why it is not there."""
    python = sys.executable
    if name == "gunicorn":
        return [
            python,
            "-m",
            "gunicorn",
            "--bind",
            f"127.0.0.1:{port}",
            "--chdir",
            str(HERE),
            "--log-level",
            "critical",
            "app:app",
        ]
    if name == "waitress":
        return [python, "-m", "waitress", "--listen", f"127.0.0.1:{port}", "app:app"]
    if name == "uwsgi":
        options = ["--http-socket", f"127.0.0.1:{port}", "--wsgi-file", "app.py"]
        options += ["--master", "--need-app", "--disable-logging", "--die-on-term"]
        return [python, "-c", f"import sys, pyuwsgi; pyuwsgi.run({options!r})"]
    apache, module = shutil.which("apache2"), pathlib.Path("/usr/lib/apache2/modules/mod_wsgi.so")
    if not apache or not module.exists():
        return "apt-get install apache2 libapache2-mod-wsgi-py3"
    config = folder / "apache.conf"
    modules = "".join(
        f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"
        for name in ("mpm_event", "authz_core", "wsgi")
    )
    user = "User www-data\nGroup www-data\n" if os.getuid() == 0 else ""
    config.write_text(
        f"ServerRoot {folder}\nPidFile {folder}/pid\nListen 127.0.0.1:{port}\nServerName servers.test\n"
        f"ErrorLog {folder}/log\n{modules}{user}"
        f"WSGIScriptAlias / {HERE}/app.py\nWSGIApplicationGroup %{{GLOBAL}}\nAllowEncodedSlashes On\n"
        f"<Directory {HERE}>\nRequire all granted\n</Directory>\n"
    )
    return [apache, "-X", "-f", str(config)]


def ask(port, method, target, headers, body):
    """Sends a request byte for byte; gives status, headers as sorted pairs, and the body."""
    lines = [f"{method} {target} HTTP/1.1", "Host: servers.test", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if (body or method in ("POST", "PUT", "PATCH")) and "X-No-Length" not in headers:
        lines.append(f"Content-Length: {len(body)}")
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body)
        data = b""
        try:
            while chunk := connection.recv(65536):
                data += chunk
        except (TimeoutError, ConnectionResetError):
            pass
    head, _, rest = data.partition(b"\r\n\r\n")
    if not head:
        return {"status": 502, "headers": [], "body": b""}
    first, *fields = head.decode("latin-1").split("\r\n")
    fields = [(name.strip().lower(), value.strip()) for name, _, value in (field.partition(":") for field in fields)]
    if dict(fields).get("transfer-encoding", "").lower() == "chunked":
        rest = unchunk(rest)
    return {
        "status": status_of(first),
        "headers": sorted(field for field in fields if field[0] not in THEIRS | ADDED),
        "body": rest,
    }


def status_of(line):
    """The number of a status line; 502 for one that a proxy could not pass on."""
    number = re.match(r"HTTP/1\.[01] ([0-9]{3})", line)
    return int(number[1]) if number else 502


def unchunk(data):
    body = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        size = int(size.partition(b";")[0] or b"0", 16)
        body, data = body + data[:size], data[size + 2 :]
        if size == 0:
            break
    return body


def answers_of(name, folder):
    """What a classic server answers to each request; None where it is not there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = start(name, port, folder)
    if isinstance(command, str):
        print(f"SKIPPED: {name} is not here: {command}", flush=True)
        return None
    server = subprocess.Popen(
        command, cwd=HERE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if server.poll() is not None:
                    print(f"SKIPPED: {name} could not be started", flush=True)
                    return None
                time.sleep(0.05)
        return {title: ask(port, *request) for title, *request in requests()}
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)


def ours(front_end, folder):
    """What the runtime answers through a front end."""
    events = folder / front_end
    events.mkdir()
    titles = []
    for number, (title, *request) in enumerate(requests()):
        (events / f"{number:04}.json").write_text(json.dumps(event(front_end, *request)))
        titles.append(title)
    command = [ROOT / "target/release/wsgi-lambda", "replay", "--json", "--app", "app:app", "--dir", HERE, events]
    said = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout.decode()
    lines = [json.loads(line) for line in said.splitlines()]
    assert len(lines) == len(titles), f"{len(lines)} answers to {len(titles)} requests"
    return dict(zip(titles, map(decode, lines)))


def served():
    """What the runtime answers behind `wsgi-lambda serve`, by front end."""
    # One sandbox, because the application tells what it did for the request before.
    options = ["--front", "all", "--port", "0", "--concurrency", "1", "--no-reload"]
    command = [ROOT / "target/release/wsgi-lambda", "serve", "app:app", "--dir", HERE, *options]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    try:
        places = {}
        for line in server.stdout:
            if found := re.search(r"http://127\.0\.0\.1:([0-9]+)(/[^ ]*?)/?\s+([a-z0-9-]+)$", line.decode().strip()):
                places[found[3]] = int(found[1]), found[2].rstrip("/")
            if b"Ctrl-C" in line:
                break
        # Its lines are not read further on, so nothing may wait until they are.
        threading.Thread(target=server.stdout.read, daemon=True).start()
        answers = {}
        for front_end, name in SERVED.items():
            port, mount = places[name]
            answers[front_end] = {
                title: below(mount, ask(port, method, mount + target, headers, body))
                for title, method, target, headers, body in requests()
            }
        return answers
    finally:
        server.terminate()
        server.wait(10)


def below(mount, answer):
    """The answer without the stage in the URL, which is the test's own arrangement, and the header that AWS adds."""
    try:
        seen = json.loads(answer["body"])
        if seen["SCRIPT_NAME"] == mount and seen["url"].startswith(mount):
            seen.update(SCRIPT_NAME="", url=seen["url"][len(mount) :])
        seen["keys"] = [key for key in seen["keys"] if key != "HTTP_X_AMZN_TRACE_ID"]
        answer["body"] = json.dumps(seen).encode()
    except (ValueError, KeyError, TypeError):
        pass  # no description of a request
    return answer


def decode(answer):
    if "statusCode" not in answer:
        return {"status": 502, "headers": [], "body": b""}
    body = answer.get("body") or ""
    body = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
    fields = [("set-cookie", cookie) for cookie in answer.get("cookies", [])]
    fields += [(name.lower(), value) for name, value in (answer.get("headers") or {}).items()]
    fields += [
        (name.lower(), value) for name, values in (answer.get("multiValueHeaders") or {}).items() for value in values
    ]
    fields = [(name, one) for name, value in fields for one in (value if isinstance(value, list) else [value])]
    return {
        "status": answer["statusCode"],
        "headers": sorted(field for field in fields if field[0] not in THEIRS),
        "body": body,
    }


def differences(title, mine, theirs):
    """Gives (field, mine, theirs)."""
    if mine["status"] != theirs["status"]:
        yield "status", mine["status"], theirs["status"]
        return
    if mine["status"] >= 500:
        return  # every server has its own page for its own errors
    joined = [
        {name: ", ".join(value for other, value in answer["headers"] if other == name) for name, _ in answer["headers"]}
        for answer in (mine, theirs)
    ]
    for name in sorted(set(joined[0]) | set(joined[1])):
        values = [re.sub(r"\s*,\s*", ",", headers.get(name, "(none)")) for headers in joined]
        if values[0] != values[1]:
            yield f"header {name}", *values
    if mine["body"] != theirs["body"]:
        try:
            seen = [json.loads(answer["body"]) for answer in (mine, theirs)]
            for name in sorted(set(seen[0]) | set(seen[1]) - ARRANGED):
                if seen[0].get(name) != seen[1].get(name) and name not in ARRANGED:
                    yield f"environ {name}", seen[0].get(name), seen[1].get(name)
        except (ValueError, AttributeError, TypeError):
            yield "body", mine["body"][:60], theirs["body"][:60]


def main():
    documented = set(re.findall(r"^\| `([a-z0-9-]+)` \|", (ROOT / "docs/servers.md").read_text(), re.MULTILINE))
    seen, unknown, compared = set(), [], 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        servers = {name: answers_of(name, folder) for name in ("gunicorn", "waitress", "uwsgi", "mod_wsgi")}
        for front_end in FRONT_ENDS:
            mine = ours(front_end, folder)
            for server, theirs in servers.items():
                for title, answer in (theirs or {}).items():
                    compared += 1
                    for field, my, their in differences(title, mine[title], answer):
                        row = row_of(title, field, my, their, server, front_end)
                        seen.add(row)
                        if row not in documented:
                            unknown.append(f"{front_end} beside {server}: {title}: {field}: {my!r}, theirs {their!r}")
        for front_end, mine in served().items():
            for title, answer in (servers["gunicorn"] or {}).items():
                compared += 1
                for field, my, their in differences(title, mine[title], answer):
                    row = row_of(title, field, my, their, "gunicorn", front_end, served=True)
                    seen.add(row)
                    if row not in documented:
                        unknown.append(f"serve, {front_end}: {title}: {field}: {my!r}, gunicorn's {their!r}")
    for line in unknown:
        print(line)
    stale = documented - seen if all(servers.values()) else set()
    for row in sorted(stale):
        print(f"docs/servers.md has {row}, which was not seen")
    print(
        f"{compared} answers compared, {len(unknown)} differences without a row, {len(stale)} rows without a difference"
    )
    return 1 if unknown or stale else 0


sys.exit(main())

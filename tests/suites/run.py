#!/usr/bin/env python3
"""run.py SUITE KIND...: a framework's own tests, with every request sent through `bootstrap`. See README.md."""

import argparse
import fnmatch
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE))

from suite_events import KINDS  # noqa: E402
from suite_exclusions import EXCLUSIONS  # noqa: E402

SUITES = {
    "werkzeug": ("werkzeug==3.1.9", ["tests", "-q", "-m", "not dev_server"]),
    "flask": ("flask==3.1.3", ["tests", "-q"]),
    "webob": ("webob==1.8.11", ["tests", "-q"]),
    "pyramid": ("pyramid==2.1", ["tests", "-q"]),
    "bottle": ("bottle==0.13.4", ["test", "-q"]),
    "django": (
        "django==5.2.19",
        "requests_tests handlers middleware csrf_tests sessions_tests file_uploads file_storage wsgi servers test_client "
        "test_client_regress view_tests urlpatterns_reverse urlpatterns i18n.patterns messages_tests staticfiles_tests "
        "conditional_processing decorators middleware_exceptions sites_tests syndication_tests sitemaps_tests "
        "redirects_tests flatpages_tests generic_views httpwrappers responses context_processors signed_cookies_tests "
        "resolve_url shortcuts "
        "--parallel=1 -v 1".split(),
    ),
}
REQUIREMENTS = """
    greenlet pytest<9 asgiref python-dotenv blinker click itsdangerous jinja2 markupsafe cryptography ephemeral-port-reserve
    pytest-timeout watchdog cffi webtest zope.component zope.interface zope.deprecation venusian translationstring
    hupper plaster plaster-pastedeploy mako sqlparse legacy-cgi Pillow tzdata docutils PyYAML tblib argon2-cffi bcrypt
    setuptools
""".split()


def setup(cache, suites):
    """The virtual environment and the sources."""
    venv = cache / "venv"
    python = venv / "bin" / "python3"
    wanted = [SUITES[suite][0] for suite in SUITES]
    stamp = cache / "installed"
    if not stamp.exists() or stamp.read_text() != repr((REQUIREMENTS, wanted)):
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([os.environ.get("SUITE_PYTHON", "python3.11"), "-m", "venv", venv], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *REQUIREMENTS, *wanted], check=True)
        stamp.write_text(repr((REQUIREMENTS, wanted)))
    for suite in suites:
        name = SUITES[suite][0]
        folder = cache / "sources" / name
        if not folder.exists():
            download = cache / "downloads" / name
            command = [python, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", name.split("==")[0]]
            subprocess.run([*command, "-d", download, name], check=True)
            (archive,) = download.glob("*.tar.gz")
            partial = cache / "sources" / (name + ".partial")
            with tarfile.open(archive) as tar:
                tar.extractall(partial, filter="data")
            (inside,) = partial.iterdir()
            inside.rename(folder)
            # The installed package is tested: a copy of its source beside the tests would hide it.
            shutil.rmtree(folder / "src", ignore_errors=True)
            partial.rmdir()
    return venv


def run(cache, venv, bootstrap, suite, kind, arguments, timeout):
    """One run; gives its report."""
    name, default = SUITES[suite]
    source = cache / "sources" / name
    folder = cache / "runs" / f"{suite}-{kind}"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder)  # some tests write beside themselves
    if suite in ("django",):
        shutil.rmtree(folder / "django", ignore_errors=True)
        directory = folder / "tests"
    elif suite == "bottle":
        (folder / "bottle.py").unlink()
        directory = folder
    else:
        directory = folder
    report = cache / "runs" / f"{suite}-{kind}.json"
    report.unlink(missing_ok=True)
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "WSGI_", "LAMBDA_"))}
    environ |= {
        "SUITE": suite,
        "SUITE_KIND": kind,
        "SUITE_DIR": str(directory),
        "SUITE_REPORT": str(report),
        "SUITE_ARGS": json.dumps(arguments or default),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PATH": f"{venv / 'bin'}:{os.environ['PATH']}",
        "HOME": str(folder),
        "VIRTUAL_ENV": str(venv),
    }
    command, descriptors = [venv / "bin" / "python3", HERE / "suite_handler.py"], ()
    if kind != "direct":
        listener = socket.create_server(("127.0.0.1", 0))
        descriptors = (listener.fileno(),)
        environ |= {
            "SUITE_SOCKET": str(listener.fileno()),
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{listener.getsockname()[1]}",
            "_HANDLER": "suite_handler:application",
            "LAMBDA_TASK_ROOT": str(HERE),
            "WSGI_LAMBDA_VENV": str(venv),
        }
        command = [bootstrap]
    with open(cache / "runs" / f"{suite}-{kind}.log", "wb") as log:
        try:
            subprocess.run(
                command, cwd=directory, env=environ, pass_fds=descriptors, timeout=timeout,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            print(f"{suite} {kind}: not finished after {timeout} s: {log.name}")
    shutil.rmtree(folder, ignore_errors=True)
    if not report.exists():
        return {"results": {}, "counts": {"events": 0, "direct": {}}, "notes": {}, "dead": log.name}
    return json.loads(report.read_text().replace(str(folder), "."))


def excluded(suite, kind, test):
    for suites, kinds, pattern, reason in EXCLUSIONS:
        if suite in suites.split() and (kinds == "*" or kind in kinds.split()) and fnmatch.fnmatchcase(test, pattern):
            return reason
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", choices=[*SUITES, "all"])
    parser.add_argument("kind", nargs="*", help=f"of {', '.join(KINDS)}; all by default")
    parser.add_argument("--bootstrap", type=Path, default=ROOT / "target" / "release" / "bootstrap")
    parser.add_argument("--cache", type=Path, default=ROOT / ".cache" / "suites")
    parser.add_argument("--args", type=shlex.split, help="arguments for pytest or runtests.py, instead of ours")
    parser.add_argument("--timeout", type=int, default=1800)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_intermixed_args()
    if wrong := set(options.kind) - set(KINDS):
        parser.error(f"no such kind: {', '.join(sorted(wrong))}")
    suites = list(SUITES) if options.suite == "all" else [options.suite]
    kinds = options.kind or list(KINDS)
    cache = options.cache.resolve()
    (cache / "runs").mkdir(parents=True, exist_ok=True)
    venv = setup(cache, suites)
    bootstrap = cache / "runs" / "bootstrap"
    bootstrap.unlink(missing_ok=True)
    shutil.copy(options.bootstrap, bootstrap)  # it may be rebuilt meanwhile
    with ThreadPoolExecutor(options.jobs) as pool:
        futures = {
            (suite, kind): pool.submit(run, cache, venv, bootstrap, suite, kind, options.args, options.timeout)
            for suite in suites
            for kind in ("direct", *kinds)
        }
    reports = {key: future.result() for key, future in futures.items()}
    failed = False
    for suite in suites:
        baseline = {test for test, (outcome, _) in reports[suite, "direct"]["results"].items() if outcome == "passed"}
        if not baseline:
            failed = True
        others = sum(outcome == "failed" for outcome, _ in reports[suite, "direct"]["results"].values())
        print(f"\n{suite}: {len(baseline)} tests pass without us, {others} fail without us")
        for kind in kinds:
            report = reports[suite, kind]
            if "dead" in report:
                print(f"  {kind}: no report: {report['dead']}")
                failed = True
                continue
            lost = [test for test in sorted(baseline) if report["results"].get(test, ("missing",))[0] != "passed"]
            reasons = {test: excluded(suite, kind, test) for test in lost}
            real = [test for test in lost if reasons[test] is None]
            direct = sum(report["counts"]["direct"].values())
            print(
                f"  {kind}: {len(real)} fail through us, {len(lost) - len(real)} excluded with a reason; "
                f"{report['counts']['events']} requests sent, {direct} called directly"
            )
            for test in real:
                failed = True
                outcome, text = report["results"].get(test, ("missing", ""))
                last = text.strip().splitlines()[-1:] or [""]
                print(f"    {outcome} {test}: {last[0][:200]}")
    sys.exit(failed)


if __name__ == "__main__":
    main()

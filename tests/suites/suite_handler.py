"""The handler module inside `bootstrap`, and the program of the baseline: runs one suite's tests."""

import json
import os
import sys
import traceback
import unittest

import suite_carrier
import suite_patches

SUITE = os.environ["SUITE"]
results = {}


class Recorder:
    """A pytest plugin: outcome by test."""

    def pytest_runtest_logstart(self, nodeid):
        suite_carrier.current_test[0] = nodeid

    def pytest_runtest_logreport(self, report):
        old, _ = results.get(report.nodeid, ("", ""))
        if report.failed:
            results[report.nodeid] = ("failed", f"{report.when}: {report.longreprtext}"[-6000:])
        elif report.skipped and old != "failed":
            results[report.nodeid] = ("skipped", "")
        elif report.when == "call" and old != "failed":
            results[report.nodeid] = ("passed", "")

    def pytest_collectreport(self, report):
        if report.failed:
            results["collect " + report.nodeid] = ("failed", report.longreprtext[-6000:])


def record_unittest():
    base = unittest.TestResult

    def note(method, outcome):
        original = getattr(base, method)

        def wrapper(self, test, *args):
            name = test.id()
            if method == "startTest":
                suite_carrier.current_test[0] = name
            elif results.get(name, ("",))[0] != "failed":
                error = args[0] if outcome == "failed" and args else None
                text = "".join(traceback.format_exception(*error))[-6000:] if isinstance(error, tuple) else ""
                results[name] = (outcome, text)
            return original(self, test, *args)

        setattr(base, method, wrapper)

    for method, outcome in [
        ("startTest", ""), ("addSuccess", "passed"), ("addError", "failed"), ("addFailure", "failed"),
        ("addSkip", "skipped"), ("addExpectedFailure", "passed"), ("addUnexpectedSuccess", "failed"),
    ]:  # fmt: skip
        note(method, outcome)
    original_sub = base.addSubTest

    def add_sub(self, test, subtest, error):
        if error is not None:
            results[test.id()] = ("failed", "".join(traceback.format_exception(*error))[-6000:])
        return original_sub(self, test, subtest, error)

    base.addSubTest = add_sub


def run():
    arguments = json.loads(os.environ["SUITE_ARGS"])
    os.chdir(os.environ["SUITE_DIR"])
    try:
        suite_patches.apply(SUITE)
        if SUITE == "django":
            import runpy

            record_unittest()
            sys.argv = ["runtests.py", *arguments]
            sys.path.insert(0, os.getcwd())
            try:
                runpy.run_path("runtests.py", run_name="__main__")
            except SystemExit:
                pass
        else:
            import pytest

            sys.path.insert(0, os.getcwd())
            pytest.main([*arguments, "-p", "no:cacheprovider"], plugins=[Recorder()])
    except BaseException:
        traceback.print_exc()
    finally:
        suite_carrier.report(os.environ["SUITE_REPORT"], results)
        os._exit(0)


if suite_carrier.KIND != "direct":
    suite_carrier.carrier.start(run)
application = suite_carrier.carrier.application

if __name__ == "__main__":
    run()

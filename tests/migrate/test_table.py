"""docs/migrate.md has a row for each setting of Zappa and serverless-wsgi: of those that their sources read.

settings.json is what was found. `UPDATE=1` writes it again; tests/documents.rs reads it, so that `make test` sees a row that is
missing without installing anything."""

import importlib.metadata
import json
import os
import re
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
PLUGIN = Path(sys.prefix) / "package"


def zappas():
    """What zappa/cli.py and zappa/core.py read of a stage, and what the README lists."""
    package = importlib.metadata.distribution("zappa")
    source = "".join(package.locate_file(f"zappa/{name}.py").read_text() for name in ("cli", "core"))
    found = re.findall(r'stage_config\.get\(\s*"(\w+)"', source)
    found += re.findall(r'stage_config\["(\w+)"\]', source)
    found += re.findall(r'"(\w+)" in self\.stage_config\b(?!\.)', source)
    [custom] = re.findall(r"^CUSTOM_SETTINGS = \[(.*?)\]", source, re.DOTALL | re.MULTILINE)
    found += re.findall(r'"(\w+)"', custom)
    readme = package.metadata.get_payload()
    [advanced] = re.findall(r"^## Advanced Settings\n.*?```javascript\n(.*?)```", readme, re.DOTALL | re.MULTILINE)
    found += re.findall(r'^        "(\w+)"\s*:', advanced, re.MULTILINE)
    # Of an event: what the template has to say of it.
    for method in "schedule_events", "get_scheduled_event_name":
        [body] = re.findall(rf"\n    def {method}\(.*?(?=\n    def |\n    @)", source, re.DOTALL)
        found += [f"events.{name}" for name in re.findall(r'\bevent(?:\.get\(|\[)"(\w+)"', body)]
    return sorted(set(found))


def serverless_wsgis():
    """The plugin's settings, its commands, and the variables that its handler reads."""
    plugin = (PLUGIN / "index.js").read_text()
    found = {f"custom.wsgi.{name}" for name in re.findall(r"custom\.wsgi\.(\w+)", plugin)}
    found |= {f"sls wsgi {name}" for name in re.findall(r'"wsgi:(\w+):\1"', plugin)}
    handler = (PLUGIN / "serverless_wsgi.py").read_text() + (PLUGIN / "wsgi_handler.py").read_text()
    return sorted(found | set(re.findall(r'environ\.get\("(\w+)"', handler)))


class Table(unittest.TestCase):
    maxDiff = None

    def test_the_list_is_that_of_the_sources(self):
        file = HERE / "settings.json"
        listed = json.loads(file.read_text()) if file.exists() else {}
        found = {"Zappa": zappas(), "serverless-wsgi": listed.get("serverless-wsgi")}
        self.assertGreater(len(found["Zappa"]), 100)
        if PLUGIN.is_dir():
            found["serverless-wsgi"] = serverless_wsgis()
            self.assertGreater(len(found["serverless-wsgi"]), 10)
        if os.environ.get("UPDATE"):
            file.write_text(json.dumps(found, indent=4) + "\n")
        else:
            self.assertEqual(listed, found, "UPDATE=1 writes settings.json again; then docs/migrate.md needs the rows")


if __name__ == "__main__":
    unittest.main(verbosity=2)

"""Makes the paths in sysconfig follow the prefix. Run by the new interpreter; argv[1]: the folder of build libraries.

CPython writes the paths it was configured with into `_sysconfigdata_*.py`. Who asks sysconfig where libpython lies
(pyo3 does, to link against it) would be sent to /opt. The build's own folders, which are gone, are removed.
"""

import pprint
import re
import sys
import sysconfig
from pathlib import Path

PREFIX = "/opt"
MOVE = """
# Written for {prefix}, but the prefix is wherever this file lies.
import re as _re
from os.path import abspath as _abspath, dirname as _dirname

_prefix = _dirname(_dirname(_dirname(_abspath(__file__))))
if _prefix != "{prefix}":
    # As a whole word, or after -L or -I: `/opt` in `/usr/opt` or `/option` is something else.
    build_time_vars = {{
        _key: _re.sub(r"(?<![\\w./-]){prefix}(?![\\w.-])|(?<=-[LI]){prefix}(?![\\w.-])", lambda _: _prefix, _value)
        if isinstance(_value, str) else _value
        for _key, _value in build_time_vars.items()
    }}
"""


def without_build_folders(value: object, folders: list[str]) -> object:
    if not isinstance(value, str):
        return value
    for folder in folders:
        value = re.sub(rf"(-[LI])?{re.escape(folder)}[^\s'\"]*", "", value)
    return re.sub(r"''|  +", " ", value).strip() if value else value


def main() -> None:
    libs = sys.argv[1]
    name = sysconfig._get_sysconfigdata_name()
    path = Path(sysconfig.get_path("stdlib")) / f"{name}.py"
    variables: dict[str, object] = {}
    exec(path.read_text(), variables)
    values = variables["build_time_vars"]
    cleaned = {key: without_build_folders(value, [libs, "/build/cpython"]) for key, value in values.items()}
    head = "# Written by CPython's build, cleaned by layer/python/finish.py.\nbuild_time_vars = "
    path.write_text(head + pprint.pformat(cleaned) + "\n" + MOVE.format(prefix=PREFIX))


main()

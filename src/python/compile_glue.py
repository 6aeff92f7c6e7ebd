"""Makes the files that the runtime is built with. build.rs runs it: compile_glue.py SOURCES FOLDER.

For each file of the glue it writes the bytecode, as `marshal` does, and in `expression_table.bin` the compiled regular
expressions of the standard library. Each file begins with the magic number of this Python's bytecode.
"""

import importlib
import importlib.util
import marshal
import pathlib
import re
import sys
import warnings

# Modules that servers import, directly or through others, and that compile patterns while they are imported.
MODULES = """
    argparse ast asyncio base64 calendar configparser csv dataclasses datetime decimal difflib email.charset
    email.encoders email.feedparser email.generator email.header email.headerregistry email.message
    email.mime.multipart email.mime.text email.parser email.policy email.utils fractions functools gettext html
    html.entities html.parser http.client http.cookiejar http.cookies http.server importlib.metadata
    importlib.resources inspect json locale logging logging.config mimetypes netrc optparse pathlib pickle pkgutil
    platform plistlib pprint queue shlex smtplib ssl statistics string sysconfig tempfile textwrap tokenize traceback
    typing unittest urllib.parse urllib.request urllib.robotparser uuid warnings wsgiref.headers wsgiref.util
    xml.etree.ElementTree zipfile zoneinfo
"""


def compile_glue(sources, folder):
    for path in sorted(pathlib.Path(sources).rglob("*.py")):
        code = compile(path.read_bytes(), f"wsgi_lambda/{path.relative_to(sources)}", "exec", dont_inherit=True)
        write(folder, path.stem, marshal.dumps(code))


def write(folder, name, data):
    pathlib.Path(folder, f"{name}.bin").write_bytes(importlib.util.MAGIC_NUMBER + data)


class Recorder:
    """Takes the place of the module `_sre` in `re`, and keeps the arguments of the last call of `_sre.compile`."""

    def __init__(self, sre):
        self.sre = sre

    def __getattr__(self, name):
        return getattr(self.sre, name)

    def compile(self, pattern, *arguments):
        self.arguments = arguments
        return self.sre.compile(pattern, *arguments)


def compile_patterns():
    """Imports the modules and returns the patterns that they compiled: a dict of the marshalled arguments of
    `_sre.compile` by key.

    `re` parses and translates these patterns, in Python, at every start: a tenth of a framework's import.
    """
    compiler, patterns = re._compiler, {}
    compile_pattern = compiler.compile
    recorder = compiler._sre = Recorder(compiler._sre)

    def record(pattern, flags=0):
        compiled = compile_pattern(pattern, flags)
        # Patterns that depend on the locale, or that print, are left to `re`.
        if isinstance(pattern, (str, bytes)) and not compiled.flags & (re.LOCALE | re.DEBUG):
            flags_used, code, groups, group_index, index_group = recorder.arguments
            plain = (int(flags_used), [int(unit) for unit in code], groups, dict(group_index), tuple(index_group))
            patterns[key(pattern, int(flags))] = marshal.dumps(plain)
        return compiled

    compiler.compile = record
    warnings.simplefilter("error")  # patterns that raise a warning are left to `re` as well
    for name in MODULES.split():
        try:
            importlib.import_module(name)
        except (ImportError, Warning):  # not in every Python, or deprecated in this one
            pass
    return patterns


def key(pattern, flags):
    """Returns the key of a pattern in the table: the same bytes as `key` in `expressions.rs`."""
    kind, text = (b"s", pattern.encode("utf-8", "surrogatepass")) if isinstance(pattern, str) else (b"b", pattern)
    return kind + flags.to_bytes(4, "little") + text


def table(entries):
    """Returns the entries as a table, sorted by key: the number of entries; for each entry the ends of its key and of
    its value, counted from the first key; then each key with its value after it. Numbers are 32-bit, little-endian."""
    ends, data = [], b""
    for name in sorted(entries):
        for part in (name, entries[name]):
            data += part
            ends.append(len(data))
    return b"".join(number.to_bytes(4, "little") for number in (len(entries), *ends)) + data


compile_glue(sys.argv[1], sys.argv[2])
write(sys.argv[2], "expression_table", table(compile_patterns()))

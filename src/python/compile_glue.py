"""Run by build.rs: compile_glue.py SOURCES FOLDER. Writes what the runtime is built with: for each file of the glue its
code as `marshal` writes it, and in `expression_table.bin` the compiled regular expressions of the standard library. Each file
begins with the magic number of this Python's bytecode.
"""

import importlib
import importlib.util
import marshal
import pathlib
import re
import sys
import warnings

# Modules that servers import, straight or through others, and that make patterns while they are imported.
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


def compile_patterns():
    """Imports the modules and returns what `re` made: {key: the marshalled arguments of `_sre.compile`}.

    In Python, `re` parses and translates a pattern at every start, which is a tenth of a framework's import.
    """
    compiler, patterns = re._compiler, {}
    compile_pattern, sre = compiler.compile, compiler._sre

    class Recorder:
        """Stands in for the module `_sre` and notes how it is called."""

        def __getattr__(self, name):
            return getattr(sre, name)

        def compile(self, pattern, *arguments):
            self.arguments = arguments
            return sre.compile(pattern, *arguments)

    def note(pattern, flags=0):
        compiled = compile_pattern(pattern, flags)
        # What depends on the locale, or is worth a warning, is compiled each time.
        if isinstance(pattern, (str, bytes)) and not compiled.flags & (re.LOCALE | re.DEBUG):
            flags_used, code, groups, group_index, index_group = recorder.arguments
            plain = (int(flags_used), [int(unit) for unit in code], groups, dict(group_index), tuple(index_group))
            patterns[key(pattern, int(flags))] = marshal.dumps(plain)
        return compiled

    recorder = compiler._sre = Recorder()
    compiler.compile = note
    warnings.simplefilter("error")
    for name in MODULES.split():
        try:
            importlib.import_module(name)
        except (ImportError, Warning):  # not in every Python, or deprecated in this one
            pass
    return patterns


def key(pattern, flags):
    """What tells one pattern from another, as `expressions.rs` makes it too."""
    kind, text = (b"s", pattern.encode("utf-8", "surrogatepass")) if isinstance(pattern, str) else (b"b", pattern)
    return kind + flags.to_bytes(4, "little") + text


def table(entries):
    """Entries sorted by their keys: how many, for each where key and value end, then all of them, one after the other.
    Numbers have four bytes, the lowest first."""
    ends, data = [], b""
    for name in sorted(entries):
        for part in (name, entries[name]):
            data += part
            ends.append(len(data))
    return b"".join(number.to_bytes(4, "little") for number in (len(entries), *ends)) + data


compile_glue(sys.argv[1], sys.argv[2])
write(sys.argv[2], "expression_table", table(compile_patterns()))

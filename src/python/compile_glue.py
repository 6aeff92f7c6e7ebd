"""Run by build.rs: writes to standard output what `glue.rs` reads: the magic number of this Python's byte code, and as
`marshal` writes them the compiled glue and the compiled regular expressions of the standard library.
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


# Files that few starts need: bytes among the code objects, so that nobody else makes code objects of them.
HELD_BACK = ("profile", "profile_use")


def compile_glue(folder):
    """Gives code objects by the names of their files."""
    codes = {}
    for path in sorted(pathlib.Path(folder).glob("*.py")):
        code = compile(path.read_bytes(), f"wsgi_lambda/{path.name}", "exec", dont_inherit=True)
        codes[path.stem] = marshal.dumps(code) if path.stem in HELD_BACK else code
    return codes


def compile_patterns():
    """Imports the modules and gives what `re` made: {(pattern, flags): the marshalled arguments of `_sre.compile`}.

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
        # What depends on the locale, or is worth a warning, is made anew each time.
        if isinstance(pattern, (str, bytes)) and not compiled.flags & (re.LOCALE | re.DEBUG):
            flags_used, code, groups, group_index, index_group = recorder.arguments
            plain = (int(flags_used), [int(unit) for unit in code], groups, dict(group_index), tuple(index_group))
            patterns[pattern, int(flags)] = marshal.dumps(plain)
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


patterns = compile_patterns()
sys.stdout.buffer.write(importlib.util.MAGIC_NUMBER + marshal.dumps((compile_glue(sys.argv[1]), marshal.dumps(patterns))))

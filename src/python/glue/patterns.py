"""Regular expressions of the standard library, compiled when the runtime was built (`compile_glue.py`)."""

import _wsgi_lambda_state as state
from _wsgi_lambda_imports import after_import


def prepare_patterns():
    """Makes `re` look among them first. They were made by this very version of `re`: the byte code's magic number was
    compared. A pattern that is not there is compiled as ever."""
    if state.find_pattern is not None:
        after_import("re", _prepare)


def _prepare(re):
    compiler = re._compiler
    find, compile_pattern, make = state.find_pattern, compiler.compile, compiler._sre.compile

    def compile(pattern, flags=0):
        arguments = find(pattern, flags)
        if arguments is None:
            return compile_pattern(pattern, flags)
        return make(pattern, *arguments)

    compiler.compile = compile

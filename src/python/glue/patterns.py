"""Regular expressions of the standard library, compiled when the runtime was built (`compile_glue.py`)."""

import marshal

import _wsgi_lambda_state as state
from _wsgi_lambda_imports import after_import


def prepare_patterns():
    """Makes `re` look among them first. They were made by this very version of `re`: the byte code's magic number was
    compared. A pattern that is not there is compiled as ever."""
    if state.patterns:
        after_import("re", _prepare)


def _prepare(re):
    compiler = re._compiler
    ready, compile_pattern, make = marshal.loads(state.patterns), compiler.compile, compiler._sre.compile

    def compile(pattern, flags=0):
        try:
            arguments = ready.pop((pattern, flags), None)
        except TypeError:  # a pattern that cannot be hashed: for the compiler to complain about
            arguments = None
        if arguments is None:
            return compile_pattern(pattern, flags)
        return make(pattern, *marshal.loads(arguments))

    compiler.compile = compile

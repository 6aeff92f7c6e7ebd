"""Makes `re` use the standard library's regular expressions that were compiled when the runtime was built
(`compile_glue.py`, `expressions.rs`)."""

import re

import _wsgi_lambda_state as state

_compile = re._compiler.compile


def use():
    """Makes `re` look up each pattern in the compiled ones before it compiles the pattern. They are made by the same
    version of `re`: `find_pattern` compares the magic number of the bytecode."""
    find, make = state.find_pattern, re._compiler._sre.compile
    if find is None:
        return

    def compile(pattern, flags=0):
        arguments = find(pattern, flags)
        if arguments is None:
            return _compile(pattern, flags)
        return make(pattern, *arguments)

    re._compiler.compile = compile


def leave():
    """Makes `re` compile every pattern itself again."""
    re._compiler.compile = _compile


use()

"""Regular expressions of the standard library, compiled when the runtime was built (`compile_glue.py`)."""

import re

import _wsgi_lambda_state as state

_compile = re._compiler.compile


def use():
    """Makes `re` look among them first. They were made by this very version of `re`: the bytecode's magic number was
    compared. `re` compiles a pattern that is not among them."""
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
    """Makes `re` compile everything itself again."""
    re._compiler.compile = _compile


use()

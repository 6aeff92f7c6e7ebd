"""Calls the application that the path names, `/module/function`; `validated` does the same under `wsgiref.validate`."""

from wsgiref.validate import validator

import calling
import common
import environment
import errors
import failing
import files
import http_features
import inputs
import iterating
import lengths
import lifetime
import starting
import writing

_modules = {
    module.__name__: module
    for module in (
        calling,
        common,
        environment,
        errors,
        failing,
        files,
        http_features,
        inputs,
        iterating,
        lengths,
        lifetime,
        starting,
        writing,
    )
}


def application(environ, start_response):
    _, module, name = environ["PATH_INFO"].split("/")
    return getattr(_modules[module], name)(environ, start_response)


validated = validator(application)

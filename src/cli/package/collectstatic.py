"""Runs Django's `collectstatic` in a package that is being made, with the settings and the packages in it.

Arguments: the package's folder; `first` or `last`, its place among the folders that modules come from; a file, which gets the
path of STATIC_ROOT in the package. What is wrong with the project is said in a line. A command that fails has a traceback.
"""

import contextlib
import importlib
import io
import os
import runpy
import sys

HELP = 'STATIC_ROOT = BASE_DIR / "staticfiles", with a BASE_DIR that comes from __file__, is in the package'


def configure(package):
    """The settings are those of manage.py, which may do more than name them, or of DJANGO_SETTINGS_MODULE."""
    try:
        import django
    except ModuleNotFoundError as error:
        if error.name != "django":
            raise
        sys.exit("Django is not in the package: add it to the requirements")
    manage = os.path.join(package, "manage.py")
    if os.path.isfile(manage):
        sys.argv = [manage, "version"]
        with contextlib.redirect_stdout(io.StringIO()):
            runpy.run_path(manage, run_name="__main__")
    if not os.environ.get("DJANGO_SETTINGS_MODULE"):
        sys.exit("no settings: APP_DIR has no manage.py that names them, and DJANGO_SETTINGS_MODULE is not set")
    django.setup()


def static_root(package):
    """The folder that collectstatic writes, relative to the package. It is emptied, so nothing else may be in it."""
    from django.apps import apps
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    if not apps.is_installed("django.contrib.staticfiles"):
        sys.exit("INSTALLED_APPS has no django.contrib.staticfiles, which collects")
    from django.contrib.staticfiles.storage import staticfiles_storage

    try:
        root = os.path.realpath(staticfiles_storage.path(""))
    except NotImplementedError:
        name = staticfiles_storage.__class__.__name__
        sys.exit(f"the storage for static files, {name}, is no folder: run `manage.py collectstatic` when you deploy")
    except ImproperlyConfigured:
        if settings.STATIC_ROOT:
            raise
        sys.exit(f"STATIC_ROOT is not set: {HELP}")
    package = os.path.realpath(package)
    if os.path.commonpath([root, package]) != package:
        sys.exit(f"STATIC_ROOT is {root}, outside of the package: {HELP}")
    code = os.path.realpath(importlib.import_module(settings.SETTINGS_MODULE).__file__)
    if root == package or os.path.commonpath([root, code]) == root:
        sys.exit(f"STATIC_ROOT is a folder with code: {HELP}")
    return os.path.relpath(root, package)


def main(package, place, report):
    sys.path.insert(0 if place == "first" else len(sys.path), package)
    configure(package)
    root = static_root(package)
    from django.core.management import call_command

    # Files of an earlier run may have come with the application, newer than those that would replace them.
    call_command("collectstatic", interactive=False, clear=True)
    with open(report, "w", encoding="utf-8") as file:
        file.write(root)


main(*sys.argv[1:])

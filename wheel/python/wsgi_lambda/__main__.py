"""Runs the program that the wheel has put into the environment's folder for scripts."""

import os
import sys
import sysconfig


def find_program():
    schemes = [sysconfig.get_default_scheme(), sysconfig.get_preferred_scheme("user")]
    folders = [sysconfig.get_path("scripts", scheme) for scheme in schemes]
    # `pip install --target FOLDER` makes FOLDER/bin.
    folders.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "bin"))
    for folder in folders:
        program = os.path.join(folder, "wsgi-lambda")
        if os.path.isfile(program):
            return program
    sys.exit(f"error: no wsgi-lambda in {' or '.join(folders)}: pip install --force-reinstall wsgi-lambda")


if __name__ == "__main__":
    program = find_program()
    os.execv(program, [program, *sys.argv[1:]])

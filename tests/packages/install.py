"""install.py FOLDER: installs what packages.txt names into a folder, each by itself and without what it depends on, which
the list has too. What has no wheel for this Python is named and left out. A second run installs what is missing."""

import pathlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

LIST = pathlib.Path(__file__).with_name("packages.txt")


def install(requirement, folder):
    done = folder / ".installed" / requirement
    if not done.exists():
        options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "--no-compile"]
        command = [sys.executable, "-m", "pip", "install", *options, "--target", folder / requirement, requirement]
        if subprocess.run(command, capture_output=True).returncode:
            print(f"SKIPPED: {requirement} has no wheel for this Python", flush=True)
            return
        done.touch()


def main(folder):
    folder = pathlib.Path(folder)
    (folder / ".installed").mkdir(parents=True, exist_ok=True)
    lines = [line for line in LIST.read_text().splitlines() if line and not line.startswith("#")]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda line: install(line.split()[0], folder), lines))


main(sys.argv[1])

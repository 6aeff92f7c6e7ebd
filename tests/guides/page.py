"""The blocks of a guide, in their order: files, commands, and what the commands show.

- A fenced block whose first line is a comment with a path is that file; with `, at the end` it is added to the file.
- An indented block is commands for the shell.
- Any other fenced block, which has to be `text`, is what the commands before it show. `…` stands for anything.
"""

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass
class File:
    path: str
    text: str
    added: bool
    line: int


@dataclass
class Commands:
    text: str
    line: int

    def each(self):
        """The commands one by one. A backslash at a line's end joins it with the next."""
        joined = re.sub(r"\\\n\s*", "", self.text)
        return [line for line in joined.splitlines() if line.strip()]


@dataclass
class Shown:
    text: str
    line: int


def matches(shown, output):
    """Whether the output has these lines, one after the other. `…` stands for anything in a line, a line of it for any lines,
    and spaces in a row for any number of them: columns are as wide as what is in them."""
    output = "\n".join(line.rstrip() for line in output.splitlines())
    lines = "\n".join(_pattern(line) for line in shown.splitlines())
    return re.search(f"^{lines}$", output, re.MULTILINE) is not None


def _pattern(line):
    if line == "…":
        return r"(?:.*\n)*?.*"
    words = (re.escape(word) for word in re.split(r"(…|  +)", line.rstrip()))
    return "".join(".*" if word == "…" else r" +" if word.startswith(r"\ \ ") else word for word in words)


NAMED = re.compile(r"# (?P<path>[\w./-]+\.\w+|[\w./-]*Makefile)(?P<added>, at the end)?")


def blocks(page: Path):
    lines = page.read_text("utf-8").splitlines()
    found, at = [], 0
    while at < len(lines):
        if lines[at].startswith("```"):
            end = lines.index("```", at + 1)
            found.append(_fenced(lines[at][3:], lines[at + 1 : end], at + 1))
            at = end + 1
        elif lines[at].startswith("    ") and (at == 0 or not lines[at - 1].strip()):
            end = at
            while end < len(lines) and lines[end].startswith("    "):
                end += 1
            found.append(Commands("\n".join(line[4:] for line in lines[at:end]), at + 1))
            at = end
        else:
            at += 1
    return found


def _fenced(language, lines, line):
    if named := NAMED.fullmatch(lines[0]):
        keeps = 0 if language in ("yaml", "python") else 1  # a comment there too, but not worth a look in each
        return File(named["path"], "\n".join(lines[keeps:]) + "\n", named["added"] is not None, line)
    if language != "text":
        raise SystemExit(f"line {line}: a block of {language} without the name of a file")
    return Shown("\n".join(lines), line)

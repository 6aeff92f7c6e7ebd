"""Checks terraform/ as far as that goes without its provider: it parses, what it names exists and is used, every variable
is described and validated, and modules get the arguments they take. `terraform validate` says more, with the provider."""

import json
import pathlib
import re
import sys

import hcl2

FREE = {"bool", "${map(string)}"}  # types of which every value makes sense


def blocks(tree, kind):
    """[(label, …, body)] of every `kind "label" … { body }`."""
    found = []
    for block in tree.get(kind, []):
        labels = []
        while len(block) == 1 and next(iter(block)).startswith('"'):
            ((label, block),) = block.items()
            labels.append(label.strip('"'))
        found.append((*labels, block))
    return found


def read(folder):
    tree = {}
    for file in sorted(folder.glob("*.tf")):
        try:
            parsed = hcl2.loads(file.read_text())
        except Exception as error:  # the parser's, of many classes
            sys.exit(f"{file}: {error}")
        for kind, found in parsed.items():
            tree.setdefault(kind, []).extend(found)
    return tree


def references(tree, pattern):
    return set(re.findall(pattern, json.dumps(tree)))


def check(folder, complain):
    tree = read(folder)
    variables = dict(blocks(tree, "variable"))
    names = {
        r"\bvar\.(\w+)": set(variables),
        r"\blocal\.(\w+)": {name for (body,) in blocks(tree, "locals") for name in body if not name.startswith("__")},
        r"\bdata\.(aws_\w+\.\w+)": {f"{kind}.{name}" for kind, name, _ in blocks(tree, "data")},
        r"(?<!data\.)\b(aws_\w+\.\w+)": {f"{kind}.{name}" for kind, name, _ in blocks(tree, "resource")},
        r"\bmodule\.(\w+)\.\w+": {name for name, _ in blocks(tree, "module")},
    }
    for pattern, declared in names.items():
        used = references(tree, pattern)
        for name in sorted(used - declared):
            complain(f"{folder}: {name} is used and not declared")
        for name in sorted(declared - used) if "(?<!" not in pattern else []:
            complain(f"{folder}: {name} is declared and not used")
    for name, body in variables.items():
        if "description" not in body:
            complain(f"{folder}: variable {name} has no description")
        if "validation" not in body and body.get("type") not in FREE:
            complain(f"{folder}: variable {name} is not validated")
    for name, body in blocks(tree, "output"):
        if "description" not in body:
            complain(f"{folder}: output {name} has no description")
    for name, body in blocks(tree, "module"):
        check_call(folder, name, body, tree, complain)


def check_call(folder, name, body, tree, complain):
    source = read(folder / body["source"].strip('"'))
    taken = dict(blocks(source, "variable"))
    given = {key for key in body if not key.startswith("__")} - {"source", "version", "providers", "count", "for_each"}
    for key in sorted(given - set(taken)):
        complain(f"{folder}: module {name} takes no {key}")
    for key in sorted(key for key, variable in taken.items() if "default" not in variable and key not in given):
        complain(f"{folder}: module {name} needs {key}")
    outputs = {output for output, _ in blocks(source, "output")}
    for key in sorted(references(tree, rf"\bmodule\.{name}\.(\w+)") - outputs):
        complain(f"{folder}: module {name} has no output {key}")


def main(folders):
    complaints = []
    for folder in folders:
        check(pathlib.Path(folder), complaints.append)
    print("\n".join(complaints), end="\n" if complaints else "")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The page "Differences from PyTorch", docs/differences.md, from PyTorch's table, claimed.txt and known_differences.toml.

`python -m tests.conformance.run --write-page` writes it; a test holds the file to what these say.
"""

from collections import defaultdict
from fnmatch import fnmatchcase
from pathlib import Path

import torch

from tests.conformance.operations import table as torch_table
from tests.conformance.run import HERE, listed

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

PAGE = Path(__file__).parents[2] / "docs" / "differences.md"
OTHER = "Not written, or not compared, yet."

HEAD = """# Differences from PyTorch

Written by `python -m tests.conformance.run --write-page`; not by hand.

PyTorch's own table of test samples (`op_db`, {version}) lists {total} operations. fastgrad claims {claimed} of them: on their samples it
gives PyTorch's values, dtypes, strides, gradients, second gradients and errors, but for what is listed here. `python -m
tests.conformance.run --report` repeats the comparison.
"""


def all_claimed():
    """The names claimed for real dtypes, for complex ones, or for both."""
    return set(listed(HERE / "claimed.txt")) | set(listed(HERE / "complex.txt"))


def reasons():
    return tomllib.loads((HERE / "known_differences.toml").read_text())


def wrapped(names, width=132):
    """Names in code marks, in lines of text."""
    lines, line = [], ""
    for name in names:
        item = f"`{name}`, "
        if len(line) + len(item) > width:
            lines.append(line.rstrip())
            line = ""
        line += item
    return "\n".join([*lines, line.rstrip(", ")])


def missing():
    """{reason: names}: PyTorch's operations that are not claimed, in the order of known_differences.toml."""
    claimed = all_claimed()
    groups = {entry["reason"]: entry["ops"] for entry in reasons().get("missing", [])}
    found = {reason: [] for reason in (*groups, OTHER)}
    for name in sorted(set(torch_table()) - claimed):
        reason = next((r for r, patterns in groups.items() if any(fnmatchcase(name, p) for p in patterns)), OTHER)
        found[reason].append(name)
    return {reason: names for reason, names in found.items() if names}


def differing():
    """{reason: names}: claimed operations with samples that differ."""
    found = defaultdict(list)
    for entry in reasons().get("difference", []):
        if entry["op"] not in found[entry["reason"]]:
            found[entry["reason"]].append(entry["op"])
    return found


def text():
    names, claimed = set(torch_table()), all_claimed()
    parts = [HEAD.format(version=f"PyTorch {torch.__version__.partition('+')[0]}", total=len(names), claimed=len(claimed & names))]
    parts.append("## Samples that differ\n")
    for reason, ops in sorted(differing().items(), key=lambda item: (-len(item[1]), item[0])):
        parts.append(f"{reason}\n\n{wrapped(ops)}\n")
    parts.append("## Operations that are missing\n")
    for reason, ops in missing().items():
        parts.append(f"{reason} ({len(ops)})\n\n{wrapped(ops)}\n")
    parts.append("## Beside the table\n\nWhat its samples do not ask:\n")
    for entry in reasons()["beside"]:
        parts.append(f"{entry['reason']}\n\n{wrapped(entry['names'])}\n")
    return "\n".join(parts)

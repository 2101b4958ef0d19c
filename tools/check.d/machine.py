"""No file names a path or a host of the machine it was written on."""
import re
import socket

PLACES = "|".join(("work", "root", "home", "Users"))
PATH = re.compile(r"(?<![\w./~:-])/(?:" + PLACES + r")/[\w.-]+")


def problems(tree):
    host = socket.gethostname().split(".")[0]
    # A short or everyday host name ("debian") would match ordinary words.
    host_pattern = re.compile(r"\b" + re.escape(host) + r"\b") if re.search(r"\d", host) and len(host) > 6 else None
    for path in tree.files:
        if (tree.root / path).stat().st_size > 1_000_000 or path.startswith("tests/data/"):
            continue
        for number, line in enumerate(tree.text(path).split("\n"), 1):
            match = PATH.search(line) or (host_pattern and host_pattern.search(line))
            if match:
                yield tree.Problem(path, number, f"{match[0]} is a place on one machine")

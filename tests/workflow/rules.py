"""The rules as written, for tests of what must hold for each of them."""

import re

from tests.workflow.conftest import ROOT

FOLDER = ROOT / "workflow" / "rules"


def read_rules(*paths):
    """Source of every rule by its name, in the order of the files."""
    return {
        match["name"]: match["body"]
        for path in paths
        for match in re.finditer(
            r"^rule (?P<name>\w+):\n(?P<body>(?:    .*\n|\n(?=    ))+)",
            path.read_text(),
            re.MULTILINE,
        )
    }


def directives(body):
    """Source of every directive of a rule by its name."""
    return {
        match[1]: match[2] for match in re.finditer(r"^    (\w+):(.*(?:\n {8}.*)*)", body, re.M)
    }


def script(body):
    """Path of a rule's script."""
    return (FOLDER / directives(body)["script"].strip().strip('"')).resolve()


def parameters(body):
    """Names of a rule's parameters."""
    return set(re.findall(r"^ {8}(\w+)=", directives(body).get("params", ""), re.MULTILINE))


RULES = read_rules(*sorted(FOLDER.glob("*.smk")))
FIGURES = tuple(read_rules(FOLDER / "figures.smk"))

"""What no input may do: run code, name a command, leave the results folder; what is installed.

docs/safety.md says it in words.
"""

import ast
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from photoz import results_page, stages
from photoz.files import InputError, one_line, replace_when_done
from tests.fuzzing import HOSTILE_NAMES
from tests.workflow.rules import RULES, directives

ROOT = Path(__file__).parents[1]
SOURCES = sorted(
    path for folder in ("photoz", "scripts", "benchmarks") for path in (ROOT / folder).rglob("*.py")
)
RULE_FILES = [ROOT / "Snakefile", *sorted((ROOT / "workflow").rglob("*.smk"))]
RULE_FILES += [ROOT / "workflow" / "Snakefile"]

# --- no code from data ---------------------------------------------------------------------------

PICKLES = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
MAY_PICKLE = {"photoz/messages.py"}
MAY_LOAD_YAML = {"photoz/yaml_files.py"}
FORBIDDEN = {
    *("eval", "exec", "compile", "__import__"),
    *("os.system", "os.popen", "os.execv", "os.execvp", "os.spawnv", "os.spawnlp", "pty.spawn"),
    *("subprocess.getoutput", "subprocess.getstatusoutput"),
    *("torch.load", "torch.save", "torch.jit.load", "torch.hub.load", "torch.package"),
    *("pd.read_pickle", "pandas.read_pickle", "pd.read_hdf", "pandas.read_hdf", "pd.eval"),
    *("yaml.unsafe_load", "yaml.full_load", "yaml.load_all", "yaml.unsafe_load_all"),
    *("tempfile.mktemp", "shutil.unpack_archive"),
}
FORBIDDEN_METHODS = {"to_pickle", "read_pickle", "extractall"}
LOADERS = {"Loader", "UnsafeLoader", "FullLoader", "CLoader"}


def dotted(node):
    """`a.b.c` of an attribute, a name, or nothing."""
    if isinstance(node, ast.Attribute) and (base := dotted(node.value)):
        return f"{base}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def dangers(source, path="module.py"):
    """What a module does that would let data run code or name a command."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = [getattr(node, "module", None) or ""] + [item.name for item in node.names]
            found = {module.partition(".")[0] for module in modules} & PICKLES
            if found and path not in MAY_PICKLE:
                yield f"imports {', '.join(found)}"
        elif isinstance(node, ast.Call):
            yield from dangers_of_call(node, dotted(node.func), path)
        elif isinstance(node, ast.Attribute) and dotted(node) in {f"yaml.{n}" for n in LOADERS}:
            yield dotted(node)


def dangers_of_call(node, name, path):
    options = {item.arg: getattr(item.value, "value", ...) for item in node.keywords}
    if name in FORBIDDEN or name.rpartition(".")[2] in FORBIDDEN_METHODS:
        yield name
    if name in ("np.load", "numpy.load") and options.get("allow_pickle") is not False:
        yield f"{name} without allow_pickle=False"
    if options.get("allow_pickle", False) is not False:
        yield "allow_pickle"
    if options.get("shell", False) is not False:
        yield "shell=True"
    if name == "yaml.load" and path not in MAY_LOAD_YAML:
        yield name
    words = node.args and isinstance(node.args[0], ast.List)
    if name in ("subprocess.run", "subprocess.Popen", "subprocess.check_output") and not words:
        yield f"{name} of something else than a list of words"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_module_runs_code_that_data_bring(path):
    found = list(dangers(path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix()))
    assert not found, f"{path.relative_to(ROOT)}: {found}; see docs/safety.md"


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "import joblib.memory",
        "import torch\ntorch.load('weights.pt')",
        "import numpy as np\nnp.load('a.npz')",
        "import numpy as np\nnp.load('a.npz', allow_pickle=True)",
        "import numpy as np\nnp.load('a.npz', allow_pickle=trusted)",
        "import yaml\nyaml.load(text, Loader=yaml.Loader)",
        "import yaml\nyaml.load(text, Loader=yaml.SafeLoader)",
        "import pandas as pd\npd.read_pickle('a')",
        "frame.to_pickle('a')",
        "archive.extractall()",
        "eval(text)",
        "import os\nos.system(f'ls {name}')",
        "import subprocess\nsubprocess.run('ls', shell=True)",
        "import subprocess\nsubprocess.run(f'ls {name}')",
        "import subprocess\nsubprocess.run(command, shell=shell)",
    ],
)
def test_what_is_forbidden_is_found(source):
    assert list(dangers(source))


def test_pickled_messages_go_only_between_a_process_and_its_child():
    users = {
        path.relative_to(ROOT).as_posix()
        for path in SOURCES
        if "photoz.messages" in path.read_text(encoding="utf-8")
    }
    users -= {"photoz/messages.py"}
    assert users == {
        "photoz/simulations/stream.py",  # starts the child whose pipe it reads
        "photoz/sps/fsps/worker.py",  # the child
        "photoz/sps/fsps/workers.py",  # starts it
    }


# --- no command from names -----------------------------------------------------------------------


@pytest.mark.parametrize("path", RULE_FILES, ids=lambda path: path.name)
def test_rules_call_scripts_and_no_shell(path):
    source = path.read_text(encoding="utf-8")
    if path.name == "common.smk":
        assert source.count(CANCEL) == 1
        source = source.replace(CANCEL, "").replace("import subprocess\n", "")
    assert not re.search(r"^\s*(shell|run|wrapper|cwl|notebook)\s*:", source, re.M)
    assert not re.search(r"\bshell\(|\bos\.system|\bsubprocess\b|\beval\(|\bexec\(", source)


@pytest.mark.parametrize("name", RULES)
def test_every_rule_writes_below_the_results(name):
    """Names of the configuration fill the wildcards; its folder is `results_dir`/`name`."""
    parts = directives(RULES[name])
    written = " ".join(parts.get(key, "") for key in ("output", "log", "benchmark"))
    files = re.findall(r'"([^"\n]*[/.][^"\n]*)"', written)
    files = [file for file in files if not file.startswith("../report/")]
    allowed = ("<results>/", "<logs>/", "<benchmarks>/")
    outside = [file for file in files if not file.startswith(allowed)]
    assert outside == (["docs/<page>.md", "docs/images/<page>"] if name == "publish" else [])
    assert not any(".." in file for file in files)


COMMANDS = [name for name in HOSTILE_NAMES if "\0" not in name and name != "\ud800"]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_of_the_results_page_can_be_pasted(tmp_path, name):
    """A shell reads back every word and runs nothing else; the command is one line."""
    files, overrides = [name, f"{name}.yaml"], {"name": name, "figures": {"variants": [name]}}
    text = stages.command(files, overrides)
    assert text.isprintable()
    words = text.removeprefix("snakemake ")
    done = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {words}"], cwd=tmp_path, capture_output=True, check=True
    )
    read = done.stdout.decode("utf-8").split("\0")[:-1]
    at = read.index("--configfile")
    assert read[at + 1 : at + 3] == files
    assert f"name={name}" in read
    assert not list(tmp_path.iterdir())


def test_no_file_name_leaves_the_code_span_of_the_results_page():
    assert results_page.code_span("plain") == "`plain`"
    for text in ("`", "a``b", "`<script>`", "``` `"):
        span = results_page.code_span(text)
        fence = re.match("`+", span)[0]
        assert span.startswith(f"{fence} ") and span.endswith(f" {fence}")
        assert fence not in span[len(fence) : -len(fence)]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_messages_are_one_printable_line(name):
    message = str(InputError(f"{name}: wrong"))
    assert message.isprintable() and message.endswith(": wrong") and len(message) < 15_000
    assert message.startswith(name) or one_line(name, 10) != name
    message.encode("utf-8")


def test_a_message_stays_what_it_is_when_it_is_wrapped():
    text = "caf\u00e9\n\x1b[31m"
    assert one_line(one_line(text)) == one_line(text) == "caf\u00e9\\n\\x1b[31m"


@pytest.mark.parametrize("name", [name for name in HOSTILE_NAMES if "/" not in name])
def test_a_file_of_any_name_is_written_whole_where_it_is_said(tmp_path, name):
    inside = tmp_path / "inside"
    inside.mkdir()
    if name in ("", ".", ".."):
        return
    try:
        with replace_when_done(inside / name) as path:
            assert path.parent == inside
            path.write_text("whole")
    except (OSError, ValueError):  # the disk has no such names
        assert not list(inside.iterdir())
    else:
        assert [item.name for item in inside.iterdir()] == [name]
        assert (inside / name).read_text() == "whole"
    assert [item.name for item in tmp_path.iterdir()] == ["inside"]


def test_the_longest_name_that_a_disk_takes_is_written(tmp_path):
    name = "a" * 255
    with replace_when_done(tmp_path / name) as path:
        path.write_text("whole")
    assert [item.name for item in tmp_path.iterdir()] == [name]


# --- what is installed ---------------------------------------------------------------------------

PINS = [
    line
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if line and not line.startswith("#")
]
PINNED = {canonicalize_name(line.partition("==")[0]): line.partition("==")[2] for line in PINS}
OURS = "photoz"
EXTRAS = ("workflow", "test")
# Executors for clusters: extras of their own, pinned like the rest.
CLUSTERS = {"htcondor", "snakemake-executor-plugin-cluster-generic"}
CLUSTERS |= {f"snakemake-executor-plugin-{name}" for name in ("htcondor", "slurm", "slurm-jobstep")}
# The one command that rules run: it ends the jobs of a run that was interrupted.
CANCEL = 'subprocess.run(["scancel", "--name", name], check=False)'
# What a CUDA build of torch brings is chosen by that build, version by version.
OF_A_BUILD = re.compile(r"nvidia-|cuda-|triton")
# Import names that differ from the name of the distribution.
IMPORTED_AS = {"sedpy": "astro-sedpy", "yaml": "pyyaml", "qp": "qp-prob"}
IMPORTED_AS |= {"markdown_it": "markdown-it-py"}
# Needed but never imported by us: pandas' Parquet, and qp so that users can read p(z).
NOT_IMPORTED = {"qp-prob"}


def declared_by_us():
    """The requirements of pyproject.toml, which an installed copy may lag behind."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    return project["dependencies"], [text for name in EXTRAS for text in extras[name]]


def requirements(name, extras=("",)):
    """What a distribution requires on this machine."""
    ours, others = declared_by_us()
    for text in [*ours, *others] if name == OURS else metadata.requires(name) or []:
        wanted = Requirement(text)
        if wanted.marker is None or any(wanted.marker.evaluate({"extra": e}) for e in extras):
            yield canonicalize_name(wanted.name), wanted


def closure():
    """Everything that `pip install .[workflow,test]` installs, by its metadata, offline."""
    found, open_ends = set(), [(OURS, EXTRAS)]
    while open_ends:
        name, extras = open_ends.pop()
        for needed, wanted in requirements(name, ("", *extras)):
            if OF_A_BUILD.match(needed):
                continue
            key = (needed, tuple(sorted(wanted.extras)))
            if key not in found:
                found.add(key)
                open_ends.append(key)
    return {name for name, _ in found}


def test_everything_is_pinned_exactly_and_once():
    for line in PINS:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line), line
    assert len(PINNED) == len(PINS)


def test_everything_that_is_installed_is_pinned_and_nothing_else():
    needed = closure()
    # setuptools builds the package; pip's own environment decides its version
    assert needed - PINNED.keys() - {"setuptools"} == set(), "missing in constraints.txt"
    assert PINNED.keys() - needed == CLUSTERS, "unused in constraints.txt"


def test_what_is_installed_here_is_what_is_pinned():
    wrong = {
        name: metadata.version(name)
        for name in closure() & PINNED.keys()
        if metadata.version(name).partition("+")[0] != PINNED[name]
    }
    assert not wrong, "make env installs the pinned versions"


def test_every_import_is_a_dependency_and_every_dependency_is_imported():
    imported = set()
    for path in (ROOT / "photoz").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {item.name.partition(".")[0] for item in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add((node.module or "").partition(".")[0])
    imported -= {*sys.stdlib_module_names, "photoz"}
    imported = {canonicalize_name(IMPORTED_AS.get(name, name)) for name in imported}
    # Extras, imported only where a run asks for them: FSPS, and what comes with Snakemake.
    imported -= {"fsps", "docutils", "jinja2"}
    declared = {canonicalize_name(Requirement(text).name) for text in declared_by_us()[0]}
    assert imported - declared == set()
    assert declared - imported == NOT_IMPORTED


def test_the_licence_of_everything_installed_is_listed():
    text = (ROOT / "docs" / "safety.md").read_text(encoding="utf-8")
    listed = re.findall(r"`([^`]+)`", text.partition("## Licences")[2])
    assert sorted(map(canonicalize_name, listed)) == sorted(PINNED)

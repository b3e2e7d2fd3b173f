"""Runs that do not end well: killed ones are resumed, bad input is one line."""

import os
import signal

import pytest
import yaml

from tests.workflow.conftest import ROOT, TINY, wait_until

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["terminated", "killed"])
def test_an_interrupted_run_is_resumed_where_it_was(workflow, how):
    catalogue = "results/tiny/catalogues/mock.h5"
    splits = "results/tiny/catalogues/mock.splits.parquet"
    process = workflow.start(splits)
    try:
        wait_until(lambda: workflow.is_making(splits), process)
    finally:
        if how == signal.SIGKILL:
            os.killpg(process.pid, how)  # the machine went down: Snakemake and its job
        else:
            process.send_signal(how)  # Snakemake lets the running job end
    assert process.wait(timeout=60) != 0
    before = (workflow.folder / catalogue).stat().st_mtime_ns
    if how == signal.SIGKILL:
        assert not (workflow.folder / splits).exists()
        assert "cannot be locked" in workflow.run(splits).stdout
        assert workflow.run("--unlock").returncode == 0
    result = workflow.run(splits)
    assert result.returncode == 0, result.stdout
    assert (workflow.folder / splits).exists()
    assert (workflow.folder / catalogue).stat().st_mtime_ns == before, "was made again"


def test_bad_input_ends_in_one_line(workflow):
    table = workflow.folder / "galaxies.csv"
    table.write_text("id,z,u,du\n1,0.5,nan,0.1\n")
    content = yaml.safe_load((ROOT / TINY).read_text())
    columns = {"id": "number", "flux": "f_{band}", "error": "e_{band}"}
    content["catalogues"] = {"mock": {"kind": "file", "path": "galaxies.csv", "columns": columns}}
    config = workflow.folder / "mine.yaml"
    config.write_text(yaml.safe_dump(content))
    result = workflow.run(
        "results/tiny/catalogues/mock.h5", "--configfile", str(config), config=None
    )
    assert result.returncode == 1
    assert "error: " in result.stdout
    log = (workflow.folder / "results" / "tiny" / "logs" / "observe" / "mock.log").read_text()
    assert "error: " in log
    assert "Traceback" not in log + result.stdout

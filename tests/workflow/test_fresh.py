"""A pretraining that simulates its own galaxies."""

import yaml

from tests.workflow.conftest import ROOT, TINY
from tests.workflow.test_dry_run import jobs


def test_a_fresh_pretraining_needs_no_chunk_but_the_one_noise_is_shown_on(workflow):
    config = yaml.safe_load((ROOT / TINY).read_text())
    config["pretraining"]["short"]["fresh"] = True
    path = workflow.folder / "fresh.yaml"
    path.write_text(yaml.safe_dump(config))
    result = workflow.run("--dry-run", config=path)
    assert result.returncode == 0, result.stdout
    planned = jobs(result.stdout)
    assert planned["simulate"] == planned["pretrain"] == 1

"""Template simulation and learned noise in the workflow: planned, checked, run."""

import json

import pytest
import yaml

from photoz.survey.noise import read_noise_model
from photoz.training.checkpoints import read_metadata
from tests.workflow.conftest import ROOT, TINY, make_workflow
from tests.workflow.test_dry_run import jobs

CHANGES = {
    "simulations": {"sky": {"kind": "templates", "n_galaxies": 120, "chunk_size": 120}},
    "noise": {"learned": {"kind": "empirical"}},
    "pretraining": {
        "short": {
            "network": "small",
            "simulation": "sky",
            "noise": "learned",
            "steps": 10,
            "batch_size": 50,
        }
    },
    "variants": {"pretrained": {"pretraining": "short", "finetuning": "short", "splits": 2}},
}


def write(folder, **changes):
    content = yaml.safe_load((ROOT / TINY).read_text()) | CHANGES | changes
    path = folder / "learned.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_noise_and_networks_are_made_for_every_catalogue_and_split(workflow):
    sky = {"mock": {"kind": "mock", "n_galaxies": 200}}
    sky["other"] = {"kind": "template_mock", "n_galaxies": 200}
    path = write(workflow.folder, catalogues=sky)
    result = workflow.run("--dry-run", "--configfile", str(path), config=None)
    assert result.returncode == 0, result.stdout
    planned = jobs(result.stdout)
    assert planned["learn_noise"] == planned["pretrain"] == planned["finetune"] == 4
    assert planned["simulate"] == 1
    assert "inject_noise" not in planned
    assert "results/tiny/noise/sky/learned/other/split-1.json" in result.stdout
    assert "results/tiny/pretraining/other/short/split-1.safetensors" in result.stdout


def test_the_run_that_compares_simulations_is_planned(workflow):
    result = workflow.run("--dry-run", config="config/simulations.yaml")
    assert result.returncode == 0, result.stdout
    planned = jobs(result.stdout)
    assert planned["learn_noise"] == 2
    assert planned["pretrain"] == 7  # five shared ones, and one per catalogue
    assert planned["finetune"] == 22  # eleven variants on two catalogues


def test_noise_of_another_catalogue_is_refused(workflow):
    sky = {"mock": {"kind": "mock"}, "other": {"kind": "template_mock"}}
    noise = {"learned": {"kind": "empirical", "catalogue": "mock"}}
    path = write(workflow.folder, catalogues=sky, noise=noise)
    result = workflow.run("--dry-run", "--configfile", str(path), config=None)
    assert result.returncode == 1
    assert "noise.learned.catalogue: 'mock', but the variant 'pretrained' runs on" in result.stdout
    assert "Traceback" not in result.stdout


@pytest.mark.slow
def test_networks_start_from_their_folds_pretraining(tmp_path):
    workflow = make_workflow(tmp_path)
    path = write(workflow.folder)
    target = "results/tiny/finetuning/mock/short.short.100/split-1.safetensors"
    result = workflow.run(target, "--configfile", str(path), config=None)
    assert result.returncode == 0, result.stdout[-5000:]
    made = workflow.folder / "results" / "tiny"
    model, bands = read_noise_model(made / "noise" / "sky" / "learned" / "mock" / "split-1.json")
    assert model.n_networks == 2 and len(bands) == 46
    start = made / "pretraining" / "mock" / "short" / "split-1.safetensors"
    assert read_metadata(start)["n_networks"] == 2
    data = read_metadata(workflow.folder / target)["data"]
    assert any("pretraining/mock/short/split-1" in name for name in data), json.dumps(data)
    # the other split's noise was learned from other galaxies
    other = "results/tiny/noise/sky/learned/mock/split-0.json"
    assert workflow.run(other, "--configfile", str(path), config=None).returncode == 0
    text = [(made / "noise/sky/learned/mock" / f"split-{k}.json").read_text() for k in (0, 1)]
    assert text[0] != text[1]

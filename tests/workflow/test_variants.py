"""Variants of network and training in the workflow: planned, checked, run."""

import re

import numpy as np
import pytest
import yaml

from photoz.pdf import GridPDF, read_pdf, read_photoz_table
from photoz.survey.survey import load_survey
from photoz.training.checkpoints import load_networks
from tests.workflow.conftest import ROOT, TINY, make_workflow
from tests.workflow.test_dry_run import jobs

SMALL = yaml.safe_load((ROOT / TINY).read_text())["networks"]["small"]
SHORT = {"epochs": 3, "quiet_epochs": 1, "batch_size": 50}
CHANGES = {
    "networks": {
        "small": SMALL,
        "classifier": SMALL | {"head": "classes", "class_width": 0.01},
        "convolutional": SMALL | {"front_end": "convolutional", "convolution_channels": 2},
    },
    "pretraining": {
        "classifier": {
            "network": "classifier", "simulation": "fsps", "noise": "bright",
            "steps": 10, "batch_size": 50,
        },
    },
    "finetuning": {
        "smoothed": SHORT
        | {"calibrate": False, "label_smoothing": 0.15, "oversampling": 1, "splits_per_job": 2},
        "frozen": SHORT | {"calibrate": False, "train": "head", "mixup": 0.3},
        "convolutional": SHORT | {"network": "convolutional"},
    },
    "variants": {
        "smoothed": {"pretraining": "classifier", "finetuning": "smoothed", "splits": 2},
        "frozen": {"pretraining": "classifier", "finetuning": "frozen"},
        "convolutional": {"finetuning": "convolutional"},
    },
    "evaluation": {"n_boot": 20, "magnitude_edges": [18, 22.5], "redshift_edges": [0, 1.2]},
}  # fmt: skip


def write(folder, **changes):
    content = yaml.safe_load((ROOT / TINY).read_text()) | CHANGES | changes
    path = folder / "variants.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_the_run_of_all_variants_is_planned(workflow):
    result = workflow.run("--dry-run", config="config/variants.yaml")
    assert result.returncode == 0, result.stdout
    planned = jobs(result.stdout)
    assert planned["simulate"] == 8  # two simulations of four chunks
    assert planned["pretrain"] == 7
    assert planned["finetune"] == planned["ensemble"] == planned["evaluate"] == 16


def test_only_what_convolves_reads_the_survey_to_fine_tune(workflow):
    path = write(workflow.folder)
    result = workflow.run("--dry-run", "--configfile", str(path), config=None)
    assert result.returncode == 0, result.stdout
    blocks = re.split(r"^\[", result.stdout, flags=re.MULTILINE)
    blocks = [block for block in blocks if "rule finetune:" in block]
    assert len(blocks) == 3  # two splits together
    for block in blocks:
        assert ("paus.yaml" in block) == ("none.convolutional" in block), block


def test_a_classifier_that_is_calibrated_is_refused(workflow):
    smoothed = CHANGES["finetuning"] | {"smoothed": SHORT}
    path = write(workflow.folder, finetuning=smoothed)
    result = workflow.run("--dry-run", "--configfile", str(path), config=None)
    assert result.returncode == 1
    assert "finetuning.smoothed.calibrate: the network 'classifier'" in result.stdout
    assert "Traceback" not in result.stdout


@pytest.mark.slow
def test_variants_run_as_far_as_their_evaluation(tmp_path):
    workflow = make_workflow(tmp_path)
    path = write(workflow.folder)
    made = workflow.folder / "results" / "tiny"
    targets = [f"results/tiny/evaluation/mock/{name}.parquet" for name in CHANGES["variants"]]
    targets += [f"results/tiny/figures/{name}.png" for name in ("fig1", "fig2", "fig8")]
    result = workflow.run(*targets, "--configfile", str(path), config=None)
    assert result.returncode == 0, result.stdout[-5000:]
    # a classifier's p(z) is a grid, of a split as of the ensemble
    for name in ("predictions/mock/classifier.smoothed.100/split-1", "photoz/mock/smoothed"):
        pdf, _ = read_pdf(made / f"{name}.hdf5")
        assert isinstance(pdf, GridPDF) and pdf.z.size == 152
        assert pdf.valid.sum() > 150
    columns = read_photoz_table(made / "photoz" / "mock" / "smoothed.parquet")
    assert np.isfinite(columns.odds[columns.flag == 0]).all()
    tuned = made / "finetuning" / "mock"
    assert (tuned / "classifier.smoothed.100" / "split-0-1.history.parquet").exists()
    # the convolution knows the narrow bands
    weights = tuned / "none.convolutional.100" / "split-0.safetensors"
    network = load_networks(weights).network
    narrow = load_survey(ROOT / "config" / "surveys" / "paus.yaml").bands.is_narrow
    assert sorted(network.config.convolved_inputs) == list(np.flatnonzero(narrow))

"""Experiments on exposures in the workflow: planned, refused, each job with its own files."""

import runpy
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from photoz.figures import fig_test_time
from photoz.pdf.io import read_pdf, write_pdf
from photoz.pdf.mixture import MixturePDF
from photoz.survey.catalogue import read_catalogue, write_catalogue
from photoz.survey.empirical_noise import EmpiricalNoise
from photoz.survey.noise import SurveyDepth
from photoz.survey.outlying_noise import OutlyingNoise
from photoz.survey.splits import make_splits, write_splits
from photoz.survey.survey import load_survey
from photoz.training.checkpoints import save_networks
from tests.training.conftest import make_catalogue
from tests.training.test_test_time import random_networks
from tests.workflow.conftest import ROOT, TINY
from tests.workflow.test_dry_run import jobs, plan_with

PAUS = ROOT / "config" / "surveys" / "paus.yaml"


def test_the_run_on_exposures_is_planned(workflow):
    result = workflow.run("--dry-run", config="config/augmentation.yaml")
    assert result.returncode == 0, result.stdout
    planned = jobs(result.stdout)
    assert planned["pretrain"] == 2  # with and without wrong fluxes
    # ten and twice two trainings of two splits; wrong fluxes on two catalogues; single exposures
    assert planned["finetune"] == 2 * (10 + 2 + 2) + 3 * 2 + 3
    assert planned["exposure_layout"] == 1
    assert planned["exposure_orders"] == planned["random_coadds"] == 3
    assert planned["members"] == 10 + 2 + 2
    for name in ("fig6", "fig7", "figF1", "fig_members", "fig_test_time"):
        assert planned[name] == 1
    assert "catalogues/paus_mock.exposures-30.h5" in result.stdout


def test_test_time_figures_are_targets_that_all_leaves_out_unless_asked(workflow):
    planned = plan_with(workflow, figures={})
    assert not {"fig7", "fig_test_time", "random_coadds", "leave_one_out"} & set(planned)
    changed = ("--configfile", str(workflow.folder / "changed.yaml"))
    wanted = jobs(workflow.run("--dry-run", "fig7", *changed, config=None).stdout)
    assert wanted["leave_one_out"] == wanted["fig7"] == wanted["finetune"] == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            "variants: {exposures: {pretraining: short}}",
            "config: variants.exposures.pretraining: simulated galaxies have no exposures",
        ),
        (
            "finetuning: {exposures: {individual_exposures: shuffled}}",
            "config: finetuning.exposures.individual_exposures: 'shuffled' is not one of",
        ),
        (
            "noise: {wrong: {kind: outlying, noise: brigth}}",
            "config: noise.wrong.noise: no 'brigth' in `noise` (did you mean 'bright'?)",
        ),
        ("noise: {wrong: {kind: outlying}}", "config: noise.wrong.noise: missing"),
        ("test_time: {alpha: 1}", "config: test_time.alpha: 1 is greater than or equal to"),
    ],
)
def test_wrong_settings_are_one_line(workflow, changes, message):
    wrong = workflow.folder / "wrong.yaml"
    wrong.write_text(changes + "\n")
    result = workflow.run("--dry-run", "--configfile", str(ROOT / TINY), str(wrong), config=None)
    assert result.returncode == 1
    assert message in result.stdout
    assert "Traceback" not in result.stdout


def script(name):
    """Names that a script defines."""
    return runpy.run_path(str(ROOT / "scripts" / f"{name}.py"), run_name="a_test")


def test_wrong_fluxes_go_around_the_noise_that_the_configuration_names():
    survey = load_survey(PAUS)
    section = {"kind": "outlying", "noise": {"kind": "survey_depth"}, "fraction": 0.3}
    model = script("inject_noise")["noise_model"](section, survey)
    assert model == OutlyingNoise(SurveyDepth.for_survey(survey), fraction=0.3)
    around = script("learn_noise")["around"]
    assert around({"kind": "empirical"}, "learned") == "learned"
    wrapped = around({"kind": "outlying", "fraction": 0.2, "amplitude": 0.1}, FLAT)
    assert (wrapped.usual, wrapped.fraction, wrapped.amplitude) == (FLAT, 0.2, 0.1)
    assert wrapped.n_networks == 1


FLAT = EmpiricalNoise(
    **{name: np.ones((1, 2)) for name in ("scale", "first_node", "node_step")},
    **{name: np.zeros((1, 2, 3)) for name in ("log_error", "error_scatter", "log_exposure_error")},
    **{name: np.zeros((1, 2)) for name in ("count_slope", "mean_log_count", "outlier_rate")},
    counts=np.ones((1, 4, 2)),
    outlier_amplitude=np.zeros((1, 5)),
    log_brightness=np.zeros((1, 5)),
)


N = 60


@pytest.fixture
def folder(tmp_path):
    """A catalogue with exposures, its folds, networks on its coadds and on its exposures."""
    catalogue = make_catalogue(n=N)
    folds = make_splits(catalogue.id, 2, 2, seed=1)
    write_catalogue(tmp_path / "mock.h5", catalogue)
    write_splits(tmp_path / "splits.parquet", catalogue.id, folds)
    save_networks(tmp_path / "coadds.safetensors", random_networks(catalogue), {"splits": [0]})
    make(tmp_path, "exposure_layout", ["mock.h5"], ["laid.h5"], {"seed": 1}, present="25")
    laid = read_catalogue(tmp_path / "laid.h5")
    save_networks(tmp_path / "exposures.safetensors", random_networks(laid), {"splits": [0]})
    return tmp_path


class Files(SimpleNamespace):
    """Files of a job, by name or by number."""

    def __getitem__(self, number):
        return list(vars(self).values())[number]


def files(folder, names):
    """Paths in the folder, of a list of names or of a mapping of names or lists."""
    pairs = names if isinstance(names, dict) else dict(enumerate(names))
    paths = {
        str(key): [str(folder / each) for each in name] if isinstance(name, list) else folder / name
        for key, name in pairs.items()
    }
    return Files(
        **{key: path if isinstance(path, list) else str(path) for key, path in paths.items()}
    )


def make(folder, name, inputs, outputs, params, **wildcards):
    """Run a script as Snakemake does, on one thread."""
    job = SimpleNamespace(
        input=files(folder, inputs),
        output=files(folder, outputs),
        params=SimpleNamespace(**params),
        wildcards=SimpleNamespace(**wildcards),
        threads=1,
        log=[str(folder / f"{name}.log")],
    )
    path = ROOT / "scripts" / f"{name}.py"
    runpy.run_path(str(path), init_globals={"snakemake": job}, run_name="__main__")


def test_the_layout_keeps_the_share_of_its_file_name(folder):
    there = read_catalogue(folder / "laid.h5").flux[:, :-1] != 0
    assert there.mean() == pytest.approx(0.25 * 0.85, abs=0.03)  # a fifth of 3/4 were never taken


def test_orders_are_predicted_for_every_galaxy(folder):
    inputs = {"catalogue": "laid.h5", "splits": "splits.parquet"}
    inputs["networks"] = "exposures.safetensors"
    make(folder, "exposure_orders", inputs, ["orders.parquet"], {"orders": 4, "seed": 1})
    table = pd.read_parquet(folder / "orders.parquet")
    assert table["id"].tolist() == list(range(N))
    assert (table["order_scatter"] > 0).mean() > 0.9 and np.isfinite(table["dz"]).all()


COADDS = {"catalogue": "mock.h5", "splits": "splits.parquet", "networks": "coadds.safetensors"}


def test_random_coadds_make_galaxies_curves_and_a_table(folder):
    outputs = {"galaxies": "g.parquet", "curves": "c.parquet", "table": "t.csv"}
    params = {"draws": 3, "alpha": 0.7, "seed": 1, "odds_width": 0.003, "n_boot": 3}
    make(folder, "random_coadds", COADDS, outputs, params, catalogue="mock", variant="deepz")
    assert np.isfinite(pd.read_parquet(folder / "g.parquet").to_numpy()).all()
    table = pd.read_csv(folder / "t.csv")
    assert len(table) == 4 * 4 and set(table["variant"]) == {"deepz"}
    curves = pd.read_parquet(folder / "c.parquet")
    assert set(fig_test_time.COLUMNS) <= set(curves) and len(curves) == 4 * 20


def test_one_galaxy_is_left_with_the_density_of_every_exposure(folder):
    outputs = {"pdf": "p.hdf5", "galaxies": "g.parquet"}
    make(folder, "leave_one_out", COADDS, outputs, {"galaxies": 9})
    moves = pd.read_parquet(folder / "g.parquet")
    assert len(moves) == 9
    pdf, columns = read_pdf(folder / "p.hdf5")
    chosen = moves.set_index("id").loc[columns["id"][0]]
    assert len(set(columns["id"])) == 1 and len(pdf) == 1 + chosen["n_left_out"]
    assert columns["band"][0] == "" and set(columns["band"][1:]) == {"N1", "N2", "N3", "N4"}
    assert pdf.mode()[0] == pytest.approx(chosen["z_mode"], abs=1e-4)


def test_members_are_the_splits_of_a_variant(folder):
    spec = read_catalogue(folder / "mock.h5").redshift
    names = [f"split-{k}.hdf5" for k in range(3)]
    for k, name in enumerate(names):
        means = (spec + 0.01 * k)[:, None]
        pdf = MixturePDF(np.ones((N, 1)), means, np.full((N, 1), 0.02), 0.0)
        write_pdf(folder / name, pdf, {"id": np.arange(N)})
    inputs = {"catalogue": "mock.h5", "predictions": names}
    outputs = {"members": "m.parquet", "table": "m.csv"}
    params = {"n_boot": 3, "seed": 1}
    make(folder, "members", inputs, outputs, params, catalogue="mock", variant="deepz")
    table = pd.read_parquet(folder / "m.parquet")
    assert table["networks"].tolist() == [1, 2, 3] and table["ensembles"].tolist() == [3, 1, 1]
    assert set(table["catalogue"]) == {"mock"} and set(table["variant"]) == {"deepz"}
    assert (folder / "m.csv").read_text().startswith("catalogue,variant,networks,")

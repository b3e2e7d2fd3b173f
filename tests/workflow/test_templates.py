"""Template fits in the workflow: planned, checked, learned from the right galaxies."""

import json
import runpy
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml

from photoz.pdf.io import read_pdf
from photoz.survey.catalogue import Catalogue, write_catalogue
from photoz.survey.noise import FixedSNR, add_noise
from photoz.survey.splits import make_splits, write_splits
from photoz.survey.survey import load_survey
from photoz.templates.model import ModelConfig, build_model
from photoz.templates.model_file import write_model
from tests.workflow.conftest import ROOT, TINY
from tests.workflow.test_dry_run import jobs, plan_with

BROAD = ROOT / "config" / "surveys" / "cosmos_broadband.yaml"
N, N_FOLDS = 60, 3


def test_a_fit_is_a_job_for_each_part_of_each_fold(workflow):
    setup = {"plain": {"zero_points": False, "jobs_per_fold": 3}, "full": {"prior": True}}
    variants = {
        "plain": {"method": "templates", "templates": "plain"},
        "full": {"method": "templates", "templates": "full", "splits": 2},
        "few": {"method": "templates", "templates": "full", "training_fraction": 0.5},
    }
    planned = plan_with(workflow, templates=setup, variants=variants)
    assert planned["template_model"] == 2
    assert planned["template_zero_points"] == planned["template_prior"] == 2 * 3
    assert planned["template_fit"] == 2 * 3 + 2 * 3
    assert planned["template_gather"] == 4
    assert planned["fig_zero_points"] == 1
    assert "pretrain" not in planned and "finetune" not in planned


def test_figure_b1_is_a_target_that_all_leaves_out_unless_asked(workflow):
    planned = plan_with(workflow, figures={})
    assert "figB1" not in planned and "outlier_test" not in planned
    wanted = jobs(workflow.run("--dry-run", "figB1").stdout)
    assert wanted == {"outlier_test": 1, "figB1": 1, "total": 2}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            "variants: {bcnz2: {templates: corse}}",
            "config: variants.bcnz2.templates: no 'corse' in `templates` (did you mean 'coarse'?)",
        ),
        (
            "variants: {bcnz2: {finetuning: short}}",
            "variants.bcnz2.finetuning: the method `templates` has no finetuning; remove it",
        ),
        (
            "templates: {coarse: {fit: {iteration: 3}}}",
            "templates.coarse.fit.iteration: unknown key (did you mean 'iterations'?)",
        ),
        (
            "templates: {coarse: {model: {redshift_max: 0.001}}}",
            "config: templates.coarse.model: redshifts from 0.01 to 0.001",
        ),
        (
            "templates: {coarse: {model: {runs: BCNz2}}}",
            "config: templates.coarse.model.runs: 'BCNz2' is not one of",
        ),
    ],
)
def test_wrong_settings_are_one_line(workflow, changes, message):
    wrong = workflow.folder / "wrong.yaml"
    wrong.write_text(changes + "\n")
    result = workflow.run("--dry-run", "--configfile", str(ROOT / TINY), str(wrong), config=None)
    assert result.returncode == 1
    assert message in result.stdout
    assert "Traceback" not in result.stdout


def test_a_new_setting_of_the_fit_does_not_make_the_model_again(workflow):
    """Each rule is handed its own part of the configuration."""
    rules = (ROOT / "workflow" / "rules" / "template.smk").read_text()
    assert rules.count('["model"]') == 1 and rules.count('["fit"]') == 3
    content = yaml.safe_load((ROOT / TINY).read_text())
    assert set(content["templates"]["coarse"]) > {"model", "fit"}


@pytest.fixture
def sample(tmp_path):
    """A catalogue of model galaxies with a zero-point error in B, its folds and the model."""
    survey = load_survey(BROAD)
    model = build_model(survey.bands, ModelConfig(redshift_step=0.05, runs="ellipticals"))
    write_model(tmp_path / "model.h5", model)
    rng = np.random.default_rng(1)
    node = rng.integers(2, 16, N)
    true = model.flux[rng.integers(len(model.flux), size=N), node]
    flux, error = add_noise(1000 * true, FixedSNR((100.0,) * true.shape[1]), rng)
    flux[:, 1] *= 1.1
    catalogue = Catalogue(
        id=np.arange(100, 100 + N),
        redshift=model.redshift[node],
        mag_i=rng.uniform(19, 22, N),
        flux=flux,
        error=error,
        bands=model.bands,
        survey=survey.name,
        zero_point=26.0,
        reference_band="i",
    )
    folds = make_splits(catalogue.id, 1, N_FOLDS, seed=1)
    write_splits(tmp_path / "splits.parquet", catalogue.id, folds)
    write_catalogue(tmp_path / "catalogue.h5", catalogue)
    return tmp_path, catalogue, folds[:, 0]


def run_script(name, folder, output, wildcards, params, **inputs):
    """Run a script as Snakemake does."""
    files = {"catalogue": folder / "catalogue.h5", "splits": folder / "splits.parquet"}
    files = {key: str(path) for key, path in (files | {"model": folder / "model.h5"}).items()}
    job = SimpleNamespace(
        input=Inputs(files | inputs),
        output=[str(folder / output)],
        params=SimpleNamespace(section={"minimum_bands": 5}, fraction=1.0, seed=7, **params),
        wildcards=SimpleNamespace(split="0", **wildcards),
        log=[str(folder / f"{name}.log")],
    )
    script = ROOT / "scripts" / f"{name}.py"
    runpy.run_path(str(script), init_globals={"snakemake": job}, run_name="__main__")
    return folder / output


class Inputs(SimpleNamespace):
    """Input files by name, as Snakemake gives them."""

    def __init__(self, files):
        super().__init__(**files)

    def get(self, name):
        return getattr(self, name, None)


def zero_points(folder, fold):
    path = run_script("template_zero_points", folder, "zp.json", {"fold": str(fold)}, {})
    return json.loads(path.read_text())


def test_zero_points_of_a_fold_know_nothing_of_its_redshifts(sample):
    folder, catalogue, folds = sample
    before = zero_points(folder, 1)
    redshift = catalogue.redshift.copy()
    redshift[folds == 1] = np.random.default_rng(2).permutation(redshift[folds == 1])
    write_catalogue(folder / "catalogue.h5", replace(catalogue, redshift=redshift))
    assert zero_points(folder, 1) == before
    assert zero_points(folder, 0) != before
    redshift[folds == 2] = np.random.default_rng(3).permutation(redshift[folds == 2])
    write_catalogue(folder / "catalogue.h5", replace(catalogue, redshift=redshift))
    assert zero_points(folder, 1) != before


def test_a_zero_point_error_is_found_and_its_history_kept(sample):
    found = zero_points(sample[0], 0)
    relative = np.array(found["factor"]) / np.median(found["factor"])
    assert relative[1] == pytest.approx(1.1, abs=0.03)
    history = np.array(found["history"])
    assert (history[0] == 1).all() and history[-1].tolist() == found["factor"]
    assert found["n_galaxies"] == N * (N_FOLDS - 1) // N_FOLDS


def test_parts_are_gathered_to_the_whole_catalogue_and_a_blind_galaxy_has_a_flag(sample):
    folder, catalogue, _ = sample
    flux = catalogue.flux.copy()
    flux[5, :3] = np.nan
    write_catalogue(folder / "catalogue.h5", replace(catalogue, flux=flux))
    learned = zero_points(folder, 0) and str(folder / "zp.json")
    parts = []
    for fold in range(N_FOLDS):
        for chunk in range(2):
            wildcards = {"fold": str(fold), "chunk": str(chunk)}
            name = f"{fold}-{chunk}.hdf5"
            parts.append(
                run_script(
                    *("template_fit", folder, name, wildcards, {"n_chunks": 2}),
                    **({"zero_points": learned} if fold == 0 else {}),
                )
            )
    path = run_script("template_gather", folder, "all.hdf5", {}, {}, parts=parts)
    pdf, columns = read_pdf(path)
    assert columns["id"].tolist() == catalogue.id.tolist()
    assert np.flatnonzero(~pdf.valid).tolist() == np.flatnonzero(columns["flag"]).tolist() == [5]
    assert np.isnan(columns["chi2"][5]) and columns["n_bands"][5] == 3
    dz = (pdf.mode() - catalogue.redshift) / (1 + catalogue.redshift)
    assert np.nanmedian(np.abs(dz)) < 0.03  # the grid's step is 0.05
    output = SimpleNamespace(
        pdf=str(folder / "e.hdf5"),
        table=str(folder / "t.parquet"),
        single=str(folder / "s.parquet"),
    )
    job = SimpleNamespace(
        input=SimpleNamespace(catalogue=str(folder / "catalogue.h5"), predictions=[str(path)]),
        output=output,
        params=SimpleNamespace(odds_width=0.01),
        log=[str(folder / "ensemble.log")],
    )
    script = ROOT / "scripts" / "ensemble.py"
    runpy.run_path(str(script), init_globals={"snakemake": job}, run_name="__main__")
    table = pd.read_parquet(output.table)
    assert table["id"].tolist() == catalogue.id.tolist()
    assert {"chi2", "qz", "best_run", "scale", "n_bands", "flag"} <= set(table)
    assert table["flag"].tolist() == [int(k == 5) for k in range(N)]
    assert np.isnan(table.loc[5, "z_mode"]) and table["z_mode"].notna().sum() == N - 1


def test_a_prior_is_learned_beside_the_zero_points(sample):
    folder, _, _ = sample
    zero_points(folder, 2)
    path = run_script(
        *("template_prior", folder, "prior.json", {"fold": "2"}, {}),
        zero_points=str(folder / "zp.json"),
    )
    weight = np.array(json.loads(path.read_text())["weight"])
    assert weight.sum(axis=0) == pytest.approx(1)

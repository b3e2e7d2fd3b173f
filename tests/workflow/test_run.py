"""The tiny run from end to end: what it makes, rerun, changed."""

import h5py
import numpy as np
import pandas as pd
import pytest

from photoz.files import sha256
from photoz.logs import recorded_code
from photoz.pdf.io import read_pdf
from photoz.survey.catalogue import read_catalogue
from photoz.survey.splits import read_splits
from tests.report_reader import read_page
from tests.workflow.conftest import ROOT, TINY
from tests.workflow.rules import FIGURES
from tests.workflow.test_dry_run import jobs

pytestmark = pytest.mark.slow

VARIANTS = ("pretrained", "scratch", "full_coadds", "exposures")
VARIANTS += ("neighbours", "neighbours_half", "bcnz2")


def results(workflow):
    return workflow.folder / "results" / "tiny"


def test_every_product_is_there_and_whole(finished):
    made = results(finished)
    page = (made / "results.md").read_text()
    for variant in VARIANTS:
        assert f"| {variant} | 200 |" in page
        table = pd.read_parquet(made / "photoz" / "mock" / f"{variant}.parquet")
        assert len(table) == 200
        assert np.isfinite(table[["z_mode", "odds", "width", "pit"]].to_numpy()).all()
    for name in FIGURES:
        for suffix in ("pdf", "png"):
            assert (made / "figures" / f"{name}.{suffix}").stat().st_size > 5000
        assert f"](figures/{name}.png)" in page
    assert not list(made.rglob(".*")), "temporary files were left behind"


def test_the_ensemble_is_the_mean_of_its_splits(finished):
    made = results(finished)
    z = np.linspace(0.0, 1.5, 400)
    ensemble, columns = read_pdf(made / "photoz" / "mock" / "pretrained.hdf5")
    splits = [
        read_pdf(made / "predictions" / "mock" / "short.short.100" / f"split-{k}.hdf5")[0]
        for k in range(2)
    ]
    mean = 0.5 * (splits[0].pdf(z[None]) + splits[1].pdf(z[None]))
    np.testing.assert_allclose(ensemble.pdf(z[None]), mean, rtol=1e-4, atol=1e-5)
    with h5py.File(made / "catalogues" / "mock.h5") as catalogue:
        np.testing.assert_array_equal(columns["id"], catalogue["id"][...])


def test_all_variants_have_the_same_galaxies(finished):
    made = results(finished)
    catalogue = read_catalogue(made / "catalogues" / "mock.h5")
    assert len(np.unique(catalogue.id)) == len(catalogue) == 200
    tables = sorted((made / "photoz" / "mock").glob("*.parquet"))
    assert len(tables) == 2 * len(VARIANTS)
    for path in tables:
        table = pd.read_parquet(path)
        # the splits alone are one below the other
        splits = 2 if path.name == "pretrained.single.parquet" else 1
        ids, redshift = np.tile(catalogue.id, splits), np.tile(catalogue.redshift, splits)
        np.testing.assert_array_equal(table["id"], ids, err_msg=str(path))
        np.testing.assert_array_equal(table["z_spec"], redshift, err_msg=str(path))
    densities = sorted(made.glob("photoz/mock/*.hdf5")) + sorted(made.glob("predictions/**/*.hdf5"))
    assert len(densities) == len(VARIANTS) + 8
    for path in densities:
        np.testing.assert_array_equal(read_pdf(path)[1]["id"], catalogue.id, err_msg=str(path))


def test_every_galaxy_is_in_one_fold_of_each_split(finished):
    made = results(finished) / "catalogues"
    ids, folds = read_splits(made / "mock.splits.parquet")
    np.testing.assert_array_equal(ids, read_catalogue(made / "mock.h5").id)
    assert folds.shape == (200, 2)
    for split in folds.T:
        members = [set(ids[split == fold]) for fold in range(2)]
        assert [len(galaxies) for galaxies in members] == [100, 100]
        assert members[0] | members[1] == set(ids)
    assert (folds[:, 0] != folds[:, 1]).any()


def test_the_same_configuration_gives_the_same_bytes(finished, workflow):
    # Figures that need the catalogue, both kinds of training and an ensemble, not the whole run.
    result = workflow.run("fig8", "fig_mock", "fig_training")
    assert result.returncode == 0, result.stdout[-5000:]
    again, made = results(workflow), results(finished)
    products = [
        path.relative_to(again)
        for path in sorted(again.rglob("*"))
        if path.is_file() and path.relative_to(again).parts[0] not in ("logs", "benchmarks")
    ]
    kinds = {path.suffix for path in products}
    assert kinds >= {".h5", ".hdf5", ".safetensors", ".parquet", ".json", ".pdf", ".png"}
    changed = [str(path) for path in products if sha256(again / path) != sha256(made / path)]
    assert changed == []


def test_metrics_are_those_of_the_table(finished):
    made = results(finished)
    table = pd.read_parquet(made / "photoz" / "mock" / "neighbours.parquet")
    dz = (table["z_mode"] - table["z_spec"]) / (1 + table["z_spec"])
    metrics = pd.read_csv(made / "tables" / "metrics.csv")
    row = metrics[
        (metrics["variant"] == "neighbours")
        & (metrics["bin_by"] == "all")
        & (metrics["metric"] == "strict_outliers")
    ]
    assert row["value"].item() == pytest.approx(np.mean(np.abs(dz) > 0.02))


def test_every_job_has_a_log_with_its_code_and_a_benchmark(finished):
    made = results(finished)
    logs = sorted(path.relative_to(made / "logs") for path in (made / "logs").rglob("*.log"))
    benchmarks = (made / "benchmarks").rglob("*.tsv")
    assert [path.with_suffix("") for path in logs] == sorted(
        path.relative_to(made / "benchmarks").with_suffix("") for path in benchmarks
    )
    assert len(logs) > 25
    for path in logs:
        assert recorded_code(made / "logs" / path), path


def test_a_second_run_does_nothing(finished):
    result = finished.run("all")
    assert result.returncode == 0
    assert "Nothing to be done" in result.stdout


def test_a_changed_section_reruns_what_depends_on_it_only(finished):
    overlay = finished.folder / "overlay.yaml"
    overlay.write_text("neighbours: {few: {n_neighbours: 11}}\n")
    files = ("--configfile", str(ROOT / TINY), str(overlay))
    planned = jobs(finished.run("--dry-run", *files, config=None).stdout)
    assert planned["neighbours"] == planned["ensemble"] == planned["evaluate"] == 2
    assert not {"simulate", "pretrain", "finetune", "predict", "observe", "splits"} & set(planned)


def test_the_report_has_every_figure_with_its_caption_and_the_configuration(finished):
    page = read_page((results(finished) / "report.html").read_text())
    assert [figure for figure in page.ids if figure in FIGURES] == list(FIGURES)
    assert len(page.images) == len(FIGURES)
    assert not page.outside and not page.broken
    assert "snakemake.params" not in page.text
    for words in ("Distribution of the probability integral", "results_dir: results", "name: tiny"):
        assert words in page.text, words


def test_snakemakes_own_report_is_made_offline(finished):
    result = finished.run("--report", "report.html")
    assert result.returncode == 0, result.stdout[-2000:]
    text = (finished.folder / "report.html").read_text()
    assert "fig8" in text
    assert "predicted only by networks that never saw it" in text

"""The tiny run from end to end: what it makes, rerun, changed, interrupted."""

import h5py
import numpy as np
import pandas as pd
import pytest

from photoz.logs import recorded_code
from photoz.pdf.io import read_pdf
from tests.workflow.conftest import ROOT, TINY
from tests.workflow.test_dry_run import FIGURES, jobs

pytestmark = pytest.mark.slow

VARIANTS = ("pretrained", "scratch", "neighbours")


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
    ensemble, columns = read_pdf(made / "photoz" / "mock" / "pretrained.h5")
    splits = [
        read_pdf(made / "predictions" / "mock" / "short.short.100" / f"split-{k}.h5")[0]
        for k in range(2)
    ]
    mean = 0.5 * (splits[0].pdf(z[None]) + splits[1].pdf(z[None]))
    np.testing.assert_allclose(ensemble.pdf(z[None]), mean, rtol=1e-4, atol=1e-5)
    with h5py.File(made / "catalogues" / "mock.h5") as catalogue:
        np.testing.assert_array_equal(columns["id"], catalogue["id"][...])


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
    assert planned["neighbours"] == planned["ensemble"] == planned["evaluate"] == 1
    assert not {"simulate", "pretrain", "finetune", "predict", "observe", "splits"} & set(planned)


def test_the_report_is_made_offline(finished):
    result = finished.run("--report", "report.html")
    assert result.returncode == 0, result.stdout[-2000:]
    text = (finished.folder / "report.html").read_text()
    assert "fig8" in text
    assert "predicted only by networks that never saw it" in text

"""Every figure's script, run as Snakemake runs it, on tiny files."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from photoz.figures import fig8
from photoz.pdf import write_pdf
from photoz.survey.catalogue import write_catalogue
from photoz.survey.survey import load_survey
from photoz.templates.zeropoints import write_zero_points

from .conftest import make_curves, make_metrics
from .test_fig1 import NETWORK
from .test_fig3 import make_classes
from .test_fig4 import make_example
from .test_fig5 import make_tables
from .test_fig6 import make_members, make_points
from .test_fig7 import MOVES, make_left_out
from .test_fig_calibration import make_pit, make_scores
from .test_fig_examples import N as N_EXAMPLES
from .test_fig_examples import make_catalogue as make_examples
from .test_fig_examples import make_pdf
from .test_fig_members import make_sizes as member_sizes
from .test_fig_mock import make_catalogue
from .test_fig_test_time import make_cuts
from .test_fig_training import finetuning, pretraining
from .test_fig_training_size import SIZES, make_sizes
from .test_fig_zero_points import make_zero_points
from .test_figb1 import make_outliers
from .test_figf1 import TABLES

ROOT = Path(__file__).parents[2]
SURVEY = ROOT / "config" / "surveys" / "paus.yaml"


class Inputs(dict):
    """Inputs by name, as attributes too."""

    __getattr__ = dict.__getitem__


def run(name, folder, inputs, params):
    """Run a script; the job's outputs and log lie in `folder`."""
    job = SimpleNamespace(
        input=Inputs(inputs),
        params=SimpleNamespace(**params),
        output=SimpleNamespace(pdf=str(folder / "f.pdf"), png=str(folder / "f.png")),
        log=[str(folder / "f.log")],
    )
    script = ROOT / "scripts" / f"{name}.py"
    runpy.run_path(str(script), init_globals={"snakemake": job}, run_name="__main__")
    assert (folder / "f.pdf").read_bytes().startswith(b"%PDF")
    assert (folder / "f.png").read_bytes().startswith(b"\x89PNG")


def parquet(folder, name, table):
    path = folder / f"{name}.parquet"
    table.to_parquet(path)
    return str(path)


@pytest.fixture
def photoz_table(tmp_path):
    z = np.linspace(0.1, 1, 50)
    table = pd.DataFrame({"z_spec": z, "z_mode": z + 0.001, "pit": np.linspace(0, 1, 50)})
    return parquet(tmp_path, "photoz", table)


def test_fig1(tmp_path):
    run("fig1", tmp_path, {"survey": str(SURVEY)}, {"network": NETWORK})


def test_fig2(tmp_path):
    metrics = make_metrics(["paus_mock"])
    parts = [rows for _, rows in metrics.groupby("variant")]
    paths = [parquet(tmp_path, f"m{k}", part) for k, part in enumerate(parts)]
    run("fig2", tmp_path, {"metrics": paths, "survey": SURVEY}, {"variants": None})


def test_fig3_leaves_out_variants_that_were_not_measured(tmp_path):
    path = parquet(tmp_path, "crowding", make_classes(["paus_mock"]))
    run("fig3", tmp_path, {"metrics": path}, {"variants": ["deepz", "bcnz2", "absent"]})


def test_figb1(tmp_path):
    run("figB1", tmp_path, {"table": parquet(tmp_path, "outliers", make_outliers())}, {})


def test_fig_zero_points(tmp_path):
    paths = []
    for fold in range(2):
        paths.append(str(tmp_path / f"{fold}.json"))
        write_zero_points(paths[-1], make_zero_points(load_survey(SURVEY).bands.names, fold))
    inputs = {"zero_points": paths, "survey": str(SURVEY)}
    run("fig_zero_points", tmp_path, inputs, {"catalogues": ["paus_mock"] * 2})


def test_fig4(tmp_path):
    run("fig4", tmp_path, {"example": [parquet(tmp_path, "example", make_example())]}, {})


def test_fig5(tmp_path):
    bands, correlation = make_tables()
    inputs = {
        "bands": [parquet(tmp_path, "bands", bands)],
        "correlation": [parquet(tmp_path, "correlation", correlation)],
    }
    run("fig5", tmp_path, inputs, {})


def test_denoising_figures_without_an_autoencoder_say_so(tmp_path, capsys):
    with pytest.raises(SystemExit):
        run("fig4", tmp_path, {"example": []}, {})
    assert "no table given, so there is nothing to draw" in capsys.readouterr().err


def test_fig_spectra(tmp_path):
    run("fig_spectra", tmp_path, {"survey": str(SURVEY)}, {"redshift": 0.25})


def test_fig8_draws_one_split(tmp_path, photoz_table, monkeypatch):
    table = pd.read_parquet(photoz_table)
    splits = [table.assign(split=k, pit=table["pit"] ** (1 + k)) for k in range(2)]
    inputs = {"single": [parquet(tmp_path, "single", pd.concat(splits))]}
    drawn, draw = [], fig8.draw
    monkeypatch.setattr(fig8, "draw", lambda *tables: drawn.append(tables) or draw(*tables))
    run("fig8", tmp_path, inputs | {"ensemble": [photoz_table]}, {"catalogues": ["paus_mock"]})
    ((single, ensemble),) = drawn
    assert len(single["paus_mock"]) == len(ensemble["paus_mock"]) == 50
    assert single["paus_mock"].tolist() == table["pit"].tolist()


def test_fig9(tmp_path):
    path = parquet(tmp_path, "curves", make_curves())
    run("fig9", tmp_path, {"curves": [path]}, {"variants": ["knn"], "target_on": []})


def test_figd1(tmp_path, photoz_table):
    run("figD1", tmp_path, {"tables": [photoz_table]}, {"variants": ["deepz"]})


def test_fig_mock(tmp_path):
    path = tmp_path / "mock.h5"
    write_catalogue(path, make_catalogue(n=400))
    run("fig_mock", tmp_path, {"catalogues": [str(path)]}, {"catalogues": ["paus_mock"]})


def test_fig_training(tmp_path):
    inputs = {
        "pretraining": [parquet(tmp_path, "p", pretraining())],
        "finetuning": [parquet(tmp_path, "f", finetuning())],
    }
    names = {"pretraining": ["standard"], "finetuning": ["standard.longer.100"]}
    run("fig_training", tmp_path, inputs, names)


def test_fig_training_size(tmp_path):
    path = parquet(tmp_path, "metrics", make_sizes())
    run("fig_training_size", tmp_path, {"metrics": [path]}, {"sizes": SIZES, "n_folds": 5})


def test_fig_calibration(tmp_path):
    inputs = {"tables": [parquet(tmp_path, "photoz", make_pit())], "survey": str(SURVEY)}
    inputs["metrics"] = [parquet(tmp_path, "scores", make_scores())]
    params = {"catalogues": ["paus_mock"], "variants": None}
    run("fig_calibration", tmp_path, inputs, params)


def write_examples(folder, ids):
    catalogue = make_examples()
    write_catalogue(folder / "mock.h5", catalogue)
    write_pdf(folder / "pdf.hdf5", make_pdf(catalogue))
    table = pd.DataFrame({"id": ids, "odds": np.linspace(0, 1, N_EXAMPLES)})
    paths = {"catalogue": str(folder / "mock.h5"), "pdf": str(folder / "pdf.hdf5")}
    paths |= {"table": parquet(folder, "photoz", table)}
    return Inputs({name: [path] for name, path in paths.items()} | {"survey": str(SURVEY)})


def test_fig_examples(tmp_path):
    inputs = write_examples(tmp_path, np.arange(N_EXAMPLES))
    run("fig_examples", tmp_path, inputs, {"quantiles": [0.9, 0.1]})


def test_examples_with_the_densities_of_other_galaxies_are_refused(tmp_path, capsys):
    inputs = write_examples(tmp_path, np.arange(N_EXAMPLES)[::-1])
    with pytest.raises(SystemExit):
        run("fig_examples", tmp_path, inputs, {"quantiles": [0.9, 0.1]})
    assert "do not hold the same galaxies" in capsys.readouterr().err


def test_fig6(tmp_path):
    inputs = {"members": [parquet(tmp_path, "members", make_members())]}
    run("fig6", tmp_path, inputs, {"points": make_points()})


def test_fig7(tmp_path):
    write_pdf(tmp_path / "left_out.hdf5", *make_left_out())
    inputs = {"pdf": [str(tmp_path / "left_out.hdf5")]}
    inputs["galaxies"] = [parquet(tmp_path, "moves", MOVES)]
    run("fig7", tmp_path, inputs, {})


def test_figf1(tmp_path):
    paths = [parquet(tmp_path, order, table) for order, table in TABLES.items()]
    run("figF1", tmp_path, {"tables": paths}, {"orders": list(TABLES)})


def test_fig_members(tmp_path):
    run("fig_members", tmp_path, {"members": [parquet(tmp_path, "sizes", member_sizes())]}, {})


def test_fig_test_time(tmp_path):
    run("fig_test_time", tmp_path, {"curves": [parquet(tmp_path, "cuts", make_cuts())]}, {})


@pytest.mark.parametrize(
    ("name", "inputs", "params"),
    [
        ("fig6", {"members": []}, {"points": []}),
        ("fig7", {"pdf": [], "galaxies": []}, {}),
        ("figF1", {"tables": []}, {"orders": []}),
        ("fig_members", {"members": []}, {}),
        ("fig_test_time", {"curves": []}, {}),
    ],
)
def test_figures_that_a_run_has_nothing_for_say_so(tmp_path, capsys, name, inputs, params):
    with pytest.raises(SystemExit):
        run(name, tmp_path, inputs, params)
    assert "nothing to draw" in capsys.readouterr().err


def test_a_broken_table_ends_with_one_line_that_names_the_file(tmp_path, capsys):
    path = parquet(tmp_path, "curves", make_curves().drop(columns="completeness"))
    with pytest.raises(SystemExit):
        run("fig9", tmp_path, {"curves": [path]}, {"variants": None, "target_on": []})
    message = capsys.readouterr().err.strip()
    assert "\n" not in message and "curves.parquet: no column 'completeness'" in message
    assert not (tmp_path / "f.pdf").exists()

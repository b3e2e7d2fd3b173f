"""Tables are paired only if they hold the same galaxies."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from photoz.files import InputError
from photoz.metrics import require_same_galaxies
from photoz.pdf.table import write_photoz_table

IDS = np.array([11, 12, 13])
SCRIPT = Path(__file__).parents[2] / "scripts" / "compare.py"


def test_the_same_galaxies_pass_whatever_holds_their_ids():
    require_same_galaxies({})
    require_same_galaxies({"a": IDS, "b": IDS.tolist(), "c": pd.Series(IDS, index=[5, 6, 7])})
    require_same_galaxies({"a": np.array(["x", "y"]), "b": pd.Series(["x", "y"])})


@pytest.mark.parametrize(
    ("other", "where"),
    [
        (IDS[::-1], "row 1 is galaxy 13 beside 11"),
        ([11, 12, 14], "row 3 is galaxy 14 beside 13"),
        (IDS[:2], "2 galaxies beside 3"),
        ([*IDS, 14], "4 galaxies beside 3"),
        (["11", "12", "13"], "row 1 is galaxy 11 beside 11"),  # text is no number
    ],
)
def test_other_galaxies_are_refused_with_both_files(other, where):
    with pytest.raises(InputError) as error:
        require_same_galaxies({"a.parquet": IDS, "b.parquet": IDS, "c.parquet": other})
    assert "c.parquet and a.parquet do not hold the same galaxies" in str(error.value)
    assert where in str(error.value)


def run_script(folder, ids):
    """Run the rule's script on one table per variant with these ids."""
    z = np.linspace(0.2, 0.8, 30)
    pairs = [("sky", "deepz"), ("sky", "knn"), ("other", "deepz")]
    paths = [str(folder / f"{catalogue}-{variant}.parquet") for catalogue, variant in pairs]
    for shift, (path, values) in enumerate(zip(paths, ids, strict=True)):
        noisy = z + 0.01 * (1 + shift) * np.sin(7 * values)
        write_photoz_table(path, {"id": values, "z_spec": z, "z_mode": noisy})
    job = SimpleNamespace(
        input=SimpleNamespace(tables=paths, singles=paths),
        output=[str(folder / "comparisons.parquet")],
        log=[str(folder / "compare.log")],
        params=SimpleNamespace(
            evaluated=pairs, pairs=[("knn", "deepz")], contrasts=[], n_boot=20, seed=3
        ),
    )
    runpy.run_path(str(SCRIPT), init_globals={"snakemake": job}, run_name="__main__")
    return pd.read_parquet(folder / "comparisons.parquet")


def test_the_script_compares_variants_of_one_catalogue_only(tmp_path):
    ids = np.arange(30)
    table = run_script(tmp_path, [ids, ids, ids + 100])
    assert table["catalogue"].unique().tolist() == ["sky"]
    assert (table["variant"] + table["reference"]).unique().tolist() == ["knndeepz"]
    scatter = table[table["metric"] == "sigma68"].iloc[0]
    assert scatter["ratio"] == pytest.approx(2)
    assert scatter["n"] == 30


def test_the_script_refuses_variants_with_other_galaxies(tmp_path, capsys):
    ids = np.arange(30)
    with pytest.raises(SystemExit):
        run_script(tmp_path, [ids, ids[::-1], ids])
    message = capsys.readouterr().err
    assert "sky-knn.parquet and " in message and "sky-deepz.parquet do not hold" in message
    assert not (tmp_path / "comparisons.parquet").exists()

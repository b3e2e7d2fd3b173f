"""The scripts that evaluate, compare, show and publish, run as Snakemake runs them."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from photoz.pdf import MixturePDF, write_pdf
from tests.report_reader import read_page

ROOT = Path(__file__).parents[1]
N = 120


def run(name, folder, **job):
    """Run a script; what it logs lies in `folder`."""
    script = ROOT / "scripts" / f"{name}.py"
    snakemake = SimpleNamespace(log=[str(folder / f"{name}.log")], **job)
    runpy.run_path(str(script), init_globals={"snakemake": snakemake}, run_name="__main__")


def photoz_table(seed, scatter):
    rng = np.random.default_rng(seed)
    z = np.linspace(0.1, 1.0, N)
    table = {"id": np.arange(N), "z_spec": z, "mag_i": np.linspace(19, 22.4, N)}
    table |= {"z_mode": z + scatter * rng.normal(size=N), "odds": rng.uniform(size=N)}
    return pd.DataFrame(table | {"width": rng.uniform(size=N), "pit": rng.uniform(size=N)})


@pytest.fixture
def tables(tmp_path):
    """Paths of the tables of two variants, and of their splits one below the other."""
    paths = {"tables": [], "singles": []}
    for variant, n_splits in (("deepz", 2), ("knn", 1)):
        splits = [photoz_table(k, 0.02) for k in range(n_splits)]
        for name, table in (
            ("tables", photoz_table(9, 0.01)),
            ("singles", pd.concat([part.assign(split=k) for k, part in enumerate(splits)])),
        ):
            paths[name].append(str(tmp_path / f"{variant}.{name}.parquet"))
            table.to_parquet(paths[name][-1])
    return paths


def compare(folder, tables):
    output = folder / "comparisons.parquet"
    params = {"evaluated": [("sky", "deepz"), ("sky", "knn")], "n_boot": 20, "seed": 1}
    params |= {"pairs": [("knn", "deepz")], "contrasts": []}
    names = {"input": SimpleNamespace(**tables), "output": [str(output)]}
    run("compare", folder, params=SimpleNamespace(**params), **names)
    return pd.read_parquet(output)


def test_variants_and_splits_are_compared(tmp_path, tables):
    table = compare(tmp_path, tables)
    assert set(zip(table["variant"], table["reference"], strict=True)) == {
        ("knn", "deepz"),
        ("deepz", "mean of its splits"),
    }
    assert (table["catalogue"] == "sky").all() and (table["n"] == N).all()
    ratio = table.set_index(["variant", "metric"]).loc[("deepz", "sigma68"), "ratio"]
    assert ratio == pytest.approx(0.5, abs=0.2)


def test_a_split_with_other_galaxies_is_refused(tmp_path, tables, capsys):
    single = pd.read_parquet(tables["singles"][0])
    single.loc[single["split"] == 1, "id"] = np.arange(N)[::-1]
    single.to_parquet(tables["singles"][0])
    with pytest.raises(SystemExit):
        compare(tmp_path, tables)
    assert "do not hold the same galaxies" in capsys.readouterr().err


def test_evaluation_tells_the_splits_apart(tmp_path, tables):
    table = pd.read_parquet(tables["tables"][0])
    pdf = MixturePDF(np.ones((N, 1)), table[["z_mode"]].to_numpy(), np.full((N, 1), 0.01))
    write_pdf(tmp_path / "pdf.hdf5", pdf, {"id": np.arange(N)})
    files = {"table": tables["tables"][0], "single": tables["singles"][0]}
    files["pdf"] = str(tmp_path / "pdf.hdf5")
    names = ("metrics", "completeness", "calibration")
    section = {"magnitude_edges": [19, 22], "redshift_edges": [0, 1], "n_boot": 10}
    run(
        "evaluate",
        tmp_path,
        input=SimpleNamespace(**files),
        output=SimpleNamespace(**{name: str(tmp_path / f"{name}.out") for name in names}),
        params=SimpleNamespace(section=section, seed=1),
        wildcards=SimpleNamespace(catalogue="sky", variant="deepz"),
    )
    found = {name: pd.read_parquet(tmp_path / f"{name}.out") for name in names}
    assert found["calibration"]["density"].tolist() == ["ensemble", "split 0", "split 1"]
    assert (found["calibration"]["n"] == N).all()
    assert found["completeness"]["sigma68_error"].notna().all()
    assert set(found["metrics"]["bin_by"]) == {"all", "mag_i", "redshift"}


def publish(folder, names, codes=("ab12", "ab12")):
    paths = []
    for name, code in zip(names, codes, strict=False):
        figures = folder / "results" / name / "figures"
        figures.mkdir(parents=True)
        for figure in ("fig2.png", "fig2.pdf", "old.png"):
            (figures / figure).write_text(name)
        page = figures.parent / "results.md"
        page.write_text(
            f"# Results of `{name}`\n\nMade by photoz 0.1.0, code `{code}`, with `make`.\n\n"
            "![fig2](figures/fig2.png)\n"
        )
        paths.append(str(page))
    docs = folder / "docs"
    output = SimpleNamespace(page=str(docs / "results.md"), images=str(docs / "images" / "results"))
    run("publish", folder, input=paths, output=output)
    return docs


def test_published_are_the_figures_that_the_pages_show_and_links_lead_to_them(tmp_path):
    docs = publish(tmp_path, ["one", "two"])
    files = sorted(p.relative_to(docs).as_posix() for p in docs.rglob("*") if p.is_file())
    assert files == ["images/results/one/fig2.png", "images/results/two/fig2.png", "results.md"]
    text = (docs / "results.md").read_text()
    for name in ("one", "two"):
        assert f"](images/results/{name}/fig2.png)" in text


def test_nothing_is_published_of_two_codes_or_of_no_run(tmp_path, capsys):
    for names, message in ((["a", "b"], r"a (ab12), b (cd34)"), ([], "publish: empty")):
        with pytest.raises(SystemExit):
            publish(tmp_path, names, ("ab12", "cd34"))
        assert message in capsys.readouterr().err
    assert not (tmp_path / "docs").exists()


def conclude(folder, tables):
    output = folder / "conclusions.csv"
    params = {"evaluated": [("sky", "deepz"), ("sky", "bcnz2")], "n_boot": 60, "seed": 1}
    params["varied"] = []
    names = {"input": SimpleNamespace(**tables, variations=[]), "output": [str(output)]}
    run("conclusions", folder, params=SimpleNamespace(**params), **names)
    return pd.read_csv(output).set_index("conclusion")


def test_conclusions_are_tested_where_their_variants_are(tmp_path, tables):
    found = conclude(tmp_path, tables)
    ensemble = found.loc["the ensemble helps"]
    assert ensemble["verdict"] == "yes" and ensemble["ratio"] == pytest.approx(0.5, abs=0.2)
    assert found.loc["fewer outliers than BCNz2", "verdict"] == "within errors"  # the same numbers
    assert found.loc["mixup", "verdict"] == "not tested"
    assert found.loc["mixup", "missing"] == "mixup, single"
    assert (found["catalogue"].dropna() == "sky").all()


def test_the_variation_between_coadds_is_joined_by_galaxy(tmp_path, tables):
    one = {name: paths[:1] for name, paths in tables.items()}
    galaxies = pd.read_parquet(one["tables"][0]).iloc[::-1]  # in another order
    far = (galaxies["z_mode"] - galaxies["z_spec"]).abs() / (1 + galaxies["z_spec"])
    path = tmp_path / "test_time.parquet"
    pd.DataFrame({"id": galaxies["id"], "variation": 1 / (1e-6 + far)}).to_parquet(path)
    pair, output = ("sky", "random_coadds"), tmp_path / "conclusions.csv"
    run(
        "conclusions",
        tmp_path,
        input=SimpleNamespace(**one, variations=[str(path)]),
        output=[str(output)],
        params=SimpleNamespace(evaluated=[pair], varied=[pair], n_boot=60, seed=1),
    )
    found = pd.read_csv(output).set_index("conclusion").loc["variance over coadds"]
    assert found["verdict"] == "yes"  # those that vary most were made to scatter least
    nearest = np.sort(far)[: N // 2]
    assert found["value"] <= nearest.max() and found["reference_value"] > nearest.max()


def test_no_conclusion_is_drawn_where_no_catalogue_imitates_the_papers(tmp_path):
    output = tmp_path / "conclusions.csv"
    params = SimpleNamespace(evaluated=[], varied=[], n_boot=20, seed=1)
    nothing = SimpleNamespace(tables=[], singles=[], variations=[])
    run("conclusions", tmp_path, input=nothing, output=[str(output)], params=params)
    assert (pd.read_csv(output)["verdict"] == "not tested").all()


def test_table_1_is_written_for_each_simulation(tmp_path):
    output = tmp_path / "table1.csv"
    priors = {"wide": {"tau": [0.1, 12], "const": [0.001, 0.2], "logarithmic": ["const"]}}
    params = SimpleNamespace(priors=priors)
    run("table1", tmp_path, input=[], output=[str(output)], params=params)
    table = pd.read_csv(output).set_index("parameter")
    assert table.loc["const", "wide"] == "[0.001, 0.2], log"
    assert table.loc["tau", "paper"] == table.loc["tau", "wide"] == "[0.1, 12]"


def test_the_report_is_the_page_with_its_figures_inside(tmp_path):
    page, picture = tmp_path / "results.md", tmp_path / "fig8.png"
    page.write_text("# Results of `x`\n\n## Figures\n\n![fig8](figures/fig8.png)\n")
    picture.write_bytes(b"\x89PNG not really")
    params = {"name": "x", "captions": {"fig8": "<p>PIT.</p>"}, "given": {"name": "x"}}
    params["resolved"] = {"name": "x", "seed": 1}
    run(
        "report_page",
        tmp_path,
        input=SimpleNamespace(page=str(page), figures=[str(picture)]),
        output=[str(tmp_path / "report.html")],
        params=SimpleNamespace(**params),
    )
    found = read_page((tmp_path / "report.html").read_text())
    assert found.images == [picture.read_bytes()] and "PIT." in found.text
    assert not found.outside and not found.broken

"""Verdicts on conclusions: the ratio and its side, against plain numpy."""

import numpy as np
import pandas as pd
import pytest

from photoz.files import InputError
from photoz.metrics.bootstrap import PairedDifference
from photoz.metrics.comparisons import SINGLE_SPLITS
from photoz.metrics.conclusions import (
    COLUMNS,
    METRICS,
    NOT_TESTED,
    SELECTIONS,
    Conclusion,
    conclude,
    verdict,
)
from photoz.metrics.paper_conclusions import PAPER_CONCLUSIONS

N = 1200


def table(scale, seed=0, faint=1.0):
    """Redshifts with a scatter of `scale` (1 + z), `faint` times that beyond i = 21.8."""
    rng = np.random.default_rng(seed)
    z, mag = rng.uniform(0.2, 0.8, N), rng.uniform(19, 22.5, N)
    error = scale * np.where(mag > 21.8, faint, 1.0) * np.random.default_rng(99).normal(size=N)
    odds = 1 / (1 + np.abs(error) / scale + 0.1 * rng.uniform(size=N))
    columns = {"id": np.arange(N), "z_spec": z, "mag_i": mag, "z_mode": z + error * (1 + z)}
    pit = np.random.default_rng(5).uniform(size=N)
    return pd.DataFrame(columns | {"odds": odds, "width": rng.uniform(size=N), "pit": pit})


def run(*items, variants, splits=None, **more):
    splits = splits or {name: one.assign(split=0) for name, one in variants.items()}
    return conclude(items, {"sky": variants}, {"sky": splits}, n_boot=100, seed=1, **more)


def scatter(one, chosen=slice(None)):
    dz = ((one["z_mode"] - one["z_spec"]) / (1 + one["z_spec"]))[chosen]
    return np.diff(np.percentile(dz, [15.9, 84.1]))[0] / 2


def helps(expected, **more):
    return Conclusion("x", "X helps.", "1", "a", "b", expected, **more)


def test_the_ratio_and_its_verdict():
    variants = {"a": table(0.008), "b": table(0.01)}
    rows = run(helps("lower"), helps("higher"), helps("not lower"), variants=variants)
    assert tuple(rows.columns) == COLUMNS
    assert rows["verdict"].tolist() == ["yes", "no", "no"]
    ratio = scatter(variants["a"]) / scatter(variants["b"])
    assert rows["ratio"].to_numpy() == pytest.approx(ratio, rel=1e-3)
    assert (rows["n"] == N).all() and (rows["catalogue"] == "sky").all()


def test_what_galaxies_cannot_tell_is_within_errors():
    noise = table(0.01)
    noise["z_mode"] += 0.003 * np.random.default_rng(2).normal(size=N)
    (row,) = run(helps("lower"), variants={"a": noise, "b": table(0.0104)}).itertuples()
    assert row.verdict == "within errors" and row.p_value > 0.05


@pytest.mark.parametrize(
    ("difference", "p", "ratio", "error", "expected"),
    [
        (-0.1, 0.01, 0.9, 0.03, "no"),  # it helps
        (-0.01, 0.4, 0.995, 0.005, "yes"),  # a gain of two per cent is excluded
        (0.0, 0.9, 1.0, 0.05, "within errors"),
        (0.1, 0.01, 1.1, 0.03, "yes"),
    ],
)
def test_what_does_not_help(difference, p, ratio, error, expected):
    result = PairedDifference(difference, 0.1, p, ratio, error, ratio, 1.0, 100, 0)
    assert verdict("not lower", result) == expected


def test_only_the_chosen_galaxies_count():
    variants = {"a": table(0.01, faint=0.5), "b": table(0.01)}
    rows = run(
        helps("lower", galaxies="i > 21.8"), helps("lower", galaxies="i < 21.8"), variants=variants
    )
    faint = variants["a"]["mag_i"] >= 21.8
    assert rows["n"].tolist() == [faint.sum(), (~faint).sum()]
    assert rows["ratio"].to_numpy() == pytest.approx([0.5, 1.0], rel=1e-6)
    assert rows["verdict"].tolist() == ["yes", "within errors"]


def test_a_gain_for_the_faint_is_compared_with_that_for_the_bright():
    variants = {"a": table(0.01, faint=0.6), "b": table(0.01)}
    item = helps("lower", galaxies="i > 21.8", against="i < 21.8")
    (row,) = run(item, variants=variants).itertuples()
    assert row.value == pytest.approx(0.6) and row.reference_value == pytest.approx(1.0)
    assert row.verdict == "yes" and row.n == N and row.galaxies == "i > 21.8 beside i < 21.8"


def test_a_target_and_the_better_half():
    one = table(0.01)
    item = Conclusion("x", "X", "6.2", "a", None, "lower", "best half by ODDS", target=0.005)
    (row,) = run(item, variants={"a": one}).itertuples()
    best = one.sort_values("odds", ascending=False, kind="stable").index[: N // 2]
    assert row.value == pytest.approx(scatter(one, best), rel=1e-3)
    assert (row.reference, row.reference_value) == ("target", 0.005)
    two = Conclusion("x", "X", "6.2", "a", "a", "lower", "best half by ODDS", "best half by width")
    (row,) = run(two, variants={"a": one}).itertuples()
    narrow = one.sort_values("width", kind="stable").index[: N // 2]
    assert row.reference_value == pytest.approx(scatter(one, narrow), rel=1e-3)
    assert row.verdict == "yes"


def test_an_ensemble_is_compared_with_the_mean_of_its_splits():
    parts = [table(0.01), table(0.014)]
    splits = {"a": pd.concat([part.assign(split=k) for k, part in enumerate(parts)])}
    item = Conclusion("x", "X", "5.2", "a", SINGLE_SPLITS, "lower")
    (row,) = run(item, variants={"a": table(0.01)}, splits=splits).itertuples()
    assert row.reference_value == pytest.approx(np.mean([scatter(p) for p in parts]), rel=1e-3)
    assert row.verdict == "yes"


def test_an_ensemble_meets_one_network_by_the_split_that_both_have():
    parts = [table(0.01), table(0.014)]
    splits = {"a": table(0.009).assign(split=0)}
    splits["b"] = pd.concat([part.assign(split=k) for k, part in enumerate(parts)])
    variants = {"a": table(0.009), "b": table(0.006)}
    fair, as_they_are = run(
        helps("lower"), helps("lower", alike=False), variants=variants, splits=splits
    ).itertuples()
    assert fair.reference_value == pytest.approx(scatter(parts[0]), rel=1e-3)
    assert (fair.metric, fair.verdict) == ("sigma68, one split each", "yes")
    assert as_they_are.reference_value == pytest.approx(scatter(variants["b"]), rel=1e-3)
    assert (as_they_are.metric, as_they_are.verdict) == ("sigma68", "no")


def test_what_a_run_does_not_have_is_not_tested():
    items = [
        helps("lower"),
        Conclusion("e", "E", "5.2", "a", SINGLE_SPLITS, "lower"),
        Conclusion("v", "V", "6.2", "a", "a", "lower", "varying half", "steady half"),
    ]
    rows = run(*items, variants={"a": table(0.01)})
    assert (rows["verdict"] == NOT_TESTED).all() and rows["ratio"].isna().all()
    assert rows["missing"].tolist() == ["b", "a of several splits", "a column variation"]
    rows = conclude(items[:1], {}, {})
    assert rows["missing"].tolist() == ["a, b"]


def test_a_catalogue_without_the_variants_does_not_hide_one_that_has_them():
    tables = {"sky": {"a": table(0.008), "b": table(0.01)}, "field": {"a": table(0.01)}}
    splits = {c: {v: t.assign(split=0) for v, t in one.items()} for c, one in tables.items()}
    (row,) = conclude([helps("lower")], tables, splits, n_boot=100).itertuples()
    assert (row.catalogue, row.verdict, row.missing) == ("sky", "yes", "")


def test_galaxies_without_an_estimate_are_left_out_of_both():
    a, b = table(0.008), table(0.01)
    a.loc[:9, "z_mode"] = np.nan
    b.loc[5:14, "z_mode"] = np.nan
    (row,) = run(helps("lower"), variants={"a": a, "b": b}).itertuples()
    assert row.n == N - 15 and row.verdict == "yes"


def test_no_galaxy_of_the_kind_gives_no_verdict():
    bright = {"a": table(0.008).assign(mag_i=20.0), "b": table(0.01).assign(mag_i=20.0)}
    (row,) = run(helps("lower", galaxies="i > 22.25"), variants=bright).itertuples()
    assert row.verdict == NOT_TESTED and row.n == 0


def test_unusable_tables_and_declarations():
    other = table(0.01).assign(id=np.arange(N)[::-1])
    with pytest.raises(InputError, match="same galaxies"):
        run(helps("lower"), variants={"a": table(0.01), "b": other})
    with pytest.raises(InputError, match="conclusion x: give a reference or a target"):
        Conclusion("x", "X", "1", "a", None, "lower")


def test_the_papers_conclusions_are_well_formed():
    names = [item.name for item in PAPER_CONCLUSIONS]
    assert len(set(names)) == len(names) >= 20
    for item in PAPER_CONCLUSIONS:
        assert {item.metric, item.reference_metric or item.metric} <= set(METRICS), item.name
        assert {item.galaxies, item.against or "all"} <= set(SELECTIONS), item.name
        assert item.statement.rstrip(" .").strip() and item.section


def test_the_papers_ratios_are_those_of_the_numbers_it_prints():
    found = {item.name: item.paper for item in PAPER_CONCLUSIONS}
    for name, ratio in {
        "pretraining helps": 0.0069 / 0.0095,
        "template pretraining helps": 0.0077 / 0.0095,
        "FSPS beats templates": 0.0069 / 0.0077,
        "fewer outliers than BCNz2": 0.10 / 0.17,
    }.items():
        assert found[name] == f"{ratio:.2f}"

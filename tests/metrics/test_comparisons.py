import numpy as np
import pytest

from photoz.metrics import compare_variants, nmad, paired_difference, sigma68
from photoz.metrics.comparisons import COLUMNS, COMPARED, SINGLE_SPLITS


@pytest.fixture
def errors():
    rng = np.random.default_rng(0)
    return {name: 0.01 * (1 + k) * rng.normal(size=300) for k, name in enumerate("abcd")}


def test_a_pair_is_the_paired_bootstrap_of_every_metric(errors):
    table = compare_variants(errors, {}, [("b", "a")], n_boot=30, seed=5)
    assert tuple(table.columns) == COLUMNS
    assert table["metric"].tolist() == list(COMPARED) and set(table["kind"]) == {"pair"}
    rows = table.set_index("metric")
    for metric, statistic in (("sigma68", sigma68), ("nmad", nmad)):
        expected = paired_difference(statistic, errors["b"], errors["a"], 5, 30)
        assert tuple(rows.loc[metric, list(expected._fields)]) == tuple(expected)


def test_an_ensemble_is_compared_with_the_mean_of_its_splits(errors):
    rng = np.random.default_rng(1)
    splits = {name: dz[:, None] for name, dz in errors.items()}
    splits["a"] = errors["a"][:, None] + 0.02 * rng.normal(size=(300, 4))
    table = compare_variants(errors, splits, [], n_boot=30)
    assert set(table["variant"]) == {"a"} and set(table["reference"]) == {SINGLE_SPLITS}
    row = table.set_index("metric").loc["sigma68"]
    assert row["value_b"] == pytest.approx(np.mean([sigma68(x) for x in splits["a"].T]))
    assert row["ratio"] < 0.6 and row["p_value"] == pytest.approx(2 / 31)


def test_two_ensembles_are_also_compared_by_their_single_networks(errors):
    rng = np.random.default_rng(1)
    splits = {k: errors[k][:, None] + 0.02 * rng.normal(size=(300, 2)) for k in "ab"}
    splits["c"] = errors["c"][:, None]
    table = compare_variants(errors, splits, [("b", "a"), ("c", "a")], n_boot=30)
    row = table[(table["kind"] == "singles") & (table["metric"] == "sigma68")].squeeze()
    assert (row["variant"], row["reference"]) == (f"b, {SINGLE_SPLITS}", f"a, {SINGLE_SPLITS}")
    means = [np.mean([sigma68(x) for x in splits[k].T]) for k in "ba"]
    assert row["ratio"] == pytest.approx(means[0] / means[1])


def test_a_contrast_is_the_ratio_of_two_ratios(errors):
    table = compare_variants(errors, {}, [], [("d", "a", "c", "b")], n_boot=30)
    row = table.set_index("metric").loc["sigma68"]
    assert (row["kind"], row["variant"], row["reference"]) == ("contrast", "d / a", "c / b")
    s = {name: sigma68(dz) for name, dz in errors.items()}
    assert row["value_a"] == pytest.approx(s["d"] / s["a"])
    assert row["ratio"] == pytest.approx(s["d"] / s["a"] / (s["c"] / s["b"]))


def test_variants_that_do_not_run_on_a_catalogue_are_left_out(errors):
    table = compare_variants(errors, {}, [("a", "x"), ("x", "a")], [("a", "b", "c", "x")])
    assert table.empty and tuple(table.columns) == COLUMNS

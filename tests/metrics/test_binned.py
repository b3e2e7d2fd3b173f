import numpy as np
import pytest

from photoz.files import InputError
from photoz.metrics import binned_metrics, redshift_error, sigma68


def sample(n=600):
    rng = np.random.default_rng(0)
    z, mag = rng.uniform(0.1, 1.0, n), rng.uniform(19, 22.5, n)
    phot = z + rng.normal(0, 0.01, n) * (1 + z) * (1 + (mag > 21))
    phot[:7] = np.nan
    return phot, z, mag


def test_rows_and_values():
    phot, z, mag = sample()
    table = binned_metrics(phot, z, mag, [18, 21, 22.5], [0, 0.5, 1.0], n_boot=30)
    assert list(table.columns) == [
        "bin_by",
        "bin_low",
        "bin_high",
        "n",
        "n_invalid",
        "metric",
        "value",
        "error",
    ]
    assert len(table) == 5 * 5
    assert table.groupby("bin_by").size().to_dict() == {"all": 5, "mag_i": 10, "redshift": 10}
    scatter = table[table.metric == "sigma68"].set_index(["bin_by", "bin_low"])
    whole = table[(table.bin_by == "all") & (table.metric == "sigma68")].iloc[0]
    assert whole.value == sigma68(redshift_error(phot, z))
    assert (whole.n, whole.n_invalid) == (593, 7)
    bright = scatter.loc[("mag_i", 18)]
    assert bright.value == sigma68(redshift_error(phot, z)[mag < 21])
    assert bright.value == pytest.approx(0.01, abs=4 * bright.error)
    counts = table[(table.bin_by == "mag_i") & (table.metric == "bias")]
    assert (counts.n + counts.n_invalid).sum() == 600


def test_averages_and_empty_bins():
    phot, z, mag = sample(50)
    odds = np.linspace(0, 1, 50)
    odds[3] = np.nan
    table = binned_metrics(phot, z, mag, [10, 11], averages={"odds": odds}, n_boot=20)
    row = table[(table.bin_by == "all") & (table.metric == "odds")].iloc[0]
    assert row.value == np.nanmean(odds)
    assert row.n_invalid == 1
    empty = table[table.bin_by == "mag_i"]
    assert (empty.n == 0).all()
    assert empty.value.isna().all()


def test_galaxies_without_spectroscopic_redshift_do_not_count():
    phot, z, mag = sample(50)
    z[10:20] = np.nan
    table = binned_metrics(phot, z, mag, n_boot=10)
    assert (table.n + table.n_invalid == 40).all()


def test_same_seed_same_table():
    first = binned_metrics(*sample(80), [19, 21, 22], rng=4, n_boot=20)
    second = binned_metrics(*sample(80), [19, 21, 22], rng=4, n_boot=20)
    assert first.equals(second)


def test_bad_input_is_told():
    phot, z, mag = sample(50)
    with pytest.raises(InputError, match="mag_i has shape"):
        binned_metrics(phot, z, mag[1:])
    with pytest.raises(InputError, match="redshift bins must ascend"):
        binned_metrics(phot, z, mag, redshift_edges=[0, 1, 0.5])

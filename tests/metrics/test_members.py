"""Ensembles of growing size against averages made by hand."""

import numpy as np
import pytest

from photoz.files import InputError
from photoz.metrics.bootstrap import bootstrap_error
from photoz.metrics.members import member_metrics
from photoz.metrics.point import redshift_error, sigma68, strict_outlier_fraction
from photoz.pdf.mixture import MixturePDF, average


def splits(n_splits=5, n=400, seed=0):
    """Densities whose centres scatter about the truth, each split's apart from the others'."""
    rng = np.random.default_rng(seed)
    z = rng.uniform(0.2, 1.0, n)
    pdfs = []
    for _ in range(n_splits):
        mean = (z + rng.normal(0, 0.02, n))[:, None]
        pdfs.append(MixturePDF(np.ones((n, 1)), mean, np.full((n, 1), 0.05), 0.0))
    return pdfs, z


def test_ensembles_of_one_size_share_no_network():
    pdfs, z = splits()
    table = member_metrics(pdfs, z, n_boot=20).set_index("networks")
    assert table["ensembles"].tolist() == [5, 2, 1, 1, 1]
    assert (table["n"] == 400).all()
    singles = [sigma68(redshift_error(pdf.means[:, 0], z)) for pdf in pdfs]
    assert table["sigma68"][1] == pytest.approx(np.mean(singles), rel=1e-5)
    pairs = [sigma68(redshift_error(average(pdfs[k : k + 2]).mode(), z)) for k in (0, 2)]
    assert table["sigma68"][2] == pytest.approx(np.mean(pairs), rel=1e-5)
    everything = redshift_error(average(pdfs).mode(), z)
    assert table["strict_outliers"][5] == pytest.approx(strict_outlier_fraction(everything))
    error = bootstrap_error(sigma68, everything, n_boot=20)
    assert table["sigma68_error"][5] == pytest.approx(error, rel=1e-6)


def test_independent_errors_average_out():
    pdfs, z = splits(n_splits=4, n=2000)
    table = member_metrics(pdfs, z, n_boot=10)
    # nearly Gaussian densities, much wider than the distances: the mode is near the mean
    assert table["sigma68"].iloc[-1] == pytest.approx(table["sigma68"].iloc[0] / 2, rel=0.1)


def test_galaxies_without_redshift_or_density_are_left_out():
    pdfs, z = splits(n_splits=2)
    z[:10] = np.nan
    weights = pdfs[0].weights.copy()
    weights[10:15] = np.nan
    broken = MixturePDF(weights, pdfs[0].means, pdfs[0].sigmas, 0.0)
    table = member_metrics([broken, pdfs[1]], z, n_boot=5)
    assert table["n"].tolist() == [385, 390]  # the other split has those five
    assert np.isfinite(table["sigma68"]).all()


def test_no_split_is_an_error():
    with pytest.raises(InputError, match="no p"):
        member_metrics([], np.zeros(3))

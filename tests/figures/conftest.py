"""Small tables with the columns that the figures read."""

import numpy as np
import pandas as pd
import pytest


def make_metrics(catalogues=("paus_mock",), variants=("deepz", "no_pretraining"), n_bins=3):
    """Tidy metrics: value grows with magnitude and differs by variant and catalogue."""
    rows = []
    for c, catalogue in enumerate(catalogues):
        for v, variant in enumerate(variants):
            for b in range(n_bins):
                value = 0.002 * (1 + b) * (1 + v) * (1 + c)
                edges = (20.0 + b, 21.0 + b)
                rows.append((catalogue, variant, "mag_i", *edges, 90, "sigma68", value, value / 9))
                bias = (b - 1) * 1e-4
                rows.append((catalogue, variant, "redshift", *edges, 90, "bias", bias, 1e-4))
            everything = ("all", np.nan, np.nan, 270, "sigma68", 0.005, 1e-4)
            rows.append((catalogue, variant, *everything))
    names = "catalogue variant bin_by bin_low bin_high n metric value error"
    return pd.DataFrame(rows, columns=names.split())


def make_curves(catalogues=("paus_mock",), variants=("deepz", "knn")):
    """Completeness curves of two cuts and one more that the figure leaves out by default."""
    kept = np.linspace(0.1, 1, 10)
    parts = []
    for catalogue in catalogues:
        for v, variant in enumerate(variants):
            for sort_by, power in (("odds", 1.0), ("optimal", 2.0), ("width", 0.5)):
                curve = {"sigma68": 0.006 * (1 + v) * kept**power, "strict_outliers": 0.1 * kept}
                names = {"catalogue": catalogue, "variant": variant, "sort_by": sort_by}
                parts.append(pd.DataFrame({**names, "completeness": kept, **curve}))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def metrics():
    return make_metrics()


@pytest.fixture
def curves():
    return make_curves()

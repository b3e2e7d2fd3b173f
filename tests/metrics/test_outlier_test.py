from pathlib import Path

import numpy as np

from photoz.metrics import outlier_test as module
from photoz.metrics.outlier_test import METHODS, disturbed_band, outlier_test
from photoz.survey.survey import load_survey

SURVEYS = Path(__file__).parents[2] / "config" / "surveys"
BROAD = load_survey(SURVEYS / "cosmos_broadband.yaml")
PAUS = load_survey(SURVEYS / "paus.yaml")


def test_flux_is_added_in_the_bluest_broad_band():
    assert disturbed_band(PAUS.bands) == disturbed_band(BROAD.bands) == "u"
    assert disturbed_band(PAUS.bands.subset(PAUS.bands.names[:40])) == "NB455"


def test_ellipticals_are_of_all_eight_templates_at_their_redshifts():
    rng = np.random.default_rng(3)
    flux, redshift = module._ellipticals(BROAD.bands, 60, rng)
    assert (flux > 0).all() and redshift.min() > 0.02
    colour = -2.5 * np.log10(flux[:, 1] / flux[:, 4])
    assert colour[redshift > 0.6].mean() > colour[redshift < 0.4].mean() + 0.5


def test_a_wrong_flux_misleads_the_template_fit():
    table = outlier_test(
        BROAD, n_galaxies=400, steps=3, redshift_step=0.01, seed=1, added=(0.0, 0.5)
    )
    assert table["method"].tolist() == list(METHODS) * 2
    assert (table["n"] == 80).all() and (table["band"] == "u").all()
    fit = table[table["method"] == "Template fit"].set_index("added")["strict_outliers"]
    assert fit[0.5] > fit[0.0] + 0.1
    again = outlier_test(BROAD, n_galaxies=400, steps=3, redshift_step=0.01, seed=1, added=(0.0,))
    assert table["sigma68"][:3].tolist() == again["sigma68"].tolist()

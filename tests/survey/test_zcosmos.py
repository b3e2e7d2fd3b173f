"""Real galaxies: zCOSMOS-bright redshifts with COSMOS photometry in the paper's six broad bands."""

from pathlib import Path

import numpy as np
import pytest

from photoz.survey import Selection, ingest, load_survey, select

ROOT = Path(__file__).parents[2]

COLUMNS = {
    "id": "id",
    "redshift": "zspec",
    "confidence": "cc",
    "masks": ["mask_b", "mask_v", "mask_i", "mask_z"],
    "mag": "mag_subaru_{band}",
    "error": "magerr_subaru_{band}",
    "bands": {"u": {"mag": "mag_u_cfht", "error": "magerr_u_cfht"}},
}
SELECTION = {
    "magnitude_max": 22.5,
    "redshift_min": 0.01,
    "confidence": [[3, 5]],
    "unmasked": ["mask_b", "mask_v", "mask_i", "mask_z"],
    "required": "all",
}


def test_secure_sample(real_galaxies):
    survey = load_survey(ROOT / "config" / "surveys" / "cosmos_broadband.yaml")
    raw = ingest(real_galaxies, COLUMNS, survey)
    assert len(raw) == 17358
    catalogue, left = select(raw, Selection.from_dict(SELECTION))
    assert 8250 <= len(catalogue) <= 8400
    assert left["magnitude_max"] == 8324  # before asking for all six bands
    assert len(catalogue) == 8313
    assert catalogue.mag_i.max() < 22.5 and catalogue.redshift.min() > 0.01
    # microjansky: the AB definition, not our own function
    brightest = np.argmin(catalogue.mag_i)
    janskys = 3630.78 * 10 ** (-0.4 * catalogue.mag_i[brightest])
    assert catalogue.flux[brightest, 4] == pytest.approx(janskys * 1e6, rel=1e-5)
    # errors: 0.01 mag, the catalogue's smallest, is 0.92 per cent
    assert (catalogue.error / catalogue.flux).min() == pytest.approx(0.00921, rel=1e-2)

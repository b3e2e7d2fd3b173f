"""Units that the file gives against units that the column map gives."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import MaskedColumn, Table

from photoz.files import InputError
from photoz.survey import ingest

COLUMNS = {
    "id": "id",
    "flux": "f_{band}",
    "error": "e_{band}",
    "bands": {"i": {"mag": "mag_i", "error": "err_i"}},
}


def write(folder, suffix=".fits", **units):
    data = Table({"id": [1, 2]})
    for name in ("f_NB455", "f_u"):
        data[name] = [10.0, -3.0]
        data[name.replace("f", "e", 1)] = [1.0, 1.0]
    data["mag_i"], data["err_i"] = [21.0, 22.0], [0.1, 0.1]
    path = folder / f"mine{suffix}"
    if suffix == ".fits":
        hdu = fits.table_to_hdu(data)
        for name, unit in units.items():  # as text: astropy would not write every unit
            hdu.header[f"TUNIT{data.colnames.index(name) + 1}"] = unit
        hdu.writeto(path)
        return path
    for name, unit in units.items():
        data[name].unit = unit
    data.write(path, format="ascii.ecsv", delimiter="," if suffix == ".csv" else " ")
    return path


@pytest.mark.parametrize("suffix", [".fits", ".ecsv", ".csv"])
@pytest.mark.parametrize(
    ("unit", "said"),
    [
        ("uJy", {"units": "uJy"}),
        ("uJy", {"zero_point": 23.9}),
        ("1e-29 erg / (s cm2 Hz)", {"units": "uJy"}),
        ("nmgy", {"zero_point": 22.5}),
        ("electron / s", {"zero_point": 26}),
        ("electron / s", {}),
        ("", {"units": "uJy"}),
        ("pauflux", {}),
    ],
)
def test_a_unit_that_agrees_or_is_absent_changes_nothing(tmp_path, survey, suffix, unit, said):
    path = write(tmp_path, suffix, f_u=unit, e_u=unit, mag_i="mag", err_i="mag")
    columns = {**COLUMNS, "bands": COLUMNS["bands"] | {"u": {"flux": "f_u", "error": "e_u"} | said}}
    flux = ingest(path, columns, survey).catalogue.flux[:, 1]
    own = {"uJy": 23.9}.get(said.get("units"), said.get("zero_point", 26))
    np.testing.assert_allclose(flux, np.array([10, -3]) * 10 ** (0.4 * (26 - own)), rtol=1e-6)


@pytest.mark.parametrize("suffix", [".fits", ".ecsv", ".csv"])
@pytest.mark.parametrize(
    ("unit", "said", "expected"),
    [
        ("nJy", {"units": "uJy"}, "uJy"),
        ("uJy", {"zero_point": 25}, "zero_point 25"),
        ("uJy", {}, "zero_point 26"),
        ("electron / s", {"units": "uJy"}, "uJy"),
        ("pauflux", {"units": "uJy"}, "uJy"),
        ("mag", {}, "a flux per frequency"),
        ("erg / (s cm2 Angstrom)", {}, "a flux per frequency"),
    ],
)
def test_a_unit_that_contradicts_is_refused(tmp_path, survey, suffix, unit, said, expected):
    path = write(tmp_path, suffix, f_u=unit)
    with pytest.raises(InputError, match=rf"mine\{suffix}, column 'f_u': .*map it is {expected}"):
        ingest(path, COLUMNS | said, survey)


def test_errors_and_magnitudes_are_checked_too(tmp_path, survey):
    with pytest.raises(InputError, match=r"column 'e_NB455': .*'nJy'.*uJy"):
        ingest(write(tmp_path, e_NB455="nJy"), COLUMNS | {"units": "uJy"}, survey)
    for unit in ("uJy", "km / s"):
        (tmp_path / "mine.fits").unlink()
        with pytest.raises(InputError, match=r"column 'mag_i': .*a magnitude"):
            ingest(write(tmp_path, mag_i=unit), COLUMNS, survey)


def test_units_of_exposures(tmp_path, survey):
    data = Table({"ref": [1], "band": ["u"], "f": [1.0], "e": [0.1]})
    data["f"].unit = "nJy"
    data.write(tmp_path / "single.fits")
    entry = {"path": "single.fits", "id": "ref", "band": "band", "flux": "f", "error": "e"}
    with pytest.raises(InputError, match=r"single.fits, column 'f': .*'nJy'.*mJy"):
        ingest(write(tmp_path), COLUMNS | {"exposures": entry | {"units": "mJy"}}, survey)


def test_missing_values_of_ecsv(tmp_path, survey):
    path = write(tmp_path, ".ecsv")
    data = Table.read(path)
    data["f_u"] = MaskedColumn(data["f_u"], mask=[False, True])
    data["id"] = MaskedColumn(data["id"], mask=[True, False])
    data.write(path, overwrite=True)
    with pytest.raises(InputError, match="column 'id', row 1: the id is missing"):
        ingest(path, COLUMNS, survey)
    data["id"] = [7, 8]
    data.write(path, overwrite=True)
    assert np.isnan(ingest(path, COLUMNS, survey).catalogue.flux[:, 1]).tolist() == [False, True]


def test_a_broken_ecsv_header_is_named(tmp_path, survey):
    path = write(tmp_path, ".csv", f_u="uJy")
    path.write_text(path.read_text().replace("name: id", "name: [id"))
    with pytest.raises(InputError, match=r"mine\.csv: the ECSV header cannot be read"):
        ingest(path, COLUMNS, survey)

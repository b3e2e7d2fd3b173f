import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from photoz.files import InputError
from photoz.survey import RawCatalogue, ingest, select
from photoz.survey.selection import Selection

COLUMNS = {
    "id": "id",
    "redshift": "z",
    "confidence": "cc",
    "masks": ["bad"],
    "missing": [-99],
    "flux": "f_{band}",
    "error": "e_{band}",
}


def table(**changes):
    data = {
        "id": [11, 12, 13],
        "z": [0.5, -99, 0.7],
        "cc": [3.5, 4.5, 9.5],
        "bad": [0, 0, 1],
        "unused": ["a", "b", "c"],
    }
    for name, flux in (("NB455", 10.0), ("u", 5.0), ("i", 100.0)):
        data[f"f_{name}"] = [flux, -flux, flux]
        data[f"e_{name}"] = [1.0, 2.0, 0.5]
    data["f_i"][1] = 200.0
    data.update(changes)
    return pd.DataFrame(data)


def run(folder, data, survey, columns=COLUMNS):
    path = folder / "mine.csv"
    data.to_csv(path, index=False)
    return ingest(path, columns, survey)


def test_fluxes_in_the_survey_zero_point_as_measured(tmp_path, survey):
    raw = run(tmp_path, table(), survey)
    c = raw.catalogue
    assert c.id.tolist() == [11, 12, 13]
    assert c.flux.dtype == c.error.dtype == np.float32
    np.testing.assert_array_equal(c.flux, [[10, 5, 100], [-10, -5, 200], [10, 5, 100]])
    np.testing.assert_array_equal(c.error[:, 0], [1, 2, 0.5])
    np.testing.assert_allclose(c.redshift, [0.5, np.nan, 0.7])
    np.testing.assert_allclose(c.mag_i, 26 - 2.5 * np.log10([100, 200, 100]))
    assert raw.confidence.tolist() == [3.5, 4.5, 9.5]
    assert raw.masks["bad"].tolist() == [0, 0, 1]
    assert (c.survey, c.zero_point, c.bands) == ("toy", 26.0, ("NB455", "u", "i"))
    assert c.exposures is None


@pytest.mark.parametrize(
    ("units", "one"),
    [
        # AB magnitude of flux 1, so flux in zero-point 26 is 10^(0.4 (26 - it))
        ({"units": "maggies"}, 0.0),
        ({"units": "Jy"}, 8.9),
        ({"units": "uJy"}, 23.9),
        ({"units": "nJy"}, 31.4),
        ({"zero_point": 27.5}, 27.5),
        ({}, 26.0),
    ],
)
def test_units(tmp_path, survey, units, one):
    raw = run(tmp_path, table(), survey, COLUMNS | units)
    expected = np.array([10, -10, 10]) * 10 ** (0.4 * (26 - one))
    np.testing.assert_allclose(raw.catalogue.flux[:, 0], expected, rtol=1e-6)
    np.testing.assert_allclose(raw.catalogue.error[0, 0], expected[0] / 10, rtol=1e-6)


def test_units_agree_with_astropy():
    from astropy import units

    from photoz.survey.columns import UNITS

    for name, unit in (("Jy", units.Jy), ("uJy", units.uJy), ("nJy", units.nJy)):
        assert (1 * unit).to_value(units.ABmag) == pytest.approx(UNITS[name], abs=1e-6)


def test_magnitudes_and_their_errors(tmp_path, survey):
    columns = COLUMNS | {"bands": {"i": {"mag": "m", "error": "s"}}}
    data = table(m=[22.0, -99, 21.0], s=[0.1, 0.1, -99])
    c = run(tmp_path, data, survey, columns).catalogue
    assert c.flux[0, 2] == pytest.approx(10**1.6)
    assert c.error[0, 2] == pytest.approx(10**1.6 * np.log(10) / 2.5 * 0.1)
    # a magnitude without error, or an error without magnitude, is no measurement
    assert np.isnan(c.flux[1:, 2]).all() and np.isnan(c.error[1:, 2]).all()
    np.testing.assert_allclose(c.mag_i, [22, np.nan, np.nan], rtol=1e-6)


def test_error_floor_in_magnitudes(tmp_path, survey):
    columns = COLUMNS | {
        "error_floor": 0.05,
        "bands": {"i": {"mag": "m", "error": "s", "error_floor": 0.2}},
    }
    data = table(m=[22.0] * 3, s=[0.1, 0.2, 0.3])
    c = run(tmp_path, data, survey, columns).catalogue
    factor = np.log(10) / 2.5
    np.testing.assert_allclose(c.error[:, 2] / c.flux[:, 2], factor * np.array([0.2, 0.2, 0.3]))
    # NB455: |flux| 10 with errors 1, 2, 0.5 against a floor of 0.46
    np.testing.assert_allclose(c.error[:, 0], [1, 2, 0.5])
    # u: |flux| 5 with 1, 2, 0.5 against 0.23
    np.testing.assert_allclose(c.error[:, 1], [1, 2, 0.5])
    c = run(tmp_path, data, survey, columns | {"error_floor": 0.1}).catalogue
    assert c.error[2, 0] == pytest.approx(10 * factor * 0.1)


def test_band_that_was_not_observed(tmp_path, survey):
    columns = COLUMNS | {"bands": {"u": None}}
    data = table().drop(columns=["f_u", "e_u"])
    c = run(tmp_path, data, survey, columns).catalogue
    assert np.isnan(c.flux[:, 1]).all() and np.isfinite(c.flux[:, [0, 2]]).all()


def test_prediction_without_redshift_or_confidence(tmp_path, survey):
    columns = {k: v for k, v in COLUMNS.items() if k not in ("redshift", "confidence", "masks")}
    raw = run(tmp_path, table().drop(columns=["z", "cc", "bad"]), survey, columns)
    assert np.isnan(raw.catalogue.redshift).all() and raw.confidence is None
    catalogue, _ = select(raw, Selection())
    assert len(catalogue) == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"e_u": [1.0, 0.0, 1.0]}, "column 'e_u', row 2: error 0 makes no sense"),
        ({"e_u": [1.0, 1.0, -1.0]}, "column 'e_u', row 3: error -1 makes no sense.*missing"),
        ({"f_u": [1.0, "faint", 1.0]}, "column 'f_u', row 2: a number expected, found 'faint'"),
        ({"f_u": [1.0, 2.0, np.inf]}, "column 'f_u', row 3: infinite"),
        ({"e_i": [np.inf, 1, 1]}, "column 'e_i', row 1: infinite"),
        ({"f_u": [1e300, 1, 1]}, "column 'f_u', row 1: .*single precision"),
        ({"e_u": [1e-300, 1, 1]}, "single precision"),
        ({"id": [11, 12, 11]}, "column 'id': id 11 occurs in row 1 and row 3"),
        ({"id": [11, 12.5, 13]}, "column 'id', row 2: .*not a whole number"),
        ({"id": [11, None, 13]}, "column 'id', row 2: the id is missing"),
        ({"z": [0.1, -5.0, 0.1]}, "column 'z', row 2: redshift -5 makes no sense"),
        ({"cc": ["secure", 1, 2]}, "column 'cc', row 1: a number expected"),
    ],
)
def test_bad_values_name_file_column_and_row(tmp_path, survey, changes, message):
    with pytest.raises(InputError, match=rf"mine\.csv.*{message}"):
        run(tmp_path, table(**changes), survey)


def test_unmarked_magnitude_sentinel(tmp_path, survey):
    columns = COLUMNS | {"bands": {"i": {"mag": "m", "error": "s"}}}
    data = table(m=[22.0, 99.0, 21.0], s=[0.1] * 3)
    with pytest.raises(InputError, match=r"column 'm', row 2: magnitude 99 .*missing"):
        run(tmp_path, data, survey, columns)


def test_missing_column_is_suggested(tmp_path, survey):
    with pytest.raises(InputError, match="no column 'e_NB455'; did you mean 'e_nb455'"):
        run(tmp_path, table().rename(columns={"e_NB455": "e_nb455"}), survey)


def test_the_survey_columns_are_checked_too(tmp_path, survey):
    with pytest.raises(InputError, match="unknown key 'fluxes'; did you mean 'flux'"):
        run(tmp_path, table(), survey, {"id": "id", "fluxes": "f_{band}"})


cells = st.one_of(
    st.floats(width=64),
    st.integers(-(10**20), 10**20),
    st.sampled_from([0.0, -99.0, 1.0, 2.5, "", "x", "1e3", "nan", "#", '"', ",", None, True]),
)
good = st.floats(0.01, 1e4)


@st.composite
def tables(draw):
    n = draw(st.integers(0, 4))
    names = ["id", "z", "cc", "bad"] + [f"{k}_{b}" for b in ("NB455", "u", "i") for k in "fe"]
    wild = draw(st.sets(st.sampled_from(names), max_size=3))
    data = {
        name: draw(st.lists(cells if name in wild else good, min_size=n, max_size=n))
        for name in names
    }
    if "id" not in wild:
        data["id"] = list(range(n))
    dropped = draw(st.sets(st.sampled_from(names), max_size=1)) if draw(st.booleans()) else set()
    return pd.DataFrame(
        {k: pd.Series(v, dtype=object) for k, v in data.items() if k not in dropped}
    )


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=tables(), cut=st.integers(0, 40))
def test_any_table_gives_a_catalogue_or_an_input_error(tmp_path, survey, data, cut):
    path = tmp_path / "mine.csv"
    data.to_csv(path, index=False)
    if cut:
        text = path.read_bytes()
        path.write_bytes(text[: max(len(text) - cut, 1)])
    try:
        raw = ingest(path, COLUMNS, survey)
    except InputError as error:
        assert "mine.csv" in str(error)
        return
    assert isinstance(raw, RawCatalogue)
    c = raw.catalogue
    assert len(c) >= 1 and len(set(c.id.tolist())) == len(c)
    np.testing.assert_array_equal(np.isnan(c.flux), np.isnan(c.error))
    assert not np.isinf(c.flux).any() and (c.error[np.isfinite(c.error)] > 0).all()

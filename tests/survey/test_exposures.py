import numpy as np
import pandas as pd
import pytest

from photoz.files import InputError
from photoz.survey import coadd, ingest
from photoz.survey.exposures import dense_exposures


def test_dense_keeps_order_and_pads():
    galaxy = np.array([1, 0, 1, 1, 0])
    band = np.array([0, 1, 0, 1, 1])
    flux = np.array([10.0, 20, 11, 30, 21])
    dense, error = dense_exposures(galaxy, band, flux, flux / 10, (3, 2))
    assert dense.shape == (3, 2, 2)
    nan = np.nan
    expected = [[[nan, nan], [20, 21]], [[10, 11], [30, nan]], [[nan, nan], [nan, nan]]]
    np.testing.assert_array_equal(dense, expected)
    np.testing.assert_allclose(error, np.array(expected) / 10, rtol=1e-6)


def test_dense_holds_every_measurement_once():
    rng = np.random.default_rng(0)
    galaxy, band = rng.integers(0, 50, 3000), rng.integers(0, 4, 3000)
    flux = np.arange(3000.0)
    dense, _ = dense_exposures(galaxy, band, flux, flux, (50, 4))
    counts = np.zeros((50, 4), int)
    np.add.at(counts, (galaxy, band), 1)
    np.testing.assert_array_equal(np.isfinite(dense).sum(axis=2), counts)
    assert set(dense[np.isfinite(dense)]) == set(flux)
    cell = flux[(galaxy == 7) & (band == 2)]
    np.testing.assert_array_equal(dense[7, 2, : cell.size], cell)


def test_no_measurement_at_all():
    nothing = np.zeros(0, dtype=np.int64)
    dense, _ = dense_exposures(nothing, nothing, nothing * 1.0, nothing * 1.0, (2, 1))
    assert dense.shape == (2, 1, 1) and np.isnan(dense).all()


COLUMNS = {
    "id": "id",
    "bands": {"u": {"flux": "fu", "error": "eu"}, "i": {"flux": "fi", "error": "ei"}},
    "exposures": {
        "path": "single.parquet",
        "id": "ref",
        "band": "band",
        "flux": "f",
        "error": "e",
        "missing": -99,
        "names": {"pau_nb455": "NB455"},
    },
}


def write(folder, singles, ids=(3, 1, 2)):
    n = len(ids)
    table = {"id": ids, "fu": [1.0] * n, "eu": [0.1] * n, "fi": [9.0] * n, "ei": [0.2] * n}
    pd.DataFrame(table).to_csv(folder / "cat.csv", index=False)
    pd.DataFrame(singles, columns=["ref", "band", "f", "e"]).to_parquet(folder / "single.parquet")
    return folder / "cat.csv"


SINGLES = [
    (1, "NB455", 4.0, 1.0),
    (3, "pau_nb455", 2.0, 0.5),
    (1, "pau_nb455", 6.0, 2.0),
    (2, "NB455", -99.0, 1.0),
    (3, "i", 8.0, 0.5),
]


def test_ingest_fills_exposures_and_the_missing_coadd(tmp_path, survey):
    catalogue = ingest(write(tmp_path, SINGLES), COLUMNS, survey).catalogue
    assert catalogue.exposures.bands == ("NB455", "i")
    nan = np.nan
    expected = [[[2, nan], [8, nan]], [[4, 6], [nan, nan]], [[nan, nan], [nan, nan]]]
    np.testing.assert_array_equal(catalogue.exposures.flux, expected)
    # NB455 has no columns: its coadd comes from the exposures; i keeps its own
    flux, error = coadd(catalogue.exposures.flux[:, 0], catalogue.exposures.error[:, 0])
    np.testing.assert_array_equal(catalogue.flux[:, 0], flux)
    np.testing.assert_array_equal(catalogue.error[:, 0], error)
    np.testing.assert_array_equal(catalogue.flux[:, 2], [9, 9, 9])


def test_units_of_exposures(tmp_path, survey):
    columns = COLUMNS | {"exposures": COLUMNS["exposures"] | {"zero_point": 23.5}}
    catalogue = ingest(write(tmp_path, SINGLES), columns, survey).catalogue
    assert catalogue.exposures.flux[0, 0, 0] == pytest.approx(20)  # 2.5 mag: ten times
    assert catalogue.exposures.error[0, 0, 0] == pytest.approx(5)


def test_text_ids_match_number_ids(tmp_path, survey):
    singles = [(str(a), *rest) for a, *rest in SINGLES]
    catalogue = ingest(write(tmp_path, singles), COLUMNS, survey).catalogue
    assert np.isfinite(catalogue.exposures.flux).sum() == 4


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((7, "NB455", 1.0, 1.0), "column 'ref', row 6: id 7 is not in the catalogue"),
        ((1, "nb456", 1.0, 1.0), "column 'band', row 6: .*did you mean 'NB455'"),
        ((1, None, 1.0, 1.0), "column 'band', row 6: the band is missing"),
        ((1, "NB455", 1.0, 0.0), "column 'e', row 6: error 0 is not positive"),
        ((1, "NB455", np.inf, 1.0), "column 'f', row 6: infinite"),
    ],
)
def test_bad_rows_are_named(tmp_path, survey, row, message):
    with pytest.raises(InputError, match=message):
        ingest(write(tmp_path, [*SINGLES, row]), COLUMNS, survey)


def test_absent_table_and_unmeasured_band(tmp_path, survey):
    path = write(tmp_path, SINGLES[-1:])
    with pytest.raises(InputError, match="band NB455 has neither columns nor exposures"):
        ingest(path, COLUMNS, survey)
    (tmp_path / "single.parquet").unlink()
    with pytest.raises(InputError, match=r"single.parquet: .*not found"):
        ingest(path, COLUMNS, survey)


def test_error_floor_of_coadds_made_of_exposures(tmp_path, survey):
    """The floor holds for bands that have no columns of their own, after the coadd."""
    path = write(tmp_path, SINGLES)
    plain = ingest(path, COLUMNS, survey).catalogue
    factor = np.log(10) / 2.5
    for floor in ({"error_floor": 0.5}, {"bands": {"NB455": {"error_floor": 0.5}}}):
        columns = {**COLUMNS, **floor, "bands": COLUMNS["bands"] | floor.get("bands", {})}
        catalogue = ingest(path, columns, survey).catalogue
        expected = np.maximum(plain.error[:, 0], 0.5 * factor * plain.flux[:, 0])
        np.testing.assert_allclose(catalogue.error[:2, 0], expected[:2], rtol=1e-6)
        assert catalogue.error[1, 0] > plain.error[1, 0]  # 4.4 +- 0.9 becomes +- 2.0
        np.testing.assert_array_equal(catalogue.exposures.error, plain.exposures.error)
    with pytest.raises(InputError, match="negative"):
        ingest(path, COLUMNS | {"error_floor": -1}, survey)


def many(scale, error, n=60):
    rng = np.random.default_rng(6)
    ids = range(1, n + 1)
    singles = []
    for k in ids:
        singles += [(k, "i", scale * 9 + error * rng.standard_normal(), error) for _ in range(3)]
        singles.append((k, "NB455", 1.0, 1.0))
    return singles, tuple(ids)


def test_exposures_on_another_scale_than_the_coadds_are_refused(tmp_path, survey):
    singles, ids = many(2.512, 0.2)
    with pytest.raises(
        InputError, match=r"cat\.csv: band i: .*exposures are 2\.51 times .*60 galaxies.*zero_point"
    ):
        ingest(write(tmp_path, singles, ids), COLUMNS, survey)
    corrected = COLUMNS | {"exposures": COLUMNS["exposures"] | {"zero_point": 27}}
    catalogue = ingest(write(tmp_path, singles, ids), corrected, survey).catalogue
    assert np.median(catalogue.exposures.flux[:, 1, 0]) == pytest.approx(9, rel=0.02)


@pytest.mark.parametrize(
    ("scale", "error", "n"),
    [(1.05, 0.2, 60), (2.0, 9.0, 60), (2.0, 0.2, 19)],
    ids=["within 10 %", "too noisy to tell", "too few to tell"],
)
def test_scales_that_agree_or_cannot_be_compared(tmp_path, survey, scale, error, n):
    singles, ids = many(scale, error, n)
    assert len(ingest(write(tmp_path, singles, ids), COLUMNS, survey).catalogue) == n

import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.table import Table

from photoz.files import InputError
from photoz.pdf import GridPDF, MixturePDF, read_photoz_table, summarise, write_photoz_table


def columns():
    return {
        "id": np.array([3, 1, 2], dtype=np.int64),
        "z_spec": np.array([0.3, np.nan, 0.5]),
        "mag_i": np.array([21.0, 22.0, 22.4]),
        "z_mode": np.array([0.31, 0.6, np.nan]),
        "flag": np.array([0, 0, 1], dtype=np.int8),
        "field": np.array(["W1", "W3", "W1"]),
    }


def test_summary_of_gaussians_in_closed_form():
    pdf = MixturePDF([[1.0], [1.0], [np.nan]], [[0.5], [0.8], [0.1]], [[0.0015], [0.003], [0.1]])
    summary = summarise(pdf)
    assert list(summary) == ["z_mode", "z_mean", "odds", "width", "flag"]
    np.testing.assert_allclose(summary["z_mode"], [0.5, 0.8, np.nan])
    np.testing.assert_allclose(summary["odds"][:2], [0.6826895, 0.3829249], rtol=1e-6)
    np.testing.assert_allclose(summary["width"][:2], 2 * 2.3263479 * np.array([0.0015, 0.003]))
    assert summary["flag"].tolist() == [0, 0, 1]


def test_summary_of_a_grid():
    z = np.linspace(0, 1, 1001)
    summary = summarise(GridPDF(z, np.exp(-0.5 * ((z[None] - 0.4) / 0.02) ** 2)))
    assert summary["z_mode"][0] == pytest.approx(0.4, abs=1e-8)
    assert summary["width"][0] == pytest.approx(2 * 2.3263 * 0.02, rel=1e-3)


@pytest.mark.parametrize("name", ["t.parquet", "t.fits"])
def test_round_trip_and_same_bytes(tmp_path, name):
    write_photoz_table(tmp_path / name, columns())
    first = (tmp_path / name).read_bytes()
    write_photoz_table(tmp_path / name, columns())
    assert (tmp_path / name).read_bytes() == first
    table = read_photoz_table(tmp_path / name)
    assert list(table.columns) == list(columns())
    for key, values in columns().items():
        if values.dtype.kind == "f":
            np.testing.assert_array_equal(table[key].to_numpy(), values)
        else:
            assert table[key].tolist() == values.tolist()


def test_units_and_descriptions_travel(tmp_path):
    write_photoz_table(tmp_path / "t.parquet", columns(), {"field": ("", "PAUS field")})
    schema = pq.read_schema(tmp_path / "t.parquet")
    assert schema.field("mag_i").metadata[b"unit"] == b"mag"
    assert b"mode of p(z)" in schema.field("z_mode").metadata[b"description"]
    assert schema.field("field").metadata[b"description"] == b"PAUS field"
    write_photoz_table(tmp_path / "t.fits", columns())
    header = fits.getheader(tmp_path / "t.fits", 1)
    assert header["TUNIT3"] == "mag"
    assert "mode of p(z)" in header["TCOMM4"]
    assert str(Table.read(tmp_path / "t.fits")["mag_i"].unit) == "mag"


def test_broken_tables_are_told(tmp_path):
    with pytest.raises(InputError, match="'z_mode'"):
        write_photoz_table(tmp_path / "t.parquet", {"id": [1, 2], "z_mode": [0.1]})
    with pytest.raises(InputError, match="at least one"):
        write_photoz_table(tmp_path / "t.parquet", {})
    for name, kept in (("t.parquet", 300), ("t.fits", 300), ("t.fits", 5800)):
        write_photoz_table(tmp_path / name, columns())
        cut = tmp_path / f"cut-{name}"
        cut.write_bytes((tmp_path / name).read_bytes()[:kept])
        with pytest.raises(InputError, match="cut-t"):
            read_photoz_table(cut)

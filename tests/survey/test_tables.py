import h5py
import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.table import Table

from photoz.files import InputError
from photoz.survey.tables import as_id_column, as_number_column, read_columns

SUFFIXES = (".parquet", ".fits", ".h5", ".csv")


def write(path, data):
    frame = pd.DataFrame(data)
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".fits":
        Table.from_pandas(frame).write(path)
    else:
        with h5py.File(path, "w") as store:
            for name in frame:
                values = frame[name].to_numpy()
                store[name] = values.astype("S") if values.dtype.kind in "OTU" else values
    return path


@pytest.fixture
def data():
    n = 2000
    rng = np.random.default_rng(2)
    return {
        "id": np.arange(n) + 2**53,  # doubles would merge these
        "name": np.array([f"g{k}" for k in range(n)], dtype=object),
        "flux": rng.standard_normal(n),
    }


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_returns_what_was_written(tmp_path, data, suffix):
    path = write(tmp_path / f"t{suffix}", data)
    read = read_columns(path, ["flux", "id", "name"])
    assert list(read) == ["flux", "id", "name"]
    np.testing.assert_allclose(read["flux"], data["flux"], rtol=1e-15)
    np.testing.assert_array_equal(as_id_column(read["id"], "t"), data["id"])
    assert as_id_column(read["name"], "t").tolist() == list(data["name"])
    assert read["flux"].dtype.isnative


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_missing_column_suggests(tmp_path, data, suffix):
    path = write(tmp_path / f"t{suffix}", data)
    with pytest.raises(InputError, match=rf"t\{suffix}: no column 'flx'; did you mean 'flux'"):
        read_columns(path, ["id", "flx"])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_truncated_file(tmp_path, data, suffix):
    path = write(tmp_path / f"t{suffix}", data)
    whole = path.read_bytes()
    # a third lost; for CSV in the middle of a line
    cut = len(whole) * 2 // 3
    if suffix == ".csv":
        cut = whole.index(b",", cut)
    path.write_bytes(whole[:cut])
    with pytest.raises(InputError, match=rf"t\{suffix}"):
        read_columns(path, ["id", "flux"])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_rows_empty_and_foreign_content(tmp_path, suffix):
    path = tmp_path / f"t{suffix}"
    write(path, {"id": np.zeros(0, dtype=np.int64), "flux": np.zeros(0)})
    with pytest.raises(InputError, match="no rows"):
        read_columns(path, ["id", "flux"])
    path.write_bytes(b"")
    with pytest.raises(InputError, match="empty"):
        read_columns(path, ["id", "flux"])
    path.write_bytes(b"\x89PNG\xff\xfe not a table" * 50)
    with pytest.raises(InputError, match=rf"t\{suffix}"):
        read_columns(path, ["id", "flux"])
    path.unlink()
    with pytest.raises(InputError, match="not found"):
        read_columns(path, ["id", "flux"])


def test_unknown_suffix(tmp_path):
    path = tmp_path / "t.xlsx"
    path.write_bytes(b"PK")
    with pytest.raises(InputError, match=r"cannot read '.xlsx'.*.parquet"):
        read_columns(path, ["id"])


def test_named_tables_inside_fits_and_hdf5(tmp_path):
    hdus = [fits.PrimaryHDU()]
    for name, value in (("A", 1.0), ("B", 2.0)):
        column = fits.Column(name="x", format="D", array=[value])
        hdus.append(fits.BinTableHDU.from_columns([column], name=name))
    fits.HDUList(hdus).writeto(tmp_path / "t.fits")
    with h5py.File(tmp_path / "t.h5", "w") as store:
        store["A/x"], store["B/x"] = [1.0], [2.0]
    for path in (tmp_path / "t.fits", tmp_path / "t.h5"):
        assert read_columns(path, ["x"], "B")["x"].tolist() == [2.0]
        with pytest.raises(InputError, match="'C'"):
            read_columns(path, ["x"], "C")


def test_astropy_hdf5_and_fits_nulls(tmp_path):
    Table({"id": [1, 2], "x": [0.5, 1.5]}).write(tmp_path / "t.h5", path="data")
    assert read_columns(tmp_path / "t.h5", ["x"])["x"].tolist() == [0.5, 1.5]
    assert read_columns(tmp_path / "t.h5", ["x"], "data")["x"].tolist() == [0.5, 1.5]
    column = fits.Column(name="x", format="J", array=[1, -99], null=-99)
    fits.BinTableHDU.from_columns([column]).writeto(tmp_path / "t.fits")
    np.testing.assert_array_equal(read_columns(tmp_path / "t.fits", ["x"])["x"], [1, np.nan])


def test_image_only_fits_and_vector_columns(tmp_path):
    fits.PrimaryHDU(np.zeros((3, 3))).writeto(tmp_path / "image.fits")
    with pytest.raises(InputError, match="no table extension"):
        read_columns(tmp_path / "image.fits", ["x"])
    column = fits.Column(name="x", format="3D", array=np.zeros((2, 3)))
    fits.BinTableHDU.from_columns([column]).writeto(tmp_path / "vector.fits")
    with pytest.raises(InputError, match=r"'x': one value per row"):
        read_columns(tmp_path / "vector.fits", ["x"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,flux\n1,2\n3,4,5\n6,7\n", "row 2: 3 values for 2 columns"),
        ("id,flux\n1,2\n3\n", "truncated"),
        ("id,flux,flux\n1,2,3\n", "'flux' occurs twice"),
        ("id;flux\n1;2\n", "no column 'id'"),
    ],
)
def test_ragged_csv(tmp_path, text, message):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_columns(path, ["id", "flux"])


def test_csv_with_comments_spaces_and_byte_order_mark(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("\ufeff# made by hand\nid, flux\n1, 2.5\n2,\n", encoding="utf-8")
    read = read_columns(path, ["id", "flux"])
    np.testing.assert_array_equal(read["flux"], [2.5, np.nan])
    path.write_text("\n# two\n\nid,flux\nA#1,2.5\n\nA#2,3\n")
    read = read_columns(path, ["id", "flux"])
    assert read["id"].tolist() == ["A#1", "A#2"] and read["flux"].tolist() == [2.5, 3]


def test_numbers_text_sentinels_and_infinity():
    values = np.array([1.0, -99.0, np.nan, -99.9], dtype=np.float32)
    np.testing.assert_array_equal(as_number_column(values, "c", (-99, -99.9))[1:], [np.nan] * 3)
    with pytest.raises(InputError, match="c, row 2: a number expected, found 'faint'"):
        as_number_column(np.array(["1.5", "faint"], dtype=object), "c")
    with pytest.raises(InputError, match="c, row 3: infinite"):
        as_number_column(np.array([1, np.nan, -np.inf]), "c")
    infinities = np.array([1, np.inf, -np.inf])
    assert np.isnan(as_number_column(infinities, "c", (np.inf, -np.inf))[1:]).all()
    with pytest.raises(InputError, match="numbers expected"):
        as_number_column(np.array([1 + 2j]), "c")
    with pytest.raises(InputError, match="numbers expected"):
        as_number_column(np.array(["2020-01-01"], dtype="M8[D]"), "c")


def test_ids():
    assert as_id_column(np.array([1.0, 2.0]), "c").dtype == np.int64
    for values, message in [
        (np.array([1.0, 1.5]), "row 2: id .*1.5.* is not a whole number"),
        (np.array([1.0, np.nan]), "row 2: the id is missing"),
        (np.array(["a", None], dtype=object), "row 2: the id is missing"),
        (np.array([2.0**60]), "whole number"),
        (np.array([2**63], dtype=np.uint64), "store it as text"),
        (np.array([True]), "whole numbers or text"),
    ]:
        with pytest.raises(InputError, match=message):
            as_id_column(values, "c")

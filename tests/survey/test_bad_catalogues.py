"""Tables as nobody should hand them over: read right or refused in one line, never half-used."""

import datetime
import decimal
import io

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.table import Table
from hypothesis import given
from hypothesis import strategies as st

from photoz.files import InputError
from photoz.survey import ingest, select
from photoz.survey.catalogue import (
    Catalogue,
    Exposures,
    catalogue_blocks,
    read_catalogue,
    write_catalogue,
)
from photoz.survey.selection import Selection
from photoz.survey.tables import SUFFIXES
from tests.fuzzing import HOSTILE_NAMES, assert_one_line, damage, examples, fine_or_refused
from tests.survey.conftest import box

# what astropy and pandas have to say about such files
pytestmark = pytest.mark.filterwarnings("ignore")

COLUMNS = {"id": "id", "redshift": "z", "missing": -99, "flux": "f_{band}", "error": "e_{band}"}
NAMES = ("id", "z", "f_NB455", "e_NB455", "f_u", "e_u", "f_i", "e_i")
ROWS = 4


@pytest.fixture(scope="module")
def toy():
    from photoz.survey import BandSet, Survey

    kinds = {"NB455": "narrow", "u": "broad", "i": "broad"}
    bands = (box(name, kind, 4000.0, 5000.0) for name, kind in kinds.items())
    return Survey("toy", 26.0, "i", BandSet(tuple(bands)), depth=np.full(3, 25.0))


def good():
    """Columns of a table that can be read."""
    data = {name: [10.0, 20.0, -5.0, 1.5] for name in NAMES}
    data |= {name: [1.0, 2.0, 3.0, 0.5] for name in NAMES if name.startswith("e_")}
    return data | {"id": [1, 2, 3, 4], "z": [0.5, -99.0, 0.7, 0.0]}


def written(suffix, data):
    """The bytes of a table in a format."""
    stream = io.BytesIO()
    if suffix == ".parquet":
        pq.write_table(pa.table(data), stream)
    elif suffix == ".fits":
        Table(data).write(stream, format="fits")
    elif suffix == ".h5":
        with h5py.File(stream, "w") as store:
            for name, values in data.items():
                values = np.asarray(values)
                store[name] = values.astype("S") if values.dtype.kind == "U" else values
    elif suffix == ".ecsv":
        text = io.StringIO()
        Table(data).write(text, format="ascii.ecsv")
        stream.write(text.getvalue().encode())
    else:
        stream.write(pd.DataFrame(data).to_csv(index=False).encode())
    return stream.getvalue()


def use(path, survey, columns=COLUMNS):
    """Read, cut and store a table as the workflow does; what comes out must be sound."""
    raw = ingest(path, columns, survey)
    galaxies = raw.catalogue
    measured = np.isfinite(galaxies.error)
    assert galaxies.flux.dtype == galaxies.error.dtype == np.float32
    assert not np.isinf(galaxies.flux).any() and not np.isinf(galaxies.redshift).any()
    assert (galaxies.error[measured] > 0).all()
    np.testing.assert_array_equal(measured, np.isfinite(galaxies.flux))
    assert len(np.unique(galaxies.id)) == len(galaxies) > 0
    chosen, _ = select(raw, Selection(required=("i",)))
    stored = path.with_name("stored.h5")
    write_catalogue(stored, chosen)
    np.testing.assert_array_equal(read_catalogue(stored).id, chosen.id)
    stored.unlink()
    return galaxies


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("bad")


def check(folder, suffix, content, survey, columns=COLUMNS):
    """Write a file, use it, and see that nothing else is left behind."""
    path = folder / f"table{suffix}"
    path.write_bytes(content)
    with fine_or_refused():
        use(path, survey, columns)
    assert [item.name for item in folder.iterdir()] == [path.name]
    path.unlink()


@pytest.mark.parametrize("suffix", [".parquet", ".fits", ".h5", ".csv", ".ecsv"])
def test_the_good_table_is_read(folder, toy, suffix):
    path = folder / f"good{suffix}"
    path.write_bytes(written(suffix, good()))
    galaxies = use(path, toy)
    assert galaxies.id.tolist() == [1, 2, 3, 4] and galaxies.flux[1, 0] == 20
    assert np.isnan(galaxies.redshift[1])
    path.unlink()


@pytest.mark.parametrize("suffix", [".parquet", ".fits", ".h5", ".csv", ".ecsv"])
def test_a_damaged_table_is_fine_or_refused(folder, toy, suffix):
    content = written(suffix, good())

    @examples(40)
    @given(damage(content) | st.binary(max_size=300).map(lambda tail: content[:8] + tail))
    def trial(changed):
        check(folder, suffix, changed, toy)

    trial()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_any_bytes_with_the_right_suffix_are_refused(folder, toy, suffix):
    whole = [written(other, good()) for other in (".parquet", ".fits", ".h5", ".csv")]
    texts = [
        b"",
        b"\0" * 100,
        b"\xff\xfe",
        b"id\n",
        b",,,\n",
        b'"',
        b"#\n",
        b"%ECSV 1.0\n",
        b"# %E\n",
    ]
    for content in whole + texts:
        check(folder, suffix, content, toy)

    @examples(15)
    @given(st.binary(max_size=400))
    def trial(content):
        check(folder, suffix, content, toy)

    trial()


NUMBERS = st.lists(
    st.floats(width=64) | st.sampled_from([-99.0, 1e300, 1e-300, 1e39, 1e-46, 0.0, -1.0, 2.0**60]),
    min_size=ROWS,
    max_size=ROWS,
)
CELLS = [
    *(None, "", " ", "nan", "NaN", "NA", "-99", "1e3", "1e999", "-", "1,5", "12:30", "x", "1_0"),
    *("'", '"', "a\nb", "a,b", "#5", "=1+1", "\u0661", "é", "\u202e", "True", "0x10", "\ufeff"),
]
TEXTS = st.lists(st.sampled_from(CELLS) | st.text(max_size=6), min_size=ROWS, max_size=ROWS)
WHOLE = st.lists(
    st.integers(-(2**63), 2**63 - 1) | st.sampled_from([1, 2]), min_size=ROWS, max_size=ROWS
)
TRUTHS = st.lists(st.booleans() | st.none(), min_size=ROWS, max_size=ROWS)


def tables(kinds):
    """Strategy: the good table with some columns of another content, or without them."""
    some = st.dictionaries(st.sampled_from(NAMES), kinds, min_size=1, max_size=3)
    gone = st.lists(st.sampled_from(NAMES), max_size=1)
    return st.tuples(some, gone).map(
        lambda pair: {k: v for k, v in (good() | pair[0]).items() if k not in pair[1]}
    )


@examples(120)
@given(tables(NUMBERS | TEXTS | WHOLE | TRUTHS))
def test_any_cells_of_a_csv_file_are_fine_or_refused(folder, toy, data):
    frame = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in data.items()})
    check(folder, ".csv", frame.to_csv(index=False).encode("utf-8", "replace"), toy)


ODD_COLUMNS = {
    "lists": pa.array([[1.0], [2.0, 3.0], None, []]),
    "structures": pa.array([{"a": 1}, {"a": 2}, None, {"a": 3}]),
    "dates": pa.array([datetime.date(2020, 7, 29)] * ROWS),
    "times": pa.array([datetime.datetime(2020, 7, 29, tzinfo=datetime.UTC)] * ROWS),
    "durations": pa.array([datetime.timedelta(1)] * ROWS),
    "decimals": pa.array([decimal.Decimal("1.5"), None, decimal.Decimal("-2"), decimal.Decimal(3)]),
    "bytes": pa.array([b"1", b"\xff", b"", None]),
    "categories": pa.array(["a", "b", "a", None]).dictionary_encode(),
    "truths": pa.array([True, None, False, True]),
    "nothing": pa.nulls(ROWS),
    "halves": pa.array(np.array([1, np.inf, np.nan, 6e4], np.float16)),
    "large whole": pa.array([2**64 - 1, 0, 1, 2], pa.uint64()),
    "missing whole": pa.array([1, None, 2, 3], pa.int64()),
    "texts": pa.array(["1", "2", "3", "\0"]),
    "long texts": pa.array(["a" * 10**6, "b", "c", "d"]),
    "maps": pa.array([[("a", 1)], [], None, []], pa.map_(pa.string(), pa.int64())),
}


@pytest.mark.parametrize("kind", ODD_COLUMNS)
@pytest.mark.parametrize("name", ["id", "z", "f_u", "e_i"])
def test_odd_columns_of_parquet_are_fine_or_refused(folder, toy, kind, name):
    columns = {key: pa.array(values) for key, values in good().items()}
    stream = io.BytesIO()
    pq.write_table(pa.table(columns | {name: ODD_COLUMNS[kind]}), stream)
    check(folder, ".parquet", stream.getvalue(), toy)


@examples(60)
@given(tables(NUMBERS | WHOLE | TRUTHS | st.lists(st.text(max_size=5), min_size=4, max_size=4)))
def test_any_columns_of_parquet_are_fine_or_refused(folder, toy, data):
    try:
        content = written(".parquet", data)
    except UnicodeEncodeError:  # half of a surrogate pair
        return
    check(folder, ".parquet", content, toy)


ODD_ARRAYS = {
    "two-dimensional": np.ones((ROWS, 2)),
    "a scalar": np.float64(1),
    "too short": np.ones(ROWS - 1),
    "no rows": np.ones(0),
    "complex": np.ones(ROWS, complex),
    "compound": np.ones(ROWS, [("a", float), ("b", int)]),
    "void": np.ones(ROWS, "V8"),
    "bytes": np.array([b"1", b"2", b"\xff", b""]),
    "texts": np.array(["a", "b", "c", "d"], h5py.string_dtype()),
    "ragged": np.array([np.ones(k) for k in range(ROWS)], h5py.vlen_dtype(float)),
    "enumerated": np.array([0, 1, 0, 1], h5py.enum_dtype({"a": 0, "b": 1})),
    "references": np.array([h5py.Reference()] * ROWS, h5py.ref_dtype),
    "empty": h5py.Empty("f"),
    "big-endian": np.array([1, 2, 3, 4], ">f8"),
    "halves": np.array([1, np.inf, -1, 6e4], np.float16),
    "long doubles": np.array([1, 2, 3, 4], np.longdouble),
    "group": None,
}


@pytest.mark.parametrize("kind", ODD_ARRAYS)
@pytest.mark.parametrize("name", ["id", "z", "f_u"])
def test_odd_datasets_of_hdf5_are_fine_or_refused(folder, toy, kind, name):
    stream = io.BytesIO()
    with h5py.File(stream, "w") as store:
        for key, values in good().items():
            if key != name:
                store[key] = values
        if kind == "group":
            store.create_group(name)
        else:
            store[name] = ODD_ARRAYS[kind]
    check(folder, ".h5", stream.getvalue(), toy)


@pytest.mark.parametrize("target", ["/nowhere", "/id", "/"])
def test_links_of_hdf5_are_followed_or_refused(folder, toy, target):
    stream = io.BytesIO()
    with h5py.File(stream, "w") as store:
        for key, values in good().items():
            store[key] = values
        del store["z"]
        store["z"] = h5py.SoftLink(target)
    check(folder, ".h5", stream.getvalue(), toy)
    with h5py.File(stream, "r+") as store:
        del store["z"]
        store["z"] = h5py.ExternalLink("other.h5", "/z")
    check(folder, ".h5", stream.getvalue(), toy)


def test_a_file_that_declares_more_rows_than_memory_holds_is_refused(folder, toy):
    stream = io.BytesIO()
    with h5py.File(stream, "w") as store:
        for key in NAMES:
            store.create_dataset(key, (10**14,), float, chunks=(1000,))
    assert len(stream.getvalue()) < 100_000
    check(folder, ".h5", stream.getvalue(), toy)


ODD_HEADERS = {
    "no unit": ("TUNIT4", "no unit at all"),
    "unit of another kind": ("TUNIT4", "10**(9999) Jy"),
    "unit that divides by zero": ("TUNIT4", "Jy/0"),
    "unit with a bracket": ("TUNIT4", "((((Jy"),
    "scaled by text": ("TSCAL4", "x"),
    "scaled to infinity": ("TSCAL4", 1e308),
    "of another format": ("TFORM4", "1QD(5)"),
    "of no format": ("TFORM4", "?"),
    "of many values": ("TFORM4", "99999999D"),
    "negative rows": ("NAXIS2", -1),
    "no rows": ("NAXIS2", 0),
    "too many rows": ("NAXIS2", 10**15),
    "null": ("TNULL1", 2),
    "named twice": ("TTYPE5", "id"),
    "of odd shape": ("TDIM4", "(2,2)"),
}


@pytest.mark.parametrize("kind", ODD_HEADERS)
def test_odd_headers_of_fits_are_fine_or_refused(folder, toy, kind):
    key, value = ODD_HEADERS[kind]
    content = written(".fits", good())
    start = content.index(b"XTENSION")
    header = fits.Header.fromstring(content[start : start + 2880].decode())
    header[key] = value
    text = header.tostring().encode()
    check(folder, ".fits", content[:start] + text[:2880] + content[start + 2880 :], toy)


ECSV_ATTACKS = [
    "# - !!python/object/apply:os.system ['touch {path}']\n",
    "# - {name: id, datatype: int64, meta: !!python/name:os.system {}}\n",
    "# - &a {name: id, datatype: int64, meta: *a}\n",
    "# meta: !!omap [{__serialized_columns__: {id: {__class__: os.system}}}]\n",
    "# meta: !!omap [{__serialized_columns__: {id: {__class__: subprocess.Popen, value: 1}}}]\n",
]


@pytest.mark.parametrize("attack", ECSV_ATTACKS)
def test_the_header_of_an_ecsv_file_runs_nothing(folder, toy, attack, tmp_path):
    mark = tmp_path / "touched"
    lines = written(".ecsv", good()).decode().splitlines(keepends=True)
    at = next(k for k, line in enumerate(lines) if not line.startswith("#"))
    lines.insert(at, attack.replace("{path}", str(mark)))
    check(folder, ".ecsv", "".join(lines).encode(), toy)
    assert not mark.exists()


@pytest.mark.parametrize("name", [name for name in HOSTILE_NAMES if name])
def test_hostile_names_of_columns_and_ids_are_text(folder, toy, name, monkeypatch):
    monkeypatch.chdir(folder)
    try:
        content = pd.DataFrame(good() | {"id": [name, "b", "c", "d"]}).rename(columns={"z": name})
        content = content.to_csv(index=False).encode()
    except UnicodeEncodeError:
        return
    check(folder, ".csv", content, toy, COLUMNS | {"redshift": name})
    check(folder, ".h5", written(".h5", good()), toy, COLUMNS | {"redshift": name, "table": name})
    assert not (folder / "x").exists()


@pytest.mark.parametrize(
    "name", [name for name in HOSTILE_NAMES if name and not {*"/\0"} & {*name}]
)
def test_a_table_may_have_any_name_or_is_refused(tmp_path, toy, name):
    path = tmp_path / f"{name}.csv"
    try:
        path.write_bytes(written(".csv", good()))
    except (OSError, UnicodeEncodeError):
        with pytest.raises((InputError, UnicodeEncodeError)):
            ingest(path, COLUMNS, toy)
        return
    with fine_or_refused():
        use(path, toy)


def test_ids_that_only_seem_different_are_refused(folder, toy):
    for ids in (["a", "a ", "a", "b"], [1.5, 2, 3, 4], [1, 1, 2, 3], ["", "b", "c", "d"]):
        path = folder / "ids.csv"
        path.write_bytes(written(".csv", good() | {"id": ids}))
        with pytest.raises(InputError, match="column 'id'"):
            use(path, toy)
        path.unlink()


SINGLE = {
    **COLUMNS,
    "bands": {"NB455": {"error_floor": 0.01}},
    "exposures": {"path": "single.csv", "id": "id", "band": "band", "flux": "f", "error": "e"},
}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1,NB455,1e39,1", "row 2: 1e.39 with error 1 is beyond single precision"),
        ("1,NB455,1,1e-46", "row 2: 1 with error 1e-46 is beyond single precision"),
        ("1,NB455,inf,1", "row 2: infinite"),
        ("1,NB455,1,0", "row 2: error 0 is not positive"),
        ("9,NB455,1,1", "row 2: id 9 is not in the catalogue"),
        ("1,NB-455,1,1", "row 2: the survey has no band"),
        ("1,,1,1", "row 2: the band is missing"),
        ("1,NB455,x,1", "row 2: a number expected"),
        ("1,NB455,1", "row 2: 3 values for 4 columns"),
    ],
)
def test_a_bad_exposure_is_named(folder, toy, row, message):
    path, single = folder / "table.csv", folder / "single.csv"
    path.write_bytes(written(".csv", good()))
    single.write_text("id,band,f,e\n2,NB455,1,1\n" + row + "\n")
    with pytest.raises(InputError, match=message):
        ingest(path, SINGLE, toy)
    path.unlink()
    single.unlink()


def test_exposures_that_do_not_fit_into_memory_are_refused(folder, toy, monkeypatch):
    def full(*_, **__):
        raise MemoryError

    path, single = folder / "table.csv", folder / "single.csv"
    path.write_bytes(written(".csv", good()))
    single.write_text("id,band,f,e\n1,NB455,1,1\n")
    monkeypatch.setattr("photoz.survey.exposures.dense_exposures", full)
    with pytest.raises(InputError, match=r"single.csv: not enough memory"):
        ingest(path, SINGLE, toy)
    path.unlink()
    single.unlink()


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Bytes of a small catalogue of our own with everything in it."""
    rng = np.random.default_rng(0)
    flux, error = rng.normal(10, 1, (2, 6, 3)).astype(np.float32)
    galaxies = Catalogue(
        id=np.array([f"g{k}" for k in range(6)]),
        redshift=rng.uniform(size=6),
        mag_i=np.full(6, 20.0),
        flux=flux,
        error=np.abs(error),
        bands=("NB455", "u", "i"),
        survey="toy",
        zero_point=26.0,
        reference_band="i",
        exposures=Exposures(*rng.normal(10, 1, (2, 6, 1, 2)).astype(np.float32), ("NB455",)),
        truth={"mass": rng.uniform(size=6)},
    )
    path = tmp_path_factory.mktemp("own") / "own.h5"
    write_catalogue(path, galaxies)
    return path.read_bytes(), galaxies


@examples(150)
@given(data=st.data())
def test_a_damaged_catalogue_of_ours_is_whole_or_refused(folder, stored, data):
    content, galaxies = stored
    path = folder / "own.h5"
    path.write_bytes(data.draw(damage(content)))
    for read in (read_catalogue, lambda path: next(catalogue_blocks(path, 4))):
        with fine_or_refused():
            found = read(path)
            # data have checksums: those that are read are those that were written
            np.testing.assert_array_equal(found.flux, galaxies.flux[: len(found)])
            np.testing.assert_array_equal(found.redshift, galaxies.redshift[: len(found)])
    path.unlink()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bands", 5),
        ("bands", "NB455"),
        ("bands", [1, 2, 3]),
        ("bands", ["NB455", "u"]),
        ("zero_point", "x"),
        ("zero_point", np.nan),
        ("zero_point", [1.0, 2.0]),
        ("survey", 3),
        ("survey", b"\xff"),
        ("reference_band", "z"),
        ("exposure_bands", ["r"]),
        ("exposure_bands", ["u", "i"]),
        ("bands", None),
        ("zero_point", None),
    ],
)
def test_attributes_of_ours_that_are_wrong_are_refused(folder, stored, name, value):
    path = folder / "own.h5"
    path.write_bytes(stored[0])
    with h5py.File(path, "a") as store:
        del store.attrs[name]
        if value is not None:
            store.attrs[name] = value
    with pytest.raises(InputError) as caught:
        read_catalogue(path)
    assert_one_line(str(caught.value))
    path.unlink()

from dataclasses import replace

import h5py
import numpy as np
import pytest

from photoz.files import InputError
from photoz.survey import Catalogue, Exposures, read_catalogue, write_catalogue
from photoz.survey.catalogue import catalogue_blocks


def make(n=7, text_ids=False, exposures=True):
    rng = np.random.default_rng(5)
    taken = rng.random((n, 1, 4)) < 0.7
    single = np.where(taken, rng.standard_normal((n, 1, 4)), np.nan).astype(np.float32)
    return Catalogue(
        id=np.array([f"COSMOS-{k}é" for k in range(n)]) if text_ids else np.arange(n) + 10**12,
        redshift=np.where(np.arange(n) == 1, np.nan, rng.random(n)),
        mag_i=20 + rng.random(n),
        flux=rng.standard_normal((n, 3)).astype(np.float32),
        error=rng.random((n, 3)).astype(np.float32),
        bands=("NB455", "u", "i"),
        survey="toy",
        zero_point=26.0,
        reference_band="i",
        exposures=Exposures(single, np.abs(single), ("NB455",)) if exposures else None,
        truth={"tau": rng.random(n)},
    )


def assert_same(a, b):
    for name in ("id", "redshift", "mag_i", "flux", "error"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
        assert getattr(a, name).dtype == getattr(b, name).dtype
    for name in ("bands", "survey", "zero_point", "reference_band"):
        assert getattr(a, name) == getattr(b, name)
    assert set(a.truth) == set(b.truth)
    for name in a.truth:
        np.testing.assert_array_equal(a.truth[name], b.truth[name])
    assert (a.exposures is None) == (b.exposures is None)
    if a.exposures is not None and b.exposures is not None:
        np.testing.assert_array_equal(a.exposures.flux, b.exposures.flux)
        np.testing.assert_array_equal(a.exposures.error, b.exposures.error)
        assert a.exposures.bands == b.exposures.bands


@pytest.mark.parametrize("text_ids", [False, True])
@pytest.mark.parametrize("exposures", [False, True])
def test_file_round_trip_and_same_bytes(tmp_path, text_ids, exposures):
    catalogue = make(text_ids=text_ids, exposures=exposures)
    for name in ("a.h5", "b.h5"):
        write_catalogue(tmp_path / name, catalogue)
    assert_same(read_catalogue(tmp_path / "a.h5"), catalogue)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_take_with_indices_and_masks():
    catalogue = make()
    mask = np.array([0, 0, 1, 0, 1, 0, 0], dtype=bool)
    assert_same(catalogue.take(mask), catalogue.take([2, 4]))
    taken = catalogue.take([4, 2])
    assert len(taken) == 2
    np.testing.assert_array_equal(taken.exposures.flux, catalogue.exposures.flux[[4, 2]])
    np.testing.assert_array_equal(taken.truth["tau"], catalogue.truth["tau"][[4, 2]])
    assert len(catalogue.take([])) == 0


def test_empty_catalogue_round_trip(tmp_path):
    empty = make().take([])
    write_catalogue(tmp_path / "a.h5", empty)
    assert len(read_catalogue(tmp_path / "a.h5")) == 0


def test_shapes_must_agree():
    c = make()
    arguments = {name: getattr(c, name) for name in c.__dataclass_fields__}
    for change, message in [
        ({"redshift": c.redshift[:3]}, r"redshift is \(3,\), expected \(7,\)"),
        ({"flux": c.flux[:, :2]}, r"flux is \(7, 2\), expected \(7, 3\)"),
        ({"truth": {"tau": np.ones(2)}}, "truth/tau has 2 rows"),
        ({"reference_band": "I"}, "did you mean 'i'"),
        ({"exposures": make(5).exposures}, "exposures of 5 galaxies"),
    ]:
        with pytest.raises(InputError, match=message):
            Catalogue(**(arguments | change))
    with pytest.raises(InputError, match="unknown band 'NB456'"):
        e = Exposures(c.exposures.flux, c.exposures.error, ("NB456",))
        Catalogue(**(arguments | {"exposures": e}))
    with pytest.raises(InputError, match="2 band names"):
        Exposures(c.exposures.flux, c.exposures.error, ("NB455", "u"))
    with pytest.raises(InputError, match="must both be"):
        Exposures(c.exposures.flux, c.exposures.error[:, 0], ("NB455",))


def test_broken_files_name_themselves(tmp_path):
    path = tmp_path / "cat.h5"
    with pytest.raises(InputError, match=r"cat.h5: catalogue not found"):
        read_catalogue(path)
    write_catalogue(path, make(500))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"cat.h5: not a whole HDF5 file"):
        read_catalogue(path)
    for name in ("redshift", "coadd/flux", "exposures/error"):
        path.write_bytes(whole)
        with h5py.File(path, "a") as store:
            del store[name]
        with pytest.raises(InputError, match=rf"cat.h5: no dataset '{name}'"):
            read_catalogue(path)
    path.write_bytes(whole)
    with h5py.File(path, "a") as store:
        del store.attrs["bands"]
    with pytest.raises(InputError, match="no attribute 'bands'"):
        read_catalogue(path)


@pytest.mark.parametrize("name", ["redshift", "flux", "exposures", "truth", "id"])
def test_a_flipped_byte_is_noticed(tmp_path, name):
    catalogue = make(500)
    values = {
        "exposures": catalogue.exposures.flux,
        "truth": catalogue.truth["tau"],
    }.get(name, getattr(catalogue, name))
    path = tmp_path / "cat.h5"
    write_catalogue(path, catalogue)
    whole = bytearray(path.read_bytes())
    whole[whole.index(values[100:110].tobytes())] ^= 1
    path.write_bytes(whole)
    with pytest.raises(InputError, match=r"cat\.h5"):
        read_catalogue(path)


def test_any_flipped_byte_gives_a_catalogue_or_an_input_error(tmp_path):
    """Also bytes of the structure of the file, which have no checksum."""
    path = tmp_path / "cat.h5"
    write_catalogue(path, make(20))
    whole = path.read_bytes()
    for at in np.random.default_rng(1).integers(0, len(whole), 300):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        try:
            assert len(read_catalogue(path).bands) == 3
        except InputError as error:
            assert "cat.h5" in str(error)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("zero_point", "abc", "'zero_point' is 'abc', not a number"),
        ("zero_point", np.nan, "not a number"),
        ("bands", "u", "a list of band names"),
        ("bands", 3, "a list of band names"),
        ("bands", ["u", "i"], r"flux is \(7, 3\), expected \(7, 2\)"),
        ("survey", 5, "'survey' is .*not a text"),
        ("reference_band", "r", "no reference band 'r'"),
        ("exposure_bands", ["u", "i"], "2 band names"),
    ],
)
def test_wrong_attributes_are_named(tmp_path, name, value, message):
    path = tmp_path / "cat.h5"
    write_catalogue(path, make())
    with h5py.File(path, "a") as store:
        store.attrs[name] = value
    with pytest.raises(InputError, match=rf"cat\.h5: .*{message}"):
        read_catalogue(path)


@pytest.mark.parametrize("name", ["id", "redshift", "coadd/error", "exposures/flux", "truth/tau"])
@pytest.mark.parametrize("value", [5.0, np.array([b"a", b"b"]), np.ones((2, 2, 2, 2))])
def test_wrong_datasets_are_named(tmp_path, name, value):
    path = tmp_path / "cat.h5"
    write_catalogue(path, make())
    with h5py.File(path, "a") as store:
        del store[name]
        store[name] = value
    with pytest.raises(InputError, match=r"cat\.h5: "):
        read_catalogue(path)


@pytest.mark.parametrize("text_ids", [False, True])
def test_blocks_are_the_catalogue_without_exposures(tmp_path, text_ids):
    catalogue = make(text_ids=text_ids)
    write_catalogue(tmp_path / "cat.h5", catalogue)
    for blocks in (catalogue_blocks(tmp_path / "cat.h5", 3), catalogue.blocks(3)):
        parts = list(blocks)
        assert [len(part) for part in parts] == [3, 3, 1]
        for start, part in zip((0, 3, 6), parts, strict=True):
            rows = np.arange(start, min(start + 3, 7))
            expected = catalogue.take(rows)
            assert_same(replace(part, exposures=None), replace(expected, exposures=None))
    assert next(catalogue_blocks(tmp_path / "cat.h5", 3)).exposures is None


def test_an_empty_catalogue_is_one_empty_block(tmp_path):
    empty = make(exposures=False).take([])
    write_catalogue(tmp_path / "cat.h5", empty)
    assert [len(block) for block in catalogue_blocks(tmp_path / "cat.h5")] == [0]
    assert [len(block) for block in empty.blocks()] == [0]


def test_blocks_of_a_damaged_catalogue_name_it(tmp_path):
    path = tmp_path / "cat.h5"
    write_catalogue(path, make())
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"cat\.h5"):
        list(catalogue_blocks(path))

import pytest

from photoz.files import InputError
from photoz.survey.columns import parse_columns

BANDS = ("NB455", "u", "i")


def test_template_lists_and_defaults():
    mapped = parse_columns(
        {
            "id": "ref_id",
            "flux": "flux_{band_lower}",
            "error": "err_{band}",
            "units": "uJy",
            "error_floor": 0.02,
            "missing": -99,
            "bands": {"u": {"mag": "mu", "error": "emu"}, "i": {"flux": "fi", "error": "ei"}},
        },
        BANDS,
    )
    assert mapped.bands["NB455"].value == "flux_nb455"
    assert mapped.bands["NB455"].error == "err_NB455"
    assert mapped.bands["NB455"].zero_point == 23.9
    assert mapped.bands["i"].zero_point == 23.9
    assert mapped.bands["u"].kind == "mag" and mapped.bands["u"].zero_point is None
    assert {band.error_floor for band in mapped.bands.values()} == {0.02}
    assert mapped.missing == (-99,)
    assert mapped.names == ["ref_id", "flux_nb455", "err_NB455", "mu", "emu", "fi", "ei"]


def test_band_overrides_the_units_of_the_top():
    mapped = parse_columns(
        {
            "id": "id",
            "flux": "f_{band}",
            "error": "e_{band}",
            "units": "nJy",
            "bands": {"u": {"flux": "fu", "error": "eu", "zero_point": 30}, "i": None},
        },
        BANDS,
    )
    assert mapped.bands["u"].zero_point == 30
    assert mapped.bands["NB455"].zero_point == 31.4
    assert mapped.absent == ("i",) and "i" not in mapped.bands


def base(**changes):
    columns = {"id": "id", "flux": "f_{band}", "error": "e_{band}"}
    return {k: v for k, v in (columns | changes).items() if v != "drop"}


EXPOSURES = {"path": "e.csv", "id": "id", "band": "band", "flux": "f", "error": "e"}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (base(redshfit="z"), "unknown key 'redshfit'; did you mean 'redshift'"),
        (base(id="drop"), "'id' must name"),
        (base(id=5), "'id' must name"),
        (base(flux="f_u"), r"must contain \{band\}"),
        (base(mag="m_{band}"), "not both"),
        (base(error="drop"), "must both name"),
        (base(flux="drop"), "band NB455 has no columns.*null"),
        (base(bands={"U": {"flux": "f", "error": "e"}}), "no band 'U'; did you mean 'u'"),
        (base(bands={"u": {"flx": "f", "error": "e"}}), "did you mean 'flux'"),
        (base(bands=["u"]), "names with their columns"),
        (base(bands={"u": "flux_u"}), "expected keys and values"),
        (base(units="ujy"), "unknown flux unit 'ujy'; did you mean 'uJy'"),
        (base(units="uJy", zero_point=26), "not both"),
        (base(zero_point="26"), "zero_point: a finite number"),
        (base(error_floor=-0.1), "negative"),
        (base(error_floor="x"), "a finite number"),
        (base(missing=["NA"]), "missing: a finite number"),
        (base(masks="a,b", redshift=3), "redshift: a name"),
        (base(exposures={"path": "x"}), "exposures: 'id' is needed"),
        (base(exposures=EXPOSURES | {"fluxx": 1}), "unknown key 'fluxx'"),
        (base(exposures=EXPOSURES | {"names": {"a": "NB4555"}}), "did you mean 'NB455'"),
        (base(exposures=EXPOSURES | {"units": "Jansky"}), "unknown flux unit"),
        ("id", "expected keys and values"),
    ],
)
def test_mistakes_are_named(columns, message):
    with pytest.raises(InputError, match=message):
        parse_columns(columns, BANDS)


def test_exposures_may_stand_in_for_band_columns():
    mapped = parse_columns({"id": "id", "exposures": EXPOSURES, "missing": [float("inf")]}, BANDS)
    assert mapped.bands == {}
    assert mapped.exposures is not None and mapped.exposures.path == "e.csv"
    assert mapped.missing == (float("inf"),)

"""FSPS's nebular tables are read as FSPS reads them."""

import numpy as np
import pytest

from photoz.files import InputError
from photoz.sps.fsps import Installation
from photoz.sps.fsps.nebular import read_nebular
from tests.sps.fsps_stub import SIZES, write_home


@pytest.fixture
def found(tmp_path):
    return Installation("0.5.0", "mist", "miles", "DL07", write_home(tmp_path / "home"), **SIZES)


def test_nodes_and_order(found):
    tables = read_nebular(found)
    np.testing.assert_array_equal(tables.log_z, [-0.5, 0.0, 0.5])
    np.testing.assert_array_equal(tables.log_u, [-3.0, -2.0])
    np.testing.assert_array_equal(tables.log_age, [6.0, 7.0])
    assert tables.line_name == ("H-beta", "H-alpha")
    z, u, a = np.meshgrid(tables.log_z, tables.log_u, tables.log_age, indexing="ij")
    expected = np.log(10) * (z + 2 * u + 3 * a - 40)
    np.testing.assert_allclose(tables.log_line[..., 0], expected, rtol=1e-8)
    np.testing.assert_allclose(tables.log_line[..., 1], expected + np.log(2), rtol=1e-8)


def test_interpolation_is_in_the_logarithm_and_stops_at_the_ends(found):
    tables = read_nebular(found)
    made = tables.log_lines(np.array([-2.0, 0.25]))
    np.testing.assert_allclose(made[0], tables.log_line[0])
    np.testing.assert_allclose(made[1] - tables.log_line[1], 0.25 * np.log(10))
    # Wavelength: half way in A between the nodes, half way in the logarithm of the flux.
    made = tables.log_continua(np.array([0.0]), np.array([5050.0]))
    np.testing.assert_allclose(made[0, ..., 0] - tables.log_continuum[1, ..., 0], np.log(2) / 2)


def test_a_row_may_be_broken_into_lines(found):
    path = found.home / "nebular/ZAU_ND_mist.lines"
    before = read_nebular(found)
    head, rest = path.read_text().split("\n", 1)
    path.write_text(head + "\n" + rest.replace(" ", "\n"))
    np.testing.assert_array_equal(read_nebular(found).log_line, before.log_line)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: lines[:-1], "not a nebular table"),
        (lambda lines: lines[:2] + lines[4:6] + lines[2:4] + lines[6:], "not in FSPS's order"),
        (lambda lines: [*lines[:3], "nonsense", *lines[4:]], "not a nebular table"),
        (lambda lines: lines[:1], "not a nebular table"),
    ],
)
def test_another_layout_is_refused(found, change, message):
    path = found.home / "nebular/ZAU_ND_mist.cont"
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")
    with pytest.raises(InputError, match=rf"ZAU_ND_mist\.cont: .*{message}"):
        read_nebular(found)


def test_lines_and_continuum_belong_together(found):
    path = found.home / "nebular/ZAU_ND_mist.cont"
    path.write_text(path.read_text().replace("-2.0", "-1.0"))
    with pytest.raises(InputError, match="other nodes than the lines have"):
        read_nebular(found)


def test_names_for_every_line(found):
    (found.home / "data/emlines_info.dat").write_text("4862.7,H-beta\n")
    with pytest.raises(InputError, match=r"emlines_info\.dat: 1 lines, .* have 2"):
        read_nebular(found)

"""The measured numbers of docs/populations.md, and the command that prints them."""

import re
from pathlib import Path

import numpy as np
import pytest

from photoz import population_reference as reference

PAGE = Path(__file__).parents[1] / "docs" / "populations.md"


@pytest.fixture(scope="module")
def widths():
    return reference.measure_widths(3000, seed=reference.SEED)


def rows_of(lines):
    cells = ([cell.strip() for cell in line.strip("| \n").split("|")] for line in lines)
    return {row[0]: row[1:] for row in cells if row[0] in reference.OBSERVED}


def test_the_page_has_what_the_command_prints(widths):
    printed = rows_of(reference.width_table(widths))
    written = rows_of(PAGE.read_text(encoding="utf-8").splitlines())
    assert printed.keys() == written.keys() == reference.OBSERVED.keys()
    for name, row in printed.items():
        assert written[name][3] == row[3], name  # observed
        numbers = [np.array(cells[:3], dtype=float) for cells in (written[name], row)]
        # a smaller sample than the page's: a few per cent, more in the tails
        np.testing.assert_allclose(*numbers, rtol=0.12, err_msg=name)


def test_the_page_names_the_command_and_every_reference(widths):
    text = PAGE.read_text(encoding="utf-8")
    assert "python -m photoz.population_reference" in text
    numbers = {n for cell in reference.OBSERVED.values() for n in re.findall(r"\((\d)\)", cell)}
    assert numbers == {str(k) for k in range(1, len(numbers) + 1)}
    for number in numbers:
        assert re.search(rf"^{number}\. \w", text, re.MULTILINE), number


def test_widths_are_sensible(widths):
    for name, values in widths.items():
        assert np.isfinite(values).all() and (values > 0).all(), name
        assert len(values) == 3000
    # a Balmer decrement of case B: between 2.74 (20 000 K) and 3.04 (5000 K)
    assert np.all((widths[reference.DECREMENT] > 2.7) & (widths[reference.DECREMENT] < 3.1))
    assert np.all(widths["Ha"] > widths["Hb"])


def test_the_command_prints_a_table(capsys):
    reference.main(["--galaxies", "50", "--seed", "3"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + len(reference.OBSERVED)
    assert len({line.count("|") for line in lines}) == 1
    first = lines[2]
    reference.main(["--galaxies", "50", "--seed", "4"])
    assert capsys.readouterr().out.splitlines()[2] != first

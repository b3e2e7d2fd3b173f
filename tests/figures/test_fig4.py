import numpy as np
import pandas as pd
import pytest

from photoz.figures import fig4
from photoz.files import InputError


def make_example(kinds=("narrow",) * 4 + ("broad",) * 2):
    n = len(kinds)
    wavelength = 4500.0 + 500 * np.arange(n)
    true = 0.2 + 0.1 * np.arange(n)
    error = 0.1 * true
    return pd.DataFrame(
        {
            "band": [f"B{k}" for k in range(n)],
            "kind": kinds,
            "wavelength": wavelength,
            "true": true,
            "input": true + 2 * error,
            "error": error,
            "denoised": true - 0.5 * error,
            "ratio": np.where(np.arange(n) == n - 1, 9.0, 0.3),
            "redshift": 0.512,
            "template": "Ell1_A_0",
            "reference_band": f"B{n - 1}",
        }
    )


def points(ax, gid):
    (line,) = [line for line in ax.get_lines() if line.get_gid() == gid]
    return line.get_xdata(), line.get_ydata()


def test_crosses_circles_and_line_are_where_the_fluxes_are():
    example = make_example()
    upper, lower = fig4.draw(example).axes
    narrow = example[:4]
    for gid, marker in (("input", "x"), ("denoised", "o")):
        x, y = points(upper, gid)
        assert x.tolist() == narrow["wavelength"].tolist()
        assert y.tolist() == pytest.approx(narrow[gid].tolist())
        (line,) = [line for line in upper.get_lines() if line.get_gid() == gid]
        assert line.get_marker() == marker
    truth = next(line for line in upper.get_lines() if line.get_label() == "Noiseless")
    assert truth.get_ydata().tolist() == narrow["true"].tolist()
    assert points(lower, "input")[1].tolist() == pytest.approx([2] * 4)
    assert points(lower, "denoised")[1].tolist() == pytest.approx([-0.5] * 4)


def test_the_title_and_legend_say_which_galaxy_and_how_good():
    upper = fig4.draw(make_example()).axes[0]
    assert "Ell1" in upper.get_title() and "0.51" in upper.get_title()
    labels = [text.get_text() for text in upper.get_legend().get_texts()]
    assert any("0.30" in label for label in labels), labels
    assert upper.get_ylabel() == "Flux / B5-band flux"


def test_a_survey_without_narrow_bands_shows_its_broad_bands():
    upper = fig4.draw(make_example(("broad",) * 3)).axes[0]
    assert len(points(upper, "input")[0]) == 3
    # the reference band, 1 by construction, does not count in the legend's scatter
    labels = [text.get_text() for text in upper.get_legend().get_texts()]
    assert any("0.30" in label for label in labels), labels


def test_unusable_input():
    with pytest.raises(InputError, match="no column 'denoised'"):
        fig4.draw(make_example().drop(columns="denoised"))
    with pytest.raises(InputError, match="none of 12 values is finite"):
        fig4.draw(make_example().assign(true=np.nan, input=np.nan, denoised=np.nan))

import numpy as np
import pandas as pd
import pytest

from photoz.figures import fig7
from photoz.files import InputError
from photoz.pdf.mixture import MixturePDF


def make_left_out(n=30):
    """One galaxy: two peaks whose heights change with the exposure that is left out."""
    share = np.clip(0.9 - 0.02 * np.arange(n), 0.1, 1)
    weights = np.stack([share, 1 - share], axis=1)
    pdf = MixturePDF(weights, np.tile([0.52, 0.58], (n, 1)), np.full((n, 2), 0.006), 0.0)
    columns = {"z_spec": np.full(n, 0.523), "z_mode": pdf.mode()}
    columns["band"] = np.array(["", *["NB455"] * (n - 1)])
    return pdf, columns


MOVES = pd.DataFrame({"move": [0.001, 0.004, 0.002]})


def test_every_exposure_has_a_thin_line_beside_the_thick_one():
    pdf, columns = make_left_out()
    (ax,) = fig7.draw(pdf, columns, MOVES).axes
    lines = ax.get_lines()
    assert [line.get_gid() for line in lines].count("left out") == 29
    (whole,) = [line for line in lines if line.get_gid() == "all"]
    z = whole.get_xdata()
    np.testing.assert_allclose(whole.get_ydata(), pdf.pdf(z)[0])
    assert z[0] < 0.51 and z[-1] > 0.59
    assert "median of 3: 0.002" in ax.texts[0].get_text()
    # the mode jumps from one peak to the other where the second is higher
    assert f"this galaxy: {0.06 / 1.523:.2g}" in ax.texts[0].get_text()


def test_nothing_left_out_is_an_error():
    pdf, columns = make_left_out(1)
    with pytest.raises(InputError, match="nothing to draw"):
        fig7.draw(pdf, columns, MOVES)
    pdf, columns = make_left_out()
    with pytest.raises(InputError, match="no column 'move'"):
        fig7.draw(pdf, columns, MOVES.rename(columns={"move": "moved"}))

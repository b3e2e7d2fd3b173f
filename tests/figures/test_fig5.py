import numpy as np
import pandas as pd
import pytest

from photoz.figures import fig5
from photoz.files import InputError


def make_tables(n_narrow=20, n_broad=2, noises=("SNR 10 and 35", "own")):
    names = [f"NB{k}" for k in range(n_narrow)] + [f"B{k}" for k in range(n_broad)]
    n = len(names)
    tables, matrices = [], []
    for k, noise in enumerate(noises):
        ratio = 0.3 + 0.01 * np.arange(n) + 0.1 * k
        tables.append(
            pd.DataFrame(
                {
                    "noise": noise,
                    "band": names,
                    "kind": ["narrow"] * n_narrow + ["broad"] * n_broad,
                    "wavelength": 4500.0 + 100 * np.arange(n),
                    "ratio": ratio,
                    "ratio_no_lines": ratio - 0.05,
                }
            )
        )
        distance = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
        matrix = pd.DataFrame(0.34**distance - 0.01 * k, columns=names)
        matrices.append(matrix.assign(band=names, noise=noise))
    return pd.concat(tables, ignore_index=True), pd.concat(matrices, ignore_index=True)


def test_ratios_of_the_narrow_bands_and_without_lines():
    table, correlation = make_tables()
    ax = fig5.draw(table, correlation).axes[0]
    for noise in ("SNR 10 and 35", "own"):
        (line,) = [line for line in ax.get_lines() if line.get_gid() == noise]
        rows = table[(table["noise"] == noise) & (table["kind"] == "narrow")]
        assert line.get_ydata().tolist() == rows["ratio"].tolist()
        assert line.get_xdata().tolist() == rows["wavelength"].tolist()
        dashed = [
            other
            for other in ax.get_lines()
            if other.get_color() == line.get_color() and other.get_linestyle() == "--"
        ]
        assert [d.get_ydata().tolist() for d in dashed] == [rows["ratio_no_lines"].tolist()]
    labels = [text.get_text() for text in ax.figure.legends[0].get_texts()]
    assert labels == ["SNR 10 and 35", "own", "All bands", "No emission line"]


def test_the_matrix_is_the_one_of_the_first_noise_in_order_of_wavelength():
    table, correlation = make_tables()
    shuffled = correlation.sample(frac=1, random_state=1)
    mesh = fig5.draw(table, shuffled).axes[1].collections[0]
    expected = correlation[:20][table["band"][:20]].to_numpy()
    np.testing.assert_allclose(np.reshape(mesh.get_array(), (20, 20)), expected)
    assert mesh.norm.vmin == -mesh.norm.vmax
    # the largest coefficient off the diagonal is 0.34; the diagonal lies beyond the scale
    assert mesh.norm.vmax == pytest.approx(0.4)


def test_few_bands_are_named_and_have_their_numbers():
    table, correlation = make_tables(n_narrow=0, n_broad=4)
    upper, lower, *_ = fig5.draw(table, correlation).axes
    assert [t.get_text() for t in upper.get_xticklabels()] == ["B0", "B1", "B2", "B3"]
    assert [t.get_text() for t in lower.get_yticklabels()] == ["B0", "B1", "B2", "B3"]
    assert {t.get_text() for t in lower.texts} >= {"1.00", "0.34", "0.12", "0.04"}


def test_a_survey_whose_bands_all_have_lines_draws_no_dashes():
    table, correlation = make_tables()
    ax = fig5.draw(table.assign(ratio_no_lines=np.nan), correlation).axes[0]
    drawn = [line for line in ax.get_lines() if line.get_linestyle() == "--"]
    assert [len(line.get_xdata()) for line in drawn] == [0]  # the key alone


def test_unusable_input():
    table, correlation = make_tables()
    with pytest.raises(InputError, match="no column 'ratio'"):
        fig5.draw(table.drop(columns="ratio"), correlation)
    with pytest.raises(InputError, match="no band NB3"):
        fig5.draw(table, correlation.drop(columns="NB3"))
    with pytest.raises(InputError, match="is finite"):
        fig5.draw(table.assign(ratio=np.nan), correlation)

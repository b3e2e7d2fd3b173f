import numpy as np
import pytest
from matplotlib.colors import LogNorm

from photoz.figures import figd1
from photoz.files import InputError

Z = np.linspace(0.1, 1.0, 91)


def mesh_of(ax):
    (mesh,) = ax.collections
    return mesh


def panels_of(figure):
    return [ax for ax in figure.axes if ax.get_title()]


def test_cells_count_galaxies_with_spectroscopic_redshift_along_x():
    z_spec, z_phot = np.array([0.25] * 7 + [0.65]), np.array([0.75] * 7 + [0.15])
    ax = panels_of(figd1.draw({"a": (z_spec, z_phot)}, z_max=1.0, bin_width=0.1))[0]
    counts = mesh_of(ax).get_array()  # rows along y
    assert counts[7, 2] == 7 and counts[1, 6] == 1
    assert np.ma.count(counts) == 2  # empty cells are masked: white


def test_the_colour_scale_is_logarithmic_and_shared():
    figure = figd1.draw({"a": (Z, Z), "b": (np.repeat(0.5, 300), np.repeat(0.5, 300))})
    norms = [mesh_of(ax).norm for ax in panels_of(figure)]
    assert all(isinstance(norm, LogNorm) for norm in norms)
    assert {(norm.vmin, norm.vmax) for norm in norms} == {(1, 300)}


def test_one_panel_per_variant_and_axis_labels():
    figure = figd1.draw({name: (Z, Z) for name in ("DEEPZ", "BCNz2", "No pretraining")})
    panels = panels_of(figure)
    assert [ax.get_title() for ax in panels] == ["DEEPZ", "BCNz2", "No pretraining"]
    assert panels[0].get_ylabel() == "Photometric redshift"
    assert {ax.get_xlabel() for ax in panels} == {"Spectroscopic redshift"}


def test_the_text_gives_scatter_and_strict_outliers():
    z_phot = Z.copy()
    z_phot[:9] += 0.5  # 9 of 91 far off: 9.9 %
    (text,) = panels_of(figd1.draw({"a": (Z, z_phot)}))[0].texts
    assert "outliers 9.9 %" in text.get_text() and "0.0000" in text.get_text()


def test_pairs_with_nan_are_left_out():
    z_phot = Z.copy()
    z_phot[::2] = np.nan
    ax = panels_of(figd1.draw({"a": (Z, z_phot)}))[0]
    assert mesh_of(ax).get_array().sum() == 45


def test_all_spectroscopic_redshifts_fit():
    ax = panels_of(figd1.draw({"a": (np.array([0.1, 2.13]), np.array([0.1, 2.0]))}))[0]
    assert ax.get_xlim()[1] > 2.13 and ax.get_xlim() == ax.get_ylim()


def test_unusable_input():
    with pytest.raises(InputError, match="no table"):
        figd1.draw({})
    with pytest.raises(InputError, match="'a': 91 spectroscopic but 90 photometric"):
        figd1.draw({"a": (Z, Z[1:])})
    with pytest.raises(InputError, match="'a': none of 91 values is finite"):
        figd1.draw({"a": (Z, np.full(91, np.nan))})

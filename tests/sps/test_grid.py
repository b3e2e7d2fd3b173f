from dataclasses import replace

import numpy as np
import pytest

from photoz.files import InputError
from photoz.sps.grid import load_grid, save_grid


def take_pixels(grid, pixels):
    """The grid on fewer wavelengths: small files."""
    return replace(
        grid,
        wavelength=grid.wavelength[pixels],
        spectrum=grid.spectrum[..., pixels],
        nebular_continuum=grid.nebular_continuum[..., pixels],
    )


def d4000(grid, m, a):
    """Narrow 4000 A break (Balogh et al. 1999), of mean f_nu; window edges in air."""
    f_nu = grid.spectrum[m, a] * grid.wavelength**2
    air = grid.wavelength - 1.1
    red, blue = (air > 4000) & (air < 4100), (air > 3850) & (air < 3950)
    return f_nu[red].mean() / f_nu[blue].mean()


def test_shipped_grid_covers_table_1(grid):
    assert grid.wavelength[0] < 1320 and grid.wavelength[-1] > 24900
    np.testing.assert_allclose(np.diff(np.log(grid.wavelength)), grid.log_step, rtol=1e-6)
    assert grid.log_z[0] < -0.5 and grid.log_z[-1] > 0.2
    assert 10 ** grid.log_age[-1] > 14e9
    assert grid.nebular_log_u[0] == -4 and grid.nebular_log_u[-1] >= -1
    assert np.isfinite(grid.spectrum).all() and (grid.spectrum > 0).all()
    shape = (grid.log_z.size, grid.log_age.size, grid.wavelength.size)
    assert grid.spectrum.shape == shape and grid.spectrum.dtype == np.float32
    assert grid.line_luminosity.shape[-1] == len(grid.line_name) == grid.line_wavelength.size
    assert "Kroupa" in grid.provenance["imf"] and len(grid.provenance["sha256"]) == 4


def test_wavelengths_are_vacuum(grid):
    """An absorption line of the populations and an emission line of the gas: H beta at 4862.7 A."""
    solar = int(np.argmin(np.abs(grid.log_z)))
    age = int(np.argmin(np.abs(grid.log_age - 8.5)))
    near = np.abs(grid.wavelength - 4862.7) < 15
    depth = 1 - grid.spectrum[solar, age, near] / grid.spectrum[solar, age, near].max()
    assert np.average(grid.wavelength[near], weights=depth) == pytest.approx(4862.7, abs=0.8)
    assert np.abs(grid.line_wavelength - 4862.69).min() < 0.02
    assert np.abs(grid.line_wavelength - 5008.24).min() < 0.02


def test_break_grows_with_age(grid):
    solar = int(np.argmin(np.abs(grid.log_z)))
    young, old = (int(np.argmin(np.abs(grid.log_age - x))) for x in (7.0, 10.0))
    assert 0.9 < d4000(grid, solar, young) < 1.15
    assert 1.75 < d4000(grid, solar, old) < 2.2


def test_case_b_recombination(grid):
    """4.76e-13 erg of H beta per ionising photon and H alpha / H beta of 2.7 to 3.1, everywhere."""
    beta, alpha = (int(np.argmin(np.abs(grid.line_wavelength - x))) for x in (4862.7, 6564.6))
    per_photon = grid.line_luminosity[..., beta] * 3.826e33 / 1e46
    assert per_photon.min() > 4.3e-13 and per_photon.max() < 5.3e-13
    ratio = grid.line_luminosity[..., alpha] / grid.line_luminosity[..., beta]
    assert ratio.min() > 2.7 and ratio.max() < 3.1


def test_ionising_photons_of_a_young_population(grid):
    """A few 1e46 / s per Msun below 3 Myr, gone by 30 Myr."""
    assert (grid.ionizing_rate[:, :20] > 3).all() and (grid.ionizing_rate[:, :20] < 8).all()
    old = grid.log_age > 7.5
    assert (grid.ionizing_rate[:, old] < 1e-2).all()
    assert (np.diff(grid.living_mass, axis=1) < 1e-3).all()


def test_nebular_basis_restores_the_continuum(grid):
    coefficients, basis = grid.nebular_basis
    restored = np.tensordot(coefficients, basis, 1)
    ratio = restored / grid.nebular_continuum
    assert ratio.std() < 1e-3 and np.abs(ratio - 1).max() < 0.02


def test_round_trip_is_exact_enough_and_deterministic(grid, tmp_path):
    small = take_pixels(grid, slice(1000, 1100))
    save_grid(tmp_path / "a.npz", small)
    again = load_grid(tmp_path / "a.npz")
    # A second rounding: within half a step of the 16-bit logarithms.
    np.testing.assert_allclose(again.spectrum, small.spectrum, rtol=2e-4)
    np.testing.assert_allclose(again.nebular_continuum, small.nebular_continuum, rtol=2e-4)
    np.testing.assert_allclose(again.wavelength, small.wavelength, rtol=1e-12)
    np.testing.assert_array_equal(again.line_luminosity, small.line_luminosity)
    assert again.line_name == small.line_name
    save_grid(tmp_path / "b.npz", small)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize("damage", ["truncated", "flipped", "other", "absent"])
def test_damaged_files_are_refused(grid, tmp_path, damage):
    path = tmp_path / "grid.npz"
    save_grid(path, take_pixels(grid, slice(0, 50)))
    content = bytearray(path.read_bytes())
    if damage == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        # Inside the largest array.
        content[int(len(content) * 0.6)] ^= 0xFF
        path.write_bytes(content)
    elif damage == "other":
        np.savez(path, wavelength=np.arange(3))
    else:
        path.unlink()
    with pytest.raises(InputError, match=r"grid\.npz"):
        load_grid(path)

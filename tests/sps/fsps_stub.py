"""A package that looks like python-fsps, and an SPS_HOME that looks complete.

Its spectra are power laws, so that what we make of them has closed forms; and it can be told to
fail in the ways of the real one, which ends its process with exit code 0.
"""

from pathlib import Path

from photoz.sps.fsps.data_files import SSP_FILE, data_files, metallicity_file, wavelength_file

SIZES = {"n_metallicities": 3, "n_wavelengths": 2000, "n_lines": 2, "n_filters": 2}
DRIVER = """
class driver:
    get_libraries = staticmethod(lambda: (b"{isochrones}", b"{library}", b"DL07  "))
    get_nz = staticmethod(lambda: {n_metallicities})
    get_nspec = staticmethod(lambda: {n_wavelengths})
    get_nemline = staticmethod(lambda: {n_lines})
    get_nbands = staticmethod(lambda: {n_filters})
"""
PACKAGE = '''
import os
import numpy as np

WAVELENGTH = np.geomspace(91.0, 1e6, {n_wavelengths})
MODE = os.environ.get("FSPS_STUB", "")


class StellarPopulation:
    """f_nu = tau (wavelength / 5000 A)^logzsol, lines of const and dust2 Lsun."""

    zlegend = np.array([0.002, 0.02, 0.04])
    ssp_ages = np.array([6.0, 7.0, 10.2])
    solar_metallicity = 0.02
    emline_wavelengths = np.array([4862.7, 6564.6])
    wavelengths = WAVELENGTH
    stellar_mass = np.array([0.9, 0.8, 0.7])

    def __init__(self, **options):
        if MODE == "stop":
            print(" SPS_SETUP ERROR: wavelength grid cannot be opened", flush=True)
            os._exit(0)
        self.params = dict(options)

    def get_spectrum(self, zmet=None, tage=0.0, peraa=False):
        print("FSPS talks on standard output", flush=True)
        if MODE == "stop later" and self.params["tau"] > 5:
            os._exit(0)
        if zmet is not None:
            ages = np.array([3.0, 2.0, 1.0])[:, None]
            return WAVELENGTH, self.zlegend[zmet - 1] * ages * np.ones_like(WAVELENGTH)
        if MODE == "raise":
            raise AssertionError("sf_start is greater than tage")
        slope = self.params["logzsol"]
        return WAVELENGTH, self.params["tau"] * (WAVELENGTH / 5000.0) ** slope

    @property
    def emline_luminosity(self):
        return np.array([self.params["const"], self.params["dust2"]])
'''


def write_package(folder, version="0.5.0", isochrones="mist", library="miles", broken=False):
    """Write the package into a folder for PYTHONPATH."""
    package = folder / "fsps"
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text(PACKAGE.format(**SIZES))
    text = DRIVER.format(isochrones=isochrones, library=library, **SIZES)
    (package / "_fsps.py").write_text("raise ImportError('no libgfortran')" if broken else text)
    for old in folder.glob("*.dist-info"):
        (old / "METADATA").unlink()
        old.rmdir()
    info = folder / f"fsps-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: fsps\nVersion: {version}\n")
    return folder


def write_home(home, isochrones="mist", library="miles", resolving=5000.0):
    """Write files of the right names and sizes; spectra of constant resolving power."""
    for path in data_files(home, isochrones, library, "DL07"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("some data\n")
    number = SIZES["n_wavelengths"]
    sigma = 299792.458 / (2.3548 * resolving)
    rows = [f"{1000.0 * 30 ** (k / number):.4f} and more\n" for k in range(number)]
    spectra = wavelength_file(home, library)
    spectra.write_text("".join(rows))
    if library != "bpass":
        spectra.with_suffix(".res").write_text(f"{-sigma:.4f}\n" * number)
    metallicity_file(home, isochrones).write_text("0.0020\n0.0200\n0.0400\n")
    (home / "data/emlines_info.dat").write_text("4862.7,H-beta\n6564.6,H-alpha\n")
    (home / "data/allfilters.dat").write_text("# one\n1 2\n# two\n1 2\n")
    if isochrones == "bpss":
        (home / "ISOCHRONES/BPASS/bpass.mass").write_text("6.0 1\n6.1 1\n")
        (home / SSP_FILE).write_bytes(bytes(number * 3 * 2 * 8))
    write_nebular(home, isochrones)
    return home


def write_nebular(home, isochrones="mist"):
    """Nebular tables whose logarithms are linear in every axis: 10^(z + 2 u + 3 log age)."""
    nodes = [(z, a, u) for z in (-0.5, 0.0, 0.5) for a in (1e6, 1e7) for u in (-3.0, -2.0)]
    for what, columns in (("lines", [4862.7, 6564.6]), ("cont", [100.0, 1e4, 2e6])):
        lines = ["# comment", " ".join(f"{c:.6e}" for c in columns)]
        for z, a, u in nodes:
            lines.append(f"{z} {a:.4e} {u}")
            value = 10 ** (z + 2 * u) * a**3 * 1e-40
            lines += [" ".join(f"{value * (k + 1):.9e}" for k in range(len(columns)))]
        (Path(home) / "nebular" / f"ZAU_ND_{isochrones}.{what}").write_text("\n".join(lines) + "\n")

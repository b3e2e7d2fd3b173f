"""Write a complete SPS_HOME in FSPS's BPASS layout from a grid of ours.

FSPS compiled for BPASS reads finished SSPs instead of making them from isochrones and stellar
spectra, so that its own code (history, nebular emission, dust) runs on our tables. The files that
do not depend on the SSPs come from an archive of FSPS's own.
"""

import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from photoz.sps.grid import SOLAR_LUMINOSITY
from photoz.survey.photometry import SPEED_OF_LIGHT

# What FSPS was compiled with for BPASS.
N_WAVELENGTHS, N_AGES, N_FILTERS, N_LINES, N_CONTINUUM = 15000, 43, 159, 166, 1963
LOG_AGES = 6.0 + 0.1 * np.arange(N_AGES)
METALLICITIES = (4e-4, 1e-3, 2e-3, 4e-3, 6e-3, 8e-3, 1e-2, 1.4e-2, 2e-2, 3e-2, 4e-2, 5e-2)
GAS_LOG_Z = (-1.3, -1.0, -0.82, -0.7, -0.52, -0.4, -0.3, -0.15, 0.0, 0.18, 0.3)  # FSPS's own
GAS_LOG_U = (-4.0, -3.5, -3.0, -2.5, -2.0, -1.5, -1.0)
GAS_LOG_AGES = (6.0, 6.1, 6.2, 6.3, 6.4, 6.5, 6.6, 6.7, 6.8, 7.0)
# FSPS's constants.
FSPS_LSUN, FSPS_PLANCK, FSPS_LIGHT, ZSUN = 3.839e33, 6.6261e-27, 2.9979e18, 0.02
PER_LSUN = SOLAR_LUMINOSITY / FSPS_LSUN
FLOOR = 1e-60  # Lsun / Hz where our tables end


@dataclass(frozen=True)
class Tables:
    """What the files hold, in FSPS's units."""

    wavelength: np.ndarray  # (15000,) A
    spectrum: np.ndarray  # (12, 43, 15000) Lsun/Hz per Msun
    living_mass: np.ndarray  # (12, 43)
    continuum_wavelength: np.ndarray  # (1963,) A
    continuum: np.ndarray  # (11, 10, 7, 1963) Lsun/Hz per ionising photon/s
    line_wavelength: np.ndarray  # (166,) A
    line_name: tuple
    lines: np.ndarray  # (11, 10, 7, 166) Lsun per ionising photon/s


def tables(grid):
    """Resample a grid of ours to the sizes FSPS was compiled with."""
    outside = np.geomspace(100.0, 911.9, 400), np.geomspace(913.0, 1240.0, 100)
    beyond = np.geomspace(26000.0, 1e8, 500)
    inside = np.geomspace(grid.wavelength[0], grid.wavelength[-1], 15000 - 1000)
    wavelength = np.concatenate([*outside, inside, beyond])
    per_hertz = PER_LSUN * inside**2 / SPEED_OF_LIGHT
    log_z = np.log10(np.array(METALLICITIES) / ZSUN)
    stars = _linear(grid.spectrum.astype(float), grid.log_z, log_z, 0)
    stars = _linear(stars, grid.log_age, LOG_AGES, 1)
    spectrum = np.full((len(METALLICITIES), N_AGES, wavelength.size), FLOOR)
    spectrum[..., 500:-500] = _linear(stars, grid.wavelength, inside, 2) * per_hertz
    rate = _linear(_linear(grid.ionizing_rate, grid.log_z, log_z, 0), grid.log_age, LOG_AGES, 1)
    # A flat ionising spectrum with the photons of the grid, by FSPS's own trapezoidal rule.
    nu = FSPS_LIGHT / wavelength[:400]
    photons = np.abs(np.diff(nu)) @ (0.5 / nu[1:] + 0.5 / nu[:-1]) * FSPS_LSUN / FSPS_PLANCK
    spectrum[..., :400] = (rate * 1e46 / photons)[..., None]
    mass = _linear(_linear(grid.living_mass, grid.log_z, log_z, 0), grid.log_age, LOG_AGES, 1)

    nodes = inside[np.linspace(0, inside.size - 1, N_CONTINUUM - 2).round().astype(int)]
    nodes[[0, -1]] = inside[[0, -1]]
    log_continuum = _linear(
        _nebular(grid, np.log(grid.nebular_continuum)), grid.wavelength, nodes, 3
    )
    continuum = np.full((*log_continuum.shape[:3], N_CONTINUUM), FLOOR * 1e-46)
    unit = PER_LSUN * 1e-46 * nodes**2 / SPEED_OF_LIGHT
    continuum[..., 1:-1] = np.exp(log_continuum) * unit
    continuum_wavelength = np.concatenate([[wavelength[0]], nodes, [wavelength[-1]]])

    number = grid.line_wavelength.size
    spare = np.linspace(2e5, 3e5, N_LINES - number)  # lines that are always dark
    lines = np.zeros((*log_continuum.shape[:3], N_LINES))
    lines[..., :number] = np.exp(_nebular(grid, np.log(grid.line_luminosity + 1e-30)))
    lines *= PER_LSUN * 1e-46
    return Tables(
        wavelength,
        spectrum,
        mass,
        continuum_wavelength,
        continuum,
        np.concatenate([grid.line_wavelength, spare]),
        (*grid.line_name, *(f"dark {k}" for k in range(spare.size))),
        lines,
    )


def write_home(folder, archive, made):
    """Unpack FSPS's static files and write `made` (`Tables`) beside them; return the folder."""
    folder = Path(folder)
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    isochrones, nebular, data = (folder / name for name in ("ISOCHRONES/BPASS", "nebular", "data"))
    isochrones.mkdir(parents=True)
    np.savetxt(isochrones / "bpass.lambda", made.wavelength, fmt="%.8f")
    (isochrones / "zlegend.dat").write_text("".join(f"{z:6.4f}\n" for z in METALLICITIES))
    rows = np.column_stack([LOG_AGES, made.living_mass.T])
    np.savetxt(isochrones / "bpass.mass", rows, fmt="%.8f")
    made.spectrum.astype("<f8").tofile(isochrones / "bpass_v2.2_salpeter100.ssp.bin")

    blocks = (
        (made.continuum_wavelength, made.continuum, "cont"),
        (made.line_wavelength, made.lines, "lines"),
    )
    for wavelength, values, suffix in blocks:
        path = nebular / f"ZAU_ND_bpss.{suffix}"
        path.unlink(missing_ok=True)
        with path.open("w") as file:
            file.write("# made from a grid of SSPs for a test\n" + _row(wavelength, "%.9e"))
            for z, a, u in np.ndindex(values.shape[:3]):
                age = 10 ** GAS_LOG_AGES[a]
                file.write(f"{GAS_LOG_Z[z]:.4e} {age:.12e} {GAS_LOG_U[u]:.4e}\n")
                file.write(_row(values[z, a, u], "%.7e"))
        shutil.copyfile(path, nebular / f"ZAU_WX_ND_bpss.{suffix}")

    names = zip(made.line_wavelength, made.line_name, strict=True)
    (data / "emlines_info.dat").write_text("".join(f"{w:.3f},{name}\n" for w, name in names))
    block = "# flat\n4000 0\n4100 1\n4200 1\n4300 0\n"
    (data / "allfilters.dat").write_text(block * N_FILTERS)
    lines = (f"{k} FLAT{k} a flat band\n" for k in range(1, N_FILTERS + 1))
    (data / "FILTER_LIST").write_text("".join(lines))
    return folder


def _row(values, form):
    return " ".join(form % value for value in values) + "\n"


def _linear(values, nodes, at, axis):
    """Interpolate linearly along an axis, clamped."""
    at = np.clip(np.asarray(at, dtype=float), nodes[0], nodes[-1])
    left = np.clip(np.searchsorted(nodes, at + 1e-9, side="right") - 1, 0, len(nodes) - 2)
    part = (at - nodes[left]) / (nodes[left + 1] - nodes[left])
    shape = [1] * values.ndim
    shape[axis] = -1
    part = np.round(part, 12).reshape(shape)
    return values.take(left, axis) * (1 - part) + values.take(left + 1, axis) * part


def _nebular(grid, logarithm):
    """(m, u, k, x) logarithms of ours at FSPS's nodes, (11, 10, 7, x)."""
    logarithm = _linear(logarithm, grid.log_z, GAS_LOG_Z, 0)
    logarithm = _linear(logarithm, grid.nebular_log_u, GAS_LOG_U, 1)
    return _linear(logarithm, grid.nebular_log_age, GAS_LOG_AGES, 2).swapaxes(1, 2)

"""The 31 COSMOS templates and the emission lines that go with them.

The templates are those of the COSMOS photometric redshifts (Ilbert et al. 2009): ellipticals and
spirals after Polletta et al. (2007), blue galaxies from Bruzual & Charlot (2003). They share no
file with the stellar library of the simulations. BCNz2 (Eriksen et al. 2019) uses the same set.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from importlib import resources
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from photoz.checksums import DAMAGED_NPZ, read_npz
from photoz.files import InputError, replace_when_done, require_file
from photoz.survey.photometry import SPEED_OF_LIGHT

LIBRARY_FILE = "cosmos_templates.npz"
#: [OII] flux over the ultraviolet f_nu(2300 A), Hz, both in the rest frame (Ilbert et al. 2009).
OII_FROM_UV = 1.23e13


@dataclass(frozen=True)
class EmissionLine:
    """One line: rest wavelength (A) and luminosity relative to [OII]; `group` scatters together."""

    name: str
    wavelength: float
    ratio: float
    group: str


#: Ratios of the BCNz2 recipe (Eriksen et al. 2019, after Ilbert et al. 2009).
EMISSION_LINES: tuple[EmissionLine, ...] = (
    EmissionLine("Lya", 1215.7, 2.0, "Lya"),
    EmissionLine("[OII]3727", 3726.8, 1.0, "[OII]"),
    EmissionLine("Hb", 4861.0, 0.61, "Balmer"),
    EmissionLine("[OIII]4959", 4959.0, 0.25 * 0.36, "[OIII]"),
    EmissionLine("[OIII]5007", 5007.0, 0.75 * 0.36, "[OIII]"),
    EmissionLine("[NII]6548", 6548.0, 0.3 * 0.35 * 1.77, "[NII]"),
    EmissionLine("Ha", 6562.8, 1.77, "Balmer"),
    EmissionLine("[NII]6583", 6583.0, 0.35 * 1.77, "[NII]"),
    EmissionLine("[SII]6716", 6716.44, 0.35, "[SII]"),
    EmissionLine("[SII]6731", 6730.82, 0.35, "[SII]"),
)


@dataclass(frozen=True)
class TemplateLibrary:
    """Templates on one wavelength grid, from early to late types.

    Attributes
    ----------
    names : tuple of str
        Template names, without their file's suffix.
    wavelength : (w,)
        Rest wavelength, A, ascending.
    f_lambda : (template, w)
        Arbitrary units per A, as distributed (1 at 5500 A, about, once divided by `f_lambda`
        there); no emission lines.
    provenance : dict
        Where the files come from and under which licence.
    """

    names: tuple[str, ...]
    wavelength: np.ndarray
    f_lambda: np.ndarray
    provenance: dict[str, Any]

    def __len__(self) -> int:
        return len(self.names)

    def resample(self, wavelength: np.ndarray) -> np.ndarray:
        """Templates on another grid, linear in wavelength, zero outside: (template, len)."""
        return np.stack(
            [np.interp(wavelength, self.wavelength, f, left=0.0, right=0.0) for f in self.f_lambda]
        )


def line_luminosities(library: TemplateLibrary) -> np.ndarray:
    """Line luminosities from the ultraviolet continuum, before dust.

    F([OII]) = 1.23e13 Hz x f_nu(2300 A) in the rest frame; the others in fixed ratios to it.

    Returns
    -------
    (template, line)
        In the unit of `library.f_lambda` x A; lines in the order of `EMISSION_LINES`.
    """
    uv = np.array([np.interp(2300.0, library.wavelength, f) for f in library.f_lambda])
    oii = OII_FROM_UV * uv * 2300.0**2 / SPEED_OF_LIGHT
    return oii[:, None] * np.array([line.ratio for line in EMISSION_LINES])


def load_template_library(path: str | PathLike[str] | None = None) -> TemplateLibrary:
    """Read a template library; None is the shipped one.

    Raises
    ------
    InputError
        If the file is missing or is not a template library.
    """
    if path is None:
        with resources.as_file(resources.files("photoz.data").joinpath(LIBRARY_FILE)) as shipped:
            return load_template_library(shipped)
    path = require_file(path, "template library")
    try:
        content = read_npz(path)
        library = TemplateLibrary(
            names=tuple(str(name) for name in content["names"]),
            wavelength=content["wavelength"].astype(float),
            f_lambda=content["f_lambda"].astype(float),
            provenance=json.loads(str(content["provenance"])),
        )
    except DAMAGED_NPZ as error:
        raise InputError(
            f"{path}: not a template library (npz with names, wavelength, f_lambda, provenance): "
            f"{error}"
        ) from error
    if library.f_lambda.shape != (len(library.names), len(library.wavelength)):
        raise InputError(
            f"{path}: f_lambda has shape {library.f_lambda.shape}, expected "
            f"{(len(library.names), len(library.wavelength))}"
        )
    return library


def build_template_library(
    archive: str | PathLike[str],
    path: str | PathLike[str],
    wavelength_range: tuple[float, float] = (900.0, 25200.0),
) -> TemplateLibrary:
    """Pack the COSMOS templates of the public ``pz-rail-base`` wheel into one npz file.

    Parameters
    ----------
    archive : path-like
        The wheel (a zip file); MIT licence, LSST Dark Energy Science Collaboration.
    path : path-like
        The npz file to write.
    wavelength_range : tuple
        Wavelengths kept, A; the native sampling (0.23 %) is not changed.
    """
    archive = require_file(archive, "pz-rail-base wheel")
    folder = "rail/examples_data/estimation_data/data/SED/"
    spectra: list[np.ndarray] = []
    with zipfile.ZipFile(archive) as wheel:
        listing = wheel.read(folder + "COSMOS_seds.list").decode().split()
        licence = next(name for name in wheel.namelist() if name.endswith("licenses/LICENSE"))
        notice = wheel.read(licence).decode()
        for name in listing:
            table = np.array(wheel.read(folder + name).decode().split(), float).reshape(-1, 2)
            wavelength, first = np.unique(table[:, 0], return_index=True)
            spectra.append(table[first, 1])
    keep = (wavelength >= wavelength_range[0]) & (wavelength <= wavelength_range[1])
    library = TemplateLibrary(
        names=tuple(name.removesuffix(".sed") for name in listing),
        wavelength=wavelength[keep],
        f_lambda=np.stack(spectra)[:, keep],
        provenance={
            "source": f"{Path(archive).name}: {folder}*_A_*.sed, in the order of COSMOS_seds.list",
            "references": "Polletta et al. 2007; Bruzual & Charlot 2003; Ilbert et al. 2009",
            "licence": notice,
            "changes": "cut in wavelength, repeated wavelengths dropped, float32",
        },
    )
    with replace_when_done(path) as temporary:
        np.savez_compressed(
            temporary,
            names=np.array(library.names),
            wavelength=library.wavelength.astype(np.float32),
            f_lambda=library.f_lambda.astype(np.float32),
            provenance=np.array(json.dumps(library.provenance)),
        )
    return library

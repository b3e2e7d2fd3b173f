"""FSPS's nebular tables, read from its own files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from photoz.files import InputError
from photoz.sps.fsps.data_files import nebular_file
from photoz.sps.fsps.installation import Installation

LINES_KEPT = 64
"""Lines of a grid, the brightest of FSPS's 166."""
_FLOOR = 1e-95  # FSPS adds it before it takes logarithms


@dataclass(frozen=True)
class NebularTables:
    """Emission of the gas per ionising photon / s, on FSPS's nodes.

    Attributes
    ----------
    log_z, log_u, log_age : (m,), (u,), (k,) float64
        log10 of the metallicity (solar), the ionisation parameter and the age (yr).
    line_wavelength : (l,) float64
        A, vacuum.
    line_name : tuple of str
    log_line : (m, u, k, l) float64
        Natural logarithm of Lsun.
    wavelength : (c,) float64
        A, of the continuum.
    log_continuum : (m, u, k, c) float64
        Natural logarithm of Lsun / Hz.
    """

    log_z: NDArray[np.float64]
    log_u: NDArray[np.float64]
    log_age: NDArray[np.float64]
    line_wavelength: NDArray[np.float64]
    line_name: tuple[str, ...]
    log_line: NDArray[np.float64]
    wavelength: NDArray[np.float64]
    log_continuum: NDArray[np.float64]

    def log_lines(self, log_z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Logarithms of the lines at other metallicities, (n, u, k, l)."""
        return _at(self.log_z, self.log_line, log_z)

    def log_continua(
        self, log_z: NDArray[np.float64], wavelength: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Logarithms of the continuum at other metallicities and wavelengths, (n, u, k, w)."""
        table = _at(self.log_z, self.log_continuum, log_z)
        left = np.searchsorted(self.wavelength, wavelength, side="right") - 1
        left = np.clip(left, 0, self.wavelength.size - 2)
        low, high = self.wavelength[left], self.wavelength[left + 1]
        part = (wavelength - low) / (high - low)
        return (1 - part) * table[..., left] + part * table[..., left + 1]


def read_nebular(installation: Installation) -> NebularTables:
    """Read the tables that belong to the isochrones FSPS was compiled with.

    Raises
    ------
    InputError
        If a file does not have FSPS's layout.
    """
    home, kind = installation.home, installation.isochrones
    position, lines, nodes = _read(nebular_file(home, kind, "lines"), installation.n_lines)
    wavelength, continuum, others = _read(nebular_file(home, kind, "cont"), None)
    if any(a.shape != b.shape or not np.allclose(a, b) for a, b in zip(nodes, others, strict=True)):
        raise InputError(
            f"{nebular_file(home, kind, 'cont')}: other nodes than the lines have; the files are "
            "of different versions"
        )
    log_z, age, log_u = nodes
    return NebularTables(
        log_z=log_z,
        log_u=log_u,
        log_age=np.log10(age),
        line_wavelength=position,
        line_name=_names(home / "data" / "emlines_info.dat", position),
        log_line=np.log(lines + _FLOOR),
        wavelength=wavelength,
        log_continuum=np.log(continuum + _FLOOR),
    )


def _read(
    path: Path, columns: int | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[NDArray[np.float64]]]:
    """Read columns' wavelengths, the table (m, u, k, column) and nodes [log Z, age, log U]."""
    try:
        with path.open(encoding="utf-8") as file:
            next(file)  # a comment
            if columns is None:
                wavelength = np.array(next(file).split(), dtype=np.float64)
            else:  # a row may be broken into lines
                words: list[str] = []
                while len(words) < columns:
                    words += next(file).split()
                wavelength = np.array(words, dtype=np.float64)
            values = np.array(file.read().split(), dtype=np.float64)
        blocks = values.reshape(-1, 3 + wavelength.size)
        nodes = [np.unique(blocks[:, k]) for k in range(3)]
        shape = [node.size for node in nodes]
        # FSPS reads metallicity slowest, then age, then ionisation; all ascend.
        ordered = np.stack(np.meshgrid(*nodes, indexing="ij"), axis=-1).reshape(-1, 3)
        if not np.array_equal(ordered, blocks[:, :3]):
            raise ValueError("nodes not in FSPS's order")
    except (StopIteration, ValueError) as error:
        raise InputError(f"{path}: not a nebular table of FSPS ({error})") from error
    table = blocks[:, 3:].reshape(*shape, wavelength.size)
    return wavelength, table.swapaxes(1, 2), nodes


def _names(path: Path, position: NDArray[np.float64]) -> tuple[str, ...]:
    rows = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if len(rows) != position.size:
        raise InputError(f"{path}: {len(rows)} lines, the nebular tables have {position.size}")
    return tuple(row.partition(",")[2].strip() for row in rows)


def _at(
    nodes: NDArray[np.float64], table: NDArray[np.float64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Interpolate linearly along the first axis; beyond the nodes the nearest one holds."""
    values = np.clip(values, nodes[0], nodes[-1])
    left = np.clip(np.searchsorted(nodes, values, side="right") - 1, 0, nodes.size - 2)
    part = (values - nodes[left]) / (nodes[left + 1] - nodes[left])
    part = part.reshape(-1, 1, 1, 1)
    return (1 - part) * table[left] + part * table[left + 1]

"""The data files that FSPS opens when it starts, as far as their names are fixed."""

from __future__ import annotations

from pathlib import Path

NEBULAR = ("mist", "pdva", "prsc", "bpss")
"""Isochrones, in FSPS's names, for which it has nebular emission."""
READY_MADE = "bpss"
"""With these FSPS reads finished SSPs (BPASS)."""
SSP_FILE = "ISOCHRONES/BPASS/bpass_v2.2_salpeter100.ssp.bin"

_ISOCHRONES = {
    "mist": "MIST",
    "pdva": "Padova/Padova2007",
    "prsc": "PARSEC",
    "bsti": "BaSTI",
    "gnva": "Geneva",
    READY_MADE: "BPASS",
}
_LIBRARIES = {  # folder below SPECTRA, start of the names, name of the metallicities
    "basel": ("BaSeL3.1", "basel", "zlegend.dat"),
    "miles": ("MILES", "miles", "zlegend.dat"),
    "c3k_lr": ("C3K/c3k_lr", "c3k_lr", "c3k_lr_zlegend.dat"),
    "c3k_hr": ("C3K/c3k_hr", "c3k_hr", "c3k_hr_zlegend.dat"),
    "c3k_a": ("C3K", "c3k_afe+0.0", "zlegend.dat"),  # before version 0.5, which cuts the name
}
_COMMON = {
    "data": ["FILTER_LIST", "allfilters.dat", "allindices.dat", "emlines_info.dat"],
    "SPECTRA": ["A0V_KURUCZ_92.SED", "SUN_STScI.SED", "xrb/xsp.lambda"],
    "dust": [
        "alldirty_c.dat",
        "alldirty_h.dat",
        "Gordon03_table4.dat",
        "Nenkova08_y010_torusg_n10_q2.0.dat",
        "dusty/Orich_dusty.spec",
        "dusty/Crich_dusty.spec",
    ],
}
_STARS = {
    "SPECTRA/Hot_spectra": [
        "WMBASIC.teff",
        "WMBASIC_zlegend.dat",
        "ipagb.teff",
        "ipagb_solar.spec",
        "ipagb_halo.spec",
        "CMFGEN_WN.teff",
        "CMFGEN_WC.teff",
        "CMFGEN_WN_Zall.spec",
        "CMFGEN_WC_Zall.spec",
    ],
    "SPECTRA/AGB_spectra": [
        "Orich.teff",
        "Crich.teff",
        "Orich.spec",
        "Crich.spec",
        "Crich_Aringer.teff",
        "Crich_Aringer.spec",
    ],
}


def wavelength_file(home: Path, library: str) -> Path:
    """Wavelengths of the spectra."""
    if library in _LIBRARIES:
        return _library_files(home, library)[0]
    return home / "ISOCHRONES/BPASS/bpass.lambda"


def resolution_file(home: Path, library: str) -> Path | None:
    """Resolution of the spectra, where FSPS knows it."""
    return _library_files(home, library)[1] if library in _LIBRARIES else None


def metallicity_file(home: Path, isochrones: str) -> Path:
    """Metallicities of the isochrones."""
    return home / "ISOCHRONES" / _ISOCHRONES[isochrones] / "zlegend.dat"


def nebular_file(home: Path, isochrones: str, what: str) -> Path:
    """Nebular table of the isochrones: `what` is ``lines`` or ``cont``."""
    return home / "nebular" / f"ZAU_ND_{isochrones}.{what}"


def data_files(home: Path, isochrones: str, library: str, dust: str) -> list[Path]:
    """All of them.

    Parameters
    ----------
    home : Path
        ``SPS_HOME``.
    isochrones, library, dust : str
        What FSPS was compiled with, in its names (``mist``, ``miles``, ``DL07``).
    """
    folders = dict(_COMMON)
    paths = [wavelength_file(home, library), metallicity_file(home, isochrones)]
    paths += [nebular_file(home, isochrones, what) for what in ("lines", "cont")]
    paths += [home / f"dust/dustem/{dust}_MW3.1_{k}0.dat" for k in range(7)]
    if isochrones == READY_MADE:
        paths += [home / "ISOCHRONES/BPASS/bpass.mass", home / SSP_FILE]
        paths += [home / f"nebular/ZAU_WX_ND_bpss.{what}" for what in ("lines", "cont")]
    else:
        folders |= _STARS
        paths += _library_files(home, library)
    return paths + [home / folder / name for folder, names in folders.items() for name in names]


def _library_files(home: Path, library: str) -> list[Path]:
    """Wavelengths, resolution and metallicities of a stellar library."""
    folder, start, metallicities = _LIBRARIES[library]
    names = (f"{start}.lambda", f"{start}.res", metallicities)
    return [home / "SPECTRA" / folder / name for name in names]

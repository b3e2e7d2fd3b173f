"""The runs of a template fit: which templates may be combined with each other, behind which dust.

A galaxy is a sum of the templates of one run. Runs keep unlike galaxies apart: an elliptical is
not mixed with a dusty starburst. The 35 runs are those of BCNz2 (Eriksen et al. 2019; the paper's
appendix A).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from photoz.files import InputError
from photoz.sps.dust import Curve, calzetti, calzetti_bump
from photoz.survey.keys import did_you_mean

#: Height of the 2175 A bump in k(lambda): half the Milky Way's, and about the Milky Way's.
BUMP_STRENGTHS = (1.65, 3.3)
#: Attenuation curves k(lambda) = A / E(B-V) that a run may have.
ATTENUATION: dict[str, Curve] = {
    "calzetti": calzetti,
    "calzetti_bump1": partial(calzetti_bump, strength=BUMP_STRENGTHS[0]),
    "calzetti_bump2": partial(calzetti_bump, strength=BUMP_STRENGTHS[1]),
}
#: How emission lines enter a run that has them.
LINE_MODES = ("free", "tied", "fixed")


@dataclass(frozen=True)
class Run:
    """Templates that are fitted together.

    Attributes
    ----------
    name : str
        For tables and figures.
    templates : tuple of str
        Continuum templates: COSMOS templates by name (``Ell1_A_0``) or stand-ins
        (`photoz.templates.standins`).
    lines : bool
        Whether the run has emission lines.
    law : str
        Attenuation curve, a key of `ATTENUATION`; lines and continuum see the same dust.
    colour_excess : float
        E(B-V), mag; 0 is no dust.

    Raises
    ------
    InputError
        If there is no template, an unknown law or a negative colour excess.
    """

    name: str
    templates: tuple[str, ...]
    lines: bool = False
    law: str = "calzetti"
    colour_excess: float = 0.0

    def __post_init__(self) -> None:
        if not self.templates:
            raise InputError(f"template run {self.name}: no templates")
        if self.law not in ATTENUATION:
            hint = did_you_mean(self.law, tuple(ATTENUATION))
            raise InputError(f"template run {self.name}: no attenuation '{self.law}'; {hint}")
        if not self.colour_excess >= 0:
            raise InputError(
                f"template run {self.name}: E(B-V) is {self.colour_excess}; 0 or more expected"
            )


def _cosmos(*types: str) -> tuple[str, ...]:
    return tuple(f"{name}_A_0" for name in types)


ELLIPTICALS = _cosmos(*(f"Ell{i}" for i in range(1, 7)))
EARLY_SPIRALS = _cosmos("Ell6", "Ell7", "S0", "Sa", "Sb", "Sc")
LATE_SPIRALS = _cosmos("Sc", "Sd", "Sdm", "SB0", "SB1", "SB2")
STARBURSTS = _cosmos(*(f"SB{i}" for i in range(2, 12)))
DUSTY_STARBURSTS = _cosmos(*(f"SB{i}" for i in range(4, 12)))
#: Stand-ins for the six BC03 populations: Z 0.008 and 0.02, tau 0.3 Gyr, age in Gyr.
POPULATIONS = (
    *("Z0.008-age0.509", "Z0.008-age8.0"),
    *("Z0.02-age0.509", "Z0.02-age2.1", "Z0.02-age2.6", "Z0.02-age3.75"),
)
COLOUR_EXCESSES = tuple(round(0.05 * i, 2) for i in range(1, 11))


def published_runs() -> tuple[Run, ...]:
    """The 35 runs of BCNz2: five without dust, then SB4-SB11 behind ten amounts of three dusts."""
    clear = (
        Run("ellipticals", ELLIPTICALS),
        Run("early spirals", EARLY_SPIRALS),
        Run("late spirals", LATE_SPIRALS, lines=True),
        Run("starbursts", STARBURSTS, lines=True),
        Run("populations", POPULATIONS),
    )
    dusty = tuple(
        Run(f"starbursts {law} {excess:.2f}", DUSTY_STARBURSTS, True, law, excess)
        for law in ATTENUATION
        for excess in COLOUR_EXCESSES
    )
    return clear + dusty


def elliptical_run() -> tuple[Run, ...]:
    """The one run of appendix B: eight early-type templates without dust or lines."""
    return (Run("eight early types", (*ELLIPTICALS, *_cosmos("Ell7", "S0"))),)


RUN_SETS = {"published": published_runs, "ellipticals": elliptical_run}
"""Named sets of runs, for configurations."""

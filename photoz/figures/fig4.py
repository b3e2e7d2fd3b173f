"""What the autoencoder does to one galaxy (paper, Fig. 4)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from photoz.figures.inputs import finite_values, require_columns
from photoz.figures.style import BLACK, BLUE, COLUMN_WIDTH, ORANGE, figure, paper_style

COLUMNS = (
    *("band", "kind", "wavelength", "true", "input", "error", "denoised"),
    *("ratio", "redshift", "template", "reference_band"),
)


@paper_style()
def draw(example: pd.DataFrame) -> Figure:
    """Draw the noisy, denoised and noiseless fluxes of a galaxy.

    Above the fluxes, below their distances from the noiseless ones. Narrow bands only, as in the
    paper, where the survey has some; else all bands.

    Parameters
    ----------
    example : DataFrame
        One row per band: band, kind, wavelength (A), flux ratios true, input, error and denoised,
        and ratio, the denoised over the input error of many such galaxies. The columns redshift,
        template and reference_band are the same in every row.

    Raises
    ------
    InputError
        If a column is missing, or no flux is finite.
    """
    require_columns(example, COLUMNS)
    narrow = example[example["kind"] == "narrow"]
    shown = (narrow if len(narrow) else example).sort_values("wavelength")
    finite_values(shown[["true", "input", "denoised"]], "denoising example")
    new = figure(COLUMN_WIDTH, 3.7)
    upper, lower = new.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": (2.4, 1)})
    x = shown["wavelength"]
    # The reference band is 1 before and after.
    others = shown.loc[shown["band"] != shown["reference_band"], "ratio"]
    ratio = float(np.nanmedian(others))
    upper.plot(x, shown["true"], color=BLACK, linewidth=1.1, zorder=2, label="Noiseless")
    _points(upper, shown, "input", shown["error"], label="Input")
    _points(upper, shown, "denoised", None, label=rf"Denoised (scatter {ratio:.2f} $\sigma$)")
    upper.set_ylabel(f"Flux / {shown['reference_band'].iloc[0]}-band flux")
    upper.set_title(_title(shown))
    upper.legend(loc="upper left" if _rises(shown) else "best", handlelength=1.6)

    residuals = shown.assign(
        input=(shown["input"] - shown["true"]) / shown["error"],
        denoised=(shown["denoised"] - shown["true"]) / shown["error"],
    )
    lower.axhline(0, color=BLACK, linewidth=1.1, zorder=2)
    _points(lower, residuals, "input")
    _points(lower, residuals, "denoised")
    limit = max(2.5, 1.1 * float(np.nanmax(np.abs(residuals[["input", "denoised"]].to_numpy()))))
    lower.set_ylim(-limit, limit)
    lower.set_ylabel(r"$(f - f_{\rm True})\,/\,\sigma$")
    lower.set_xlabel(r"Wavelength [$\rm\AA$]")
    return new


def _points(
    ax: Axes, rows: pd.DataFrame, column: str, error: pd.Series | None = None, label: str = ""
) -> None:
    """Crosses for the input, with its errors if given, and circles for what is denoised."""
    look = {"input": (ORANGE, "x", 3), "denoised": (BLUE, "o", 4)}
    color, marker, order = look[column]
    if error is not None:
        ax.vlines(
            rows["wavelength"],
            rows[column] - error,
            rows[column] + error,
            color=color,
            linewidth=0.6,
            alpha=0.6,
            zorder=1,
        )
    ax.plot(
        rows["wavelength"],
        rows[column],
        linestyle="none",
        marker=marker,
        color=color,
        markersize=4.2 if marker == "x" else 3.2,
        markeredgewidth=1.1 if marker == "x" else 0,
        zorder=order,
        label=label,
        gid=column,
    )


def _title(shown: pd.DataFrame) -> str:
    name = str(shown["template"].iloc[0]).split("_")[0]
    return f"{name}, $z = {float(shown['redshift'].iloc[0]):.2f}$"


def _rises(shown: pd.DataFrame) -> bool:
    """Whether the blue half is fainter than the red one, so that the upper left is empty."""
    half = max(len(shown) // 2, 1)
    return bool(shown["true"].iloc[:half].mean() < shown["true"].iloc[half:].mean())

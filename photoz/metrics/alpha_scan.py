"""Scatter against the share of exposures in random coadds (paper, section 5.1 and Fig. 6)."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from photoz.files import InputError

VALUES = ("sigma68", "sigma68_error")


def alpha_table(
    points: Sequence[tuple[str, str, float, str]], members: pd.DataFrame
) -> pd.DataFrame:
    """One row per point of Fig. 6: of one network, and of the same number of them together.

    That is the largest number that all ensembles of a catalogue have. With alpha = 1 no exposure is
    left out and no band is empty, so such a variant is a point of every way of handling empty
    bands.

    Parameters
    ----------
    points : sequence of (catalogue, variant, alpha, empty_bands)
    members : DataFrame
        catalogue, variant and the columns of `photoz.metrics.members.member_metrics`.

    Returns
    -------
    DataFrame
        catalogue, empty_bands, alpha, networks, sigma68, sigma68_error.

    Raises
    ------
    InputError
        If a variant was not measured, or there is no point.
    """
    if not points:
        raise InputError(
            "no variants that differ in finetuning.alpha alone, so there is nothing to draw; "
            "config/augmentation.yaml has some"
        )
    rows = []
    sizes = members.groupby(["catalogue", "variant"])["networks"].max()
    for catalogue, variant, alpha, empty_bands in points:
        if (catalogue, variant) not in sizes.index:
            raise InputError(f"the variant {variant!r} was not measured on {catalogue!r}")
        rivals = [(where, name) for where, name, _, _ in points if where == catalogue]
        drawn = {1, min((n for n in sizes.reindex(rivals) if n > 1), default=1)}
        here = (members["catalogue"] == catalogue) & (members["variant"] == variant)
        measured = members[here & members["networks"].isin(drawn)].sort_values("networks")
        ways = {way for where, _, _, way in points if where == catalogue}
        for way in sorted(ways) if alpha >= 1 else [empty_bands]:
            for _, row in measured.iterrows():
                values = [row[name] for name in VALUES]
                rows.append((catalogue, way, alpha, int(row["networks"]), *values))
    names = ["catalogue", "empty_bands", "alpha", "networks", *VALUES]
    return pd.DataFrame(rows, columns=names)

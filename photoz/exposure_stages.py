"""Which jobs and files the experiments on exposures need (paper, section 5 and appendix F)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from photoz import stages
from photoz.files import InputError

SCANNED = ("alpha", "empty_bands")
"""Keys of a fine-tuning that Fig. 6 compares."""


class ScanPoint(NamedTuple):
    """A variant of Fig. 6 on a catalogue."""

    catalogue: str
    variant: str
    alpha: float
    empty_bands: str


def layout(config: Mapping[str, Any], training: stages.Training) -> str | None:
    """Per cent of the exposures that networks are given one by one; None for those of coadds."""
    if training.finetuning is None:
        return None
    section = config["finetuning"][training.finetuning]
    if section["individual_exposures"] is None:
        return None
    return f"{100 * section['present_exposures']:g}"


def on_coadds(config: Mapping[str, Any], variant: str) -> bool:
    """Whether a variant's networks read coadds."""
    training = stages.variant_training(config, variant)
    return training.network is not None and layout(config, training) is None


def first_on_coadds(config: Mapping[str, Any]) -> str | None:
    """The reference, where its networks read coadds, else the first variant whose networks do."""
    chosen = config["evaluation"]["reference"] or next(iter(config["variants"]))
    names = [name for name in (chosen, *config["variants"]) if on_coadds(config, name)]
    return names[0] if names else None


def alpha_scan(config: Mapping[str, Any]) -> list[ScanPoint]:
    """What Fig. 6 shows: variants that are the first on coadds but for `alpha` and `empty_bands`.

    Of several with the same two, the one with most splits. Empty for fewer than two values of
    alpha, and where no networks read coadds.
    """
    first = first_on_coadds(config)
    if first is None:
        return []
    best: dict[tuple[str, float, str], ScanPoint] = {}
    for catalogue, variant in stages.evaluated(config):
        if not on_coadds(config, variant) or _alike(config, variant) != _alike(config, first):
            continue
        section = config["finetuning"][stages.variant_training(config, variant).finetuning]
        point = ScanPoint(catalogue, variant, *(section[key] for key in SCANNED))
        # Nothing is random with alpha = 1, and no band is left empty.
        same = (catalogue, point.alpha, point.empty_bands if point.alpha < 1 else "")
        other = best.get(same)
        if other is None or _splits(config, variant) > _splits(config, other.variant):
            best[same] = point
    return list(best.values()) if len({point.alpha for point in best.values()}) > 1 else []


def _alike(config: Mapping[str, Any], variant: str) -> tuple[Any, ...]:
    """All that makes a variant's networks, but for the keys that Fig. 6 compares."""
    training = stages.variant_training(config, variant)
    section = config["finetuning"][training.finetuning]
    rest = {key: value for key, value in section.items() if key not in SCANNED}
    steps = stages.extra_steps(config, training)
    return training.pretraining, training.network, training.fraction, steps, rest


def _splits(config: Mapping[str, Any], variant: str) -> int:
    return int(config["variants"][variant]["splits"])


def members(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Networks of more than one split: what averaging more of them does is shown for these."""
    shown = config["figures"]["variants"]
    return [
        (catalogue, variant)
        for catalogue, variant in stages.evaluated(config)
        if _splits(config, variant) > 1
        and (shown is None or variant in shown)
        and stages.variant_training(config, variant).network is not None
    ]


def coadd_networks(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Networks that predict other coadds: the reference, else the first variant that has some."""
    first = first_on_coadds(config)
    return [pair for pair in stages.evaluated(config) if pair[1] == first]


def varied(config: Mapping[str, Any]) -> dict[tuple[str, str], tuple[str, str]]:
    """Variants whose variation between random coadds is measured, and the name it is filed under.

    It is that of their first networks, which several variants may share.
    """
    if not config["figures"]["test_time"]:
        return {}
    return {
        (catalogue, variant): (catalogue, first)
        for catalogue, first in coadd_networks(config)
        for variant in stages.variants_of(config, catalogue)
        if stages.variant_training(config, variant) == stages.variant_training(config, first)
    }


def ordered(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Networks on single exposures, on the first catalogue that has some (Fig. F1).

    The first variant of every `individual_exposures`.
    """
    found: dict[str, tuple[str, str]] = {}
    for catalogue, variant in stages.evaluated(config):
        finetuning = stages.variant_training(config, variant).finetuning
        order = finetuning and config["finetuning"][finetuning]["individual_exposures"]
        first = next(iter(found.values()), (catalogue, variant))
        if order and catalogue == first[0]:
            found.setdefault(order, (catalogue, variant))
    return list(found.values())


def jobs(config: Mapping[str, Any]) -> list[str]:
    """Jobs behind the figures of these experiments, as `<rule>/<what it makes>`."""
    names = []
    for catalogue, variant in stages.evaluated(config):
        present = layout(config, stages.variant_training(config, variant))
        if present is not None:
            names.append(f"exposure_layout/{catalogue}/{present}")
    scanned = [(point.catalogue, point.variant) for point in alpha_scan(config)]
    names += [f"members/{c}/{v}" for c, v in dict.fromkeys([*scanned, *members(config)])]
    names += [f"exposure_orders/{c}/{v}" for c, v in ordered(config)]
    if config["figures"]["test_time"]:
        pairs = coadd_networks(config)
        names += [f"random_coadds/{c}/{v}" for c, v in pairs]
        names += [f"leave_one_out/{c}/{v}" for c, v in pairs[:1]]
    return list(dict.fromkeys(names))


def check(config: Mapping[str, Any]) -> None:
    """Check that networks on single exposures have no pretraining, and that their keys count.

    Raises
    ------
    InputError
        Naming the key.
    """
    for name, section in config["finetuning"].items():
        if section["individual_exposures"] is None and section["present_exposures"] < 1:
            raise InputError(
                f"config: finetuning.{name}.present_exposures: for networks with "
                "`individual_exposures` only; name an order there, or leave this out"
            )
    for variant in config["variants"]:
        training = stages.variant_training(config, variant)
        if layout(config, training) is not None and training.pretraining is not None:
            raise InputError(
                f"config: variants.{variant}.pretraining: simulated galaxies have no exposures, "
                f"and finetuning.{training.finetuning} reads them one by one; remove it"
            )

"""What the figures of a run show: which of its catalogues, variants and trainings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from photoz import inputs, stages

REAL_BANDS = ("u", "B", "V", "r", "i", "z")
"""Bands of the real galaxies (`zcosmos_reference.json`) that mock surveys are shown beside."""


@dataclass(frozen=True)
class Shown:
    """What the figures show.

    Attributes
    ----------
    catalogue : str
        Catalogue of the figures that show one.
    variants : list of str
        Variants shown on it.
    reference : list of (catalogue, variant)
        The reference variant on every catalogue it runs on.
    ensembles : list of (catalogue, variant)
        For each of `reference` the variant of the same networks that averages most splits.
    network : str or None
        Network of the reference variant, else of the first variant that has one.
    pretrainings, trainings : list of str
        Pretrainings in use, and the network trainings behind `variants`.
    pretraining_files : list of str
        Path of each of `pretrainings` below `pretraining/`, without suffix; of the first split
        where there are several.
    mocks : list of str
        Catalogues that are mock surveys with the bands of the real galaxies they are shown beside.
    crowding : list of str
        Variants that are compared by the number of galaxies at a redshift (paper, Fig. 3).
    example : list of (catalogue, variant)
        The reference variant on `catalogue`, or on the first other one it runs on.
    zero_points : list of (catalogue, training)
        Template fits with zero-points: the first one of every catalogue.
    training_sizes : list of (family, variant, fraction)
        Variants that differ only in the number of training galaxies (paper, section 7).
    """

    catalogue: str
    variants: list[str]
    reference: list[tuple[str, str]]
    ensembles: list[tuple[str, str]]
    network: str | None
    pretrainings: list[str]
    pretraining_files: list[str]
    trainings: list[str]
    mocks: list[str]
    crowding: list[str]
    example: list[tuple[str, str]]
    zero_points: list[tuple[str, str]]
    training_sizes: list[tuple[str, str, float]]


def shown(config: Mapping[str, Any]) -> Shown:
    """Choose what the figures of a run show.

    Raises
    ------
    InputError
        If the survey file is absent or not YAML.
    """
    catalogue = config["figures"]["catalogue"] or next(iter(config["catalogues"]))
    here = stages.variants_of(config, catalogue)
    variants = [name for name in config["figures"]["variants"] or here if name in here]
    reference = config["evaluation"]["reference"] or next(iter(config["variants"]))
    first = [stages.variant_training(config, name) for name in (reference, *config["variants"])]
    networks = [item.network for item in first if item.network is not None]
    behind = [stages.variant_training(config, name) for name in variants]
    training_names = list(dict.fromkeys(item.name for item in behind if item.network is not None))
    found = dict.fromkeys(item.pretraining for item in behind if item.pretraining is not None)
    mocks = [name for name, item in config["catalogues"].items() if item["kind"] != "file"]
    if mocks and not inputs.band_names(config).issuperset(REAL_BANDS):
        mocks = []
    # The others are variations, with galaxies alike.
    mocks = [name for name in mocks if name in config["evaluation"]["paper"]] or mocks
    on = [pair for pair in stages.evaluated(config) if pair[1] == reference]
    return Shown(
        catalogue=catalogue,
        variants=variants,
        reference=on,
        ensembles=[(where, _ensemble(config, where, name)) for where, name in on],
        network=networks[0] if networks else None,
        pretrainings=list(found),
        pretraining_files=[
            stages.pretraining_for(config, name, catalogue, 0).file for name in found
        ],
        trainings=training_names,
        mocks=mocks,
        crowding=_crowding(config, reference),
        example=([pair for pair in on if pair[0] == catalogue] or on)[:1],
        zero_points=_zero_points(config),
        training_sizes=training_sizes(config),
    )


def _crowding(config: Mapping[str, Any], reference: str) -> list[str]:
    """The reference, networks that were not pretrained, and template fits; with all redshifts."""
    names = []
    for name in config["variants"]:
        training = stages.variant_training(config, name)
        bare = training.network is not None and training.pretraining is None
        if name == reference or (training.fraction == 1 and (bare or training.templates)):
            names.append(name)
    return names


def _ensemble(config: Mapping[str, Any], catalogue: str, variant: str) -> str:
    """The variant with the training of another that averages most splits; itself if none does."""
    training = stages.variant_training(config, variant)
    rivals = [variant, *stages.variants_of(config, catalogue)]
    alike = [name for name in rivals if stages.variant_training(config, name) == training]
    return max(alike, key=lambda name: config["variants"][name]["splits"])


def _zero_points(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    first: dict[str, str] = {}
    for catalogue, variant in stages.evaluated(config):
        training = stages.variant_training(config, variant)
        if training.templates and config["templates"][training.templates]["zero_points"]:
            first.setdefault(catalogue, training.name)
    return list(first.items())


def drawn_variants(config: Mapping[str, Any], pairs: Sequence[tuple[str, str]]) -> list[str] | None:
    """Variants that figures of these (catalogue, variant) show, in order; None for all."""
    wanted = config["figures"]["variants"]
    if wanted is None:
        return None
    here = {variant for _, variant in pairs}
    return [variant for variant in wanted if variant in here]


def training_sizes(config: Mapping[str, Any]) -> list[tuple[str, str, float]]:
    """Variants that differ only in the part of the training galaxies that they use.

    Their fine-tuning may differ in its epochs: fewer galaxies need more passes.

    Returns
    -------
    list of (family, variant, fraction)
        From small to large within a family, which is named after its largest variant. Empty where
        no two variants are of one family.
    """
    families: dict[str, dict[float, str]] = {}
    for name, section in config["variants"].items():
        alike = {key: value for key, value in section.items() if key != "training_fraction"}
        if section["finetuning"] is not None:
            finetuning = config["finetuning"][section["finetuning"]]
            passes = ("epochs", "quiet_epochs", "stepwise")
            alike["finetuning"] = {k: v for k, v in finetuning.items() if k not in passes}
        members = families.setdefault(json.dumps(alike, sort_keys=True), {})
        members.setdefault(float(section["training_fraction"]), name)
    return [
        (members[max(members)], members[fraction], fraction)
        for members in families.values()
        if len(members) > 1
        for fraction in sorted(members)
    ]


def denoised(config: Mapping[str, Any]) -> list[str]:
    """Pretraining whose autoencoder the denoising figures show (paper, Figs 4 and 5).

    Returns
    -------
    list of str
        The pretraining of the reference variant, or the first other one that has an autoencoder;
        empty where there is none.
    """
    reference = config["evaluation"]["reference"] or next(iter(config["variants"]))
    variants = (reference, *config["variants"])
    names = [stages.variant_training(config, name).pretraining for name in variants]
    for name in names:
        if name is None or stages.learns_noise(config, name):  # those are several networks
            continue
        if config["networks"][config["pretraining"][name]["network"]]["features"]:
            return [name]
    return []

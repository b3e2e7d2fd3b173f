"""Which file each variant needs: variants resolved to named stages.

A variant is a choice of stages. A stage's name is made of the names of what it was trained with,
so two variants that share a training share its files and nothing is trained twice.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from photoz.configuration import derive_seed
from photoz.files import InputError

DEFAULT_CONFIG = "config/config.yaml"
NO_PRETRAINING = "none"
NEIGHBOURS = "neighbours"
TEMPLATES, TEMPLATE_FIT = "templates", "template_fit"
OUTLYING = "outlying"
"""Kind of noise that wraps another."""
CHOICES = {
    "network": ("finetuning", "pretraining"),
    NEIGHBOURS: (NEIGHBOURS,),
    TEMPLATES: (TEMPLATES,),
}
"""Keys of a variant that each method has; the first must be given."""


@dataclass(frozen=True)
class Training:
    """One training on observed galaxies, as a folder of the results names it.

    Attributes
    ----------
    name : str
        `<pretraining>.<finetuning>.<percent of the training galaxies>`, with `none` where there
        is no pretraining, `neighbours.<neighbours>.<percent>` or
        `template_fit.<templates>.<percent>`.
    fraction : float
        Part of the training galaxies that is used.
    pretraining, finetuning, neighbours, templates, network : str or None
        Names in the sections of the configuration; `network` is the one that is trained.
    """

    name: str
    fraction: float
    pretraining: str | None = None
    finetuning: str | None = None
    neighbours: str | None = None
    templates: str | None = None
    network: str | None = None


def variant_training(config: Mapping[str, Any], variant: str) -> Training:
    """Resolve a variant of a resolved configuration to its training.

    Raises
    ------
    InputError
        If the variant's choices do not fit together; the message names the key.
    """
    section = config["variants"][variant]
    where = f"config: variants.{variant}"
    fraction = float(section["training_fraction"])
    percent = f"{100 * fraction:g}"
    method = section["method"]
    needed = CHOICES[method][0]
    if section[needed] is None:
        raise InputError(f"{where}.{needed}: missing; the method `{method}` needs it")
    for key in dict.fromkeys(key for keys in CHOICES.values() for key in keys):
        if key not in CHOICES[method] and section[key] is not None:
            raise InputError(f"{where}.{key}: the method `{method}` has no {key}; remove it")
    if method != "network":
        prefix, chosen = TEMPLATE_FIT if method == TEMPLATES else method, section[needed]
        return Training(f"{prefix}.{chosen}.{percent}", fraction, **{needed: chosen})
    pretraining, finetuning = section["pretraining"], section["finetuning"]
    name = f"{pretraining or NO_PRETRAINING}.{finetuning}.{percent}"
    network = _network(config, pretraining, finetuning)
    if network is None:
        raise InputError(
            f"config: finetuning.{finetuning}.network: missing; the variant {variant!r} is not "
            "pretrained, so name its network here, or a pretraining in match_steps_of"
        )
    return Training(name, fraction, pretraining, finetuning, network=network)


def _network(config: Mapping[str, Any], pretraining: str | None, finetuning: str) -> str | None:
    if pretraining is not None:
        return config["pretraining"][pretraining]["network"]
    section = config["finetuning"][finetuning]
    if section["network"] is None and section["match_steps_of"] is not None:
        return config["pretraining"][section["match_steps_of"]]["network"]
    return section["network"]


@dataclass(frozen=True)
class Pretraining:
    """One pretraining, as a file of the results names it.

    Attributes
    ----------
    name : str
        In the section `pretraining`.
    catalogue, split : str and int, or None
        What its noise was learned from. Then the file holds one network per fold of this split,
        each pretrained under noise that was learned without the galaxies of its fold.
    """

    name: str
    catalogue: str | None = None
    split: int | None = None

    @property
    def file(self) -> str:
        """Path below `pretraining/`, without suffix."""
        if self.catalogue is None:
            return self.name
        return f"{self.catalogue}/{self.name}/split-{self.split}"

    @classmethod
    def from_file(cls, file: str) -> Pretraining:
        """Inverse of `file`."""
        catalogue, _, rest = file.rpartition("/split-")[0].partition("/")
        if not catalogue:
            return cls(file)
        return cls(rest, catalogue, int(file.rpartition("-")[2]))


def learns_noise(config: Mapping[str, Any], pretraining: str) -> bool:
    """Whether a pretraining's noise is learned from the catalogue that it is fine-tuned on."""
    section = noise_section(config, config["pretraining"][pretraining]["noise"])
    return bool(section.get("noise", section)["kind"] == "empirical")


def noise_section(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Settings of a noise; those of the noise that it wraps, if it does, are its `noise`."""
    section = dict(config["noise"][name])
    if section["kind"] == OUTLYING:
        section["noise"] = dict(config["noise"][section["noise"]])
    return section


def pretraining_for(
    config: Mapping[str, Any], pretraining: str, catalogue: str, split: int
) -> Pretraining:
    """The pretraining that starts the networks of a catalogue's split."""
    if learns_noise(config, pretraining):
        return Pretraining(pretraining, catalogue, split)
    return Pretraining(pretraining)


def noise_file(config: Mapping[str, Any], pretraining: Pretraining) -> str:
    """Noise model of a pretraining: path below `noise/`, without suffix."""
    section = config["pretraining"][pretraining.name]
    folder = f"{section['simulation']}/{section['noise']}"
    if pretraining.catalogue is None:
        return f"{folder}/model"
    return f"{folder}/{pretraining.catalogue}/split-{pretraining.split}"


def pretrainings(config: Mapping[str, Any]) -> list[Pretraining]:
    """Every pretraining of the run, each once."""
    found = []
    for catalogue, variant in evaluated(config):
        name = variant_training(config, variant).pretraining
        if name is not None:
            splits = range(config["variants"][variant]["splits"])
            found += [pretraining_for(config, name, catalogue, split) for split in splits]
    return list(dict.fromkeys(found))


def trainings(config: Mapping[str, Any]) -> dict[str, Training]:
    """Every training of the run by its name."""
    resolved = (variant_training(config, variant) for variant in config["variants"])
    return {training.name: training for training in resolved}


def variants_of(config: Mapping[str, Any], catalogue: str) -> list[str]:
    """Variants that run on a catalogue, in the order of the configuration."""
    return [
        name
        for name, section in config["variants"].items()
        if section["catalogues"] is None or catalogue in section["catalogues"]
    ]


def chunks(config: Mapping[str, Any], simulation: str) -> list[int]:
    """Numbers of galaxies in the chunks of a simulation; the last one takes the rest."""
    section = config["simulations"][simulation]
    full, rest = divmod(section["n_galaxies"], section["chunk_size"])
    return [section["chunk_size"]] * full + ([rest] if rest else [])


def galaxies(config: Mapping[str, Any], simulation: str) -> dict[str, Any]:
    """What a simulation draws its galaxies from: the prior of populations, or the template sky."""
    section = config["simulations"][simulation]
    if section["kind"] == "populations":
        return dict(section["prior"])
    return {key: section[key] for key in section if key not in ("kind", "n_galaxies", "chunk_size")}


def stream(config: Mapping[str, Any], simulation: str) -> dict[str, Any]:
    """What a pretraining that simulates its own galaxies needs to know of the simulation.

    Seed and block size are those of the stored chunks, of which the stream is the continuation.
    """
    section = config["simulations"][simulation]
    return {
        "kind": section["kind"],
        "galaxies": galaxies(config, simulation),
        "block_size": section["chunk_size"],
        "seed": derive_seed(config["seed"], "simulate", simulation),
    }


def job_splits(config: Mapping[str, Any], catalogue: str, training: Training, split: int) -> str:
    """Splits that the job trains which trains a given one, as its files are named: `2` or `0-4`."""
    splits = [
        config["variants"][variant]["splits"]
        for variant in variants_of(config, catalogue)
        if variant_training(config, variant).name == training.name
    ]
    together = config["finetuning"][training.finetuning]["splits_per_job"]
    first = split // together * together
    last = min(first + together, max([split + 1, *splits])) - 1
    return str(first) if first == last else f"{first}-{last}"


def splits_of(name: str) -> list[int]:
    """Inverse of `job_splits`."""
    first, _, last = name.partition("-")
    return list(range(int(first), int(last or first) + 1))


def comparisons(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Pairs (variant, reference) that are compared galaxy by galaxy."""
    evaluation = config["evaluation"]
    reference = evaluation["reference"] or next(iter(config["variants"]))
    pairs = [(variant, reference) for variant in config["variants"] if variant != reference]
    pairs += [(variant, other) for variant, other in evaluation["comparisons"]]
    return list(dict.fromkeys(pairs))


def command(files: Sequence[str], overrides: Mapping[str, Any]) -> str:
    """What makes a run again: the command that its results page shows.

    Parameters
    ----------
    files : sequence of str
        The configuration files. The default one alone is not mentioned, so that the command is
        the same whether or not `--configfile` named it.
    overrides : mapping
        Keys given with `--config`.
    """
    words = ["snakemake", "all", "--cores", "2"]
    if list(files) != [DEFAULT_CONFIG]:
        words += ["--configfile", *files]
    if overrides:
        words.append("--config")
    for key, value in overrides.items():
        text = json.dumps(value) if isinstance(value, list | dict) else str(value)
        words.append(f"{key}={'' if value is None else text}")
    return " ".join(map(_shell_word, words))


def _shell_word(word: str) -> str:
    """A word as a shell reads it, on one line: bash's $'...' where it has control characters."""
    if word.isprintable():
        return shlex.quote(word)
    escaped = word.replace("\\", "\\\\").replace("'", "\\'")
    codes = (c if c.isprintable() else _octal(c) for c in escaped)
    return f"$'{''.join(codes)}'"


def _octal(character: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", "surrogateescape"))


def extra_steps(config: Mapping[str, Any], training: Training) -> int:
    """Optimiser steps that a training without pretraining gets to be a fair rival."""
    if training.finetuning is None or training.pretraining is not None:
        return 0
    matched = config["finetuning"][training.finetuning]["match_steps_of"]
    return config["pretraining"][matched]["steps"] if matched is not None else 0


def evaluated(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Pairs (catalogue, variant) of the run, in the order of the configuration."""
    return [
        (catalogue, variant)
        for catalogue in config["catalogues"]
        for variant in variants_of(config, catalogue)
    ]


def reading_notes(config: Mapping[str, Any]) -> list[str]:
    """What a reader of the results has to know of some variants, as Markdown."""
    seen = [
        f"`{variant}`"
        for variant in config["variants"]
        if (name := variant_training(config, variant).finetuning) is not None
        and config["finetuning"][name]["unlabelled"] == "all"
    ]
    if not seen:
        return []
    return [
        f"Results of {', '.join(seen)} are transductive: the autoencoders have seen the coadds "
        "that are predicted (`unlabelled: all`), though no redshift of theirs."
    ]


def priors(config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Prior of every simulation of populations that a pretraining of the run learns from."""
    used = [config["pretraining"][item.name]["simulation"] for item in pretrainings(config)]
    sections = {name: config["simulations"][name] for name in dict.fromkeys(used)}
    return {
        name: dict(section["prior"])
        for name, section in sections.items()
        if section["kind"] == "populations"
    }


def jobs(config: Mapping[str, Any]) -> list[str]:
    """Jobs behind the results as `<rule>/<what it makes>`, in the order of the chain."""
    names = []
    for pretraining in pretrainings(config):
        section = config["pretraining"][pretraining.name]
        simulation, noise = section["simulation"], section["noise"]
        # The noise is shown on the first chunk, even where training reads none.
        chunk_numbers = range(1 if section["fresh"] else len(chunks(config, simulation)))
        names += [f"simulate/{simulation}/chunk-{number}" for number in chunk_numbers]
        if pretraining.catalogue is None:
            names.append(f"inject_noise/{simulation}/{noise}")
        else:
            names.append(f"learn_noise/{noise_file(config, pretraining)}")
        names.append(f"pretrain/{pretraining.file}")
    for catalogue in config["catalogues"]:
        names += [f"observe/{catalogue}", f"splits/{catalogue}"]
    for catalogue, variant in evaluated(config):
        training = variant_training(config, variant)
        for split in range(config["variants"][variant]["splits"]):
            names += _prediction_jobs(config, catalogue, training, split)
        names += [f"ensemble/{catalogue}/{variant}", f"evaluate/{catalogue}/{variant}"]
    return list(dict.fromkeys([*names, "compare", "crowding", "conclusions", "table1", "tables"]))


def _prediction_jobs(
    config: Mapping[str, Any], catalogue: str, training: Training, split: int
) -> list[str]:
    """Jobs that end in the p(z) of one split of a catalogue."""
    what = f"{catalogue}/{training.name}/split-{split}"
    if training.neighbours is not None:
        return [f"neighbours/{what}"]
    if training.templates is None:
        trained = f"{catalogue}/{training.name}/split-"
        trained += job_splits(config, catalogue, training, split)
        return [f"finetune/{trained}", f"predict/{what}"]
    section = config["templates"][training.templates]
    names = [f"template_model/{training.templates}"]
    for fold in range(config["splits"]["n_folds"]):
        learned = [f"template_{name}" for name in ("zero_points", "prior") if section[name]]
        names += [f"{rule}/{what}/fold-{fold}" for rule in learned]
        chunks = range(section["jobs_per_fold"])
        names += [f"template_fit/{what}/fold-{fold}/chunk-{chunk}" for chunk in chunks]
    return [*names, f"template_gather/{what}"]

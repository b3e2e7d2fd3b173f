"""What a run will cost: counted against torch, closed forms and what doubling must double."""

import subprocess
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from typer.testing import CliRunner

from photoz import cli, configuration, costs, estimate, machine, stages
from photoz import training_costs as training
from photoz.machine import Machine
from photoz.networks import DeepZ, NetworkConfig, seeded_generators
from photoz.networks.density import negative_log_likelihood

ROOT = Path(__file__).parents[1]
TINY = ROOT / "tests" / "workflow" / "tiny.yaml"
MACHINE = Machine(measured=True)
SMALL = NetworkConfig(
    2, 3, 2, width=12, features=4, components=5, photoz_first_width=20, undropped_layers=1
)
BLIND = NetworkConfig(2, 2, 3, width=12, features=0, components=5, undropped_layers=1)
BANDS, BATCH, NETWORKS = 7, 16, 3
PAPER = asdict(NetworkConfig())

BASE = {
    "name": "run",
    "survey": str(ROOT / "config" / "surveys" / "paus.yaml"),
    "catalogues": {"one": {"kind": "mock", "n_galaxies": 1000}},
    "simulations": {"sps": {"n_galaxies": 1000, "chunk_size": 500}},
    "noise": {"bright": {}, "learned": {"kind": "empirical"}},
    "networks": {"small": {"width": 32, "photoz_layers": 3}},
    "pretraining": {"usual": {"network": "small", "simulation": "sps", "noise": "bright"}},
    "finetuning": {"usual": {"batch_size": 100, "calibrate": False}},
    "neighbours": {"near": {}},
    "templates": {"exact": {}},
    "variants": {"pretrained": {"pretraining": "usual", "finetuning": "usual"}},
}


def resolved(**changes):
    return configuration.resolve(configuration.merge(BASE, changes))


def a_run(**changes):
    return costs.Run(resolved(**changes), n_bands=46, n_narrow=40, n_exposures=10)


def rows(cores=2, gpus=0, speeds=MACHINE, **changes):
    found = estimate.estimate(resolved(**changes), speeds, cores, gpus)
    return {row.rule: row for row in found.rows}


def counted(config, pretraining):
    """Products of a training step of several networks, as torch counts them."""
    generators = seeded_generators(range(NETWORKS))
    network = DeepZ(config, BANDS, generators)
    x, redshift = torch.rand(NETWORKS, BATCH, BANDS), torch.rand(NETWORKS, BATCH)
    with FlopCounterMode(display=False) as counter:
        features = network.features(x, generators)
        loss = negative_log_likelihood(network.density(x, features, generators), redshift).sum()
        if pretraining and features is not None:
            loss = loss + network.reconstruct(features, generators).square().mean()
        loss.backward()
    updated = sum(p.numel() for p in network.parameters() if p.grad is not None)
    return counter.get_total_flops(), updated, network


@pytest.mark.parametrize("config", [SMALL, BLIND], ids=["autoencoder", "without"])
@pytest.mark.parametrize("pretraining", [True, False])
def test_products_and_parameters_of_a_step_are_those_that_torch_counts(config, pretraining):
    flops, updated, network = counted(config, pretraining)
    step = training.training_step(asdict(config), BANDS, pretraining)
    assert NETWORKS * BATCH * step.products == flops
    assert NETWORKS * step.parameters == updated
    stored = sum(v.numel() for k, v in network.state_dict().items() if k != "calibration")
    assert NETWORKS * training.stored_parameters(asdict(config), BANDS) == stored


def test_products_of_a_prediction_are_counted_by_hand():
    tiny = NetworkConfig(1, 1, 1, width=4, features=2, components=2)
    encoder, decoder, photoz = 3 * 4 + 4 * 2, 2 * 4 + 4 * 3, (3 + 2) * 4 + 4 * 6
    assert training.forward_products(asdict(tiny), 3) == 2 * (encoder + photoz)
    assert training.forward_products(asdict(tiny), 3, decoder=True) == 2 * (
        encoder + decoder + photoz
    )
    blind = dict(asdict(tiny), features=0)
    assert training.forward_products(blind, 3, decoder=True) == 2 * (3 * 4 + 4 * 6)


def test_the_network_of_the_paper():
    layers = 9 * 250**2
    encoder, photoz = 46 * 250 + layers + 250 * 10, 56 * 250 + layers + 250 * 30
    assert training.forward_products(PAPER, 46) == 2 * (encoder + photoz) == 2_321_000
    assert training.forward_products(PAPER, 46, decoder=True) == 3_474_000
    step = training.training_step(PAPER, 46, pretraining=True)
    assert (step.activations, step.layers) == (30 * 250, 33)


def test_steps_are_those_of_the_schedule():
    section = configuration.defaults("finetuning.*") | {"epochs": 60, "batch_size": 100}
    assert training.finetuning_steps(section, 6852) == (60 * 68, 100)
    assert training.finetuning_steps(section, 70, extra_steps=7) == (60 + 7, 70)
    stepwise = section | {"schedule": "stepwise"}
    assert training.finetuning_steps(stepwise, 6852) == (700 * 68, 100)


def test_what_has_to_be_linear_is():
    def cost(**changes):
        return estimate.job_cost(a_run(**changes), "finetune/one/usual.usual.100/split-0")

    def twice(changed):
        plain = cost()
        assert changed.products == 2 * plain.products
        assert changed.work - costs.START_TORCH == pytest.approx(
            2 * (plain.work - costs.START_TORCH)
        )

    epochs = configuration.defaults("finetuning.*")["epochs"]
    twice(cost(finetuning={"usual": {"epochs": 2 * epochs}}))
    twice(cost(catalogues={"one": {"n_galaxies": 2000}}))
    step = {"pretraining": {"usual": {"steps": 5000}}}
    once, double = (
        estimate.job_cost(run, "pretrain/usual").products for run in (a_run(), a_run(**step))
    )
    assert double == 2 * once


def test_splits_and_catalogues_multiply_jobs():
    one = rows()
    three = rows(variants={"pretrained": {"splits": 3}})
    assert three["finetune"].jobs == 3
    assert three["finetune"].seconds == pytest.approx(3 * one["finetune"].seconds)
    assert three["pretrain"] == one["pretrain"]
    assert rows(catalogues={"two": {"kind": "template_mock"}})["finetune"].jobs == 2


def test_simulations_cost_by_the_galaxy_and_fsps_a_thousand_times_more():
    job = "simulate/sps/chunk-0"
    plain = estimate.job_cost(a_run(), job)
    double = estimate.job_cost(a_run(simulations={"sps": {"chunk_size": 1000}}), job)
    assert double.work - plain.work == pytest.approx(500 * costs.SIMULATE["populations"])
    assert double.disk == 2 * plain.disk
    fsps = estimate.job_cost(a_run(simulations={"sps": {"engine": "fsps"}}), job)
    assert fsps.work > 500 * costs.SIMULATE_FSPS


def test_learned_noise_trains_a_network_for_each_fold():
    learned = {"usual": {"noise": "learned"}}
    assert rows(pretraining=learned)["learn_noise"].jobs == 1
    once = estimate.job_cost(a_run(), "pretrain/usual")
    folds = estimate.job_cost(a_run(pretraining=learned), "pretrain/one/usual/split-0")
    assert folds.products == 5 * once.products
    assert folds.disk > 4 * once.disk


def test_fresh_galaxies_are_simulated_while_the_network_trains():
    fresh = {"usual": {"fresh": True, "steps": 1000, "batch_size": 500}}
    stored = {"usual": fresh["usual"] | {"fresh": False}}
    difference = [
        estimate.job_cost(a_run(pretraining=section), "pretrain/usual").work
        for section in (fresh, stored)
    ]
    assert difference[0] - difference[1] == pytest.approx(500_000 * costs.SIMULATE["populations"])


def test_template_fits_cost_what_the_documentation_says():
    variants = {"bcnz2": {"method": "templates", "templates": "exact"}}

    def fit(**section):
        run = a_run(variants=variants, templates={"exact": section})
        job = "template_fit/one/template_fit.exact.100/split-0/fold-0/chunk-0"
        return estimate.job_cost(run, job).work - costs.TEMPLATE_START

    assert fit() == pytest.approx(200 * 9.9e-3)
    assert fit(jobs_per_fold=2) == pytest.approx(100 * 9.9e-3)
    assert fit(fit={"coarse_step": 1}) == pytest.approx(200 * 27.5e-3)
    assert fit(fit={"method": "multiplicative"}) == pytest.approx(200 * 4.7)
    assert fit(model={"runs": "ellipticals"}) == pytest.approx(200 * 9.9e-3 / 35)
    assert fit(model={"redshift_step": 0.01}) == pytest.approx(200 * 9.9e-3 * 150 / 1491)
    found = rows(variants=variants, templates={"exact": {"prior": True}})
    assert found["template_zero_points"].jobs == found["template_prior"].jobs == 5
    assert found["template_prior"].seconds < found["template_zero_points"].seconds


def test_the_ensemble_of_template_fits_stores_grids():
    variants = {"bcnz2": {"method": "templates", "templates": "exact"}}
    run = a_run(variants=variants)
    grid = estimate.job_cost(run, "ensemble/one/bcnz2").disk
    mixture = estimate.job_cost(run, "ensemble/one/pretrained").disk
    assert grid - mixture == 1000 * 4 * (1491 - 3 * 10)


def test_what_is_not_known_costs_what_a_plain_thing_does():
    run = a_run()
    assert estimate.job_cost(run, "a_rule_of_tomorrow/one/two") == estimate.PLAIN
    network = PAPER | {"front_end": {"kind": "convolution"}, "head": "classes"}
    assert training.training_step(network, 46, True) == training.training_step(PAPER, 46, True)
    run.config["simulations"]["sps"]["kind"] = "of_tomorrow"
    assert estimate.job_cost(run, "simulate/sps/chunk-0").work > 0


def test_more_cores_help_until_the_longest_chain():
    config = resolved(variants={"pretrained": {"splits": 10}})
    one, two, many = (estimate.estimate(config, MACHINE, cores) for cores in (1, 2, 1000))
    assert one.seconds == pytest.approx(one.processor_seconds)
    assert two.seconds == pytest.approx(one.seconds / 2)
    assert many.seconds == many.chain_seconds < one.seconds / 2
    assert two.memory < two.memory_at_once <= 2 * two.memory
    assert one.disk == many.disk


def test_a_slower_machine_takes_longer_and_a_gpu_is_used_where_there_is_one():
    slow = replace(MACHINE, float32=MACHINE.float32 / 2, work_seconds=2 * MACHINE.work_seconds)
    plain, slower = rows(), rows(speeds=slow)
    assert slower["finetune"].seconds - estimate.OVERHEAD == pytest.approx(
        2 * (plain["finetune"].seconds - estimate.OVERHEAD)
    )
    gpu = replace(MACHINE, gpu_float32=1e15, gpu_bfloat16=2e15)
    assert rows(speeds=gpu)["finetune"] == plain["finetune"]
    fast = rows(speeds=gpu, gpus=1)
    assert fast["finetune"].gpu and not fast["evaluate"].gpu
    assert fast["finetune"].seconds < plain["finetune"].seconds
    found = estimate.estimate(resolved(), MACHINE, 2, gpus=1)
    assert found.gpus == 0  # none was seen


# What `python -m benchmarks train` measured on an H200 (docs/performance.md): FLOP per second of
# the bare products of fifty networks, and ms of a step with batches of 500.
H200 = Machine(gpu_float32=3.0e13, gpu_bfloat16=9.6e13)


@pytest.mark.parametrize(
    ("pretraining", "precision", "networks", "ms"),
    [
        (False, "float32", 1, 1.92),
        (False, "float32", 5, 3.20),
        (False, "float32", 50, 13.65),
        (False, "bfloat16", 1, 2.02),
        (False, "bfloat16", 5, 2.83),
        (False, "bfloat16", 50, 9.41),
        (True, "float32", 1, 3.32),
        (True, "bfloat16", 1, 3.20),
    ],
)
def test_steps_on_a_gpu_take_as_long_as_they_did(pretraining, precision, networks, ms):
    step = training.training_step(PAPER, 46, pretraining)
    cost = costs.Cost(
        products=networks * 500 * step.products,
        precision=precision,
        kernels=training.step_kernels(step, networks),
        gpu=True,
    )
    start = costs.START_TORCH * H200.slowness
    expected = estimate.job_seconds(cost, H200, on_gpu=True) - start
    assert 1e3 * expected == pytest.approx(ms, rel=0.2)


def test_jobs_on_one_gpu_wait_for_each_other():
    config = resolved(variants={"pretrained": {"splits": 10}})
    gpu = replace(MACHINE, gpu_float32=1e15, gpu_bfloat16=2e15)
    one, two = (estimate.estimate(config, gpu, 1000, gpus) for gpus in (1, 2))
    on_gpu = sum(row.seconds for row in one.rows if row.gpu)
    assert one.seconds == pytest.approx(max(on_gpu, one.chain_seconds))
    assert two.seconds == pytest.approx(max(on_gpu / 2, one.chain_seconds))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(4.4, "4 s"), (99, "99 s"), (720, "12 min"), (7200, "2.0 h"), (200_000, "2.3 days")],
)
def test_times_are_easy_to_read(seconds, text):
    assert estimate.duration(seconds) == text


def test_what_a_run_prints_is_short():
    found = estimate.estimate(configuration.load(TINY), MACHINE, 2)
    text = estimate.lines(found, "tiny")
    assert len(text) == 2 and "'tiny'" in text[0] and "on 2 cores" in text[0]
    assert "memory" in text[1] and "results" in text[1]
    guessed = estimate.estimate(configuration.load(TINY), Machine(), 1)
    assert len(estimate.lines(guessed, "tiny")) == 3


def test_only_a_run_that_takes_long_measures_the_machine(monkeypatch):
    measured = []
    monkeypatch.setattr(estimate, "measure", lambda: measured.append(1) or MACHINE)
    text = estimate.before_a_run(configuration.load(TINY), cores=2)
    assert len(text) == 3 and "not measured" in text[2] and not measured
    text = estimate.before_a_run(resolved(pretraining={"usual": {"steps": 100_000}}), cores=1)
    assert len(text) == 2 and measured


def test_this_machine_is_measured_in_a_process_of_its_own():
    found = machine.measure()
    assert found.measured
    assert 1e8 < found.float32 < 1e14 and 1e8 < found.bfloat16 < 1e14
    assert 0.01 < found.slowness < 1000


@pytest.mark.parametrize(
    "failure", [OSError("no"), subprocess.TimeoutExpired("python", 1), FileNotFoundError()]
)
def test_a_machine_that_cannot_be_measured_is_that_of_the_constants(monkeypatch, failure):
    def fail(*arguments, **options):
        raise failure

    monkeypatch.setattr(machine.subprocess, "run", fail)
    assert machine.measure() == Machine(measured=False)


@pytest.mark.parametrize("output", ["", "not JSON", '{"speed": 1}', "[1]"])
def test_nonsense_from_the_measuring_process_is_not_believed(monkeypatch, output):
    done = subprocess.CompletedProcess([], 0, stdout=output)
    monkeypatch.setattr(machine.subprocess, "run", lambda *a, **b: done)
    assert machine.measure() == Machine(measured=False)


@pytest.fixture
def command(monkeypatch):
    monkeypatch.setattr(machine, "measure", lambda: MACHINE)
    monkeypatch.chdir(ROOT)
    return lambda *words: CliRunner().invoke(cli.app, ["estimate", *map(str, words)])


def test_the_command_prints_every_kind_of_job_and_the_sum(command):
    result = command(TINY, "--cores", "3")
    assert result.exit_code == 0, result.output
    jobs = estimate.jobs(configuration.load(TINY))
    for rule in {job.split("/")[0] for job in jobs}:
        assert f" {rule} " in result.output
    assert f"on 3 cores ({len(jobs)} jobs" in result.output


def test_the_command_takes_the_default_run_and_says_where_there_is_no_gpu(command):
    result = command("--gpus", "1")
    assert result.exit_code == 0, result.output
    assert "'default'" in result.output and "no GPU" in result.output


def test_a_wrong_configuration_is_one_line(command, tmp_path):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("name: x\nsede: 3\n")
    result = command(wrong)
    assert result.exit_code == 2
    assert "config: sede: unknown key" in result.output


def test_every_known_rule_is_one_of_the_workflow():
    known = {"figures", *estimate.COSTS}
    written = "".join(p.read_text() for p in (ROOT / "workflow" / "rules").glob("*.smk"))
    assert {rule for rule in known - {"figures"} if f"\nrule {rule}:" not in written} == set()
    chains = {*estimate.CHAIN_END, *(rule for chain in estimate.CHAINS for rule in chain)}
    assert {rule for rule in chains - {"figures"} if f"\nrule {rule}:" not in written} == set()


@pytest.mark.parametrize("name", ["config", "simulations", "zcosmos", "templates", "paper"])
def test_shipped_configurations_have_an_estimate(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    config = configuration.load(f"config/{name}.yaml")
    found = estimate.estimate(config, MACHINE, 2)
    assert found.jobs == len(set(estimate.jobs(config))) >= len(stages.jobs(config))
    assert all(row.seconds > 0 and row.memory > 0 for row in found.rows)

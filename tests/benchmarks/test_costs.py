"""The fit of what a training step costs, on networks too small to say anything about speed."""

from benchmarks import costs
from photoz.networks import NetworkConfig

SMALL = NetworkConfig(2, 2, 2, width=8, features=2, components=2, undropped_layers=1)
WIDE = NetworkConfig(2, 2, 2, width=64, features=2, components=2, undropped_layers=1)


def test_every_step_is_measured_and_the_constants_are_those_of_the_package():
    steps = ((SMALL, False, 2, 20), (WIDE, False, 1, 50), (SMALL, True, 1, 20), (WIDE, True, 1, 50))
    found = costs.run(steps, repeats=1)
    assert set(found["constants"]) == {
        name for name in vars(costs.training_costs) if name.startswith(("PER_", "PRODUCTS"))
    }
    assert all(value >= 0 for value in found["constants"].values())
    assert len(found["steps"]) in (4, 8)  # in float32, and in bfloat16 where there is that
    assert all(step["ms"] > 0 for step in found["steps"].values())


def test_the_least_time_of_the_turns_counts(monkeypatch):
    times = iter([0, 9, 0, 4, 0, 50])
    monkeypatch.setattr(costs.time, "process_time", lambda: next(times))
    assert costs.least({"a": list}, repeats=3) == {"a": 4}

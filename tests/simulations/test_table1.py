import pandas as pd

from photoz.simulations.priors import Prior
from photoz.simulations.table1 import table1

# Eriksen et al. (2020), Table 1, in its order.
PUBLISHED = {
    "zred": "[0, 1.2]",
    "logzsol": "[-0.5, 0.2]",
    "tage": "[0, 14]",
    "tau": "[0.1, 12]",
    "const": "[0, 0.25]",
    "sf_start": "[0, 14]",
    "dust2": "[0, 0.6]",
    "log_gasu": "[-4, 1]",
}


def test_the_default_prior_has_the_papers_ranges():
    table = table1({"fsps": Prior()})
    assert dict(zip(table["parameter"], table["paper"], strict=True)) == PUBLISHED
    ours = dict(zip(table["parameter"], table["fsps"], strict=True))
    assert {name for name in PUBLISHED if ours[name] != PUBLISHED[name]} == {"tage", "sf_start"}
    assert ours["tage"] == "age of the universe at zred" and ours["sf_start"] == "[0, tage]"


def test_what_a_run_changes_is_shown():
    prior = Prior.from_mapping(
        {"const": [0.0001, 0.25], "logarithmic": ["const"], "gas_logu": "fixed", "redshift": [0, 2]}
    )
    table = table1({"usual": Prior(), "mine": prior}).set_index("parameter")
    assert table.loc["const", ["usual", "mine"]].tolist() == ["[0, 0.25]", "[0.0001, 0.25], log"]
    assert table.loc["log_gasu", "mine"] == "-2" and table.loc["zred", "mine"] == "[0, 2]"


def test_a_run_without_simulated_populations_shows_the_papers_column():
    assert table1({}).columns.tolist() == ["parameter", "symbol", "unit", "paper"]
    assert isinstance(table1({}), pd.DataFrame)

import numpy as np
import pandas as pd
import pytest

from photoz.figures.inputs import finite_values, in_order, read_table, read_tables, require_columns
from photoz.files import InputError


def test_a_missing_column_names_the_file_and_the_nearest_column(tmp_path):
    path = tmp_path / "metrics.parquet"
    pd.DataFrame({"vaule": [1.0]}).to_parquet(path)
    with pytest.raises(InputError, match=r"metrics\.parquet: no column 'value'.*'vaule'"):
        read_table(path, ["value"])


def test_an_empty_table_names_the_file(tmp_path):
    path = tmp_path / "empty.parquet"
    pd.DataFrame({"value": []}).to_parquet(path)
    with pytest.raises(InputError, match=r"empty\.parquet: no rows"):
        read_table(path, ["value"])


def test_a_file_that_is_not_parquet(tmp_path):
    path = tmp_path / "table.parquet"
    path.write_text("id,value\n")
    with pytest.raises(InputError, match=r"table\.parquet: cannot be read as Parquet"):
        read_table(path)
    with pytest.raises(InputError, match="not found"):
        read_table(tmp_path / "absent.parquet")


def test_tables_are_joined_in_order_and_remember_their_first_file(tmp_path):
    for name, value in (("a", 1.0), ("b", 2.0)):
        pd.DataFrame({"value": [value], "more": [0]}).to_parquet(tmp_path / f"{name}.parquet")
    table = read_tables([tmp_path / "a.parquet", tmp_path / "b.parquet"], ["value"])
    assert table["value"].tolist() == [1.0, 2.0] and list(table) == ["value"]
    with pytest.raises(InputError, match=r"a\.parquet and 1 more: no column 'x'"):
        require_columns(table, ["x"])
    with pytest.raises(InputError, match="no table"):
        read_tables([])


def test_finite_values():
    assert finite_values([1.0, np.nan, np.inf, 2.0], "PIT").tolist() == [1.0, 2.0]
    with pytest.raises(InputError, match="PIT: none of 2 values is finite"):
        finite_values([np.nan, np.nan], "PIT")


def test_in_order():
    assert in_order(["b", "a", "b"], None, "variant") == ["b", "a"]
    assert in_order(["b", "a"], ["a"], "variant") == ["a"]
    with pytest.raises(InputError, match="no variant 'c'; there is b, a"):
        in_order(["b", "a"], ["c"], "variant")

"""YAML as users break it."""

import pytest

from photoz.files import InputError
from photoz.yaml_files import read_yaml


def read(tmp_path, text):
    path = tmp_path / "file.yaml"
    path.write_text(text)
    return read_yaml(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed: 1\nname: a\nseed: 2\n", "key 'seed' occurs twice in its block, again in line 3"),
        ("noise:\n  bright: {broad: 35, broad: 30}\n", "key 'broad' occurs twice .* line 2"),
        ("variants:\n  - {a: 1}\n  - {a: 1, a: 1}\n", "key 'a' occurs twice .* line 3"),
        ("depth: {4550: 22, 8450: 23, 4550: 24}\n", "key '4550' occurs twice"),
    ],
)
def test_a_repeated_key_is_refused_at_every_level(tmp_path, text, message):
    with pytest.raises(InputError, match=message) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'file.yaml'}: ")


def test_the_same_key_in_two_blocks_is_fine(tmp_path):
    assert read(tmp_path, "a: {x: 1}\nb: {x: 2}\n") == {"a": {"x": 1}, "b": {"x": 2}}


def test_a_merged_block_may_be_overridden_and_merged_again(tmp_path):
    text = "a: &a {x: 1, y: 1}\nb: {inner: &b {<<: *a, x: 2}}\nc: {<<: *b, y: 3}\n"
    content = read(tmp_path, text)
    assert content["b"]["inner"] == {"x": 2, "y": 1}
    assert content["c"] == {"x": 2, "y": 3}

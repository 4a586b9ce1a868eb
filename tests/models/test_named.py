"""A configuration is named once, and every name can be asked for."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata

import pytest
from srbench_models import upscalers
from srbench_models.named import NAMED

from srbench.upscaler import Upscaler, get_upscaler

BEST = {"stacked", "additive"}  # the best of several


def test_every_name_has_an_entry_point_and_every_entry_point_a_name():
    found = {
        entry.name: entry.value
        for entry in metadata.entry_points(group="srbench.upscalers")
        if entry.value.startswith("srbench_models.")
    }
    assert found == {name: f"srbench_models.upscalers:{name}" for name in {*NAMED, *BEST}}


@pytest.mark.parametrize("name", NAMED)
def test_a_name_is_an_upscaler_with_its_description(name: str):
    found, _ = get_upscaler(name)
    assert found is getattr(upscalers, name)
    assert isinstance(found, Upscaler)
    assert (found.name, found.target.name, found.description) == (name, name, NAMED[name].description)


@pytest.mark.parametrize("name", NAMED)
def test_a_name_is_a_network(name: str):
    torch = pytest.importorskip("torch")
    from srbench_models.configurations import CONFIGURATIONS, NETWORKS

    assert isinstance(CONFIGURATIONS[name].outline(), torch.nn.Module)
    assert CONFIGURATIONS[name].as_dict().items() >= {"network": NAMED[name].network, **NAMED[name].options}.items()
    assert NAMED[name].network in NETWORKS


def test_names_are_known_without_torch():
    code = "import sys, srbench_models.upscalers; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"

"""The made-up git histories, built once."""

import pathlib

import pytest
from histories import BUILDERS


@pytest.fixture(scope="session")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pathlib.Path]:
    """The working folder of each history of `histories`, by name."""
    folder = tmp_path_factory.mktemp("histories")
    return {name: build(folder / name).folder for name, build in BUILDERS.items()}

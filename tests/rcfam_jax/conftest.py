import os

# Four devices, to test data parallelism; compiled quickly rather than well, since tests compile more than they compute.
os.environ["XLA_FLAGS"] = (
    "--xla_force_host_platform_device_count=4"
    " --xla_backend_optimization_level=0"
    " --xla_llvm_disable_expensive_passes=true"
)

import jax
import pytest


@pytest.fixture
def x64():
    """Compute in float64 where that is asked for."""
    with jax.enable_x64(True):
        yield

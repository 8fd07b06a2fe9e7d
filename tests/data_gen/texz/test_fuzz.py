"""The decoders withstand many inputs that nobody encoded, with every array access checked.

A million of them takes about ten minutes:

  TEXZ_FUZZ_INPUTS=1000000 python -m pytest -m slow tests/data_gen/texz/test_fuzz.py
"""

import os
import re
import subprocess
import sys

import fuzzing
import pytest

INPUTS = int(os.environ.get("TEXZ_FUZZ_INPUTS", "40000"))


@pytest.mark.slow
def test_hostile_inputs_are_refused_or_decoded(tmp_path):
    environment = os.environ | {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, fuzzing.__file__, "0", str(INPUTS)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    counts = {fate: int(count) for fate, count in re.findall(r"(.*): (\d+)", result.stdout)}
    assert sum(counts.values()) == INPUTS
    for codec in ("columnar", "bitpacked"):  # both decoders proper were reached
        assert min(counts[f"{codec} decoded"], counts[f"{codec} refused"]) > INPUTS // 100

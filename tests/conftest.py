"""What all tests share."""

from hypothesis import settings

# The first example of a test may compile kernels; and a run repeats the one before it.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")

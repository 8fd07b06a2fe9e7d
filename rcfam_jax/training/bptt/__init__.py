"""Exact backpropagation through time, in several ways that compute one gradient."""

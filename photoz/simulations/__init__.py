"""Simulated galaxies: Table 1's uniform draws for pretraining, and mock surveys."""

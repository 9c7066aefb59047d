"""Measuring generated CUDA kernels: works, variants of a kernel, the share of the roofline, and peers beside them.

`ratemlx bench --gpu` shows it; `python -m ratemlx.bench.gpu` writes it to a file, as tests/gpu/run.sh does.
"""

"""Engines for quantized kernels: none."""
engine = "none"
supported_engines = ["none"]

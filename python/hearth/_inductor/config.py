"""Settings of a compiler that is not there: programs may set and read any of them."""
coordinate_descent_tuning = False
fx_graph_cache = True
max_autotune = False
epilogue_fusion = True


class triton:
    """Settings for Triton kernels, which hearth has none of."""

    unique_kernel_names = True
    cudagraphs = False


class cpp:
    """Settings for generated C++, which hearth has none of."""

    threads = -1

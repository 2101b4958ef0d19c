"""The instruction set of this machine."""


def get_cpu_capability() -> str:
    """`AVX512`, `AVX2` or `DEFAULT`, from what the kernel says of the processor."""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            words = next((line.split() for line in file if line.startswith("flags")), [])
    except OSError:
        words = []
    return "AVX512" if "avx512f" in words else "AVX2" if "avx2" in words else "DEFAULT"

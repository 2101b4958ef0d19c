"""What a report of a problem needs: versions, the system and the processor."""
import platform
import sys


def get_pretty_env_info() -> str:
    """The facts, one a line."""
    import hearth
    from hearth.backends.cpu import get_cpu_capability

    lines = {
        "hearth version": hearth.__version__,
        "Python version": sys.version.replace("\n", " "),
        "Python platform": platform.platform(),
        "libc": "-".join(platform.libc_ver()),
        "CPU": f"{platform.machine()}, {get_cpu_capability()}",
        "Threads": hearth.get_num_threads(),
        "CUDA": "not used",
        "NumPy": getattr(sys.modules.get("numpy"), "__version__", "not loaded"),
    }
    return "\n".join(f"{name}: {value}" for name, value in lines.items())


def main() -> None:
    """Prints the facts."""
    print(get_pretty_env_info())


if __name__ == "__main__":
    main()

"""Runs a PyTorch program, unmodified, on hearth: `python -m hearth prog.py`, `-m package.module`, `-c command`."""
import os
import sys

from hearth import _alias

USAGE = """usage: python -m hearth PROGRAM.py [ARGUMENT...]
       python -m hearth -m MODULE [ARGUMENT...]
       python -m hearth -c COMMAND [ARGUMENT...]
       python -m hearth - [ARGUMENT...]            (the program comes from standard input)

Runs the program as Python would, with `import torch` and all its submodules resolving to hearth, also in the Python
processes that the program starts. Tracebacks end where the program called hearth; HEARTH_TRACEBACK=full shows the rest.

  -h, --help      show this text
  -V, --version   show the version"""
_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_RUNNER = (os.path.abspath(__file__), "<frozen runpy>", "runpy.py")


def main(arguments: list) -> None:
    """Runs what the arguments name; never returns for a program that exits. Wrong use ends with status 2."""
    if not arguments:
        _refuse("no program is named")
    first, rest = arguments[0], arguments[1:]
    if first in ("-h", "--help"):
        print(USAGE)
    elif first in ("-V", "--version"):
        import hearth

        print(f"hearth {hearth.__version__}")
    elif first in ("-m", "-c"):
        if not rest:
            _refuse(f"{first} needs an argument: the {'module' if first == '-m' else 'command'}")
        _prepare()
        (_run_module if first == "-m" else _run_command)(rest[0], rest[1:])
    elif first.startswith("-m") or first.startswith("-c"):
        main([first[:2], first[2:], *rest])
    elif first.startswith("-") and first != "-":
        _refuse(f"unknown option {first}")
    else:
        _prepare()
        _run_file(first, rest)


def _refuse(what):
    print(f"hearth: {what}\n{USAGE}", file=sys.stderr)
    sys.exit(2)


def _prepare():
    _alias.install()
    _alias.extend_to_children()
    sys.excepthook = _show_exception


def _fresh_main():
    """A new, empty `__main__` module, as Python makes one for a program."""
    import builtins

    main_module = type(sys)("__main__")
    main_module.__builtins__ = builtins
    sys.modules["__main__"] = main_module
    return main_module


def _set_path(first):
    """`python -m` has put the current folder in front; the program's own rule takes its place."""
    if not getattr(sys.flags, "safe_path", False) and sys.path:
        sys.path[0] = first


def _run_file(path, rest):
    sys.argv[:] = [path, *rest]
    if os.path.isdir(path) or path.endswith((".zip", ".pyz")):
        _run_folder(path)
        return
    try:
        if path == "-":
            text, name = sys.stdin.buffer.read(), "<stdin>"
        else:
            with open(path, "rb") as file:
                text = file.read()
            name = os.path.abspath(path)
    except OSError as error:
        print(f"hearth: can't open file {os.path.abspath(path)!r}: {error.strerror}", file=sys.stderr)
        sys.exit(2)
    _set_path("" if path == "-" else os.path.dirname(os.path.realpath(path)))
    module = _fresh_main()
    if path != "-":
        from importlib.machinery import SourceFileLoader

        module.__file__, module.__cached__ = name, None
        module.__loader__ = SourceFileLoader("__main__", name)
    exec(compile(text, name, "exec", dont_inherit=True), module.__dict__)


def _run_folder(path):
    import runpy

    _set_path(path)
    _fresh_main()
    runpy._run_module_as_main("__main__", alter_argv=False)


def _run_module(name, rest):
    import runpy

    sys.argv[:] = [name, *rest]
    _fresh_main()
    runpy._run_module_as_main(name, alter_argv=True)


def _run_command(command, rest):
    sys.argv[:] = ["-c", *rest]
    _set_path("")
    module = _fresh_main()
    exec(compile(command, "<string>", "exec", dont_inherit=True), module.__dict__)


def _show_exception(kind, error, trace):
    """Prints an uncaught exception without the runner's frames before it and hearth's own frames after it."""
    full = os.environ.get("HEARTH_TRACEBACK") == "full"
    seen = set()
    each = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        each.__traceback__ = _own_frames(each.__traceback__, full)
        each = each.__cause__ or each.__context__
    sys.__excepthook__(kind, error, error.__traceback__)


def _own_frames(trace, full):
    frames = []
    while trace is not None:
        frames.append(trace)
        trace = trace.tb_next
    while frames and frames[0].tb_frame.f_code.co_filename.endswith(_RUNNER):
        frames.pop(0)
    inner = len(frames)
    while not full and inner and frames[inner - 1].tb_frame.f_code.co_filename.startswith(_PACKAGE):
        inner -= 1
    frames = frames[: inner or len(frames)]
    for one, after in zip(frames, [*frames[1:], None]):
        one.tb_next = after
    return frames[0] if frames else None


if __name__ == "__main__":
    main(sys.argv[1:])

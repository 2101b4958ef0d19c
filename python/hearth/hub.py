"""torch.hub: local folders with a hubconf.py work; whatever needs the network is refused by name."""
import os

from ._once import not_here

_folder = None


def get_dir() -> str:
    """Where downloads would lie: set_dir's folder, $TORCH_HOME/hub, or ~/.cache/torch/hub."""
    if _folder is not None:
        return _folder
    cache = os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache"))
    return os.path.join(os.environ.get("TORCH_HOME", os.path.join(cache, "torch")), "hub")


def set_dir(d) -> None:
    """Sets the folder that get_dir names."""
    global _folder
    _folder = os.path.expanduser(d)


def _hubconf(repo, source, name):
    if source != "local":
        if source != "github":
            raise ValueError(f'Unknown source: "{source}". Allowed values: "github" | "local".')
        not_here(f"{name} from {source}", "clone the repository and pass its folder with source='local'")
    import importlib.util
    import sys

    path = os.path.join(os.path.expanduser(repo), "hubconf.py")
    spec = importlib.util.spec_from_file_location("hubconf", path)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, os.path.dirname(path))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(os.path.dirname(path))
    return module


def list(github, force_reload=False, skip_validation=False, trust_repo=None, verbose=True, *, source="github"):  # noqa: A001
    """The entry points of a local folder's hubconf.py."""
    module = _hubconf(github, source, "torch.hub.list")
    return [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]


def help(github, model, force_reload=False, skip_validation=False, trust_repo=None, *, source="github"):  # noqa: A001
    """The docstring of an entry point."""
    return _entry(_hubconf(github, source, "torch.hub.help"), model).__doc__


def load(repo_or_dir, model, *args, source="github", trust_repo=None, force_reload=False, verbose=True,
         skip_validation=False, **kwargs):
    """Calls an entry point of a local folder's hubconf.py. Example: `torch.hub.load(folder, "net", source="local")`."""
    return _entry(_hubconf(repo_or_dir, source, "torch.hub.load"), model)(*args, **kwargs)


def _entry(module, name):
    found = getattr(module, name, None)
    if not callable(found):
        raise RuntimeError(f"Cannot find callable {name} in hubconf")
    return found


def load_state_dict_from_url(url, model_dir=None, map_location=None, progress=True, check_hash=False, file_name=None,
                             weights_only=False):
    """Loads the file if it lies in the hub's checkpoints folder already; downloading is refused."""
    import hearth

    folder = model_dir or os.path.join(get_dir(), "checkpoints")
    path = os.path.join(folder, file_name or os.path.basename(url.split("?")[0]))
    if not os.path.exists(path):
        not_here("torch.hub.load_state_dict_from_url from the network", f"download {url} to {path} first")
    return hearth.load(path, map_location=map_location, weights_only=weights_only)


def download_url_to_file(url, dst, hash_prefix=None, progress=True):
    """Raises NotImplementedError: hearth downloads nothing."""
    not_here("torch.hub.download_url_to_file", f"download {url} to {dst} by other means")

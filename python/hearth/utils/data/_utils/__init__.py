"""The inner parts of the data loader, under the names that programs import them by."""
from . import collate, fetch, worker

__all__ = ["collate", "fetch", "worker"]

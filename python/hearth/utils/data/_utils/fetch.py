"""Takes the samples of one batch from a dataset."""


class MapFetcher:
    """By keys; `auto` means that `keys` is a list of them, which is collated."""

    def __init__(self, dataset, auto, collate_fn, drop_last):
        self.dataset, self.auto, self.collate_fn = dataset, auto, collate_fn

    def fetch(self, keys):
        if not self.auto:
            return self.collate_fn(self.dataset[keys])
        if callable(getattr(self.dataset, "__getitems__", None)):
            return self.collate_fn(self.dataset.__getitems__(keys))
        return self.collate_fn([self.dataset[key] for key in keys])


class IterableFetcher:
    """The next samples of an iterable dataset; `keys` only says how many."""

    def __init__(self, dataset, auto, collate_fn, drop_last):
        self.auto, self.collate_fn, self.drop_last = auto, collate_fn, drop_last
        self.items, self.ended = iter(dataset), False

    def fetch(self, keys):
        if self.ended:
            raise StopIteration
        if not self.auto:
            return self.collate_fn(next(self.items))
        samples = []
        for _ in keys:
            try:
                samples.append(next(self.items))
            except StopIteration:
                self.ended = True
                break
        if not samples or (self.drop_last and len(samples) < len(keys)):
            raise StopIteration
        return self.collate_fn(samples)


def create(iterable, *arguments):
    """The fetcher for a dataset of that kind."""
    return (IterableFetcher if iterable else MapFetcher)(*arguments)

"""Nested tuples, lists and dicts of tensors: taking them apart and putting them together."""


def flatten(tree):
    """(leaves, structure): leaves in order; `unflatten` takes them back."""
    if isinstance(tree, (tuple, list)):
        parts = [flatten(item) for item in tree]
        return [leaf for leaves, _ in parts for leaf in leaves], (type(tree), [s for _, s in parts], None)
    if isinstance(tree, dict):
        parts = [flatten(item) for item in tree.values()]
        return [leaf for leaves, _ in parts for leaf in leaves], (type(tree), [s for _, s in parts], list(tree))
    return [tree], None


def unflatten(leaves, structure):
    """The reverse of flatten."""
    remaining = iter(leaves)

    def build(shape):
        if shape is None:
            return next(remaining)
        kind, children, keys = shape
        items = [build(child) for child in children]
        if keys is not None:
            return kind(zip(keys, items))
        return kind(*items) if hasattr(kind, "_fields") else kind(items)

    return build(structure)


def tree_map(function, tree):
    """The same structure with function(leaf) for each leaf."""
    leaves, structure = flatten(tree)
    return unflatten([function(leaf) for leaf in leaves], structure)

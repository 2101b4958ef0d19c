"""Trees of containers: flattened to a list of leaves and back."""
from collections import OrderedDict, defaultdict, deque, namedtuple

KeyPath = tuple
_nodes = {}  # class -> (flatten, unflatten)


def register_pytree_node(cls, flatten_fn, unflatten_fn, **settings) -> None:
    """A further container: `flatten_fn(x)` gives (children, context), `unflatten_fn(children, context)` the container."""
    if cls in _nodes:
        raise ValueError(f"{cls} is already registered as pytree node.")
    _nodes[cls] = (flatten_fn, unflatten_fn)


def _register_builtin():
    _nodes[list] = (lambda x: (list(x), None), lambda c, _: list(c))
    _nodes[tuple] = (lambda x: (list(x), None), lambda c, _: tuple(c))
    _nodes[deque] = (lambda x: (list(x), x.maxlen), lambda c, n: deque(c, n))
    _nodes[dict] = (lambda x: (list(x.values()), list(x)), lambda c, keys: dict(zip(keys, c)))
    _nodes[OrderedDict] = (lambda x: (list(x.values()), list(x)), lambda c, keys: OrderedDict(zip(keys, c)))
    _nodes[defaultdict] = (lambda x: (list(x.values()), (x.default_factory, list(x))),
                           lambda c, about: defaultdict(about[0], zip(about[1], c)))
    _nodes[namedtuple] = (lambda x: (list(x), type(x)), lambda c, cls: cls(*c))


_register_builtin()


def _kind(tree):
    cls = type(tree)
    if cls in _nodes:
        return cls
    return namedtuple if isinstance(tree, tuple) and hasattr(cls, "_fields") else None


class TreeSpec:
    """The shape of a tree: its containers without its leaves."""

    def __init__(self, type, context, children_specs):
        self.type, self.context, self.children_specs = type, context, children_specs
        self.num_leaves = sum(child.num_leaves for child in children_specs) if type is not None else 1
        self.num_nodes = 1 + sum(child.num_nodes for child in children_specs)
        self.num_children = len(children_specs)

    def is_leaf(self) -> bool:
        return self.type is None

    def __eq__(self, other):
        return (isinstance(other, TreeSpec) and self.type is other.type and self.context == other.context
                and self.children_specs == other.children_specs)

    def __repr__(self):
        return "*" if self.is_leaf() else f"TreeSpec({self.type.__name__}, {self.context}, {self.children_specs})"


class LeafSpec(TreeSpec):
    """The shape of a leaf."""

    def __init__(self):
        super().__init__(None, None, [])

    def __repr__(self):
        return "*"


def tree_flatten(tree, is_leaf=None):
    """(leaves, TreeSpec). Example: `tree_flatten({"a": [1, 2]})[0]` is [1, 2]."""
    leaves = []

    def visit(node):
        kind = None if is_leaf is not None and is_leaf(node) else _kind(node)
        if kind is None:
            leaves.append(node)
            return LeafSpec()
        children, context = _nodes[kind][0](node)
        return TreeSpec(kind, context, [visit(child) for child in children])

    return leaves, visit(tree)


def tree_unflatten(leaves, treespec):
    """The tree of that shape with these leaves."""
    if not isinstance(treespec, TreeSpec):
        raise TypeError(f"tree_unflatten(leaves, treespec): Expected `treespec` to be TreeSpec, not {type(treespec)}")
    leaves = list(leaves)
    if len(leaves) != treespec.num_leaves:
        raise ValueError(f"tree_unflatten(leaves, treespec): `leaves` has length {len(leaves)} but the spec refers to "
                         f"a pytree that holds {treespec.num_leaves} items")
    source = iter(leaves)

    def build(spec):
        if spec.is_leaf():
            return next(source)
        return _nodes[spec.type][1]([build(child) for child in spec.children_specs], spec.context)

    return build(treespec)


def tree_leaves(tree, is_leaf=None) -> list:
    """The leaves."""
    return tree_flatten(tree, is_leaf)[0]


def tree_structure(tree, is_leaf=None) -> TreeSpec:
    """The shape."""
    return tree_flatten(tree, is_leaf)[1]


def tree_map(func, tree, *rests, is_leaf=None):
    """The tree with `func` of every leaf (and of the leaves at its place in further trees)."""
    leaves, spec = tree_flatten(tree, is_leaf)
    others = [tree_leaves(rest, is_leaf) for rest in rests]
    return tree_unflatten([func(*each) for each in zip(leaves, *others)], spec)


def tree_map_(func, tree, *rests, is_leaf=None):
    """Calls `func` on every leaf; returns the tree itself."""
    tree_map(func, tree, *rests, is_leaf=is_leaf)
    return tree


def tree_map_only(kind, func, tree, is_leaf=None):
    """As tree_map, for leaves of a class (or of several) only."""
    return tree_map(lambda leaf: func(leaf) if isinstance(leaf, kind) else leaf, tree, is_leaf=is_leaf)


def tree_any(pred, tree, is_leaf=None) -> bool:
    """Whether `pred` holds for a leaf."""
    return any(map(pred, tree_leaves(tree, is_leaf)))


def tree_all(pred, tree, is_leaf=None) -> bool:
    """Whether `pred` holds for all leaves."""
    return all(map(pred, tree_leaves(tree, is_leaf)))

"""A pickle machine that executes nothing: it asks `rules` for every name, instance and call, and limits what it builds.

The stream is hostile until proven otherwise: lengths are checked against what is left, copies are counted against a
budget, dict keys must be plain, and nesting is bounded, so that a small file cannot exhaust time, memory or the C stack.
"""
import struct
from pickle import UnpicklingError

MAX_DEPTH = 800  # containers within containers; deeper ones would overflow the stack of whoever walks them
MAX_KEY_DEPTH = 32  # tuples within tuples as a dict key
MAX_KEY_ITEMS = 1000  # tuples on one level of a dict key
COPY_BUDGET = 20_000_000  # items copied by calls, over the whole stream, besides one for each byte of it


def refuse(what):
    """The one kind of error a stream ends with."""
    raise UnpicklingError(what) from None


class Rules:
    """What a stream may name and build; everything is refused unless a subclass says otherwise."""

    def find(self, module, name):
        refuse(f"the name {module}.{name} is not allowed")

    def call(self, function, arguments, spend):
        refuse(f"a call of {function!r} is not allowed")

    def new(self, cls, arguments, keywords, spend):
        refuse(f"an instance of {cls!r} is not allowed")

    def set_state(self, instance, state):
        refuse(f"the state of a {type(instance).__name__} cannot be set")

    def persistent(self, identifier):
        refuse("a persistent id is not allowed here")


class Reader:
    """Reads one pickle from `data` (bytes) at `position`; `read()` returns the object, `position` is then behind it."""

    def __init__(self, data, rules, position=0):
        self.data, self.rules, self.position = data, rules, position
        self.stack, self.marks, self.memo = [], [], {}
        self.budget = COPY_BUDGET + len(data)

    def read(self):
        data, table = self.data, TABLE
        try:
            while True:
                code = data[self.position]
                self.position += 1
                if code == STOP:
                    result = self.stack.pop()
                    break
                action = table.get(code)
                if action is None:
                    refuse(f"opcode {bytes([code])!r} at byte {self.position - 1} is not supported")
                action(self)
        except UnpicklingError:
            raise
        except (IndexError, KeyError, struct.error):
            raise UnpicklingError(f"the pickle is damaged or cut off near byte {self.position}") from None
        except (AttributeError, TypeError, ValueError, OverflowError, RecursionError) as error:
            raise UnpicklingError(f"the pickle is damaged near byte {self.position}: {error}") from None
        check_depth(result)
        return result

    def take(self, count):
        """The next `count` bytes; refused when the stream has fewer."""
        start = self.position
        if count < 0 or count > len(self.data) - start:
            refuse(f"the pickle claims {count} bytes at {start} of {len(self.data)}")
        self.position = start + count
        return bytes(self.data[start : start + count])

    def number(self, layout):
        return struct.unpack(layout, self.take(struct.calcsize(layout)))[0]

    def line(self):
        end = self.data.find(b"\n", self.position)
        if end < 0:
            refuse("the pickle ends inside a line")
        text = bytes(self.data[self.position : end])
        self.position = end + 1
        return text

    def spend(self, items):
        """Counts `items` copied against the budget."""
        self.budget -= items
        if self.budget < 0:
            refuse("the pickle copies more than it holds, again and again")

    def pop_mark(self):
        items = self.stack
        self.stack = self.marks.pop()
        return items

    def push(self, item):
        self.stack.append(item)

    # -- containers --

    def append_all(self, items):
        target = self.stack[-1]
        if type(target) is list:
            target.extend(items)
        elif isinstance(target, list):
            list.extend(target, items)
        elif hasattr(type(target), "append") and type(target).__name__ == "deque":
            target.extend(items)
        else:
            refuse(f"items are appended to a {type(target).__name__}")

    def set_all(self, items):
        target = self.stack[-1]
        if not isinstance(target, dict) or len(items) % 2:
            refuse(f"items are set in a {type(target).__name__}")
        for key, value in zip(items[::2], items[1::2]):
            check_key(key, self.spend)
            if type(target) is dict or type(target).__setitem__ is dict.__setitem__:
                target[key] = value
            else:  # OrderedDict and Counter keep their order; a class of the user's may not run its own code
                _plain_setitem(target)(target, key, value)

    def add_all(self, items):
        target = self.stack[-1]
        if not isinstance(target, set):
            refuse(f"items are added to a {type(target).__name__}")
        for item in items:
            check_key(item, self.spend)
            set.add(target, item)

    # -- names, calls, instances --

    def find(self, module, name):
        self.push(self.rules.find(module, name))

    def reduce(self):
        arguments = self.stack.pop()
        function = self.stack[-1]
        if type(arguments) is not tuple:
            refuse("a call without a tuple of arguments")
        self.stack[-1] = self.rules.call(function, arguments, self.spend)

    def new(self, keywords):
        arguments = self.stack.pop()
        if type(arguments) is not tuple or not isinstance(self.stack[-1], type):
            refuse("an instance of something that is no class")
        self.stack[-1] = self.rules.new(self.stack[-1], arguments, keywords, self.spend)

    def new_with_keywords(self):
        keywords = self.stack.pop()
        if type(keywords) is not dict or not all(type(key) is str for key in keywords):
            refuse("keyword arguments that are no dict of names")
        self.new(keywords)

    def build(self):
        state = self.stack.pop()
        self.rules.set_state(self.stack[-1], state)

    def remember(self, index):
        self.memo[index] = self.stack[-1]


def _plain_setitem(target):
    from collections import OrderedDict

    return OrderedDict.__setitem__ if isinstance(target, OrderedDict) else dict.__setitem__


def check_key(key, spend):
    """Keys and set members: what hashes by value quickly, or by identity; nothing whose hash runs the user's code."""
    if isinstance(key, (tuple, frozenset)):
        level, depth = [key], 0
        while level:
            spend(len(level))
            depth += 1
            if depth > MAX_KEY_DEPTH:
                refuse("a dict key of tuples within tuples, too deep")
            inside = [item for one in level for item in one]
            for item in inside:
                if not isinstance(item, (tuple, frozenset)):
                    check_key(item, spend)
            level = [item for item in inside if isinstance(item, (tuple, frozenset))]
            if len(level) > MAX_KEY_ITEMS:
                refuse("a dict key of too many tuples")
    elif type(key) not in (str, int, float, bool, bytes, complex, type(None)):
        kind = type(key)
        own = kind.__module__.partition(".")[0] in ("hearth", "torch", "enum", "pathlib", "datetime", "builtins")
        if not own and kind.__hash__ is not object.__hash__ and not hasattr(kind, "_member_map_"):
            refuse(f"a {kind.__name__} as a dict key")
        hash(key)


def check_depth(root):
    """Refuses containers nested more than MAX_DEPTH deep; cycles are fine. Walks without recursion."""
    seen, level = set(), [root]
    for _ in range(MAX_DEPTH):
        below = []
        for item in level:
            kind = type(item)
            if kind in (str, int, float, bool, bytes) or item is None:
                continue
            inside = _children(item)
            if inside and id(item) not in seen:
                seen.add(id(item))
                below.extend(inside)
        if not below:
            return
        level = below
    refuse(f"containers nested more than {MAX_DEPTH} deep")


def _children(item):
    if isinstance(item, dict):
        return [*dict.keys(item), *dict.values(item)]
    if isinstance(item, (list, tuple, set, frozenset)):
        return list(item)
    if isinstance(item, type) or not hasattr(type(item), "__dict__"):
        return ()
    inside = getattr(item, "__dict__", None)
    return list(inside.values()) if type(inside) is dict and inside else ()


def _text(raw):
    return raw.decode("utf-8", "surrogatepass")


def _digits(line):
    if len(line) > 4000:
        refuse("a number of more than 4000 digits")
    return line


def _integer(line):
    return int(_digits(line))


def _int_line(reader):
    line = reader.line()
    reader.push({b"00": False, b"01": True}[line] if line in (b"00", b"01") else _integer(line))


def _quoted(reader):
    line = reader.line()
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in b"'\"":
        refuse("a string without quotes")
    reader.push(line[1:-1].decode("unicode_escape").encode("latin-1").decode("ascii"))


def _tuple(count):
    def action(reader):
        items = tuple(reader.stack[len(reader.stack) - count :]) if count else ()
        if len(items) < count:
            refuse("a tuple with items that are not there")
        if count:
            del reader.stack[-count:]
        reader.push(items)

    return action


def _set_item(reader):
    value, key = reader.stack.pop(), reader.stack.pop()
    reader.set_all([key, value])


def _dict(reader):
    items = reader.pop_mark()
    reader.push({})
    reader.set_all(items)


def _frozen(reader):
    items = reader.pop_mark()
    for item in items:
        check_key(item, reader.spend)
    reader.push(frozenset(items))


def _pop(reader):
    if reader.stack:
        reader.stack.pop()
    else:
        reader.pop_mark()


def _mark(reader):
    if len(reader.marks) > 10 * MAX_DEPTH:
        refuse(f"containers nested more than {10 * MAX_DEPTH} deep")
    reader.marks.append(reader.stack)
    reader.stack = []


def _stack_global(reader):
    name, module = reader.stack.pop(), reader.stack.pop()
    if type(name) is not str or type(module) is not str:
        refuse("a name that is no text")
    reader.find(module, name)


def _protocol(reader):
    if reader.take(1)[0] > 5:
        refuse("a pickle of a protocol newer than 5")


STOP = ord(".")
TABLE = {
    0x80: _protocol,
    0x95: lambda r: r.take(8),
    ord("("): _mark,
    ord("0"): _pop,
    ord("1"): lambda r: r.pop_mark(),
    ord("2"): lambda r: r.push(r.stack[-1]),
    ord("N"): lambda r: r.push(None),
    0x88: lambda r: r.push(True),
    0x89: lambda r: r.push(False),
    ord("I"): _int_line,
    ord("J"): lambda r: r.push(r.number("<i")),
    ord("K"): lambda r: r.push(r.number("<B")),
    ord("M"): lambda r: r.push(r.number("<H")),
    ord("L"): lambda r: r.push(_integer(r.line().rstrip(b"L"))),
    0x8A: lambda r: r.push(int.from_bytes(r.take(r.number("<B")), "little", signed=True)),
    0x8B: lambda r: r.push(int.from_bytes(r.take(r.number("<i")), "little", signed=True)),
    ord("F"): lambda r: r.push(float(_digits(r.line()))),
    ord("G"): lambda r: r.push(r.number(">d")),
    ord("S"): _quoted,
    ord("T"): lambda r: r.push(r.take(r.number("<i")).decode("ascii")),
    ord("U"): lambda r: r.push(r.take(r.number("<B")).decode("ascii")),
    ord("B"): lambda r: r.push(r.take(r.number("<I"))),
    ord("C"): lambda r: r.push(r.take(r.number("<B"))),
    0x8E: lambda r: r.push(r.take(r.number("<Q"))),
    0x96: lambda r: r.push(bytearray(r.take(r.number("<Q")))),
    ord("V"): lambda r: r.push(r.line().decode("raw_unicode_escape")),
    ord("X"): lambda r: r.push(_text(r.take(r.number("<I")))),
    0x8C: lambda r: r.push(_text(r.take(r.number("<B")))),
    0x8D: lambda r: r.push(_text(r.take(r.number("<Q")))),
    ord(")"): _tuple(0),
    0x85: _tuple(1),
    0x86: _tuple(2),
    0x87: _tuple(3),
    ord("t"): lambda r: r.push(tuple(r.pop_mark())),
    ord("]"): lambda r: r.push([]),
    ord("l"): lambda r: r.push(r.pop_mark()),
    ord("}"): lambda r: r.push({}),
    ord("d"): _dict,
    0x8F: lambda r: r.push(set()),
    0x91: _frozen,
    ord("a"): lambda r: r.append_all([r.stack.pop()]),
    ord("e"): lambda r: r.append_all(r.pop_mark()),
    ord("s"): _set_item,
    ord("u"): lambda r: r.set_all(r.pop_mark()),
    0x90: lambda r: r.add_all(r.pop_mark()),
    ord("c"): lambda r: r.find(_text(r.line()), _text(r.line())),
    0x93: _stack_global,
    ord("R"): lambda r: r.reduce(),
    0x81: lambda r: r.new({}),
    0x92: lambda r: r.new_with_keywords(),
    ord("b"): lambda r: r.build(),
    ord("Q"): lambda r: r.push(r.rules.persistent(r.stack.pop())),
    ord("p"): lambda r: r.remember(_integer(r.line())),
    ord("q"): lambda r: r.remember(r.number("<B")),
    ord("r"): lambda r: r.remember(r.number("<I")),
    0x94: lambda r: r.remember(len(r.memo)),
    ord("g"): lambda r: r.push(r.memo[_integer(r.line())]),
    ord("h"): lambda r: r.push(r.memo[r.number("<B")]),
    ord("j"): lambda r: r.push(r.memo[r.number("<I")]),
}

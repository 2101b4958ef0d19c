"""Files stay under 600 lines and functions under 80; there is no exception list, and data tables are .inc files."""
import ast
import re

FILE_FAILS, FILE_WARNS, HEADER_WARNS, FUNCTION_FAILS = 600, 400, 200, 80
# Comments, strings and characters, so that braces in them do not count. Digit separators are not characters.
NOISE = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'|^[ \t]*#(?:\\\n|[^\n])*',
    re.S | re.M,
)
SCOPE = re.compile(r"\b(namespace|class|struct|union|enum|concept)\b|\bextern\s*$")


def problems(tree):
    for path in sorted(set(tree.cpp() + tree.python() + tree.with_suffix(".cu", ".sh", ".cmake", "CMakeLists.txt"))):
        text = tree.text(path)
        lines = text.count("\n")
        warns = HEADER_WARNS if path.endswith(".h") else FILE_WARNS
        if lines > FILE_FAILS:
            yield tree.Problem(path, 1, f"{lines} lines, at most {FILE_FAILS}")
        elif lines > warns:
            yield tree.Problem(path, 1, f"{lines} lines, better under {warns}", "warning")
        found = cpp_functions(text) if path.endswith((".cpp", ".h", ".cu")) else []
        if path in tree.python():
            found = python_functions(text)
        for name, first, last in found:
            if last - first + 1 > FUNCTION_FAILS:
                yield tree.Problem(path, first, f"{name} has {last - first + 1} lines, at most {FUNCTION_FAILS}")


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno


def cpp_functions(text):
    """(name, first line, last line) of every outermost function body, found by matching braces."""
    text = NOISE.sub(lambda match: "\n" * match[0].count("\n"), text)
    line, head, parens = 1, "", 0
    scopes = []  # per open brace: None for a namespace or class, else (name, first line)
    for char in text:
        inside_function = any(scope is not None for scope in scopes)
        if char == "\n":
            line += 1
        if char in "()":
            parens += 1 if char == "(" else -1
        if parens == 0 and char == "{":
            is_function = inside_function or ("(" in head and not SCOPE.search(head.split("(", 1)[0]))
            name = re.search(r"([\w~:]+|operator\S+)\s*\(", head)
            scopes.append(((name[1] if name else "block"), line) if is_function else None)
            head = ""
        elif parens == 0 and char == "}":
            scope = scopes.pop() if scopes else None
            if scope and not any(outer is not None for outer in scopes):
                yield scope[0], scope[1], line
            head = ""
        elif parens == 0 and char == ";":
            head = ""
        else:
            head += char

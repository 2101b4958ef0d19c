#!/usr/bin/env python3
"""Prints what a model said before and after its lessons; part of examples/demo.sh.

  side_by_side.py OUT LESSONS [--loss BEFORE AFTER] [--svg FILE]

OUT has {before,after}.{questions,held_out}.jsonl from `hearth sample --json`; LESSONS has train.jsonl, held_out.jsonl.
Whether a question was in the training data is looked up there, not claimed. --loss takes the JSON of `hearth eval`;
--svg also draws the table as a picture.
"""
import argparse
import html
import json
import pathlib
import shutil
import sys
import textwrap

HEADINGS = {
    "lesson": "from the lessons",
    "reworded": "never trained on: the same facts in other words",
    "unknown": "asked about something that no lesson mentions: it guesses",
}
# Colours of the last column: in a terminal, in a picture.
AFTER = {"row": ("\x1b[32m", "#9bd17f"), "guess": ("\x1b[33m", "#e0a458")}


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def on_one_line(row):
    """An answer on one line; one that was cut off says so."""
    return (" ".join(row["text"].split()) or "(nothing)") + ("…" if row["finish_reason"] == "length" else "")


def table(out, lessons):
    """[(kind, question, before, after)] in the order of HEADINGS."""
    trained = {row["prompt"] for row in rows(lessons / "train.jsonl")}
    kept_back = {row["prompt"] for row in rows(lessons / "held_out.jsonl")}
    if trained & kept_back:
        sys.exit(f"side_by_side: questions are both trained on and kept back: {sorted(trained & kept_back)}")
    found = []
    for before, after in zip(rows(out / "before.questions.jsonl"), rows(out / "after.questions.jsonl")):
        question = before["prompt"]
        kind = "lesson" if question in trained else "reworded" if question in kept_back else "unknown"
        found.append((kind, question, on_one_line(before), on_one_line(after)))
    return sorted(found, key=lambda row: list(HEADINGS).index(row[0]))


def right(out, lessons, name):
    """How many of the questions kept back were answered word for word, and how many there are."""
    said = rows(out / f"{name}.held_out.jsonl")
    wanted = rows(lessons / "held_out.jsonl")
    return sum(on_one_line(a) == b["completion"] for a, b in zip(said, wanted)), len(wanted)


def closing(out, lessons, loss):
    (before, count), (after, _) = right(out, lessons, "before"), right(out, lessons, "after")
    lines = [f"of all {count} questions kept back, answered right word for word: {before} before, {after} after"]
    if loss:
        first, last = (json.loads(text)["loss"] for text in loss)
        lines.append(f"their loss per token: {first:.2f} before, {last:.2f} after")
    return lines


def lay_out(found, width):
    """[(style, text)]: a line is a heading, or has three columns."""
    asked = max(len(row[1]) for row in found) + 2
    said = max((width - asked - 2) // 2, 20)
    lines = [("bold", f"{'question':<{asked}}{'before':<{said + 2}}after")]
    kind = None
    for row in found:
        if row[0] != kind:
            kind = row[0]
            lines += [("plain", ""), ("dim", HEADINGS[kind])]
        columns = [textwrap.wrap(text, said) for text in row[2:]]
        for i in range(max(map(len, columns))):
            before, after = (column[i] if i < len(column) else "" for column in columns)
            lines.append(("row" if kind != "unknown" else "guess", (row[1] if i == 0 else "", before, after, asked, said)))
    return lines


def to_text(line, colours):
    style, content = line
    if style in AFTER:
        question, before, after, asked, said = content
        dim, shade, plain = ("\x1b[2m", AFTER[style][0], "\x1b[0m") if colours else ("", "", "")
        return f"{question:<{asked}}{dim}{before:<{said}}{plain}  {shade}{after}{plain}".rstrip()
    codes = {"bold": "\x1b[1m", "dim": "\x1b[2m"}
    return f"{codes[style]}{content}\x1b[0m" if colours and style in codes else content


def to_svg(lines):
    size, advance, height = 13, 7.83, 19
    colours = {"bold": "#e8e6e3", "dim": "#e0a458", "plain": "#e8e6e3"}
    cells = []  # (column, row, text, colour)
    for y, (style, content) in enumerate(lines):
        if style not in AFTER:
            cells.append((0, y, content, colours[style]))
            continue
        question, before, after, asked, said = content
        cells += [(0, y, question, "#e8e6e3"), (asked, y, before, "#8b8f98"), (asked + said + 2, y, after, AFTER[style][1])]
    wide = max(column + len(text) for column, _, text, _ in cells) * advance + 40
    tall = len(lines) * height + 36
    body = "\n".join(
        f'<text x="{20 + column * advance:.0f}" y="{20 + (y + 0.75) * height:.0f}" fill="{colour}"'
        f' textLength="{len(text) * advance:.0f}" xml:space="preserve">{html.escape(text)}</text>'
        for column, y, text, colour in cells
        if text.strip()
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.0f} {tall}" width="{wide:.0f}" height="{tall}"'
        f' font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="{size}">\n'
        f"<title>What the model says before and after its lessons</title>\n"
        f'<rect width="100%" height="100%" rx="8" fill="#1e2127"/>\n{body}\n</svg>\n'
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("lessons", type=pathlib.Path)
    parser.add_argument("--loss", nargs=2, metavar=("BEFORE", "AFTER"))
    parser.add_argument("--svg", type=pathlib.Path)
    arguments = parser.parse_args()
    found = table(arguments.out, arguments.lessons)
    ending = closing(arguments.out, arguments.lessons, arguments.loss)
    width = min(shutil.get_terminal_size((110, 24)).columns, 130)
    for line in lay_out(found, width):
        print(to_text(line, sys.stdout.isatty()))
    print("", *ending, sep="\n")
    if arguments.svg:
        arguments.svg.write_text(to_svg(lay_out(found, 110) + [("plain", "")] + [("bold", text) for text in ending]))


if __name__ == "__main__":
    main()

"""A line drawn as SVG: values of one metric, step by step, and their running mean."""
from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 640, 320, 56, 36, 16, 40


def draw(values, title, label, window=5):
    """An SVG text with `values` as dots and their mean over `window` steps as a line."""
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    low, high = low - 0.05 * span, high + 0.05 * span

    def x(step):
        return LEFT + (WIDTH - LEFT - RIGHT) * step / max(1, len(values) - 1)

    def y(value):
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low)

    means = [sum(values[max(0, i - window + 1):i + 1]) / len(values[max(0, i - window + 1):i + 1])
             for i in range(len(values))]
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
             f'font-size="12"><rect width="100%" height="100%" fill="white"/>',
             f'<text x="{LEFT}" y="22" font-size="15">{escape(title)}</text>']
    for i in range(5):
        value = low + (high - low) * i / 4
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#ddd"/>'
                     f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.3g}</text>')
    for i in range(5):
        step = round((len(values) - 1) * i / 4)
        parts.append(f'<text x="{x(step):.1f}" y="{HEIGHT - 18}" text-anchor="middle">{step}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 3}" text-anchor="middle">step '
                 f'(dots: {escape(label)}; line: mean of {window})</text>')
    parts += [f'<circle cx="{x(i):.1f}" cy="{y(v):.1f}" r="2" fill="#9bc"/>' for i, v in enumerate(values)]
    line = " ".join(f"{x(i):.1f},{y(v):.1f}" for i, v in enumerate(means))
    parts.append(f'<polyline points="{line}" fill="none" stroke="#c40" stroke-width="2"/></svg>')
    return "\n".join(parts) + "\n"

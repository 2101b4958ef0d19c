"""Handwriting-like digits without a download: a 5 x 7 font, moved about, thickened and noisy, in 16 x 16 pixels."""
import torch

FONT = """
01110 10001 10011 10101 11001 10001 01110
00100 01100 00100 00100 00100 00100 01110
01110 10001 00001 00010 00100 01000 11111
11111 00010 00100 00010 00001 10001 01110
00010 00110 01010 10010 11111 00010 00010
11111 10000 11110 00001 00001 10001 01110
00110 01000 10000 11110 10001 10001 01110
11111 00001 00010 00100 01000 01000 01000
01110 10001 10001 01110 10001 10001 01110
01110 10001 10001 01111 00001 00010 01100
"""


def glyphs():
    """The ten digits as a tensor [10, 7, 5] of zeros and ones."""
    rows = [[[float(bit) for bit in row] for row in line.split()] for line in FONT.split("\n") if line]
    return torch.tensor(rows)


def make_digits(count, generator, noise=0.15):
    """(images [count, 1, 16, 16] in 0..1, labels [count])."""
    labels = torch.randint(0, 10, (count,), generator=generator)
    wide = glyphs().repeat_interleave(2, dim=1).repeat_interleave(2, dim=2)  # 14 x 10
    images = torch.zeros(count, 1, 16, 16)
    rows = torch.randint(0, 3, (count,), generator=generator).tolist()
    columns = torch.randint(0, 7, (count,), generator=generator).tolist()
    for i, label in enumerate(labels.tolist()):
        images[i, 0, rows[i]:rows[i] + 14, columns[i]:columns[i] + 10] = wide[label]
    strength = 0.6 + 0.4 * torch.rand(count, 1, 1, 1, generator=generator)
    return (images * strength + noise * torch.rand(images.shape, generator=generator)).clamp(0, 1), labels

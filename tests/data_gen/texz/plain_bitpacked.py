"""A decoder of bit-packed bodies in plain Python, written from docs/texz.md: slow, and independent of the kernels."""


class Bits:
    """The bits of a body, as text, one after the other."""

    def __init__(self, body: bytes):
        self.text = "".join(f"{byte:08b}"[::-1] for byte in body)
        self.position = 0

    def next(self, width: int) -> int:
        taken = self.text[self.position : self.position + width]
        assert len(taken) == width
        self.position += width
        return int("0" + taken[::-1], 2)

    def next_gamma(self) -> int:
        zeros = self.text.index("1", self.position) - self.position
        self.position += zeros + 1
        return 2**zeros + self.next(zeros)


def width(largest: int) -> int:
    return len(f"{largest:b}") if largest else 0


def cut(cells: list, size: int) -> list[list]:
    return [cells[start : start + size] for start in range(0, len(cells), size)]


def decode(body: bytes, rows: int, columns: int, frames: int) -> tuple[list, list]:
    """Each frame's codepoints and styles as lists of rows, the cursor as bit 7 of a style."""
    bits = Bits(body)
    palette = read_palette(bits)
    cursors = read_cursors(bits, rows, columns, frames)
    stream = read_stream(bits, palette, rows * columns, frames)
    grids = [cut(frame, columns) for frame in cut(stream, rows * columns)]
    styles = [[[style for style, _ in row] for row in grid] for grid in grids]
    for frame, (row, column) in zip(styles, cursors, strict=True):
        frame[row][column] |= 0x80
    return [[[codepoint for _, codepoint in row] for row in grid] for grid in grids], styles


def read_palette(bits: Bits) -> list[tuple[int, int]]:
    palette, style, codepoint = [], 0, -1
    for _ in range(bits.next_gamma() - 1):
        greater = bits.next_gamma() - 1
        style, codepoint = style + greater, -1 if greater else codepoint
        codepoint += bits.next_gamma()
        palette.append((style, codepoint))
    return palette


def read_cursors(bits: Bits, rows: int, columns: int, frames: int) -> list[tuple[int, int]]:
    cursors = [(0, 0)]
    for _ in range(frames):
        row, column = cursors[-1]
        move = bits.next(2)
        if move == 1:
            column += 1
        if move == 3:
            row = bits.next(width(rows - 1))
        if move >= 2:
            column = bits.next(width(columns - 1))
        cursors.append((row, column))
    return cursors[1:]


def read_stream(bits: Bits, palette: list, size: int, frames: int) -> list[tuple[int, int]]:
    cells = [(0, 0x20)] * size
    while len(cells) < size * (frames + 1):
        if bits.next(1):
            distance = 1 if bits.next(1) else size
        else:
            index = bits.next(width(len(palette)))
            if index < len(palette):
                cells.append(palette[index])
                continue
            assert index == len(palette)
            distance = bits.next(width(2 * size - 1))
        for _ in range(1 + bits.next(16 if bits.next(1) else 8)):
            cells.append(cells[-distance])
    return cells[size : size * (frames + 1)]

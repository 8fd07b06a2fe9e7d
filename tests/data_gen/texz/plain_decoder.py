"""A texz decoder in plain Python, written from docs/texz.md: slow, and independent of the package's kernels."""

import lzma
import struct
import zlib

import plain_bitpacked

BLANK = 0x20
FILTERS = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20, "lc": 0, "lp": 0, "pb": 0}]


class Stream:
    """Integers, one after the other."""

    def __init__(self, data: bytes):
        self.data = data
        self.position = 0

    def next(self) -> int:
        value = shift = 0
        while True:
            byte = self.data[self.position]
            self.position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def next_signed(self) -> int:
        return signed(self.next())


def signed(code: int) -> int:
    return code // 2 if code % 2 == 0 else -(code + 1) // 2


def decode(record: bytes) -> tuple[list, list, list[int]]:
    """Each frame's codepoints and styles as lists of rows, the cursor as bit 7 of a style; and the actions."""
    magic, version, codec, rows, columns, frames, actions_size, body_size = struct.unpack_from("<4sBBHHHII", record)
    assert (magic, version) == (b"TEXZ", 1) and codec in (0, 1)
    assert zlib.crc32(record[:-4]) == struct.unpack("<I", record[-4:])[0]
    low_high = lzma.decompress(record[20 : 20 + actions_size], lzma.FORMAT_RAW, filters=FILTERS)
    actions = [low | high << 8 for low, high in zip(low_high[:frames], low_high[frames:], strict=True)]
    body = record[20 + actions_size : 20 + actions_size + body_size]
    if codec == 1:
        return *plain_bitpacked.decode(body, rows, columns, frames), actions
    content = lzma.decompress(body[16:], lzma.FORMAT_RAW, filters=FILTERS)
    streams = []
    for size in struct.unpack_from("<IIII", body):
        streams.append(Stream(content[:size]))
        content = content[size:]
    decoder = Decoder(rows, columns, *streams)
    shown = [decoder.frame(action) for action in [None, *actions[:-1]]]
    return [codepoints for codepoints, _ in shown], [styles for _, styles in shown], actions


class Decoder:
    """The canvas, and what has been learned about programs."""

    def __init__(
        self, rows: int, columns: int, selectors: Stream, programs: Stream, literals: Stream, arguments: Stream
    ):
        self.cells = [[(BLANK, 0)] * columns for _ in range(rows)]
        self.cursor = (0, 0)
        self.selectors, self.programs, self.literals, self.arguments = selectors, programs, literals, arguments
        self.followers: dict = {}
        self.starts: list[int] = []
        self.remembered: dict[int, int] = {}
        self.last: int | None = None
        self.programs_end = 0

    def frame(self, action: int | None) -> tuple[list, list]:
        contexts = [("both", self.last, action), ("template", self.last), ("action", action)]
        selector = self.selectors.next()
        if selector >> 1 == 0:
            template = next(self.followers[context] for context in contexts if context in self.followers)
        elif selector >> 1 == 1:
            template = len(self.starts)
            self.starts.append(self.programs_end)
        else:
            template = (selector >> 1) - 2
        self.followers.update(dict.fromkeys(contexts, template))
        self.last = template
        next_literal = self.literals.position
        if selector % 2:
            self.remembered[template] = next_literal
        self.literals.position = self.remembered[template]
        self.programs.position = self.starts[template]
        self.program(action)
        self.programs_end = max(self.programs_end, self.programs.position)
        if selector % 2 == 0:
            self.literals.position = next_literal
        codepoints = [[codepoint for codepoint, _ in row] for row in self.cells]
        styles = [[style for _, style in row] for row in self.cells]
        styles[self.cursor[0]][self.cursor[1]] |= 0x80
        return codepoints, styles

    def program(self, action: int | None) -> None:
        y, x = divmod(self.programs.next(), 4)
        row, column = self.cursor
        target_row = self.arguments.next() if y == 3 else row + (0, -1, 1)[y]
        target_column = self.arguments.next() if x == 3 else column + (0, -1, 1)[x]
        self.step = target_row - row, target_column - column
        self.previous_row = 0
        while (head := self.programs.next()) % 8:
            self.operation(head % 8, head // 8, action)
        self.cursor = target_row, target_column

    def extent(self, start: int) -> int:
        code = self.programs.next()
        return code if code <= 4 else code - 4 - start

    def operation(self, kind: int, style: int, action: int | None) -> None:
        code = self.programs.next()
        row = [
            self.cursor[0] - 1,
            self.cursor[0],
            self.cursor[0] + 1,
            self.previous_row,
            self.previous_row + 1,
            code - 5,
        ][min(code, 5)]
        code = self.programs.next()
        column = code - 3 if code >= 3 else self.cursor[1] + code - 1
        self.previous_row = row
        if kind == 1:
            width, height = self.extent(column), self.extent(row)
            down, right = self.programs.next_signed(), self.programs.next_signed()
            source = [
                line[column + right : column + right + width] for line in self.cells[row + down : row + down + height]
            ]
            for offset, line in enumerate(source):
                self.cells[row + offset][column : column + width] = line
        elif kind == 2:
            width = self.extent(column)
            self.cells[row][column : column + width] = [(self.programs.next(), style)] * width
        elif kind == 3:
            width = self.extent(column)
            self.cells[row][column : column + width] = [(self.literals.next(), style) for _ in range(width)]
        elif kind == 4:
            self.cells[row][column] = action, style
        else:
            self.count(self.cells[row], column)

    def count(self, line: list, column: int) -> None:
        code = self.programs.next()
        addend = signed(code - 3) if code >= 3 else 0
        if code < 3:
            addend = self.arguments.next_signed() if code == 0 else self.step[2 - code]
        end = column
        while end < min(column + 9, len(line)) and 0x30 <= line[end][0] <= 0x39:
            end += 1
        digits = str(int("".join(chr(codepoint) for codepoint, _ in line[column:end])) + addend)
        for offset, digit in enumerate(digits.ljust(end - column)):
            line[column + offset] = ord(digit), line[column][1]

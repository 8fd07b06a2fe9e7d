"""A file whose lines change and move."""

STATES = (
    "a b r c d r e",
    "a X b r c d r e",
    "a X b r c d r E",
    "t1 t2 t3 t4 a X b r c d r E",
)


def lines(words):
    return "".join(f"{word}\n" for word in words.split())

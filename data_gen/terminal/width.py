"""How many cells a character takes."""

import numpy as np
from wcwidth.table_wide import WIDE_EASTASIAN
from wcwidth.table_zero import ZERO_WIDTH


def _widths() -> np.ndarray:
    """Looked up in the tables of `wcwidth` directly: calling it for every codepoint takes a second."""
    widths = np.ones(0x110000, np.uint8)
    for tables, width in ((WIDE_EASTASIAN, 2), (ZERO_WIDTH, 0)):
        for first, last in tables[max(tables)]:
            widths[first : last + 1] = width
    widths[:0x20] = widths[0x7F:0xA0] = 0
    return widths


WIDTHS = _widths()
"""uint8 [0x110000]: the cells of each codepoint; 0 for control characters and for what joins the one before."""

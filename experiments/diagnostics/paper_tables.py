"""The paper's tables of its diagnostics (section 8.1), to stand beside what is measured here; d_model is 256."""

from typing import NamedTuple


class Row(NamedTuple):
    """What a row of a table is about."""

    mixer: str
    layers: int
    depth: int


FRJT: dict[Row, tuple[float, float]] = {
    Row(mixer, layers, depth): accuracies
    for (mixer, depth), rows in {
        ("transformer", 4): {
            1: (0.98119, 0.65644),
            2: (0.99997, 0.74406),
            3: (1.00000, 0.74322),
            4: (1.00000, 0.76569),
            5: (1.00000, 0.79047),
            6: (0.99589, 0.81969),
            7: (0.99651, 0.78909),
            8: (0.72135, 0.67644),
        },
        ("transformer", 8): {
            1: (0.97504, 0.59366),
            2: (0.99445, 0.62725),
            3: (0.99283, 0.65612),
            4: (0.98863, 0.62133),
            5: (0.97039, 0.61378),
            6: (0.99278, 0.68308),
        },
        ("mamba", 4): {
            1: (0.85194, 0.84331),
            2: (1.00000, 0.94431),
            3: (1.00000, 0.88203),
            4: (1.00000, 0.93219),
            5: (1.00000, 0.91258),
            6: (1.00000, 0.87392),
            7: (0.99997, 0.96600),
            8: (1.00000, 0.98075),
        },
        ("mamba", 8): {
            1: (0.80129, 0.79172),
            2: (1.00000, 0.85813),
            3: (1.00000, 0.80512),
            4: (1.00000, 0.90544),
            6: (0.99672, 0.91402),
            8: (0.99486, 0.91498),
            10: (0.99999, 0.92641),
            12: (1.00000, 0.93252),
            14: (1.00000, 0.94788),
        },
        ("mamba", 16): {
            1: (0.73724, 0.71975),
            8: (0.98847, 0.83139),
            12: (0.99433, 0.85069),
            16: (0.98949, 0.87901),
        },
        ("lstm", 4): {1: (0.99905, 0.95981)},
        ("lstm", 8): {1: (0.99119, 0.96569)},
        ("lstm", 16): {1: (0.94628, 0.94663)},
        ("lstm", 24): {1: (0.92969, 0.90238)},
        ("lstm", 32): {1: (0.87409, 0.85705)},
    }.items()
    for layers, accuracies in rows.items()
}
"""Training and validation accuracy of the Forward-Referencing Jumps Task, by maximal depth."""

MAZE: dict[Row, float] = {
    Row(mixer, layers, depth): accuracy
    for (mixer, depth), rows in {
        ("sum", 0): {1: 1.0},
        ("lstm", 0): {1: 1.0},
        ("transformer", 0): {1: 1.0},
        ("sum", 32): {1: 0.3785},
        ("lstm", 32): {1: 0.9942},
        ("transformer", 32): {1: 0.6105, 2: 0.6388, 3: 0.9020, 4: 0.9321},
        ("sum", 64): {1: 0.2717},
        ("lstm", 64): {1: 0.9445},
        ("transformer", 64): {1: 0.4571, 2: 0.6453, 3: 0.7547, 4: 0.8271},
    }.items()
    for layers, accuracy in rows.items()
}
"""Validation accuracy of the maze with 20% of the results withheld, by the number withheld; with none, the text's."""

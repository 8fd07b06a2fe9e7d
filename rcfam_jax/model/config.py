"""The sizes of the model: every field is declared here and nowhere else."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """What `FrameActionModel` is built from; the defaults are the paper's 82M model (section 10.4).

    The model reads the fields as attributes, so an `ml_collections.ConfigDict` of them serves as well.
    """

    rows: int = 48
    """Rows of a frame, R."""
    columns: int = 160
    """Columns of a frame, C; N = R x C cells have a learned position each."""
    max_codepoint: int = 255
    """Codepoints above this one are embedded as this one."""
    frame_width: int = 768
    """Width of the frame head and of a frame's embedding, D."""
    pooling_stages: int = 2
    """Pairs of (attention block, pooling that halves the sequence), P; N must be a multiple of 2^P."""
    frame_blocks: int = 3
    """Attention blocks after the poolings, n."""
    num_heads: int = 12
    """Heads of each attention block; they divide D, and half of H where the core is attention."""
    core: str = "lstm"
    """What goes over time: "lstm", or "attention" (appendix E), for bptt.mode "plain"."""
    core_width: int = 768
    """Width of the core, H; embeddings are projected where it differs from D."""
    core_layers: int = 2
    """Residual layers of the core, L: each an LSTM or attention, then an MLP."""
    vocabulary_size: int = 20_352
    """Tokens that are predicted, V."""
    dtype: str = "float32"
    """What is computed in: "bfloat16" keeps LSTM states and norms in float32."""
    param_dtype: str = "float32"
    """What parameters and their gradients are kept in."""

"""Forward FLOPs of the model, as appendix J of the paper counts them.

A multiply-add is 2 FLOPs. Biases, softmax, norms and other work per element are left out: they are of lower order.
"""

from typing import Any, NamedTuple


class ForwardFlops(NamedTuple):
    """FLOPs of one forward pass over B windows of T frames, by component."""

    pooled_blocks: int
    """The attention blocks before each pooling, at N, N/2, ... cells."""
    frame_blocks: int
    """The attention blocks after the poolings, at N / 2^P cells."""
    reduction_lstm: int
    projection: int
    """From the frame head's width to the core's; 0 where they are equal."""
    core_lstms: int
    """With the product W_o that follows each."""
    core_attention: int
    """Instead of the LSTMs, with its four H x H products."""
    core_mlps: int
    logits: int

    @property
    def frame_head(self) -> int:
        """Equation 16."""
        return self.pooled_blocks + self.frame_blocks + self.reduction_lstm

    @property
    def main_sequence(self) -> int:
        """The core without its logits, which the paper does not count."""
        return self.projection + self.core_lstms + self.core_attention + self.core_mlps

    @property
    def total(self) -> int:
        """Everything, the logits too."""
        return sum(self)


def block_flops(cells: int, width: int) -> int:
    """An attention block over N cells of width D: 24 N D^2 + 4 N^2 D."""
    return attention_flops(cells, width) + mlp_flops(cells, width)


def attention_flops(cells: int, width: int) -> int:
    """Four D x D products (8 N D^2), the scores and the weighted sum (2 N^2 D each, whatever a mask hides)."""
    return 8 * cells * width**2 + 4 * cells**2 * width


def mlp_flops(cells: int, width: int) -> int:
    """A product with D x 4D and one with 4D x D."""
    return 16 * cells * width**2


def lstm_flops(steps: int, inputs: int, width: int) -> int:
    """An LSTM: four gates a step, each from the input and the previous output; 16 T H^2 where the input is as wide."""
    return 8 * steps * width * (inputs + width)


def forward_flops(config: Any, batch: int, frames: int) -> ForwardFlops:
    """Count a forward pass over `batch` windows of `frames` frames (equations 15, 16 and the main sequence's).

    The sums over the pooling stages, in closed form 2N (1 - 2^-P) and (4/3) N^2 (1 - 4^-P), are written out.
    """
    cells, width, core_width = config.rows * config.columns, config.frame_width, config.core_width
    steps = batch * frames
    pooled = cells // 2**config.pooling_stages
    recurrent = config.core == "lstm"
    core_lstm = lstm_flops(steps, core_width, core_width) + 2 * steps * core_width**2
    core_attention = batch * attention_flops(frames, core_width)
    return ForwardFlops(
        pooled_blocks=steps * sum(block_flops(cells // 2**stage, width) for stage in range(config.pooling_stages)),
        frame_blocks=steps * config.frame_blocks * block_flops(pooled, width),
        reduction_lstm=steps * lstm_flops(pooled, width, width),
        projection=2 * steps * width * core_width if width != core_width else 0,
        core_lstms=config.core_layers * core_lstm if recurrent else 0,
        core_attention=0 if recurrent else config.core_layers * core_attention,
        core_mlps=config.core_layers * mlp_flops(steps, core_width),
        logits=2 * steps * core_width * config.vocabulary_size,
    )

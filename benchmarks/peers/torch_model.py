"""The frame-based action model written plainly in PyTorch: nn.LSTM, scaled_dot_product_attention, checkpointed heads.

Modules and parameters are named as in rcfam_jax.model, so that `as_torch` can give it the same weights.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from data_gen.cells import style_channels


class Mlp(nn.Module):
    """x + W_2 GELU(W_1 RMSNorm(x))."""

    def __init__(self, width: int):
        super().__init__()
        self.norm = nn.RMSNorm(width, eps=1e-6)
        self.expand = nn.Linear(width, 4 * width)
        self.contract = nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map x of shape [..., width] to the same shape."""
        return x + self.contract(functional.gelu(self.expand(self.norm(x)), approximate="tanh"))


class LSTM(nn.Module):
    """nn.LSTM with a learned initial state and one bias: the other stays zero."""

    def __init__(self, width: int):
        super().__init__()
        self.layer = nn.LSTM(width, width, batch_first=True)
        unused: Any = self.layer.bias_hh_l0
        unused.requires_grad_(False).zero_()
        self.initial_h = nn.Parameter(torch.zeros(width))
        self.initial_c = nn.Parameter(torch.zeros(width))

    def forward(self, x_BxTxH: torch.Tensor) -> torch.Tensor:
        """Outputs_BxTxH."""
        h, c = (x.expand(1, len(x_BxTxH), -1).contiguous() for x in (self.initial_h, self.initial_c))
        return self.layer(x_BxTxH, (h, c))[0]


class CellEmbedding(nn.Module):
    """A cell's vector: its codepoint's, its place's, and those of its colour channels."""

    styles: torch.Tensor

    def __init__(self, config: Any):
        super().__init__()
        width = config.frame_width
        self.codepoint = nn.Parameter(torch.randn(config.max_codepoint + 1, width))
        self.position = nn.Parameter(torch.randn(config.rows * config.columns, width))
        self.channel = nn.Parameter(torch.randn(6, width))
        self.register_buffer("styles", torch.tensor(style_channels() / 255, dtype=torch.float32), persistent=False)

    def forward(self, codepoints_FxRxC: torch.Tensor, styles_FxRxC: torch.Tensor) -> torch.Tensor:
        """Embed frames as cells_FxNxD."""
        codepoints_FxN = codepoints_FxRxC.flatten(1).int().clamp(max=len(self.codepoint) - 1)
        styles_256xD = self.styles @ self.channel
        styles_FxNxD = functional.embedding(styles_FxRxC.flatten(1).int(), styles_256xD)
        return functional.embedding(codepoints_FxN, self.codepoint) + styles_FxNxD + self.position


class Block(nn.Module):
    """x + W_o attention(RMSNorm(x)), then the MLP."""

    def __init__(self, config: Any):
        super().__init__()
        width = config.frame_width
        self.num_heads = config.num_heads
        self.norm = nn.RMSNorm(width, eps=1e-6)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)
        self.mlp = Mlp(width)

    def forward(self, x_FxNxD: torch.Tensor) -> torch.Tensor:
        """Map a batch of sequences to the same shape."""
        frames, cells, width = x_FxNxD.shape
        qkv = self.query_key_value(self.norm(x_FxNxD)).view(frames, cells, 3, self.num_heads, width // self.num_heads)
        attended_FxMxNxA = functional.scaled_dot_product_attention(*qkv.permute(2, 0, 3, 1, 4))
        return self.mlp(x_FxNxD + self.output(attended_FxMxNxA.transpose(1, 2).reshape(x_FxNxD.shape)))


class FrameHead(nn.Module):
    """Cells, P times (block, pooling), n blocks, and an LSTM whose last output is the frame's embedding."""

    def __init__(self, config: Any):
        super().__init__()
        self.cells = CellEmbedding(config)
        self.stages = nn.ModuleList(Block(config) for _ in range(config.pooling_stages))
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.frame_blocks))
        self.reduction = LSTM(config.frame_width)

    def forward(self, codepoints_FxRxC: torch.Tensor, styles_FxRxC: torch.Tensor) -> torch.Tensor:
        """Embed F frames as embeddings_FxD."""
        x_FxNxD = self.cells(codepoints_FxRxC, styles_FxRxC)
        for block in self.stages:
            x_FxNxD = block(x_FxNxD).unflatten(1, (-1, 2)).mean(2)
        for block in self.blocks:
            x_FxNxD = block(x_FxNxD)
        return self.reduction(x_FxNxD)[:, -1]


class CoreLayer(nn.Module):
    """x + W_o LSTM(RMSNorm(x)), then the MLP."""

    def __init__(self, width: int):
        super().__init__()
        self.norm = nn.RMSNorm(width, eps=1e-6)
        self.lstm = LSTM(width)
        self.output = nn.Linear(width, width)
        self.mlp = Mlp(width)

    def forward(self, x_BxTxH: torch.Tensor) -> torch.Tensor:
        """Map windows to the same shape."""
        return self.mlp(x_BxTxH + self.output(self.lstm(self.norm(x_BxTxH))))


class Core(nn.Module):
    """Projection where widths differ, L layers, norm and logits."""

    def __init__(self, config: Any):
        super().__init__()
        width, same_width = config.core_width, config.core_width == config.frame_width
        self.projection = nn.Identity() if same_width else nn.Linear(config.frame_width, width)
        self.layers = nn.ModuleList(CoreLayer(width) for _ in range(config.core_layers))
        self.norm = nn.RMSNorm(width, eps=1e-6)
        self.logits = nn.Linear(width, config.vocabulary_size)

    def forward(self, embeddings_BxTxD: torch.Tensor) -> torch.Tensor:
        """Logits_BxTxV."""
        x_BxTxH = self.projection(embeddings_BxTxD)
        for layer in self.layers:
            x_BxTxH = layer(x_BxTxH)
        return self.logits(self.norm(x_BxTxH))


class FrameActionModel(nn.Module):
    """Frame heads, one step of the batch at a time and recomputed in the backward pass, then the core."""

    def __init__(self, config: Any):
        super().__init__()
        self.frame_head = FrameHead(config)
        self.core = Core(config)

    def embed(self, codepoints_FxRxC: torch.Tensor, styles_FxRxC: torch.Tensor) -> torch.Tensor:
        """Embed F frames, keeping nothing of the way there."""
        return checkpoint(self.frame_head, codepoints_FxRxC, styles_FxRxC, use_reentrant=False)

    def forward(self, codepoints_BxTxRxC: torch.Tensor, styles_BxTxRxC: torch.Tensor) -> torch.Tensor:
        """Logits_BxTxV."""
        steps = zip(codepoints_BxTxRxC.unbind(1), styles_BxTxRxC.unbind(1), strict=True)
        return self.core(torch.stack([self.embed(*step) for step in steps], dim=1))


def loss(model: FrameActionModel, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """The mean cross-entropy of the batch's unmasked tokens."""
    logits_BxTxV = model(batch["codepoints"], batch["styles"])
    return functional.cross_entropy(logits_BxTxV[batch["mask"]], batch["tokens"][batch["mask"]].long())


_TORCH_NAMES = {
    "kernel": "weight",
    "scale": "weight",
    "input": "layer.weight_ih_l0",
    "recurrent": "layer.weight_hh_l0",
}


def as_torch(params: Mapping[Any, Any], path: tuple[str, ...] = ()) -> dict[str, np.ndarray]:
    """Parameters of rcfam_jax, or their gradients, by the names and in the layout of this module."""
    arrays: dict[str, np.ndarray] = {}
    for name, value in params.items():
        if isinstance(value, Mapping):
            arrays |= as_torch(value, (*path, str(name)))
            continue
        array = np.asarray(value)
        if name in ("kernel", "input", "recurrent"):
            array = array.reshape(len(array), -1).T
        elif name == "bias":
            array = array.reshape(-1)
            name = "layer.bias_ih_l0" if "initial_h" in params else name
        arrays[".".join((*path, _TORCH_NAMES.get(name, name)))] = array
    return arrays


def make_model(config: Any, params: Mapping[Any, Any]) -> FrameActionModel:
    """The model of a configuration (its section `model`) with the parameters of rcfam_jax's."""
    with torch.no_grad():
        model = FrameActionModel(config)
        wanted = dict(model.named_parameters())
        for name, array in as_torch(params).items():
            wanted[name].copy_(torch.tensor(array))
    return model

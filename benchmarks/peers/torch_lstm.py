"""torch.nn.LSTM with given weights, on a CPU or a CUDA device."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch


def torch_lstm(
    inputs_BxTxH: np.ndarray,
    weights: Any,
    state: Any,
    d_outputs_BxTxH: np.ndarray,
    dtype: str,
    device: str,
) -> tuple[Callable[[], torch.Tensor], Callable[[], Sequence[torch.Tensor]]]:
    """Calls that give outputs_BxTxH, and the gradients of inputs, weights and state; all is in `dtype`.

    `weights` and `state` are an `LSTMWeights` and an `LSTMState` of numpy arrays. Inside, time comes first, which is
    torch's own layout.
    """

    def tensor(array: np.ndarray) -> torch.Tensor:
        return torch.tensor(array, dtype=getattr(torch, dtype), device=device)

    width = inputs_BxTxH.shape[-1]
    layer: Any = torch.nn.LSTM(width, width, dtype=getattr(torch, dtype), device=device)
    with torch.no_grad():
        layer.weight_ih_l0.copy_(tensor(weights.input_Ix4xH.reshape(width, -1).T))
        layer.weight_hh_l0.copy_(tensor(weights.recurrent_Hx4xH.reshape(width, -1).T))
        layer.bias_ih_l0.copy_(tensor(weights.bias_4xH.reshape(-1)))
        layer.bias_hh_l0.zero_()
    inputs = tensor(inputs_BxTxH.swapaxes(0, 1).copy()).requires_grad_()
    d_outputs = tensor(d_outputs_BxTxH.swapaxes(0, 1).copy())
    first = (tensor(state.h_BxH)[None].requires_grad_(), tensor(state.c_BxH)[None].requires_grad_())

    def finish() -> None:
        if device == "cuda":
            torch.cuda.synchronize()

    def forward() -> torch.Tensor:
        with torch.no_grad():
            outputs, _ = layer(inputs, first)
        finish()
        return outputs.swapaxes(0, 1)

    def both() -> Sequence[torch.Tensor]:
        outputs, _ = layer(inputs, first)
        d_inputs, *others = torch.autograd.grad(outputs, [inputs, *layer.parameters(), *first], d_outputs)
        finish()
        return d_inputs.swapaxes(0, 1), *others

    return forward, both

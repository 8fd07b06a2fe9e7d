"""The mixers as their papers write them: numpy in float64, one sequence, one step after the other, head by head."""

import numpy as np
from scipy.special import erf


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def silu(x):
    return x * sigmoid(x)


def softplus(x):
    return np.log1p(np.exp(x))


def array(parameter):
    return np.asarray(parameter[...], np.complex128 if np.iscomplexobj(parameter[...]) else np.float64)


def apply(layer, x):
    """W x + b for a layer whose outputs may have several axes."""
    bias = 0 if layer.bias is None else array(layer.bias)
    return np.tensordot(x, array(layer.kernel), axes=1) + bias


def layer_norm(layer, x):
    x = (x - x.mean()) / np.sqrt(x.var() + 1e-6)
    return x * array(layer.scale) + array(layer.bias)


def rms_norm(layer, x):
    return x / np.sqrt((x**2).mean() + 1e-6) * array(layer.scale)


def turned(x, place):
    """A vector whose pairs, seen as complex numbers, are turned by angles that grow with its place."""
    pairs = x[::2] + 1j * x[1::2]
    pairs = pairs * np.exp(1j * place * 10000.0 ** (-2 * np.arange(len(pairs)) / len(x)))
    return np.stack([pairs.real, pairs.imag], axis=-1).ravel()


def lstm(mixer, x):
    cell = mixer.cell
    h, c, outputs = array(cell.initial_h), array(cell.initial_c), []
    for x_t in x:
        i, f, g, o = (
            x_t @ array(cell.input)[:, gate] + h @ array(cell.recurrent)[:, gate] + array(cell.bias)[gate]
            for gate in range(4)
        )
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(apply(mixer.output, h))
    return outputs


def gru(mixer, x):
    h, outputs = np.zeros(x.shape[1]), []
    recurrent = array(mixer.recurrent)
    for x_t in x:
        for_reset, for_update, for_candidate = apply(mixer.input, x_t)
        r = sigmoid(for_reset + h @ recurrent[:, 0])
        z = sigmoid(for_update + h @ recurrent[:, 1])
        h = z * h + (1 - z) * np.tanh(for_candidate + (r * h) @ recurrent[:, 2])
        outputs.append(apply(mixer.output, h))
    return outputs


def slstm(mixer, x):
    """Without the stabiliser: equations 8 to 14."""
    recurrent = array(mixer.recurrent)
    heads, width = recurrent.shape[:2]
    h, c, n = (np.zeros((heads, width)) for _ in range(3))
    outputs = []
    for x_t in x:
        projected, before = apply(mixer.input, x_t), h.copy()
        for head in range(heads):
            i, f, z, o = (projected[head, gate] + before[head] @ recurrent[head, :, gate] for gate in range(4))
            c[head] = sigmoid(f) * c[head] + np.exp(i) * np.tanh(z)
            n[head] = sigmoid(f) * n[head] + np.exp(i)
            h[head] = sigmoid(o) * c[head] / n[head]
        outputs.append(apply(mixer.output, h.ravel()))
    return outputs


def transformer(mixer, x):
    queries, keys, values = (apply(layer, x) for layer in (mixer.query, mixer.key, mixer.value))
    outputs = []
    for t in range(len(x)):
        heads = []
        for head in range(queries.shape[1]):
            query = turned(queries[t, head], t)
            scores = np.array([query @ turned(keys[s, head], s) for s in range(t + 1)]) / np.sqrt(len(query))
            weights = np.exp(scores) / np.exp(scores).sum()
            heads.append(weights @ values[: t + 1, head])
        outputs.append(apply(mixer.output, np.concatenate(heads)))
    return outputs


def mamba(mixer, x):
    projected, taps = apply(mixer.input, x), array(mixer.taps)
    rate = -np.exp(array(mixer.log_rate))
    h, outputs = np.zeros(rate.shape), []
    for t, x_t in enumerate(x):
        u = array(mixer.taps_bias) + sum(taps[ago] * projected[t - ago] for ago in range(len(taps)) if ago <= t)
        u = silu(u)
        step = softplus(apply(mixer.step, apply(mixer.step_rank, u)) + array(mixer.step_bias))
        write, read = apply(mixer.write, u), apply(mixer.read, u)
        mixed = np.empty_like(u)
        for channel in range(len(u)):
            decay = np.exp(step[channel] * rate[channel])
            # Equation 4: (step A)^-1 (exp(step A) - I) step B.
            gain = (decay - 1) / (step[channel] * rate[channel]) * step[channel] * write
            h[channel] = decay * h[channel] + gain * u[channel]
            mixed[channel] = read @ h[channel] + array(mixer.skip)[channel] * u[channel]
        outputs.append(apply(mixer.output, mixed * silu(apply(mixer.gate, x_t))))
    return outputs


def s4d(mixer, x):
    rate = -np.exp(array(mixer.log_rate)) + 1j * array(mixer.frequency)
    readout = array(mixer.readout)[0] + 1j * array(mixer.readout)[1]
    # The states and their conjugates, all of them.
    rate, readout = np.concatenate([rate, rate.conj()], axis=1), np.concatenate([readout, readout.conj()], axis=1)
    step = np.exp(array(mixer.log_step))[:, None]
    h, outputs = np.zeros_like(rate), []
    for u in x:
        h = np.exp(step * rate) * h + (np.exp(step * rate) - 1) / (step * rate) * step * u[:, None]
        y = (readout * h).sum(axis=1)
        assert np.abs(y.imag).max() < 1e-9
        y = y.real + array(mixer.skip) * u
        outputs.append(apply(mixer.output, gelu(y)))
    return outputs


def gelu(x):
    """The approximation by tanh, which JAX takes."""
    approximation = 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    np.testing.assert_allclose(approximation, 0.5 * x * (1 + erf(x / np.sqrt(2))), atol=1e-3)
    return approximation


def lru(mixer, x):
    eigenvalues = np.exp(-np.exp(array(mixer.log_nu)) + 1j * np.exp(array(mixer.log_theta)))
    drive, readout = (array(matrix)[0] + 1j * array(matrix)[1] for matrix in (mixer.drive, mixer.readout))
    h, outputs = np.zeros(len(eigenvalues), complex), []
    for u in x:
        h = eigenvalues * h + np.exp(array(mixer.log_gain)) * (u @ drive)
        outputs.append((h @ readout).real + array(mixer.skip) * u)
    return outputs


def min_lstm(mixer, x):
    h, outputs = np.zeros(x.shape[1]), []
    for x_t in x:
        f, i = sigmoid(apply(mixer.forget, x_t)), sigmoid(apply(mixer.write, x_t))
        h = f / (f + i) * h + i / (f + i) * apply(mixer.candidate, x_t)
        outputs.append(apply(mixer.output, h))
    return outputs


def min_gru(mixer, x):
    h, outputs = np.zeros(x.shape[1]), []
    for x_t in x:
        z = sigmoid(apply(mixer.gate, x_t))
        h = (1 - z) * h + z * apply(mixer.candidate, x_t)
        outputs.append(apply(mixer.output, h))
    return outputs


def linear_attention(mixer, x):
    queries, keys, values = (apply(layer, x) for layer in (mixer.query, mixer.key, mixer.value))

    def feature(x):
        return np.where(x > 0, x + 1, np.exp(x))

    outputs = []
    for t in range(len(x)):
        heads = []
        for head in range(queries.shape[1]):
            weights = np.array([feature(queries[t, head]) @ feature(keys[s, head]) for s in range(t + 1)])
            heads.append(weights @ values[: t + 1, head] / weights.sum())
        outputs.append(apply(mixer.output, np.concatenate(heads)))
    return outputs


def retnet(mixer, x):
    queries, keys, values = (apply(layer, x) for layer in (mixer.query, mixer.key, mixer.value))
    heads, width = queries.shape[1:]
    memory, outputs = np.zeros((heads, width, width)), []
    for t, x_t in enumerate(x):
        normed = []
        for head in range(heads):
            written = np.outer(turned(keys[t, head], t), values[t, head])
            memory[head] = (1 - 2.0 ** (-5 - head)) * memory[head] + written
            normed.append(layer_norm(mixer.norm, turned(queries[t, head], t) @ memory[head]))
        outputs.append(apply(mixer.output, silu(apply(mixer.gate, x_t)).ravel() * np.concatenate(normed)))
    return outputs


def gla(mixer, x):
    queries, keys, values = (apply(layer, x) for layer in (mixer.query, mixer.key, mixer.value))
    alphas = sigmoid(apply(mixer.forget, apply(mixer.forget_rank, x))) ** (1 / 16)
    memory, outputs = np.zeros((*keys.shape[1:], values.shape[2])), []
    for t, x_t in enumerate(x):
        normed = []
        for head in range(len(memory)):
            written = np.outer(keys[t, head], values[t, head])
            memory[head] = np.diag(alphas[t, head]) @ memory[head] + written
            normed.append(layer_norm(mixer.norm, queries[t, head] @ memory[head]))
        outputs.append(apply(mixer.output, silu(apply(mixer.gate, x_t)).ravel() * np.concatenate(normed)))
    return outputs


def delta_net(mixer, x):
    queries, keys, values = (silu(apply(layer, x)) for layer in (mixer.query, mixer.key, mixer.value))
    rates = sigmoid(apply(mixer.rate, x))
    heads, width = queries.shape[1:]
    memory, outputs = np.zeros((heads, width, width)), []
    for t in range(len(x)):
        normed = []
        for head in range(heads):
            query, key = (v[t, head] / np.sqrt((v[t, head] ** 2).sum() + 1e-6) for v in (queries, keys))
            # As the paper motivates it: what the key recalls is moved towards the value.
            recalled = memory[head] @ key
            memory[head] += rates[t, head] * np.outer(values[t, head] - recalled, key)
            normed.append(rms_norm(mixer.norm, memory[head] @ query))
        outputs.append(apply(mixer.output, np.concatenate(normed)))
    return outputs


def rwkv(mixer, x):
    """The quotient of sums as it stands, every sum anew."""
    blend, w, u = array(mixer.blend), np.exp(array(mixer.log_decay)), array(mixer.bonus)
    before, keys, values, outputs = np.zeros_like(x[0]), [], [], []
    for t, x_t in enumerate(x):
        r, k, v = (
            apply(layer, mu * x_t + (1 - mu) * before)
            for mu, layer in zip(blend, (mixer.receptance, mixer.key, mixer.value), strict=True)
        )
        weights = [np.exp(-(t - 1 - s) * w + keys[s]) for s in range(t)] + [np.exp(u + k)]
        keys.append(k)
        values.append(v)
        wkv = sum(weight * value for weight, value in zip(weights, values, strict=True)) / sum(weights)
        outputs.append(apply(mixer.output, sigmoid(r) * wkv))
        before = x_t
    return outputs


def summation(mixer, x):
    return [apply(mixer.output, sum(x[: t + 1])) for t in range(len(x))]


PLAIN = {
    "lstm": lstm,
    "gru": gru,
    "slstm": slstm,
    "transformer": transformer,
    "mamba": mamba,
    "s4d": s4d,
    "lru": lru,
    "min_lstm": min_lstm,
    "min_gru": min_gru,
    "linear_attention": linear_attention,
    "retnet": retnet,
    "gla": gla,
    "delta_net": delta_net,
    "rwkv": rwkv,
    "sum": summation,
}

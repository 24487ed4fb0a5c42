#!/usr/bin/env python3
"""Writes bank.safetensors: eight octave filters as S4D systems.

Band k = 0 ... 7 is centred on f = 125 * 2^k Hz, for recordings of 48 kHz.

  A[k, n] = -1/2 + i pi n             S4D-Lin (Gu et al. 2022), n = 0 ... 15
  delta[k] = 2 f / 48000 / m          mode n resonates at 24000 delta n Hz, so
                                      the centre is at n = m (any real number)
  B[k, n] = 1
  C[k, n] = (-1)^n g w(log2(n / m))   w is a Hann window from -1 to 1: the modes
                                      up to an octave off

m is 1 in the lowest bands, which gives them the least memory, and grows to 8.
Modes side by side have opposite signs so that between their frequencies they
add up. The complex factor g makes the response of a zero-order hold 1 at f:
neither louder nor later.
"""

import cmath
import json
import math
import struct
import sys

BANDS, STATES, RATE = 8, 16, 48000


def band(k):
    """delta, A, C of band k."""
    centre = 125 * 2**k
    mode = max(1, 2 ** (0.75 * (k - 3)))
    delta = 2 * centre / RATE / mode
    A = [complex(-0.5, math.pi * n) for n in range(STATES)]
    C = []
    for n in range(STATES):
        octaves = math.log2(n / mode) if n else -1
        window = math.cos(math.pi / 2 * octaves) ** 2 if abs(octaves) < 1 else 0
        C.append((-1) ** n * window)
    # y = Re(sum over n of C h), so a tone at f sees half of the modes' sum.
    turn = cmath.exp(-2j * math.pi * centre / RATE)
    gain = 0
    for a, c in zip(A, C):
        decay = cmath.exp(delta * a)
        gain += c * (decay - 1) / a / (1 - decay * turn) / 2
    return delta, A, [c / gain for c in C]


def safetensors(tensors):
    """The bytes of a file with (name, dtype, shape, floats) in this order."""
    header, data = {}, b""
    for name, dtype, shape, floats in tensors:
        begin = len(data)
        data += struct.pack(f"<{len(floats)}f", *floats)
        header[name] = {"dtype": dtype, "shape": shape,
                        "data_offsets": [begin, len(data)]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def main():
    bands = [band(k) for k in range(BANDS)]

    def parts(i):
        return [x for b in bands for z in b[i] for x in (z.real, z.imag)]

    shape = [BANDS, STATES]
    content = safetensors([
        ("delta", "F32", [BANDS], [b[0] for b in bands]),
        ("A", "C64", shape, parts(1)),
        ("B", "F32", shape, [1.0] * (BANDS * STATES)),
        ("C", "C64", shape, parts(2)),
    ])
    path = sys.argv[1] if len(sys.argv) > 1 else "bank.safetensors"
    try:
        with open(path, "wb") as file:
            file.write(content)
    except OSError as error:
        sys.exit(f"error: {path}: cannot write: {error.strerror}")


if __name__ == "__main__":
    main()

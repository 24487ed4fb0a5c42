#!/usr/bin/env python3
"""Tests of what peers.py and bundle.py do without PyTorch and a GPU."""

import unittest

import bundle
import peers


class FakeTensor:
    """As much of PyTorch's tensors as a launch looks at."""
    dtype = "torch.bfloat16"
    shape = (2, 5, 3)

    def data_ptr(self):
        return 4096

    def dim(self):
        return len(self.shape)

    def stride(self):
        return (15, 1, 5)


class PeersTest(unittest.TestCase):
    def test_steps_are_innermost(self):
        self.assertEqual(peers.in_order(("b", "l", "d")), [0, 2, 1])
        self.assertEqual(peers.in_order(("b", "l", "g", "n")), [0, 2, 3, 1])
        self.assertEqual(peers.in_order(("d", "n")), [0, 1])

    def test_dimensions_are_those_of_the_manifest(self):
        layer = object.__new__(peers.Layer)
        layer.sizes = {"b": 2, "d": 96, "l": 100}
        spec = {"shape": ["b", "ceil(l / 32)", "d", "n = 16"]}
        self.assertEqual(list(layer.dimensions(spec)),
                         [("b", 2), ("chunk", 4), ("d", 96), ("n", 16)])

    def test_results_far_from_a_peers_are_wrong(self):
        for dtype, value, wrong in [("bf16", 2e-3, False), ("bf16", 0.5, True),
                                    ("f32", 1e-6, False), ("f32", 2e-3, True),
                                    ("f32", float("nan"), True)]:
            found = peers.wrong_results(
                {"dtype": dtype, "difference": {"du": value, "dz": 0.0}})
            self.assertEqual(len(found), wrong, (dtype, value))
            self.assertTrue(all("du differs" in text for text in found))
        self.assertEqual(
            peers.wrong_results({"dtype": "f32", "difference": None}), [])

    def test_a_tensor_is_described_as_the_loader_wants_it(self):
        tensor = bundle.Tensor.of(FakeTensor())
        self.assertEqual((tensor.data, tensor.dtype, tensor.rank),
                         (4096, 3, 3))
        self.assertEqual(list(tensor.shape)[:4], [2, 5, 3, 0])
        self.assertEqual(list(tensor.strides)[:4], [15, 1, 5, 0])


if __name__ == "__main__":
    unittest.main()

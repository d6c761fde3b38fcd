"""Formats of numbers: what they weigh, and what a card computes them in."""

from __future__ import annotations

GIB = 2**30
FORMATS = ("bf16", "fp8", "fp4")
NATIVE = {"bf16": "bf16", "fp8": "fp8", "fp4": "fp4", "mxfp4": "fp4"}
"""Format that a precision is computed in where the card has it."""

UNPACKED = {"nvidia": ("fp8", "fp4", "mxfp4"), "amd": ("mxfp4",)}
"""Precisions that the engine unpacks to 16 bits on cards without them. Source: vLLM documentation, FP8 W8A8 and
Supported Hardware for Quantization Kernels (Marlin: NVIDIA from Ampere, not AMD); gpt-oss runs on MI300X."""

BYTES = {"bf16": 2.0, "fp8": 1.0, "fp4": 0.5625, "mxfp4": 0.53125}
"""Bytes of a parameter, scales of blocks included. Source: models.yaml, precision."""
KV_BYTES = {"bf16": 2.0, "fp8": 1.0, "fp4": 1.0, "mxfp4": 2.0}
"""Bytes of an element of keys and values in measured systems: 1 beside weights in fp8 and fp4, gpt-oss keeps 2."""

"""Decode compressed pixels: split them into frames, check each stream's header, decode it."""

from __future__ import annotations

from mimir_engine.decoding.decoders import compression_name, decoded, has_decoder
from mimir_engine.decoding.stream import StreamRefused

__all__ = ["StreamRefused", "compression_name", "decoded", "has_decoder"]

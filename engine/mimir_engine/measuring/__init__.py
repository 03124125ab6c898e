"""Measure one study: networks, their predictions and the measurements made of them."""

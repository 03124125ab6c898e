"""Project fused volumes to the image that the networks see."""

from mimir_engine.projection.project import project

__all__ = ["project"]

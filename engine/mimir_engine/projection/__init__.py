"""Project fused volumes to the image that the networks see."""

from mimir_engine.projection.project import PROJECTION_NAME, Projection, project

__all__ = ["PROJECTION_NAME", "Projection", "project"]

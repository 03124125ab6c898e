"""Folders of images with their studies."""

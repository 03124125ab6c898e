"""The bundled engine: its place, its process, its requirements, its inference modules."""

"""The bundled engine: where it lies, its process, its requirements, its inference modules."""

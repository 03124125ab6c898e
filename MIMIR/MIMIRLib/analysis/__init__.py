"""From studies and inference modules to results on disk: the engine, run in its own process.

``request`` says what to analyse, ``run`` does it by way of ``engine_process``; ``progress`` and
``event_line`` put the engine's events into words; ``requirements`` asks for missing packages;
``inference_modules`` lists, adds and removes the networks.
"""

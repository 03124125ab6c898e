"""Names of files and folders in an output folder that several parts know. Imports nothing."""

from __future__ import annotations

#: The record of the run.
RUN_FILE = "run.json"
#: The table of all measurements in one column.
PARQUET_FILE = "predictions.parquet"
#: The table of stitched volumes, and what nnU-Net must know of them to be trained.
VOLUMES_FILE, DATASET_FILE = "volumes.csv", "dataset.json"
#: The table of all labels.
LABELS_FILE = "labels.csv"
#: What `mimir forget` is removing, until all of it is done.
PLAN_FILE = "forget.json"
#: Folders of the projections, and of the page of the cohort.
PROJECTIONS_FOLDER, GALLERY_FOLDER = "projections", "gallery"

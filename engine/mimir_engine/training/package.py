"""Turn finished training runs into an inference module with calibrated intervals.

`package` writes the networks of one or several runs; `recalibrate` calibrates an existing
module again and keeps its weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Optional, Union

from mimir_engine.cohort.inclusion.chosen_studies import ALL_STUDIES, StudyChoice
from mimir_engine.cohort.inclusion.persons import FROM_NAMES, PersonRule
from mimir_engine.errors import MimirError
from mimir_engine.evaluation.predictions import Predictions
from mimir_engine.files.folder_lock import name_lock
from mimir_engine.files.leftovers import temporary_folder
from mimir_engine.inference_module import (
    InferenceModule,
    find_module,
    write_module,
)
from mimir_engine.training.calibrated_module import write_calibrated
from mimir_engine.training.calibration import (
    recorded_sexes,
    remove_calibration,
)
from mimir_engine.training.calibration_data import CalibrationData, read_calibration_data
from mimir_engine.training.ensemble import combine_runs, select_targets
from mimir_engine.training.identity import Identity, check_provenance, module_fields
from mimir_engine.training.module_people import People, people_of_runs
from mimir_engine.training.worthless import worthless_sentence, worthless_targets


def package(
    runs: Sequence[Path],
    calibration: Sequence[Path],
    module_dir: Path,
    identity: Identity,
    *,
    images: Optional[Path] = None,
    direct: Optional[Path] = None,
    eight_bit: bool = False,
    overwrite: bool = False,
    choice: StudyChoice = ALL_STUDIES,
    persons: PersonRule = FROM_NAMES,
    keep_worthless: bool = False,
) -> InferenceModule:
    """Write an inference module; several runs make an ensemble.

    Studies that were excluded from training stay excluded. A target whose R² may be 0 is left out.
    What a reader should know is in the provenance as ``notes``.

    Args:
        runs: Folders of finished runs.
        calibration: Data to calibrate on; see `read_calibration_data`.
        module_dir: Folder to create.
        identity: Name, licence and so on of the module.
        images: Folder of images for the scan profile; by default those of `calibration`. Without
            images the module has no scan profile.
        direct: Direct measurements of the studies of `calibration`, as `mimir measure` writes them:
            later estimates that do not go with such measurements are flagged.
        eight_bit: Store the weights in 8 bits.
        overwrite: Replace the folder if it exists.
        choice: Whose predictions and images are used.
        persons: How persons are known.
        keep_worthless: Keep the targets of `worthless_targets`, too.

    Raises:
        MimirError: ``NOTHING_LEARNED``, ``DATASET_MISMATCH``, ``CALIBRATION_MISMATCH``,
            ``CALIBRATION_TOO_SMALL``, ``CALIBRATION_UNREADABLE``, ``OUTPUT_IN_USE``, and the errors
            of `combine_runs`, `choose_people` and the writers.
    """
    module, weights = combine_runs(runs, identity)
    with name_lock(module_dir), temporary_folder(module_dir.parent) as scratch:
        draft = write_module(scratch / "draft", module, weights, eight_bit=eight_bit)
        people = people_of_runs(runs, choice, persons)
        data = read_calibration_data(draft, calibration, images, people)
        worthless = worthless_targets(data.predictions, module.targets)
        kept = [target.name for target in module.targets if target.name not in worthless]
        if worthless and keep_worthless:
            data = _noted(data, worthless_sentence(worthless, "kept as asked"))
        elif not kept:
            raise MimirError(
                "NOTHING_LEARNED",
                worthless_sentence(worthless, "all targets would be left out"),
                "Train longer or on more studies, or keep them with --keep-worthless.",
            )
        elif worthless:
            data = _noted(data, worthless_sentence(worthless, "left out"))
            module, weights = select_targets(module, weights, kept)
            data = replace(data, predictions=_of_targets(data.predictions, kept))
            draft = write_module(scratch / "kept", module, weights, eight_bit=eight_bit)
        return write_calibrated(draft, data, direct, module_dir, overwrite)


def recalibrate(
    module_name: Union[str, Path],
    calibration: Sequence[Path],
    module_dir: Path,
    *,
    identity: Optional[Identity] = None,
    images: Optional[Path] = None,
    direct: Optional[Path] = None,
    calibrated: bool = False,
    overwrite: bool = False,
    choice: StudyChoice = ALL_STUDIES,
    persons: PersonRule = FROM_NAMES,
) -> InferenceModule:
    """Write a module with new constants around the same weights.

    Mean corrections, variance factors, conformal quantiles, percentiles and the model card are
    made again; without images the old scan profile stays.

    Args:
        module_name: The module's folder, or its name in the search path of modules.
        calibration: As for `package`; raw predictions of the module's own networks.
        module_dir: Folder to create; the module's own, with `overwrite`, to replace it.
        identity: By default the module keeps its own.
        images: As for `package`.
        direct: As for `package`; by default the module keeps its references.
        calibrated: The table's predictions carry the module's present calibration, as those of
            `mimir infer` do.
        overwrite: Replace the folder if it exists.
        choice: Whose predictions and images are used.
        persons: How persons are known.

    Raises:
        MimirError: As `package`.
    """
    module = find_module(module_name)
    check_provenance(module)
    if identity is not None:
        module = replace(module, **module_fields(identity, module.provenance))
    data = read_calibration_data(module, calibration, images, People(choice, persons))
    if calibrated and "table" in data.source:
        data = replace(data, predictions=remove_calibration(data.predictions, module.targets))
    if worthless := worthless_targets(data.predictions, module.targets):
        data = _noted(data, worthless_sentence(worthless, "of no use on these studies"))
    with name_lock(module_dir):
        return write_calibrated(module, data, direct, module_dir, overwrite)


def _noted(data: CalibrationData, note: str) -> CalibrationData:
    return replace(data, notes=(*data.notes, note))


def _of_targets(predictions: Predictions, names: Sequence[str]) -> Predictions:
    """Choose targets; the sex stays known as a group even if it is not among them."""
    sexes = recorded_sexes(predictions)
    known = {"sex": sexes} if "sex" not in predictions.groups and any(sexes) else {}
    chosen = predictions.of_targets(names)
    return replace(chosen, groups={**chosen.groups, **known})

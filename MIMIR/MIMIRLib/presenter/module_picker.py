"""Which inference modules there are, which are ticked, and what is done with the one selected."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional

from MIMIRLib.engine import inference_modules
from MIMIRLib.engine.inference_modules import InferenceModuleRow, ModuleAddition
from MIMIRLib.presenter.rows import Cell, Row
from MIMIRLib.signal import Signal

#: Heads of the columns of :func:`module_row`.
MODULE_COLUMNS = ("Inference module", "Measures", "Valid for")


class ModulePicker:
    """The list of inference modules as the user has arranged it.

    Attributes:
        modules: All that were found, damaged ones included.
        chosen: Names of those ticked; also of those that this computer lacks.
        selected: The one selected, or None.
    """

    def __init__(self) -> None:
        self.modules: tuple[InferenceModuleRow, ...] = ()
        self.chosen: set[str] = set()
        self.selected: Optional[InferenceModuleRow] = None

    @property
    def usable(self) -> tuple[InferenceModuleRow, ...]:
        """Those that can be used."""
        return tuple(module for module in self.modules if not module.problem)

    @property
    def ticked(self) -> tuple[InferenceModuleRow, ...]:
        """Those ticked that are here and can be used, in the list's order."""
        return tuple(module for module in self.usable if module.name in self.chosen)

    @property
    def rows(self) -> tuple[Row, ...]:
        """All of them, for the panel's list."""
        return tuple(module_row(module, module in self.ticked) for module in self.modules)

    @property
    def description(self) -> str:
        """All that is known of the one selected."""
        return "" if self.selected is None else describe(self.selected)

    def refresh(self) -> None:
        """Look for inference modules anew."""
        self.modules = inference_modules.list_rows()
        self.select("" if self.selected is None else self.selected.name)

    def choose(self, names: Iterable[str]) -> None:
        """Tick exactly these; where none is named and there is only one, that one."""
        self.chosen = set(names)
        if not self.chosen and len(self.usable) == 1:
            self.chosen = {self.usable[0].name}

    def tick(self, name: str, ticked: bool) -> None:
        """Tick one, or take its tick away."""
        (self.chosen.add if ticked else self.chosen.discard)(name)

    def select(self, name: str) -> None:
        """Select the one of that name, if it is there."""
        self.selected = next((module for module in self.modules if module.name == name), None)

    def verify(self) -> str:
        """Compare the selected one's files with their hashes; what came of it."""
        if self.selected is None:
            return ""
        inference_modules.verify(self.selected.name)
        return f"All files of {self.selected.name} are as they were written."

    def remove(self) -> str:
        """Delete the selected one; what came of it."""
        if self.selected is None:
            return ""
        name = self.selected.name
        inference_modules.remove(name)
        return f"The inference module {name} is removed."


class Adding:
    """An inference module being added, as a job of the panel.

    Args:
        source: A folder or a zip archive.
    """

    def __init__(self, source: str) -> None:
        self.progressed, self.ended = Signal(), Signal()
        self.fraction = None
        self.sentence = "Adding the inference module: copying and checking its files"
        self.summary = ""
        self._addition = ModuleAddition(source)

    def start(self) -> None:
        """Begin."""
        self._addition.start()
        self.progressed.emit(self)

    def step(self) -> None:
        """See whether it is done."""
        if not self._addition.is_running:
            self.summary = self._addition.error or self._addition.message
            self.ended.emit()

    def cancel(self) -> None:
        """End it; nothing is added."""
        self._addition.cancel()
        self.summary = "Cancelled: no inference module was added."
        self.ended.emit()


def module_row(module: InferenceModuleRow, ticked: bool) -> Row:
    """An inference module as a row of the panel's list; a damaged one cannot be ticked."""
    if module.problem:
        return Row(module.name, (Cell(module.name), Cell(module.problem, tooltip=module.problem)))
    return Row(
        module.name,
        (
            Cell(f"{module.name} {module.version}", tooltip=module.title),
            Cell(module.measures, tooltip=module.measures),
            Cell(module.valid_for, tooltip=module.valid_for),
        ),
        ticked,
    )


def describe(module: InferenceModuleRow) -> str:
    """An inference module in some lines."""
    if module.problem:
        return f"{module.problem}\nIt lies in {module.location}."
    return "\n".join(
        (
            f"{module.title} ({module.name} {module.version})",
            f"Measures {module.measures}.",
            f"Valid for {module.valid_for}.",
            module.provenance,
            f"It lies in {module.location}.",
        )
    )

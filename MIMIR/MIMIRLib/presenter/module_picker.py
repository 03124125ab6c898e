"""Keep the list of inference modules: the ticks and the selected one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional

from MIMIRLib.engine import inference_modules
from MIMIRLib.engine.inference_modules import InferenceModuleRow
from MIMIRLib.presenter.table_row import Cell, Row
from MIMIRLib.translate import tr as _

#: Headers of the columns of :func:`module_row`.
MODULE_COLUMNS = (_("Inference module"), _("Measures"), _("Valid for"))


class ModulePicker:
    """The list of inference modules with the user's ticks and selection.

    Attributes:
        modules: All modules found, including damaged ones.
        chosen: Names of those ticked, including those that this computer lacks.
        selected: The selected one, or None.
    """

    def __init__(self) -> None:
        self.modules: tuple[InferenceModuleRow, ...] = ()
        self.chosen: set[str] = set()
        self.selected: Optional[InferenceModuleRow] = None

    @property
    def usable(self) -> tuple[InferenceModuleRow, ...]:
        """The modules without an error."""
        return tuple(module for module in self.modules if module.error is None)

    @property
    def ticked(self) -> tuple[InferenceModuleRow, ...]:
        """The ticked modules that are here and usable, in the list's order."""
        return tuple(module for module in self.usable if module.name in self.chosen)

    @property
    def rows(self) -> tuple[Row, ...]:
        """All modules, for the panel's list."""
        return tuple(module_row(module, module in self.ticked) for module in self.modules)

    @property
    def description(self) -> str:
        """The description of the selected module."""
        return "" if self.selected is None else describe(self.selected)

    def refresh(self) -> None:
        """List the inference modules again."""
        self.modules = inference_modules.list_rows()
        self.select("" if self.selected is None else self.selected.name)

    def choose(self, names: Iterable[str]) -> None:
        """Tick exactly these; without names, tick the only module if there is only one."""
        self.chosen = set(names)
        if not self.chosen and len(self.usable) == 1:
            self.chosen = {self.usable[0].name}

    def tick(self, name: str, ticked: bool) -> None:
        """Tick or untick a module."""
        (self.chosen.add if ticked else self.chosen.discard)(name)

    def select(self, name: str) -> None:
        """Select the module of that name, if there is one."""
        self.selected = next((module for module in self.modules if module.name == name), None)

    def verify(self) -> str:
        """Compare the selected module's files with their hashes; return the outcome."""
        if self.selected is None:
            return ""
        inference_modules.verify(self.selected.name)
        return _("All files of {name} are unchanged.").format(name=self.selected.name)

    def remove(self) -> str:
        """Delete the selected module; return the outcome."""
        if self.selected is None:
            return ""
        name = self.selected.name
        inference_modules.remove(name)
        return _("The inference module {name} was removed.").format(name=name)


def module_row(module: InferenceModuleRow, ticked: bool) -> Row:
    """Return an inference module as a row of the panel's list; a damaged one has no box."""
    if module.error is not None:
        error = str(module.error)
        return Row(module.name, (Cell(module.name), Cell(error, tooltip=error)))
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
    """Return an inference module's description in some lines."""
    location = _("Folder: {path}").format(path=module.location)
    if module.error is not None:
        return f"{module.error}\n{location}"
    return "\n".join(
        (
            f"{module.title} ({module.name} {module.version})",
            _("Measures {measurements}.").format(measurements=module.measures),
            _("Valid for {studies}.").format(studies=module.valid_for),
            module.provenance,
            location,
        )
    )

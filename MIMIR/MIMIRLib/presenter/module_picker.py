"""Keep the list of inference modules: the ticks and the selected one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional

from MIMIRLib.engine import inference_modules
from MIMIRLib.engine.inference_modules import InferenceModuleRow, measurements_text
from MIMIRLib.presenter.table_row import Cell, Row
from MIMIRLib.translate import tr as _

#: Headers of the columns of ``module_row``.
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

    def choose_new(self, before: Iterable[str]) -> None:
        """Tick and select the modules that are usable now and were not there before."""
        for module in self.usable:
            if module.name not in before:
                self.chosen.add(module.name)
                self.selected = module

    def choose(self, names: Iterable[str]) -> None:
        """Tick exactly these; without names, tick the only usable module, not one of several."""
        self.chosen = set(names)
        if not self.chosen and len(self.usable) == 1:
            self.chosen = {self.usable[0].name}

    def tick(self, name: str, ticked: bool) -> None:
        """Tick or untick a module."""
        (self.chosen.add if ticked else self.chosen.discard)(name)

    def select(self, name: str) -> None:
        """Select the module of that name; None if it is absent."""
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


def module_row(row: InferenceModuleRow, ticked: bool) -> Row:
    """Return an inference module as a row of the panel's list; a damaged one has no box."""
    module = row.module
    if module is None:
        return Row(row.name, (Cell(row.name), Cell(str(row.error), tooltip=str(row.error))))
    measures, valid_for = measurements_text(module), str(module.accepts)
    return Row(
        row.name,
        (
            Cell(f"{row.name} {module.version}", tooltip=module.title),
            Cell(measures, tooltip=measures),
            Cell(valid_for, tooltip=valid_for),
        ),
        ticked,
    )


def describe(row: InferenceModuleRow) -> str:
    """Return an inference module's description in some lines."""
    module = row.module
    location = _("Folder: {path}").format(path=row.folder)
    if module is None:
        return f"{row.error}\n{location}"
    source = module.provenance.get("source")
    provenance = (
        module.description.strip(),
        _("Imported from {source}.").format(source=source) if module.published and source else "",
        _("Licence: {licence}.").format(licence=module.licence),
    )
    return "\n".join(
        (
            f"{module.title} ({row.name} {module.version})",
            _("Measures {measurements}.").format(measurements=measurements_text(module)),
            _("Valid for {studies}.").format(studies=module.accepts),
            " ".join(filter(None, provenance)),
            location,
        )
    )

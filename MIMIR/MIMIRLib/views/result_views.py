"""Slicer's views follow the result that is chosen in the panel."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Optional

import qt
import slicer
import vtk

from MIMIRLib.presenter.chart_content import ChartContent
from MIMIRLib.presenter.finding_list import Place
from MIMIRLib.scene.results import StudyNodes, find_results
from MIMIRLib.scene.slice_layers import leave_others, slice_composites
from MIMIRLib.views import body_views
from MIMIRLib.views.chart_view import ChartView
from MIMIRLib.views.corner_texts import CornerTexts
from MIMIRLib.views.fat_in_3d import FatIn3D
from MIMIRLib.views.layouts import BODY_LAYOUT, FAT_3D_LAYOUT, PROFILE_LAYOUT, Layouts
from MIMIRLib.views.plots_and_tables import RowNames, leave_other_tables, show_plot, show_table
from MIMIRLib.views.projection_labels import ProjectionLabels

#: Views have their new sizes after this time (milliseconds); then volumes are fitted into them.
FIT_DELAY_MS = 100


class ResultViews:
    """Slicer's views; without a main window nothing happens."""

    def __init__(self) -> None:
        self._manager = slicer.app.layoutManager()
        self._observed: list[tuple[Any, int]] = []
        if self._manager is None:
            return
        self.chart, self.fat = ChartView(), FatIn3D()
        self.layouts = Layouts(self._manager, self.chart.widget)
        self.corners = CornerTexts(self._manager, lambda: self.fat.shown)
        self._labels, self._rows = ProjectionLabels(self._manager), RowNames(self._manager)
        self._timer, self._fit_timer = _timer(0, self._update), _timer(FIT_DELAY_MS, self._fit)
        self._manager.connect("layoutChanged(int)", self._watch)
        scene = slicer.mrmlScene
        for event in (scene.NodeRemovedEvent, scene.EndCloseEvent, scene.EndImportEvent):
            self._observed.append((scene, scene.AddObserver(event, self._note)))
        self._watch()

    def show(self, nodes: Optional[StudyNodes]) -> None:
        """Show what there is of a result, and empty all other views; None empties all."""
        if self._manager is None:
            return
        nodes = nodes or StudyNodes()
        if nodes != StudyNodes():
            self.layouts.choose_once()
        body_views.show_volumes(nodes)
        show_table(nodes.table)
        show_plot(nodes.profile if nodes.chart is None else nodes.chart)
        self.fat.follow(nodes)
        self._watch()
        self._fit_timer.start()

    def arrange(self, nodes: Optional[StudyNodes]) -> None:
        """Show a result in MIMIR's layout, whatever layout is shown."""
        if self._manager is not None and nodes is not None:
            self.layouts.choose(FAT_3D_LAYOUT if self.fat.is_on else BODY_LAYOUT)
            body_views.turn_upright(self._manager)
            self.show(nodes)

    def leave_others(self, nodes: Optional[StudyNodes]) -> None:
        """Empty the views that show another result than this; what the user shows stays."""
        if self._manager is None:
            return
        nodes = nodes or StudyNodes()
        leave_others(slicer.mrmlScene, nodes.key)
        leave_other_tables(nodes)
        self.fat.follow(nodes)
        self._watch()

    def show_chart(self, content: ChartContent) -> None:
        """Show a study's chart in place of any other's."""
        if self._manager is not None:
            self.chart.show(content)

    def filter_chart(self, names: Optional[Collection[str]]) -> None:
        """Show only the measurements with these names in the chart; None for all."""
        if self._manager is not None:
            self.chart.show_only(names)

    def show_profile(self, nodes: Optional[StudyNodes]) -> None:
        """Show the coronal view, with the parts of the body, beside the profile."""
        if self._manager is None or nodes is None:
            return
        self.layouts.choose(PROFILE_LAYOUT)
        body_views.turn_upright(self._manager)
        self.show(nodes)
        show_plot(nodes.profile)
        if nodes.regions is not None:
            nodes.regions.GetDisplayNode().SetVisibility(True)

    def show_fat_in_3d(self, nodes: Optional[StudyNodes], is_on: bool) -> None:
        """Show a study's fat in 3D, or no fat."""
        if self._manager is None:
            return
        if is_on:
            self.layouts.choose(FAT_3D_LAYOUT)
            self.fat.is_on = True
            self.fat.follow(nodes or StudyNodes())
        else:
            self.fat.remove()
            if self.layouts.current == FAT_3D_LAYOUT:
                self.layouts.choose(BODY_LAYOUT)
        self._watch()
        self._fit_timer.start()

    def jump(self, nodes: Optional[StudyNodes], place: Place) -> None:
        """Let the slice views show a place in a study."""
        if self._manager is not None and nodes is not None:
            body_views.jump(nodes, place)

    def close(self) -> None:
        """Stop observing Slicer's views, and leave them without MIMIR's texts."""
        if self._manager is None:
            return
        self._manager.disconnect("layoutChanged(int)", self._watch)
        for timer in (self._timer, self._fit_timer):
            timer.stop()
        for node, tag in self._observed:
            node.RemoveObserver(tag)
        self._observed.clear()
        for part in (self.corners, self._labels, self.chart, self.layouts):
            part.close()
        self.fat.remove()

    def _watch(self, _layout: int = 0) -> None:
        """Observe the nodes of all views, also of new ones, and update the texts in the views."""
        nodes = [*slice_composites(slicer.mrmlScene), *self._rows.view_nodes()]
        nodes += [self._labels.slice_node()]
        known = {node for node, _ in self._observed}
        for node in nodes:
            if node is not None and node not in known:
                tag = node.AddObserver(vtk.vtkCommand.ModifiedEvent, self._note)
                self._observed.append((node, tag))
        self._timer.start()

    def _note(self, *_event: object) -> None:
        self._timer.start()

    def _update(self) -> None:
        if self.chart.key and find_results(slicer.mrmlScene, self.chart.key) is None:
            self.chart.show(ChartContent())  # the scene was closed, or the result deleted
        self.corners.update()
        self._labels.update()
        self._rows.update()

    def _fit(self) -> None:
        body_views.fit(self._manager)
        self.fat.look(self._manager)
        self._update()


def _timer(delay_ms: int, call: Any) -> Any:
    """Return a timer that calls a function once, after the events that wait have been handled."""
    timer = qt.QTimer()
    timer.setSingleShot(True)
    timer.setInterval(delay_ms)
    timer.connect("timeout()", call)
    return timer

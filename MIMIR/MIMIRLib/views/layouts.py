"""Slicer layouts for a body: tall views beside chart, table and the networks' input."""

from __future__ import annotations

from typing import Any

import qt
import slicer

from MIMIRLib.scene.slice_layers import CORONAL_VIEW, PROJECTION_VIEW, SAGITTAL_VIEW
from MIMIRLib.translate import tr as _

#: Numbers of the layouts; Slicer's own are below 1000.
BODY_LAYOUT, PROFILE_LAYOUT, FAT_3D_LAYOUT = 5390, 5391, 5392
#: Layout name of the 3D view.
FAT_3D_VIEW = "MIMIR3D"
#: Narrowest slider of a slice view (pixels).
MIN_SLIDER_WIDTH = 30
#: Tag of the chart's widget in a layout.
CHART_TAG = "mimirchart"

#: Views of their own, so that Slicer's own views stay as the user has set them. Each axis of the
#: projection's view means something else than in the body: no other view should move it.
_SLICES = """<view class="vtkMRMLSliceNode" singletontag="{tag}">
 <property name="orientation" action="default">{orientation}</property>
 <property name="viewlabel" action="default">{label}</property>
 <property name="viewcolor" action="default">{colour}</property>
 <property name="viewgroup" action="default">{group}</property>
</view>"""


def _slices(tag: str, orientation: str, colour: str, group: int = 0) -> str:
    label = tag[len("MIMIR")]
    return _SLICES.format(tag=tag, orientation=orientation, label=label, colour=colour, group=group)


_CORONAL = _slices(CORONAL_VIEW, "Coronal", "#6EB04B")
_SAGITTAL = _slices(SAGITTAL_VIEW, "Sagittal", "#EDD54C")
_PROJECTION = _slices(PROJECTION_VIEW, "Axial", "#8A949E", group=BODY_LAYOUT)
_FAT_3D = f"""<view class="vtkMRMLViewNode" singletontag="{FAT_3D_VIEW}">
 <property name="viewlabel" action="default">3D</property>
</view>"""
_PLOT = """<view class="vtkMRMLPlotViewNode" singletontag="PlotView1">
 <property name="viewlabel" action="default">P</property>
</view>"""
_TABLE = """<view class="vtkMRMLTableViewNode" singletontag="TableView1">
 <property name="viewlabel" action="default">T</property>
</view>"""


def _page(view: str) -> str:
    """Return a page of tabs: Slicer would show a view without a frame also on other pages."""
    return f'<layout type="vertical"><item>{view}</item></layout>'


def _body_layout(second: str, widths: tuple[int, int, int]) -> str:
    """Return a layout of the coronal and a second tall view, chart, table and projection."""
    first_width, second_width, third_width = widths
    return f"""<layout type="horizontal" split="true">
 <item splitSize="{first_width}">{_CORONAL}</item>
 <item splitSize="{second_width}">{second}</item>
 <item splitSize="{third_width}"><layout type="vertical" split="true">
  <item splitSize="640"><layout type="tab">
   <item name="{_("Chart")}">{_page(f"<{CHART_TAG}></{CHART_TAG}>")}</item>
   <item name="{_("Table")}">{_page(_TABLE)}</item>
  </layout></item>
  <item splitSize="360">{_PROJECTION}</item>
 </layout></item>
</layout>"""


_PROFILE_LAYOUT = f"""<layout type="horizontal" split="true">
 <item splitSize="500">{_CORONAL}</item>
 <item splitSize="500">{_PLOT}</item>
</layout>"""
#: Title and description of each layout.
LAYOUTS = {
    BODY_LAYOUT: (_("MIMIR"), _body_layout(_SAGITTAL, (310, 220, 470))),
    FAT_3D_LAYOUT: (_("MIMIR with fat in 3D"), _body_layout(_FAT_3D, (250, 300, 450))),
    PROFILE_LAYOUT: (_("MIMIR profile"), _PROFILE_LAYOUT),
}


class Layouts:
    """MIMIR's layouts in Slicer's layout logic and in the menu of layouts.

    Args:
        manager: Slicer's layout manager.
        chart: The widget of the chart.
    """

    def __init__(self, manager: Any, chart: Any) -> None:
        self._manager = manager
        self._is_chosen_once = False
        self._register_chart(chart)
        self._add_to_menu()

    @property
    def current(self) -> int:
        """Number of the layout that Slicer shows."""
        return int(self._manager.layout)

    def choose_once(self) -> None:
        """Show MIMIR's layout for the first result; afterwards the user's choice stays."""
        if not self._is_chosen_once:
            self.choose(BODY_LAYOUT)

    def choose(self, number: int) -> None:
        """Show a layout."""
        self._describe()
        self._is_chosen_once = True
        window = slicer.util.mainWindow()
        size = window.size if window is not None else None
        self._manager.setLayout(number)
        self._make_narrow()
        if size is not None:  # new views are wide until they are made narrow
            slicer.app.processEvents(qt.QEventLoop.ExcludeUserInputEvents)
            window.resize(size)

    def close(self) -> None:
        """Let the layouts find the chart of the next panel instead of this one's."""
        self._factory.setTagName(f"{CHART_TAG}-closed")

    def _register_chart(self, chart: Any) -> None:
        """Let layouts find the chart."""
        self._factory = slicer.qSlicerSingletonViewFactory()
        self._factory.setTagName(CHART_TAG)
        self._factory.setWidget(chart)
        self._manager.registerViewFactory(self._factory)
        self._describe()

    def _describe(self) -> None:
        node = self._manager.layoutLogic().GetLayoutNode()
        for number, (_title, description) in LAYOUTS.items():
            if not node.IsLayoutDescription(number):
                node.AddLayoutDescription(number, description)

    def _make_narrow(self) -> None:
        """Let tall views be narrow: their bars show the slider, not the number beside it."""
        for tag in (CORONAL_VIEW, SAGITTAL_VIEW, PROJECTION_VIEW):
            widget = self._manager.sliceWidget(tag)
            if widget is not None:
                slider = widget.sliceController().sliceOffsetSlider()
                slider.spinBoxVisible = False
                slider.setMinimumWidth(MIN_SLIDER_WIDTH)

    def _add_to_menu(self) -> None:
        """Add the layouts to Slicer's menu, which switches to the number of an action."""
        window = slicer.util.mainWindow()
        menu = slicer.util.findChildren(window, name="LayoutMenu") if window is not None else []
        for one in menu:
            known = [action.data() for action in one.actions()]
            for number, (title, _description) in LAYOUTS.items():
                if number not in known:
                    action = one.addAction(title)
                    action.setData(number)

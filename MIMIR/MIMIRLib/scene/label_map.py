"""Turn a segmentation of the scene into one label map, for the engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import vtk

from MIMIRLib.errors import mimir_error
from MIMIRLib.scene.volume_file import ijk_to_ras, transform_of
from MIMIRLib.scene.volumes import array_of, array_of_image, numpy_matrix
from MIMIRLib.translate import tr as _

#: Largest number of a label, as in the engine.
MAX_LABEL = 65_535
#: Places that differ by less (mm) are the same.
TOLERANCE_MM = 1e-6


@dataclass(frozen=True)
class SceneLabels:
    """A label map.

    Attributes:
        array: ``[slice, row, column]`` in the order of the voxels; 0 is no label. uint16, or the
            type of a label map node; the engine checks its values.
        ras_affine: ``(4, 4)``: ``(column, row, slice, 1)`` to RAS millimetres.
        names: Name of each label by its number; a label may have none.
    """

    array: np.ndarray
    ras_affine: np.ndarray
    names: Mapping[int, str]


def labels_of(node: Any) -> SceneLabels:
    """Return the labels of a segmentation node or a label map node; the node stays as it is.

    They have the grid that they were drawn on, so that nothing is resampled: a segmentation's own
    reference geometry, widened if segments reach beyond it. Segments keep their label values; if
    two have the same, all are numbered from 1 in their order.

    Raises:
        MimirError: ``SEGMENTATION_EMPTY``, ``SEGMENTATION_WITHOUT_GRID``, ``SEGMENTS_OVERLAP``,
            ``VOLUME_TRANSFORMED``.
    """
    is_segmentation = node.IsA("vtkMRMLSegmentationNode")
    labels = _of_segmentation(node) if is_segmentation else _of_label_map(node)
    if not labels.array.any():
        raise _empty(node)
    return labels


def _of_segmentation(node: Any) -> SceneLabels:
    segmentation = _with_label_maps(node)
    numbers = _numbers(segmentation)
    reference = _common_grid(segmentation)
    if min(reference.GetDimensions()) < 1:
        raise _empty(node)
    array = np.zeros(reference.GetDimensions()[::-1], np.uint16)
    for layer, table in _layers(segmentation, reference, numbers):
        numbered = table[layer]
        both = (array > 0) & (numbered > 0)
        if both.any():
            raise _overlap(segmentation, numbers, array[both], numbered[both])
        np.maximum(array, numbered, out=array)
    matrix = transform_of(node) @ _affine(reference)
    matrix[:3, 3] += matrix[:3, :3] @ reference.GetExtent()[::2]  # of the first voxel that it has
    names = {number: segmentation.GetSegment(one).GetName() for one, number in numbers.items()}
    return SceneLabels(array, matrix, names)


def _with_label_maps(node: Any) -> Any:
    """Return a node's segmentation, or a copy whose surfaces were made into label maps."""
    segmentation = node.GetSegmentation()
    if segmentation.GetNumberOfSegments() == 0:
        raise _empty(node)
    if segmentation.ContainsRepresentation(_label_map_kind()):
        return segmentation
    copy = slicer.vtkSegmentation()
    copy.DeepCopy(segmentation)
    if not _has_reference(copy) or not copy.CreateRepresentation(_label_map_kind()):
        raise mimir_error(
            "SEGMENTATION_WITHOUT_GRID",
            _("the segmentation '{name}' has surfaces, but no grid of voxels").format(
                name=node.GetName()
            ),
            _('Create its representation "Binary labelmap" in the module Segmentations.'),
        )
    return copy


def _label_map_kind() -> str:
    """Return Slicer's name of label maps among the representations of a segmentation."""
    kind: str = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    return kind


def _has_reference(segmentation: Any) -> bool:
    """Return whether a segmentation has the grid of the image that it was drawn on."""
    name = slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
    return bool(segmentation.GetConversionParameter(name))


def _numbers(segmentation: Any) -> dict[str, int]:
    """Return the number of each segment by its ID."""
    ids = [segmentation.GetNthSegmentID(n) for n in range(segmentation.GetNumberOfSegments())]
    own = [segmentation.GetSegment(one).GetLabelValue() for one in ids]
    is_usable = len(set(own)) == len(own) and all(0 < value <= MAX_LABEL for value in own)
    return dict(zip(ids, own if is_usable else range(1, len(ids) + 1)))


def _common_grid(segmentation: Any) -> Any:
    """Return the grid of all segments as vtkOrientedImageData without voxels."""
    extent = segmentation.EXTENT_UNION_OF_EFFECTIVE_SEGMENTS_PADDED
    if _has_reference(segmentation):
        extent = segmentation.EXTENT_UNION_OF_EFFECTIVE_SEGMENTS_AND_REFERENCE_GEOMETRY
    grid = slicer.vtkOrientedImageData()
    geometry = segmentation.DetermineCommonLabelmapGeometry(extent, None)
    slicer.vtkSegmentationConverter.DeserializeImageGeometry(geometry, grid, False)
    first = segmentation.GetLayerDataObject(0, _label_map_kind())
    if first is not None and np.allclose(_affine(first), _affine(grid), rtol=0, atol=TOLERANCE_MM):
        first.GetImageToWorldMatrix(matrix := vtk.vtkMatrix4x4())
        grid.SetImageToWorldMatrix(matrix)  # Slicer writes geometries with 16 digits
    return grid


def _affine(image: Any) -> np.ndarray:
    """Return the ``(4, 4)`` affine from the indices of vtkOrientedImageData to its space."""
    image.GetImageToWorldMatrix(matrix := vtk.vtkMatrix4x4())
    return numpy_matrix(matrix)


def _layers(
    segmentation: Any, reference: Any, numbers: Mapping[str, int]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the voxels of each layer on the common grid, and the number of each stored value."""
    resample = slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage
    for place in range(segmentation.GetNumberOfLayers()):
        layer = slicer.vtkOrientedImageData()
        resample(segmentation.GetLayerDataObject(place, _label_map_kind()), reference, layer)
        array = array_of_image(layer)
        table = np.zeros(max(int(array.max(initial=0)), MAX_LABEL) + 1, np.uint16)
        for one in segmentation.GetSegmentIDsForLayer(place, _label_map_kind()):
            table[segmentation.GetSegment(one).GetLabelValue()] = numbers[one]
        yield array, table


def _of_label_map(node: Any) -> SceneLabels:
    matrix = ijk_to_ras(node)
    if node.GetImageData() is None:
        raise _empty(node)
    return SceneLabels(array_of(node), matrix, dict(_colour_names(node)))


def _colour_names(node: Any) -> Iterator[tuple[int, str]]:
    """Yield number and name of labels that a colour table of the user's own names.

    Slicer's own tables, which label maps have by default, know nothing of anybody's labels.
    """
    display = node.GetDisplayNode()
    colours = display.GetColorNode() if display is not None else None
    if colours is None or colours.GetSingletonTag():
        return
    for number in range(1, min(colours.GetNumberOfColors(), MAX_LABEL + 1)):
        name = colours.GetColorName(number) or ""
        if name not in ("", colours.GetNoName()):
            yield number, name


def _empty(node: Any) -> Exception:
    return mimir_error(
        "SEGMENTATION_EMPTY",
        _("the segmentation '{name}' has no segment with voxels").format(name=node.GetName()),
        _("Draw one in the module Segment Editor, or choose another segmentation."),
    )


def _overlap(segmentation: Any, numbers: Mapping[str, int], one: Any, other: Any) -> Exception:
    """Return the error about voxels that two segments share, given both numbers of each."""
    names = {number: segmentation.GetSegment(key).GetName() for key, number in numbers.items()}
    return mimir_error(
        "SEGMENTS_OVERLAP",
        _(
            "the segments '{one}' and '{other}' share voxels ({count} voxels are in two segments)"
        ).format(one=names[int(one[0])], other=names[int(other[0])], count=one.size),
        _("Put them into two segmentations, and measure one after the other."),
    )

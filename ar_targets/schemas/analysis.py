"""The parameters of an analysis."""

from .body import Boolean, Field
from .query import Query


class HeatmapQuery(Query):
    """``overlay``: whether the heatmap is drawn over the picture."""

    overlay = Field(Boolean(), missing=False)

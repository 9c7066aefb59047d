"""Metrics: what one is, those built in, how to evaluate and to add some. Knows arrays, nothing of simulations."""

from ratemlx.metrics.arrays import namespace
from ratemlx.metrics.base import Metric, Output, metric
from ratemlx.metrics.evaluate import Column, Evaluation, check, columns, evaluate
from ratemlx.metrics.recording import Recording, Statistics
from ratemlx.metrics.registry import MetricRegistry, default_registry, select

__all__ = [
    "Column",
    "Evaluation",
    "Metric",
    "MetricRegistry",
    "Output",
    "Recording",
    "Statistics",
    "check",
    "columns",
    "default_registry",
    "evaluate",
    "metric",
    "namespace",
    "select",
]

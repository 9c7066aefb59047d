"""Fitness: how well instances resemble a reference, and which are the best. Knows arrays, nothing of simulations."""

from ratemlx.fitness.evaluate import Fitness, prepare
from ratemlx.fitness.ranking import Best, merge, rank
from ratemlx.fitness.settings import FitnessSettings, parse_terms

__all__ = ["Best", "Fitness", "FitnessSettings", "merge", "parse_terms", "prepare", "rank"]

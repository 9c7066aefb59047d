"""Measuring speed: a model's kernel, and tvb-library's class of the same model beside it. Prints nothing."""

"""From a folder of results to things to look at: a page in one HTML file, and static figures.

Reads what a run left behind; simulates nothing and evaluates no metric.
"""

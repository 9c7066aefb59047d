"""Running on clusters: what hardware offers, what a sweep costs there, and scripts for batch systems."""

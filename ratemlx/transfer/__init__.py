"""Transfer functions: what one is, those built in, and how to add one. Knows nothing of models, XML or kernels."""

"""The checked model and how it is built: expressions, units, names, and the model itself."""

"""How large a model file may be. Generous for models, small for attacks.

The largest shipped model is a hundred times below each of these.
"""

FILE_BYTES = 4 * 1024 * 1024
DEPTH = 32
ELEMENTS = 20_000
ATTRIBUTES_OF_ELEMENT = 64
ATTRIBUTE_LENGTH = 65_536
NAME_LENGTH = 64

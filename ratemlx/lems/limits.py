"""How large a model file may be, and how many faults are looked for. Generous for models, small for attacks.

The largest shipped model has 15 kB and 90 elements.
"""

FILE_BYTES = 1024 * 1024
DEPTH = 32
ELEMENTS = 5_000
ATTRIBUTES = 20_000
ATTRIBUTES_OF_ELEMENT = 32
ATTRIBUTE_LENGTH = 16_384
NAME_LENGTH = 64
LIST_LENGTH = 256
NESTED_POWERS = 8
FAULTS = 200
CORRECTIONS = 200
OPTIONS_COMPARED = 200

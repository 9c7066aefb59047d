"""Colour maps that are perceptually uniform, as constants, so that a page needs no library to draw.

`VIRIDIS` is the map of that name by S. van der Walt and N. Smith (2015, CC0, as part of matplotlib), every
eighth of its colours; `COOLWARM` is the diverging map of K. Moreland (2009, Diverging color maps for scientific
visualization, ISVC), as matplotlib has it. Maps are linear between these colours, which is right to 5 of 255.
"""

from __future__ import annotations

VIRIDIS = (
    "440154 470d60 48186a 482374 472d7b 453781 424086 3e4989 3b528b 375b8d 33638d "
    "2f6b8e 2c728e 297a8e 26828e 23898e 21918c 1f988b 1fa088 22a785 28ae80 32b67a "
    "3fbc73 4ec36b 5ec962 70cf57 84d44b 98d83e addc30 c2df23 d8e219 ece51b fde725"
)
COOLWARM = (
    "3b4cc0 445acc 4e68d8 5875e1 6282ea 6c8ff1 779af7 82a6fb 8db0fe 98b9ff a3c2fe "
    "aec9fc b9d0f9 c3d5f4 ccd9ed d5dbe5 dddcdc e5d8d1 ecd3c5 f1ccb8 f5c4ac f7ba9f "
    "f7b093 f6a586 f4987a f08b6e eb7d62 e46e56 dd5f4b d44e41 ca3b37 be242e b40426"
)

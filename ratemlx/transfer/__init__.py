"""Transfer functions: what one is, those built in, and how to add one. Knows nothing of models, XML or kernels."""

from ratemlx.transfer.base import Argument, Coefficient, TransferFunction
from ratemlx.transfer.decorator import transfer_function

__all__ = ["Argument", "Coefficient", "TransferFunction", "transfer_function"]

"""What each system delivers of a day, one module per domain.

What belongs here: functions of (world, day, source) that return frames in the contract's terms; importing the package
registers all of them in `frames.EMITTERS`. What does not: files and their formats (`pipelines.simulation.delivery`).
"""

from importlib import import_module
from pkgutil import iter_modules

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

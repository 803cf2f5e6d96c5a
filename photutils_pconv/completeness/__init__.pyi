# Written by tools/write_stubs.py from the file __init__.py beside it.

from .corrections import correct_errors as correct_errors
from .measuring import measure_completeness as measure_completeness
from .results import Completeness as Completeness
from .settings import InjectionSettings as InjectionSettings

__all__ = [
    'Completeness',
    'InjectionSettings',
    'correct_errors',
    'measure_completeness',
]

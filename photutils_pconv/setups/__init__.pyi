# Written by tools/write_stubs.py from the file __init__.py beside it.

from .headers import SetupChoice as SetupChoice
from .headers import check_setup as check_setup
from .headers import find_setup as find_setup
from .registry import get_setup as get_setup
from .registry import list_setups as list_setups
from .registry import register_setup as register_setup
from .registry import unregister_setup as unregister_setup
from .setup import ObservingSetup as ObservingSetup

__all__ = [
    'ObservingSetup',
    'SetupChoice',
    'check_setup',
    'find_setup',
    'get_setup',
    'list_setups',
    'register_setup',
    'unregister_setup',
]

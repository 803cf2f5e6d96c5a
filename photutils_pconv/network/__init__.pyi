# Written by tools/write_stubs.py from the file __init__.py beside it.

from .card import ModelCard as ModelCard
from .card import package_versions as package_versions
from .conversion import convert_reference_checkpoint as convert_reference_checkpoint
from .conversion import write_converted_checkpoint as write_converted_checkpoint
from .devices import has_bfloat16 as has_bfloat16
from .filled import FilledUNet as FilledUNet
from .registry import list_models as list_models
from .registry import read_card as read_card
from .running import RunOptions as RunOptions
from .running import make_predictor as make_predictor
from .unet import PConvUNet as PConvUNet
from .weights import LoadedModel as LoadedModel
from .weights import load_model as load_model
from .weights import save_model as save_model

__all__ = [
    'FilledUNet',
    'LoadedModel',
    'ModelCard',
    'PConvUNet',
    'RunOptions',
    'convert_reference_checkpoint',
    'has_bfloat16',
    'list_models',
    'load_model',
    'make_predictor',
    'package_versions',
    'read_card',
    'save_model',
    'write_converted_checkpoint',
]

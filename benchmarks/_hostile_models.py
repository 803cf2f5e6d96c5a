# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Hostile cases: weights files and model cards.
"""

import json
import pickle
import struct
from functools import partial
from pathlib import Path

import numpy as np
from _hostile_case import REFUSED, RIGHT, add
from _hostile_scene import METHODS, check_removal, make_data, make_remover

from photutils_pconv.network import load_model, save_model

_HEADER_LENGTH = 8


def _parts(method):
    """Split the bundled weights file into header and tensors."""
    content = Path(make_remover(method).model.path).read_bytes()
    size = struct.unpack('<Q', content[:_HEADER_LENGTH])[0]
    header = json.loads(content[_HEADER_LENGTH : _HEADER_LENGTH + size])
    return header, content[_HEADER_LENGTH + size :]


def _join(header, tensors):
    text = json.dumps(header).encode()
    return struct.pack('<Q', len(text)) + text + tensors


def _use(context, method, content):
    path = context.folder / 'model.safetensors'
    path.write_bytes(content)
    context.start()
    check_removal(context, method, make_data(), options={'model': path}, rtol=0.0)


def _check_bytes(context, *, method, change):
    _use(context, method, change(Path(make_remover(method).model.path).read_bytes()))


def _flip(place):
    def change(content):
        content = bytearray(content)
        content[int(place * (len(content) - 1))] ^= 0x10
        return bytes(content)

    return change


_BYTES = {
    'empty': lambda content: b'',
    'eight zeros': lambda content: bytes(8),
    'a huge header': lambda content: struct.pack('<Q', 2**62) + content[8:],
    'words': lambda content: b'no model at all ' * 50,
    'a pickle': lambda content: pickle.dumps({'state_dict': [1.0, 2.0]}),
    'a zip': lambda content: b'PK\x03\x04' + bytes(500),
    'HTML': lambda content: b'<!DOCTYPE html><html><body>404</body></html>',
    'a pointer of LFS': lambda content: (
        b'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n'
    ),
    'twice itself': lambda content: content + content,
    'one byte more': lambda content: content + b'\0',
    **{
        f'cut at {share:.0%}': partial(
            lambda content, share: content[: int(share * len(content))], share=share
        )
        for share in (0.001, 0.01, 0.1, 0.5, 0.9, 0.9999)
    },
    **{
        f'a bit flipped at {place:.1%}': _flip(place)
        for place in (0.0, 0.002, 0.01, 0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
    },
}
for _method in METHODS:
    for _name, _change in _BYTES.items():
        add(
            'models',
            f'{_method} {_name}',
            partial(_check_bytes, method=_method, change=_change),
            accept=(REFUSED,),
            says='safetensors|card|checksum|tensor|checkpoint|model',
            quick=_method == 'inpaint' and _name in ('empty', 'a pickle', 'cut at 50%'),
        )


def _check_card(context, *, method, change):
    """A card that was changed, its checksum too: somebody wrote it so."""
    from dataclasses import replace

    loaded = load_model(make_remover(method).model.path, cache=False)
    values = loaded.card.to_dict()
    change(values)
    # The package itself must take the values: else they are refused here.
    card = type(loaded.card).from_dict(values)
    path = context.folder / 'model.safetensors'
    save_model(path, loaded.network, replace(card, checksum=''))
    context.start()
    check_removal(context, method, make_data(), options={'model': path}, rtol=1e-4)


def _set(*keys, value):
    def change(values):
        for key in keys[:-1]:
            values = values[key]
        values[keys[-1]] = value

    return change


_CARDS = {
    'name empty': _set('name', value=''),
    'name a number': _set('name', value=5),
    'name a path': _set('name', value='../x'),
    'created yesterday': _set('created', value='yesterday'),
    'kind unknown': _set('kind', value='magic'),
    'kind a list': _set('kind', value=[]),
    'class unknown': _set('architecture', 'class', value='ResNet'),
    'class a list': _set('architecture', 'class', value=[]),
    'width of 0': _set('architecture', 'width', value=0),
    'width of 1e9': _set('architecture', 'width', value=10**9),
    'width text': _set('architecture', 'width', value='8'),
    'width NaN': _set('architecture', 'width', value=float('nan')),
    'in_channels of 7': _set('architecture', 'in_channels', value=7),
    'architecture empty': _set('architecture', value={}),
    'architecture a list': _set('architecture', value=[]),
    'architecture None': _set('architecture', value=None),
    'normalisation unknown': _set('normalisation', 'name', value='z-score'),
    'normalisation empty': _set('normalisation', value={}),
    'normalisation None': _set('normalisation', value=None),
    'normalisation text': _set('normalisation', 'wings', value='no'),
    'normalisation of an unknown key': _set('normalisation', 'foo', value=0),
    'cutout of 0': _set('cutout_size', value=0),
    'cutout of 33': _set('cutout_size', value=33),
    'cutout of 10**4 blocks': _set('cutout_size', value=320000),
    'cutout of 2 * 10**4 blocks': _set('cutout_size', value=640000),
    'cutout negative': _set('cutout_size', value=-96),
    'cutout text': _set('cutout_size', value='96'),
    'cutout None': _set('cutout_size', value=None),
    'images of another kind': _set('images', value=['a', 'b']),
    'images text': _set('images', value='data'),
    'unknown field': _set('colour', value='red'),
    'setups a number': _set('setups', value=5),
    'checksum of words': _set('checksum', value='abc'),
}
for _method in METHODS:
    for _name, _change in _CARDS.items():
        add(
            'models',
            f'{_method} card: {_name}',
            partial(_check_card, method=_method, change=_change),
            accept=(RIGHT, REFUSED)
            if _name in ('unknown field', 'setups a number')
            else (REFUSED,),
            says='.',
            quick=_method == 'inpaint'
            and _name in ('width of 0', 'cutout of 10**4 blocks', 'normalisation text'),
        )
    for _number in ('block', 'blocks', 'turns'):
        add(
            'models',
            f'{_method} card: {_number} of 10**6',
            partial(
                _check_card,
                method=_method,
                change=_set('architecture', _number, value=10**6),
            ),
            accept=(REFUSED,),
            says='.',
        )


def _check_weights(context, *, method, value, how):
    """Weights that are not finite, in memory or in a file."""
    import torch

    loaded = load_model(make_remover(method).model.path, cache=False)
    with torch.no_grad():
        next(loaded.network.parameters()).view(-1)[0] = value
    model = loaded
    if how == 'file':
        model = context.folder / 'model.safetensors'
        save_model(model, loaded.network, loaded.card)
    elif how == 'edited file':
        header, tensors = _parts(method)
        name = next(key for key in header if key != '__metadata__')
        start = header[name]['data_offsets'][0]
        kind = {'F16': np.float16, 'F32': np.float32}[header[name]['dtype']]
        bad = np.array(value, dtype=kind).tobytes()
        tensors = tensors[:start] + bad + tensors[start + len(bad) :]
        return _use(context, method, _join(header, tensors))
    context.start()
    return check_removal(context, method, make_data(), options={'model': model})


for _method in METHODS:
    for _value in (np.nan, np.inf):
        for _how in ('memory', 'file', 'edited file'):
            add(
                'models',
                f'{_method} weights of {_value} in a {_how}',
                partial(_check_weights, method=_method, value=_value, how=_how),
                accept=(REFUSED,),
                says='NaN|finite|infinit|checksum',
                quick=_method == 'inpaint' and _value != _value,
            )


def _check_header(context, *, method, change):
    header, tensors = _parts(method)
    change(header)
    _use(context, method, _join(header, tensors))


def _drop_tensor(header):
    del header[next(key for key in header if key != '__metadata__')]


def _rename_tensor(header):
    key = next(key for key in header if key != '__metadata__')
    header['other.' + key] = header.pop(key)


def _card_of(value):
    def change(header):
        key = next(iter(header['__metadata__']))
        header['__metadata__'][key] = value

    return change


for _method in METHODS:
    for _name, _change in {
        'no metadata': lambda header: header.pop('__metadata__'),
        'empty metadata': lambda header: header.update(__metadata__={}),
        'a tensor less': _drop_tensor,
        'a tensor renamed': _rename_tensor,
        'card of words': _card_of('card'),
        'card empty': _card_of(''),
        'card a list': _card_of('[]'),
        'card null': _card_of('null'),
        'card {}': _card_of('{}'),
        'card deep': _card_of('[' * 10000 + ']' * 10000),
        'card of a number': _card_of('1e999'),
    }.items():
        add(
            'models',
            f'{_method} header: {_name}',
            partial(_check_header, method=_method, change=_change),
            accept=(REFUSED,),
            says='safetensors|card|tensor|checksum',
            quick=_method == 'inpaint' and _name in ('no metadata', 'card deep'),
        )


def _check_other(context, *, method, model):
    check_removal(context, method, make_data(), options={'model': model})


for _method, _model in {'inpaint': 'psf', 'psf': 'pacs'}.items():
    add(
        'models',
        f'{_method} with the bundled model {_model}',
        partial(_check_other, method=_method, model=_model),
        accept=(REFUSED,),
        says='model',
        quick=True,
    )

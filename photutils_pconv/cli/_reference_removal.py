# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
From an evaluation by the paper authors' program to a removal by this package.
"""

import shlex
from dataclasses import dataclass
from pathlib import Path

from photutils_pconv.cli._reference_keys import KeyNote

__all__ = ['Migration', 'migrate_evaluation']

# The side of the cutouts of the authors' network, in pixels.
_THEIR_SIDE = 96


@dataclass(frozen=True)
class Migration:
    """
    What a configuration of the authors' program is in this package.

    Parameters
    ----------
    title : str
        What the configuration describes.

    commands : tuple of tuple of str
        The commands, in their order, each as its arguments.

    python : str
        The same in Python.

    advice : str
        What is better still.

    keys : tuple of `KeyNote`
        What became of each key.

    toml : str, optional
        The configuration of a training; '' for none.
    """

    title: str
    commands: tuple[tuple[str, ...], ...]
    python: str
    advice: str
    keys: tuple[KeyNote, ...]
    toml: str = ''


def migrate_evaluation(keys):
    """
    Say what an evaluation becomes.

    Parameters
    ----------
    keys : `ReferenceKeys`
        The configuration.

    Returns
    -------
    migration : `Migration`
        The commands and the Python of the same removal.

    Raises
    ------
    TypeError, ValueError
        If a value is missing or not accepted.
    """
    from photutils_pconv.setups.registry import get_setup

    mode, band = (_require(keys, f'observing_parameters.{name}') for name in _OBSERVING)
    setup = get_setup(mode, band)
    for name, value in zip(_OBSERVING, (mode, band), strict=True):
        keys.take(f'observing_parameters.{name}', f'--{_OBSERVING[name]} {value}')
    folder = _require(keys, 'data.test_data_dir')
    keys.take('data.test_data_dir', f'--many {folder}: its maps and their lists')
    output = keys.get('experiment', str, 'output')
    keys.take('experiment', f'-o {output}')

    options = {'method': 'inpaint'}
    weights = _take_model(keys)
    commands, conversion = [], ''
    if weights is not None:
        name = Path(weights).stem
        model = f'{name}.safetensors'
        commands.append(('models', '--convert', weights, model, '--mode', mode))
        conversion = (
            'from photutils_pconv.network import write_converted_checkpoint\n\n'
            f'write_converted_checkpoint({weights!r}, {model!r}, name={name!r}, '
            f'mode={mode!r})\n'
        )
        options['model'] = model
        keys.take('model.weights_path', f'converted once, then --model {model}')
    if keys.get('center_refinement', bool, False):
        options['recenter'] = True
    keys.take(
        'center_refinement',
        '--recenter: the centroid of a quadratic polynomial'
        if 'recenter' in options
        else 'positions are used as they are given, the default',
    )
    _take_apertures(keys, options, setup, folder)
    _take_rest(keys)

    shared = ('--many', folder, '--mode', mode, '--band', band)
    commands.append(('remove', *shared, *_to_arguments(options), '-o', output))
    better = {
        name: value
        for name, value in options.items()
        if name not in ('method', 'model', 'aperture_corrections')
    }
    advice = ('remove', *shared, *_to_arguments(better), '-o', f'{output}-psf')
    return Migration(
        title="an evaluation: the paper's network removes the sources of a folder",
        commands=tuple(commands),
        python=conversion + _write_python(mode, band, options, folder, output),
        advice='The default method of this package subtracts the PSF first, and its '
        f'fluxes scatter less:\n\n    photutils-pconv {shlex.join(advice)}',
        keys=keys.list_notes(),
    )


# The authors' names of the two, and ours.
_OBSERVING = {'observing_mode': 'mode', 'band': 'band'}


def _require(keys, key):
    value = keys.get(key, str)
    if not value:
        msg = f'the configuration has no {key}, which the removal needs'
        raise ValueError(msg)
    return value


def _take_model(keys):
    """Note what describes the network; return the path of its weights."""
    name = keys.get('model.name', str, 'PConvUNet')
    if name == 'PConvUNet':
        keys.take('model.name', 'the class of the same name, which the file names')
        for one in ('input_channels', 'output_channels'):
            keys.take(f'model.{one}', 'the file of the model has it')
        return keys.get('model.weights_path', str)
    for one in ('name', 'input_channels', 'output_channels', 'weights_path'):
        keys.leave(
            f'model.{one}',
            f"{name} is a network of your own: only the authors' PConvUNet can be "
            'converted, and the bundled model pacs takes its place',
        )
    return None


def _take_apertures(keys, options, setup, folder):
    """Note what describes the photometry."""
    radii = keys.get('data.aperture_sizes', list)
    if radii:
        options['aperture_radii'] = radii
        shown = ' '.join(f'{radius:g}' for radius in radii)
        keys.take('data.aperture_sizes', f'--aperture-radii {shown} (arcsec)')
    mode = keys.get('mode', str, 'real_data')
    if mode not in ('real_data', 'simulation'):
        msg = f"mode must be 'real_data' or 'simulation', got {mode!r}"
        raise ValueError(msg)
    compare = (
        'the true fluxes are those of the lists; photutils-pconv evaluate --maps '
        f'{folder} compares them with the measured ones'
    )
    if mode == 'real_data':
        keys.take('mode', 'the encircled energies of real maps, the default')
        compare = 'not used with mode real_data'
    elif 'simulation' in setup.encircled_energy:
        options['aperture_corrections'] = 'simulation'
        keys.take('mode', '--aperture-corrections simulation')
    else:
        keys.leave(
            'mode',
            f'the published table for simulations of {setup.name} repeats that for '
            'real maps and is not offered: give the encircled energies of the PSF that '
            'was injected (--aperture-corrections FILE)',
        )
    keys.leave('data.original_maps_path', compare)


def _take_rest(keys):
    """Note what is always so, or has no part in the result."""
    kind = keys.get('data.mask_type', str, 'snr_mask')
    if kind == 'snr_mask':
        keys.take('data.mask_type', 'holes by signal-to-noise ratio, always')
    else:
        keys.leave(
            'data.mask_type',
            f'holes follow the signal-to-noise ratio (snr_mask), not {kind}; a setup '
            'of your own may have other hole_radii',
        )
    side = keys.get('data.input_size', list, [_THEIR_SIDE] * 2)
    if side == [_THEIR_SIDE] * 2:
        keys.take('data.input_size', 'the file of the model has it')
    else:
        keys.leave('data.input_size', "the authors' network has 96 x 96 pixels")
    for name in ('batch_size', 'num_workers'):
        keys.leave(
            f'dataloader.{name}',
            'has no part in the result; --workers is the number of maps at once',
        )
    keys.take(
        'evaluation_functionalities',
        'both are always written: cleaned.fits and photometry.ecsv of each map',
    )


def _to_arguments(options):
    """Turn keywords into arguments of the command line."""
    arguments = []
    for name, value in options.items():
        arguments.append(f'--{name.replace("_", "-")}')
        if isinstance(value, list):
            arguments += [f'{one:g}' for one in value]
        elif value is not True:
            arguments.append(value)
    return arguments


def _write_python(mode, band, options, folder, output):
    """Write the removal in Python."""
    keywords = ''.join(f'    {name}={value!r},\n' for name, value in options.items())
    return f"""from pathlib import Path

from photutils_pconv import NeuralSourceRemover

remover = NeuralSourceRemover(
    mode={mode!r},
    band={band!r},
{keywords})
for path in sorted(Path({folder!r}).glob('*.fits')):
    result = remover(path, path.with_suffix('.csv'))
    result.write(Path({output!r}) / path.stem)
"""

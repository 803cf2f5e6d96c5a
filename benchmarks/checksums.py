# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Checksums of what the package puts out, to show that a change kept it.

Before a change that is to keep all results, and after it::

    python benchmarks/checksums.py -o before.json
    python benchmarks/checksums.py --compare before.json

Each row is the SHA-256 of the arrays of one output: cleaned maps and tables
of every setup by every method, on and off the setup's pixel scale, the
background classes, and batches of training cutouts. Floating-point sums
depend on the machine and on the number of threads, so both runs belong on
one machine; torch and BLAS are held to one thread.
"""

import argparse
import hashlib
import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.nddata import StdDevUncertainty
from astropy.utils.exceptions import AstropyUserWarning
from threadpoolctl import threadpool_limits

from photutils_pconv import (
    NeuralSourceRemover,
    PConvBackground,
    get_setup,
    list_setups,
)
from photutils_pconv.background import PConvLocalBackground
from photutils_pconv.datasets import load_demo
from photutils_pconv.simulation import (
    CutoutSampler,
    ResidualConfig,
    ResidualSampler,
    SamplerConfig,
    simulate_field,
    simulate_sources,
)

SEED = 20261128
#: The side of the simulated maps, in native pixels.
SIZE = 200
N_SOURCES = 24
#: The pixels of the maps that are off the native scale, in native pixels.
FACTOR = 1.25
#: What a method is called, and the arguments that ask for it.
METHODS = {
    'inpaint': {'method': 'inpaint'},
    'inpaint_local': {'method': 'inpaint', 'error_method': 'local'},
    'inpaint_wings': {
        'method': 'inpaint',
        'subtract_wings': True,
        'error_method': 'card',
    },
    'inpaint_psf': {
        'method': 'inpaint',
        'psf': 'setup',
        'aperture_radii': [5.0, 8.0],
    },
    'inpaint_draw': {'method': 'inpaint', 'fill': 'draw', 'recenter': True},
    'psf': {},
    'psf_mean': {'fill': 'mean', 'error_method': 'card'},
    'psf_draw': {'fill': 'draw'},
}


def hash_arrays(*arrays):
    """
    Hash arrays by dtype, shape and bytes.
    """
    digest = hashlib.sha256()
    for array in arrays:
        array = np.ascontiguousarray(array)
        digest.update(f'{array.dtype.str}{array.shape}'.encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def hash_result(result):
    """
    Hash the arrays of a removal: cleaned map, sources, holes and table.
    """
    rows = {
        'cleaned': hash_arrays(result.cleaned.data),
        'sources': hash_arrays(result.sources.data),
        'holes': hash_arrays(result.holes),
    }
    if result.cleaned.uncertainty is not None:
        rows['uncertainty'] = hash_arrays(result.cleaned.uncertainty.array)
    table = result.photometry
    columns = [name for name in table.colnames if name != 'sky_center']
    rows['columns'] = hashlib.sha256(' '.join(columns).encode()).hexdigest()
    rows['table'] = hash_arrays(
        *(np.asarray(getattr(table[name], 'value', table[name])) for name in columns)
    )
    return rows


def make_map(setup, *, size=SIZE, fluxes=(20.0, 20000.0), separation=15.0):
    """
    Simulate a map with sources, some of them at an edge or off the map.
    """
    rng = np.random.default_rng([SEED, list_setups(instrument='PACS').index(setup)])
    field = simulate_field(setup, rng=rng, shape=(size, size))
    ccd, table = simulate_sources(
        field.image,
        get_setup(setup=setup),
        fluxes,
        rng=rng,
        n_sources=N_SOURCES,
        separation=separation,
    )
    x, y = ccd.wcs.world_to_pixel(SkyCoord(table['ra'], table['dec']))
    x = np.concatenate([x, [3.2, 60.4, -50.0]])
    y = np.concatenate([y, [100.1, 2.7, 20.0]])
    ccd.uncertainty = StdDevUncertainty(np.full(ccd.shape, 3.0e-4))
    return ccd, np.stack([x, y], axis=1)


def change_scale(ccd, factor):
    """
    Give a map pixels that are off the setup's native scale.
    """
    ccd = ccd.copy()
    ccd.wcs = ccd.wcs.deepcopy()
    ccd.wcs.wcs.cdelt *= factor
    return ccd


def background_rows(setup, ccd, positions):
    """
    Hash what the background classes give.
    """
    options = {'setup': setup, 'fill_value': 0.0}
    background = PConvBackground(ccd, positions, **options)
    found = PConvBackground(ccd, **options)
    local = PConvLocalBackground(setup=setup, radius=4.0)
    inside = positions[:-1]
    values = local(np.asarray(ccd.data), inside[:, 0], inside[:, 1])
    return {
        'background': hash_arrays(np.asarray(background.background)),
        'background_rms': hash_arrays(np.asarray(background.background_rms)),
        'found': hash_arrays(
            np.asarray(found.background), np.asarray(found.background_rms)
        ),
        'local': hash_arrays(np.asarray(values)),
    }


def batch_rows():
    """
    Hash batches of training cutouts, of both kinds.
    """
    setups = [get_setup(setup=name) for name in list_setups(instrument='PACS')]
    small = {'n_fields': 12, 'n_noise': 3, 'n_stamps': 12, 'field_size': 128}
    masked = CutoutSampler(
        setups,
        config=SamplerConfig(
            **small,
            size=64,
            all_emission=True,
            all_psfs=True,
            width=0.02,
            far_position=0.15,
            any_radius=0.05,
            empty=0.08,
        ),
        normalisation={'name': 'robust', 'wings': True, 'kriging': True},
        seed=SEED,
    ).batch(16, [SEED, 1])
    plain = CutoutSampler(
        setups[:1],
        config=SamplerConfig(**small),
        normalisation={'name': 'minmax'},
        seed=SEED,
    ).batch(16, [SEED, 2])
    residual = ResidualSampler(
        setups, config=ResidualConfig(**small, size=64, n_angles=3), seed=SEED
    ).batch(16, [SEED, 3])
    return {
        'masked': hash_arrays(
            masked.image, masked.target, masked.validity, masked.missing, masked.hole
        ),
        'masked/plain': hash_arrays(plain.image, plain.target, plain.validity),
        'residual': hash_arrays(
            residual.image, residual.target, residual.validity, residual.weight
        ),
    }


def make_rows(setups):
    """
    Run everything, and give the checksums by name.
    """
    rows = {}

    def add(prefix, more):
        rows.update({f'{prefix}/{name}': value for name, value in more.items()})

    for setup in setups:
        start = time.time()
        ccd, positions = make_map(setup)
        maps = {'native': ccd, 'resampled': change_scale(ccd, FACTOR)}
        for scale, image in maps.items():
            for method, options in METHODS.items():
                remover = NeuralSourceRemover(setup=setup, **options)
                result = remover(image, positions)
                add(f'{setup}/{scale}/{method}', hash_result(result))
            add(f'{setup}/{scale}', background_rows(setup, image, positions))
        print(f'{setup}: {time.time() - start:.0f} s', file=sys.stderr, flush=True)
    ccd, truth = load_demo()
    result = NeuralSourceRemover(mode='scanmap', band='green')(ccd, truth)
    add('demo', hash_result(result))
    ccd, positions = make_map(
        'scanmap/green', size=512, fluxes=(3.0e3, 3.0e4), separation=70.0
    )
    remover = NeuralSourceRemover(setup='scanmap/green', psf='empirical', method='psf')
    add('empirical', hash_result(remover(ccd, positions)))
    add('batch', batch_rows())
    return rows


def main():
    """
    Run the script.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('-o', '--output', type=Path, help='where to write the rows')
    parser.add_argument('--compare', type=Path, help='rows to compare with')
    parser.add_argument('--quick', action='store_true', help='one setup only')
    args = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    setups = (
        list_setups(instrument='PACS')[:1]
        if args.quick
        else list_setups(instrument='PACS')
    )
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter('ignore', AstropyUserWarning)
        rows = make_rows(setups)
    if args.output:
        args.output.write_text(json.dumps(rows, indent=1) + '\n')
    print(f'{len(rows)} checksums, together {hash_rows(rows)[:16]}')
    if args.compare:
        before = json.loads(args.compare.read_text())
        changed = [name for name in rows if rows[name] != before.get(name)]
        print(f'{len(rows) - len(changed)} equal, {len(changed)} changed')
        print('\n'.join(changed))
        sys.exit(bool(changed))


def hash_rows(rows):
    """
    Hash all checksums together.
    """
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


if __name__ == '__main__':
    main()

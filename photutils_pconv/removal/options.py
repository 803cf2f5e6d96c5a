# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The keywords of a removal as options of a command line and of lists of maps.
"""

from photutils_pconv.network.devices import PRECISIONS
from photutils_pconv.network.running import RunOptions
from photutils_pconv.photometry.upper_limits import (
    DETECTION_THRESHOLD,
    LIMIT_PROBABILITY,
)
from photutils_pconv.removal.methods import FILLS, METHODS
from photutils_pconv.removal.settings import ERROR_METHODS

__all__ = ['removal_options']


def _about(text, *, default=None, kind=str, choices=None, many=False):
    """
    Describe a keyword. What is looked up where the user says nothing has no default.
    """
    return {
        'help': text,
        'default': default,
        'kind': kind,
        'choices': choices,
        'many': many,
    }


# What users set of `RemovalSettings`, in its order, and of `RunOptions` in its own.
_OPTIONS = {
    'setup': _about(
        "a setup's name, such as scanmap/green, or its file, instead of mode and "
        'band (default: with a PSF, the setup is made from it)'
    ),
    'model': _about(
        "a bundled model's name or a weights file (default: the bundled model "
        'for the method)'
    ),
    'psf': _about(
        "the PSF: 'setup' for the setup's, 'empirical' for one built from the "
        "map, another setup's name, or a FITS file (default: the setup's; "
        'none with --method inpaint)'
    ),
    'method': _about(
        "'psf' subtracts the PSF and looks under it; 'inpaint' does not look "
        "into the holes, as in the paper; 'auto' is 'psf' where a PSF is known",
        default='auto',
        choices=METHODS,
    ),
    'aperture_radii': _about(
        "aperture radii in arcsec (default: the setup's)", kind=float, many=True
    ),
    'aperture_corrections': _about(
        "encircled energies: 'real', 'simulation', or a table with the columns "
        "radius (arcsec) and eef (default: the PSF's own; 'real' without a PSF)"
    ),
    'recenter': _about(
        'move the positions to the centroids of the sources first',
        default=False,
        kind=bool,
    ),
    'fit_positions': _about(
        'fit the positions of bright sources, with a PSF', default=True, kind=bool
    ),
    'fit_psf_shape': _about(
        "fit the PSF's angle and width to bright sources",
        default=True,
        kind=bool,
    ),
    'fit_sizes': _about(
        'fit the sizes of all sources, from that of the PSF to three times it',
        default=False,
        kind=bool,
    ),
    'error_method': _about(
        "what flux errors are taken from: empty apertures on the map, the model's "
        "card, or the local scatter without the reconstruction's error",
        default='empty_apertures',
        choices=ERROR_METHODS,
    ),
    'detection_threshold': _about(
        'signal-to-noise ratio (column detection_snr) below which a source has '
        'an upper limit of its flux',
        default=DETECTION_THRESHOLD,
        kind=float,
    ),
    'upper_limit_probability': _about(
        'probability with which the flux is below its upper limit',
        default=LIMIT_PROBABILITY,
        kind=float,
    ),
    'colour_correction': _about(
        "the spectrum that fluxes are corrected for: 'star', a temperature ('30 "
        "K'), a temperature and the slope of the emissivity ('20 K, 1.8'), or a "
        "slope of F_nu ('-1') (default: no correction)"
    ),
    'calibration_error': _about(
        "relative error of the map's calibration that is added to the errors of "
        "fluxes, or 'setup' for the instrument's (default: none)"
    ),
    'subtract_wings': _about(
        'subtract the wings of sources beyond their holes, too',
        default=False,
        kind=bool,
    ),
    'fill': _about(
        "what the cleaned map holds where sources were: 'observed', the map less "
        'the source wherever that is better known than the reconstruction; '
        "'mean', the reconstruction; 'draw', 'observed' with a random draw of "
        "what is not known (default: 'observed' with a PSF, else 'mean')",
        choices=FILLS,
    ),
    'draw_seed': _about("seed of fill='draw'", default=0, kind=int),
    'resample': _about(
        "resample a map that is off the setup's pixel scale",
        default=True,
        kind=bool,
    ),
    'batch_size': _about(
        'number of cutouts that the network sees at once',
        default=RunOptions.batch_size,
        kind=int,
    ),
    'device': _about(
        "torch device; 'auto' takes a GPU where there is one", default=RunOptions.device
    ),
    'precision': _about(
        "the network's precision; 'auto' is bfloat16 where the device has it and the "
        'network only corrects a fill, else float32',
        default=RunOptions.precision,
        choices=PRECISIONS,
    ),
    'turns': _about(
        "quarter turns of each cutout over which the network's output is averaged, 1 "
        "to 4 (default: 1 with --method psf, 2 with 'inpaint')",
        default=RunOptions.turns,
        kind=int,
    ),
    'threads': _about(
        "number of the processor's threads that the network uses",
        default=RunOptions.threads,
        kind=int,
    ),
    'progress_bar': _about(
        'show a progress bar', default=RunOptions.progress_bar, kind=bool
    ),
}


def removal_options():
    """
    Describe the keywords that a removal takes.

    Returns
    -------
    options : dict of dict
        The name of each keyword of `~photutils_pconv.NeuralSourceRemover`
        but ``mode`` and ``band``, with its ``help``, ``default``, ``kind``
        (a type), ``choices`` (or `None`), and ``many``, whether it takes
        several values.
    """
    return {name: dict(about) for name, about in _OPTIONS.items()}

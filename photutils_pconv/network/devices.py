# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The devices on which networks run, and the precisions that they calculate in.
"""

from photutils_pconv._utils.checks import check_choice
from photutils_pconv._utils.warnings import warn_user

__all__ = [
    'PRECISIONS',
    'check_precision',
    'choose_device',
    'has_bfloat16',
    'warn_emulated',
]

#: The accepted precisions.
PRECISIONS = ('auto', 'float32', 'bfloat16')
# Others, such as 'meta', have no numbers, or not all the layers.
_DEVICE_TYPES = ('cpu', 'cuda', 'mps', 'xpu')


def check_precision(precision):
    """
    Refuse an unknown precision.

    Parameters
    ----------
    precision : str
        The precision.

    Raises
    ------
    ValueError
        If it is none of those that `RunOptions` accepts.
    """
    check_choice(precision, 'precision', PRECISIONS)


def choose_device(device):
    """
    Find the torch device of a name.

    Parameters
    ----------
    device : str or `torch.device`
        The name, or ``'auto'`` for a GPU where there is one.

    Returns
    -------
    device : `torch.device`
        The device.

    Raises
    ------
    ValueError
        If it is no name, there is no such device here, or networks cannot be
        run on it; the message lists those that are accepted.
    """
    import torch

    name = device
    if isinstance(device, str) and device == 'auto':
        name = 'cuda' if torch.cuda.is_available() else 'cpu'
    runs = isinstance(name, str | torch.device)
    try:
        chosen = torch.device(name) if runs else None
        runs = runs and chosen.type in _DEVICE_TYPES
        if runs:
            # A name may be known though the device is not there; torch says so
            # in either error, or an AssertionError if it was built without it.
            torch.zeros(1, device=chosen).cpu()
    except (AssertionError, RuntimeError, TypeError):
        runs = False
    if not runs:
        msg = (
            f'device must be {_accepted_devices()}, on which networks can be run '
            f'here, got {device!r}'
        )
        raise ValueError(msg)
    return chosen


def has_bfloat16(device='auto'):
    """
    Determine whether a device calculates in bfloat16, rather than emulates it.

    Parameters
    ----------
    device : str or `torch.device`, optional
        The device, as for `RunOptions`.

    Returns
    -------
    fast : bool
        Whether it does.

    Raises
    ------
    ValueError
        If there is no such device.
    """
    import torch

    device = choose_device(device)
    if device.type == 'cuda':
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != 'cpu':
        return False
    capabilities = ('_is_avx512_bf16_supported', '_is_amx_tile_supported')
    return any(getattr(torch.cpu, name, bool)() for name in capabilities)


def warn_emulated(precision, device):
    """
    Warn that a device emulates a precision.

    Parameters
    ----------
    precision : str
        The precision that was asked for.

    device : `torch.device`
        The device.
    """
    if precision == 'bfloat16' and not has_bfloat16(device):
        # A processor without it took 31 times as long for the bundled model 'psf', and
        # 14 times for a step of its training (an AMD EPYC without AVX-512).
        warn_user(
            f"precision='bfloat16' is only emulated by this device ({device.type!r}), "
            "and may take many times as long as 'float32': give precision='auto', "
            'which takes bfloat16 where it is faster'
        )


def _accepted_devices():
    """Name the devices of this machine."""
    import torch

    names = ['auto', 'cpu']
    names += [f'cuda:{i}' for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        names.append('mps')
    if torch.xpu.is_available():
        names += [f'xpu:{i}' for i in range(torch.xpu.device_count())]
    return ' or '.join(map(repr, names))

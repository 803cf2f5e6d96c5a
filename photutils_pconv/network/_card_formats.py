# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Model cards of earlier formats, converted when they are read.
"""

from collections.abc import Mapping

from photutils_pconv.network.kinds import list_images

__all__ = ['FORMAT_VERSION', 'upgrade_card']

FORMAT_VERSION = 2


def upgrade_card(values):
    """
    Bring the values of a card to the present format.

    Format 1 (until November 2026) had neither ``kind`` nor ``images``. A card
    of it describes a masked model if its normalisation has wings or kriging, or
    its network sees the map alone, and a residual one if it sees those three
    images instead: no model of that time was anything else. This is the only
    place where a number of channels stands for the kind of a model.

    Parameters
    ----------
    values : dict
        The values as they stand in the file.

    Returns
    -------
    values : dict
        The values in the present format; they themselves if they are.

    Raises
    ------
    ValueError
        If the format is unknown, or an old card fits neither kind.
    """
    version = values.get('format_version', FORMAT_VERSION)
    if version == FORMAT_VERSION:
        return values
    if version != 1:
        msg = (
            f'the model card has the format version {version!r}, this package reads '
            f'versions 1 and {FORMAT_VERSION}: install a newer photutils-pconv, or '
            'write the model again'
        )
        raise ValueError(msg)
    for key in ('architecture', 'normalisation'):
        if not isinstance(values.get(key), Mapping):
            msg = f'a model card of format 1 must have the dict {key!r}'
            raise ValueError(msg)
    channels = values['architecture'].get('in_channels')
    if channels is None:
        msg = "a model card of format 1 lacks 'in_channels' in its architecture"
        raise ValueError(msg)
    normalisation = values['normalisation']
    # A network that is given the fill is masked, even if the normalisation has
    # lost the key; what is missing is then told when the card is checked.
    filled = values['architecture'].get('fill') == 'given'
    masked = list_images('masked', normalisation)
    residual = list_images('residual', {})
    if len(masked) > 1 or filled or channels == len(masked):
        kind, images = 'masked', masked
    elif channels == len(residual):
        kind, images = 'residual', residual
    else:
        msg = (
            f'the network of this model card of format 1 sees {channels!r} images, '
            'which no kind of model does: write the model again with a card that has '
            'kind and images'
        )
        raise ValueError(msg)
    return {
        **values,
        'kind': kind,
        'images': list(images),
        'format_version': FORMAT_VERSION,
    }

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Model cards of earlier formats, converted when they are read.
"""

from photutils_pconv.network.kinds import KINDS, list_images

__all__ = ['FORMAT_VERSION', 'upgrade_card']

FORMAT_VERSION = 2


def upgrade_card(values):
    """
    Bring the values of a card to the present format.

    Format 1 (until November 2026) had neither ``kind`` nor ``images``. A card
    of it describes a masked model if its network sees as many images as its
    normalisation makes, and a residual one if it sees those three instead: no
    model of that time was anything else. This is the only place where a number
    of channels tells the kind of a model.

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
    try:
        channels = values['architecture']['in_channels']
        normalisation = dict(values['normalisation'])
    except (KeyError, TypeError) as exc:
        msg = f'a model card of format 1 lacks {exc} in architecture or normalisation'
        raise ValueError(msg) from exc
    for kind in KINDS:
        plain = normalisation if kind == 'masked' else {}
        if channels == len(list_images(kind, plain)):
            break
    else:
        msg = (
            f'the network of this model card of format 1 sees {channels} images, which '
            'no kind of model does: write the model again with a card that has kind '
            'and images'
        )
        raise ValueError(msg)
    return {
        **values,
        'kind': kind,
        'images': list(list_images(kind, normalisation)),
        'format_version': FORMAT_VERSION,
    }

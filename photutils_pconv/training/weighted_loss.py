# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The weighted sum of the loss's terms (Eq. 7).
"""

import torch
from torch import nn

from photutils_pconv.training import image_losses, losses
from photutils_pconv.training.features import RandomFeatures, VGG16Features
from photutils_pconv.training.presets import resolve_terms

__all__ = ['WeightedLoss']

_STYLE = ('style_raw', 'style_composite')


class WeightedLoss(nn.Module):
    """
    A weighted sum of terms, chosen by configuration.

    Parameters
    ----------
    preset : str or `None`, optional
        A name of `~photutils_pconv.training.LOSS_PRESETS`, or `None` to
        begin with no terms.

    terms : dict, optional
        Terms to add to the preset or to change: term name to weight, or
        to a dict with ``weight`` and the term's options.

    features : callable, optional
        The feature extractor; needed only by style terms, for which the
        default is `~photutils_pconv.training.features.RandomFeatures`.

    Raises
    ------
    TypeError, ValueError
        If a name is unknown or a value not accepted.

    Examples
    --------
    >>> from photutils_pconv.training.weighted_loss import WeightedLoss
    >>> loss = WeightedLoss('default', terms={'ssim': 0.4})
    >>> sorted(loss.terms)
    ['hole', 'mean_flux', 'ssim', 'valid']
    """

    def __init__(self, preset='default', *, terms=None, features=None):
        super().__init__()
        self.preset = preset
        self.terms = resolve_terms(preset, terms)
        #: Averages a tensor over all processes; set by the `Trainer`.
        self.reduce = None
        if features is None and self._has_style:
            features = RandomFeatures()
        self.features = features

    @classmethod
    def from_config(cls, config):
        """
        Make the loss that a configuration describes.

        Parameters
        ----------
        config : `~photutils_pconv.training.LossConfig`
            The configuration.

        Returns
        -------
        loss : `WeightedLoss`
            The loss.
        """
        preset = None if config.preset == 'none' else config.preset
        terms = config.resolve()
        features = None
        if any(name in terms for name in _STYLE):
            features = (
                VGG16Features(config.vgg_weights or None)
                if config.features == 'vgg16'
                else RandomFeatures()
            )
        return cls(preset, terms=config.terms, features=features)

    @property
    def _has_style(self):
        return any(name in self.terms for name in _STYLE)

    def forward(
        self, output, target, validity, missing=None, *, hole=None, weight=None
    ):
        """
        Compute the loss.

        Parameters
        ----------
        output : `torch.Tensor`
            The network's output, (N, 1, H, W).

        target : `torch.Tensor`
            The true emission; finite, with any value where missing.

        validity : `torch.Tensor`
            1 for usable pixels, 0 in holes and where missing.

        missing : `torch.Tensor`, optional
            1 for missing pixels, which add nothing to any term.

        hole : `torch.Tensor`, optional
            1 where the loss is to see holes (`ResidualCutouts
            <photutils_pconv.training.ResidualCutouts>`); by default
            where pixels are not usable.

        weight : `torch.Tensor`, optional
            The weights of the term ``psf_flux``.

        Returns
        -------
        total : `torch.Tensor`
            The weighted sum, a number.

        terms : dict of `torch.Tensor`
            The terms before weighting, without gradients.
        """
        if missing is not None:
            output = torch.where(missing > 0, target, output)
        if hole is not None:
            validity = 1 - hole
            if missing is not None:
                validity = validity * (1 - missing)
        wanted = None
        if self._has_style:
            # Both terms compare with them.
            with torch.no_grad():
                wanted = image_losses.gram_matrices(target, self.features)
        total = 0.0
        parts = {}
        for name, values in self.terms.items():
            options = {key: v for key, v in values.items() if key != 'weight'}
            if name == 'psf_flux':
                part = losses.psf_flux_loss(output, target, weight, **options)
            elif name in _STYLE:
                image = output
                if name == 'style_composite':
                    image = losses.composite(output, target, validity)
                grams = image_losses.gram_matrices(image, self.features)
                part = image_losses.compare_styles(grams, wanted)
            else:
                part = self._term(name, options, output, target, validity, missing)
            total = total + values['weight'] * part
            parts[name] = part.detach()
        return total, parts

    def _term(self, name, options, output, target, validity, missing):
        if name == 'hole':
            options = {**options, 'missing': missing, 'reduce': self.reduce}
            return losses.hole_l1(output, target, validity, **options)
        if name == 'valid':
            options = {**options, 'reduce': self.reduce}
            return losses.valid_l1(output, target, validity, **options)
        if name == 'mean_flux':
            options = {**options, 'missing': missing}
            return losses.mean_flux_loss(output, target, validity, **options)
        if name == 'balanced':
            options = {**options, 'missing': missing}
            return losses.balanced_loss(output, target, validity, **options)
        if name == 'ssim':
            return image_losses.ssim_loss(output, target, **options)
        return losses.source_loss(output, target, validity, **options)

    def describe(self):
        """
        Describe the loss for a model card.

        Returns
        -------
        values : dict
            The preset's name, the terms, and the feature extractor.
        """
        values = {'preset': self.preset or 'none', 'terms': self.terms}
        if self._has_style:
            values['features'] = type(self.features).__name__
        return values

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The section of a training configuration for the data.

This module does not import torch.
"""

from dataclasses import dataclass, field

from photutils_pconv._utils.config import (
    TABLE,
    Section,
    choice,
    flag,
    number,
    path,
    texts,
    unknown_key,
)
from photutils_pconv.inpainting.scaling import NORMALISATIONS
from photutils_pconv.network.kinds import check_normalisation

__all__ = ['DataConfig']

_ROBUST = {'name': 'robust', 'radius': 24.0, 'softening': 3.0}
# Their order is drawn as a whole: so many take 0.8 GB (by choice).
_MOST_CUTOUTS = 100_000_000
_FEW_FIELDS = {'n_fields': 36, 'n_noise': 9, 'n_stamps': 32}


@dataclass(frozen=True, kw_only=True)
class DataConfig(Section):
    """
    The data that `run_training` makes or opens (section ``[data]``).

    Parameters
    ----------
    kind : {'masked', 'residual'}, optional
        The kind of the cutouts, and of the model: maps with holes, which
        a model fills in one pass, or maps minus their sources, which it
        sees in the second of two passes.

    source : {'simulated', 'arrays'}, optional
        Cutouts simulated on the fly, or ``.npy`` files in the paper's
        layout, which are ``'masked'``.

    setups : tuple of str, optional
        The names of the observing setups, all of one mode as in the
        paper, or of several.

    setup_files : tuple of str, optional
        JSON files with setups of your own, as
        `~photutils_pconv.setups.ObservingSetup.to_dict` gives them. To
        use the model, such a setup is registered or given itself.

    normalisation : dict, optional
        Keyword arguments of `~photutils_pconv.inpainting.normalise`, and for
        'masked' ``wings`` and ``kriging``: whether the
        expected wings of sources are taken off the cutouts and shown as a
        second image, and whether the cutouts, filled by kriging, are a
        third. It is written into the model's card.

    epoch_size, validation_size : int, optional
        For 'simulated': the number of cutouts, each of
        which serves ``repeats`` times.

    sampler, validation_sampler : dict, optional
        For 'simulated': keyword arguments of
        `~photutils_pconv.simulation.SamplerConfig`, for 'residual' of
        `~photutils_pconv.simulation.ResidualConfig`. The validation set
        has fields of its own.

    backgrounds, validation_backgrounds : tuple of str, optional
        For 'simulated': FITS files of real maps, whose emission
        ``sampler.real_share`` of the cutouts have (see
        `~photutils_pconv.simulation.make_background`). Without
        ``validation_backgrounds``, the last quarter of each map along its
        longer side is kept for validation.

    background_sources, validation_background_sources : tuple of str, optional
        The source list of each of these maps, whose sources are left out;
        '' for none, and by default none.

    background_setups, validation_background_setups : tuple of str, optional
        The setup of each map; by default that of the training, if it has one
        alone. With several, maps serve all of them if they are not
        resampled.

    resample_backgrounds : bool, optional
        Whether maps are resampled to the setup's pixels, or taken as they
        are.

    folder : str, optional
        For 'arrays': where ``train``, ``train_mask``, ``train_target``,
        ``valid``, ``valid_mask`` and ``valid_target`` are.

    csv_folder : str, optional
        For 'arrays': where ``train.csv`` and ``valid.csv`` are; by
        default the folder itself.

    mask_channel : int, optional
        For 'arrays' with several masks a cutout: which one. The authors'
        last one is that of the SNR.

    nan_targets : {'raise', 'missing'}, optional
        For 'arrays': whether NaN in a target is an error, or makes the
        pixel a missing one.
    """

    _title = '[data]'

    kind: str = choice('masked', 'residual')
    source: str = choice('simulated', 'arrays')
    setups: tuple = texts()
    setup_files: tuple = texts(paths=True)
    normalisation: dict = field(default_factory=_ROBUST.copy, metadata=TABLE)
    epoch_size: int = number(16384, low=1, high=_MOST_CUTOUTS, kind=int)
    validation_size: int = number(1024, low=1, high=_MOST_CUTOUTS, kind=int)
    sampler: dict = field(default_factory=dict, metadata=TABLE)
    validation_sampler: dict = field(default_factory=_FEW_FIELDS.copy, metadata=TABLE)
    backgrounds: tuple = texts(paths=True)
    validation_backgrounds: tuple = texts(paths=True)
    background_sources: tuple = texts(paths=True)
    validation_background_sources: tuple = texts(paths=True)
    background_setups: tuple = texts()
    validation_background_setups: tuple = texts()
    resample_backgrounds: bool = flag(True)
    folder: str = path('')
    csv_folder: str = path('')
    mask_channel: int = number(-1, kind=int)
    nan_targets: str = choice('raise', 'missing')

    @property
    def has_own_ranges(self):
        """Whether a sampler's ranges are not the defaults (`bool`)."""
        return bool(self.sampler) or self.validation_sampler != _FEW_FIELDS

    def __post_init__(self):
        super().__post_init__()
        name = self.normalisation.get('name')
        if name not in NORMALISATIONS:
            msg = (
                f'data.normalisation must have a name out of {list(NORMALISATIONS)}, '
                f'got {name!r}'
            )
            raise ValueError(msg)
        accepted = ['name', *(key for key in _ROBUST if key != 'name')]
        accepted = accepted if name == 'robust' else ['name']
        if self.kind == 'masked':
            accepted += ['wings', 'kriging']
        for key in self.normalisation:
            if key not in accepted:
                msg = unknown_key(key, accepted, f'data.normalisation ({name})')
                raise ValueError(msg)
        check_normalisation(self.normalisation, 'data.normalisation')
        self._check_backgrounds()
        if self.source == 'arrays' and not self.folder:
            msg = "data.source = 'arrays' needs data.folder"
            raise ValueError(msg)
        if self.source == 'arrays' and self.kind != 'masked':
            msg = (
                f"data.kind = {self.kind!r} needs data.source = 'simulated': arrays in "
                "the paper's layout have no PSFs"
            )
            raise ValueError(msg)

    def _check_backgrounds(self):
        """Check that the lists that go with maps are as long as theirs."""
        maps = len(self.backgrounds)
        if maps and self.source == 'arrays':
            msg = (
                "data.backgrounds needs data.source = 'simulated': arrays have an "
                'emission of their own'
            )
            raise ValueError(msg)
        if self.validation_backgrounds and not maps:
            msg = 'data.validation_backgrounds needs data.backgrounds'
            raise ValueError(msg)
        for name, wanted in (
            ('background_sources', maps),
            ('background_setups', maps),
            ('validation_background_sources', len(self.validation_backgrounds)),
            ('validation_background_setups', len(self.validation_backgrounds)),
        ):
            if getattr(self, name) and len(getattr(self, name)) != wanted:
                msg = (
                    f'data.{name} must have one for each of the {wanted} maps, or be '
                    f'left out, got {len(getattr(self, name))}'
                )
                raise ValueError(msg)
        several = len(self.setups) + len(self.setup_files) > 1
        told = self.background_setups and (
            self.validation_background_setups or not self.validation_backgrounds
        )
        if maps and several and self.resample_backgrounds and not told:
            msg = (
                'data.backgrounds with several setups: say with data.background_setups '
                'to which each map belongs, or set data.resample_backgrounds = false '
                'to use all of them for all setups, with the pixels that they have'
            )
            raise ValueError(msg)

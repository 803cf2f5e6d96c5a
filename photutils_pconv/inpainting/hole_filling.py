# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
From a map with holes to the extended emission behind them: one pass.

All holes are drawn before any is filled, and each is filled from the
untouched map.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from photutils_pconv._utils.checks import check_switches
from photutils_pconv.geometry.cutouts import CUTOUT_SIZE, add_cutout, cut_stack
from photutils_pconv.geometry.holes import TAPER_WIDTH, Holes
from photutils_pconv.inpainting.blending import Blender
from photutils_pconv.inpainting.masked_images import scale_cutouts
from photutils_pconv.inpainting.prediction import CutoutInput, predict_cutouts
from photutils_pconv.inpainting.wings import (
    SourceWings,
    expected_wings,
    wings_beyond_holes,
)
from photutils_pconv.network.running import BATCH_SIZE, RunOptions
from photutils_pconv.psf.profiles import WingProfile

__all__ = ['InpaintSettings', 'inpaint', 'inpaint_chosen', 'inpaint_holes']

# The beam where nothing is known of it, in pixels: about that of all setups of
# PACS on their native pixels.
_BEAM = 3.5


@dataclass(frozen=True, eq=False)
class InpaintSettings:
    """
    How holes are filled by a network that does not look into them.

    Parameters
    ----------
    model : `~photutils_pconv.network.LoadedModel`
        The network and its card.

    profile : `~photutils_pconv.psf.WingProfile`, optional
        The wings that sources are expected to have, for a model that takes
        them off and for ``subtract_wings``; by default none, and a beam of
        3.5 pixels.

    subtract_wings : bool, optional
        Whether the reconstruction has ``wings``: those that sources are
        expected to have and, for a model with wings and kriging, what
        kriging found beyond them.

    run : `~photutils_pconv.network.RunOptions`, optional
        How the network is run.
    """

    model: Any
    profile: WingProfile | None = None
    subtract_wings: bool = False
    run: RunOptions = field(default_factory=RunOptions)

    def __post_init__(self):
        check_switches(self)

    @property
    def needs_wings(self):
        """
        Whether the expected wings of the sources are needed.
        """
        wanted = self.subtract_wings or self.model.card.normalisation.get('wings')
        return self.profile is not None and bool(wanted)


def inpaint(
    data,
    x,
    y,
    radius,
    *,
    model,
    profile=None,
    missing=None,
    to_jy_per_pixel=1.0,
    taper_width=TAPER_WIDTH,
    subtract_wings=False,
    batch_size=BATCH_SIZE,
    device='auto',
    precision='auto',
    turns=None,
    threads=1,
    progress_bar=False,
):
    """
    Reconstruct the extended emission in holes of a map.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map, on the model's native pixel scale.

    x, y : 1D `~numpy.ndarray`
        The sources' positions, 0-based, in pixels; they must be finite.

    radius : 1D `~numpy.ndarray`
        The holes' radii, in pixels.

    model, profile, subtract_wings : optional
        As for `InpaintSettings`.

    missing : 2D bool `~numpy.ndarray`, optional
        Missing pixels (default: those that are not finite). They are
        treated as holes and stay missing.

    to_jy_per_pixel : float, optional
        The factor from the map's unit to Jy/pixel, the unit in which
        the 'minmax' normalisation has its 1e-7.

    taper_width : float, optional
        The width of the taper around each hole, in pixels.

    batch_size, device, precision, turns, threads, progress_bar : optional
        As for `~photutils_pconv.network.RunOptions`.

    Returns
    -------
    reconstruction : `~photutils_pconv.inpainting.Reconstruction`
        The reconstructed emission, in the map's unit.

    Raises
    ------
    ValueError
        If the device, precision, turns, batch size or number of threads is not
        accepted, or a hole does not fit into a cutout.
    """
    run = RunOptions(
        batch_size=batch_size,
        device=device,
        precision=precision,
        turns=turns,
        threads=threads,
        progress_bar=progress_bar,
    )
    settings = InpaintSettings(
        model=model, profile=profile, subtract_wings=subtract_wings, run=run
    )
    if missing is None:
        missing = ~np.isfinite(data)
    return inpaint_holes(
        data,
        missing,
        Holes(x, y, radius, data.shape),
        settings,
        jy_per_pixel=to_jy_per_pixel,
        taper_width=taper_width,
    )


def inpaint_holes(
    data,
    missing,
    holes,
    settings,
    *,
    jy_per_pixel=1.0,
    taper_width=TAPER_WIDTH,
):
    """
    Reconstruct the extended emission in holes of a map.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map, on the model's native pixel scale.

    missing : 2D bool `~numpy.ndarray`
        Its missing pixels. They are treated as holes and stay missing.

    holes : `~photutils_pconv.geometry.Holes`
        The holes.

    settings : `InpaintSettings`
        The network, what it knows of wings, and how it is run.

    jy_per_pixel : float, optional
        The factor from the map's unit to Jy/pixel.

    taper_width : float, optional
        The width of the taper around each hole, in pixels.

    Returns
    -------
    reconstruction : `~photutils_pconv.inpainting.Reconstruction`
        The reconstructed emission, in the map's unit.

    Raises
    ------
    ValueError
        If a hole does not fit into a cutout.
    """
    _check_size(holes, taper_width)
    masked_map = _MaskedMap.of(data, missing, holes, settings, jy_per_pixel)
    wings = masked_map.wings
    blender = Blender(data.shape, len(holes), taper_width)
    total = None
    if wings is not None and settings.subtract_wings:
        total = wings.image.copy()
    for cutouts in masked_map.predict(taper_width):
        blender.add(cutouts, holes)
        if total is not None and cutouts.inputs.wings is not None:
            # What kriging found beyond the expected ones.
            expected = masked_map.cut_wings(cutouts.origins, len(cutouts.emission[0]))
            more = _fade(cutouts.inputs.wings - expected) / jy_per_pixel
            for one, origin in zip(more, cutouts.origins, strict=True):
                add_cutout(total, one, origin)
    reconstruction = blender.finish(missing)
    if wings is None:
        return reconstruction
    if settings.subtract_wings:
        reconstruction = replace(reconstruction, wings=np.where(missing, 0.0, total))
    if settings.model.card.normalisation.get('wings'):
        # The network did not see them: they are not in the emission.
        foreign = wings_beyond_holes(
            data.shape,
            holes.x,
            holes.y,
            holes.radius,
            wings.flux,
            profile=settings.profile,
            taper_width=taper_width,
        )
        foreign = np.where(missing, 0.0, foreign)
        reconstruction = replace(reconstruction, foreign=foreign)
    return reconstruction


def inpaint_chosen(
    data,
    missing,
    holes,
    settings,
    chosen,
    *,
    jy_per_pixel=1.0,
    taper_width=TAPER_WIDTH,
):
    """
    Reconstruct the extended emission in some holes of a map.

    Parameters
    ----------
    data, missing, holes, settings, jy_per_pixel, taper_width
        As for `inpaint_holes`.

    chosen : 1D bool `~numpy.ndarray`
        The holes that are to be filled; no hole is looked into.

    Returns
    -------
    pixels : `~photutils_pconv.inpainting.blending.BlendedPixels`
        The emission in them.

    Raises
    ------
    ValueError
        If a hole does not fit into a cutout.
    """
    _check_size(holes, taper_width)
    masked_map = _MaskedMap.of(data, missing, holes, settings, jy_per_pixel)
    blender = Blender(data.shape, len(holes), taper_width)
    for cutouts in masked_map.predict(taper_width, chosen=chosen):
        blender.add(cutouts, holes)
    return blender.blend(missing)


def _check_size(holes, taper_width):
    """Refuse holes that do not fit into a cutout."""
    largest = CUTOUT_SIZE / 2 - 1
    if len(holes) and np.max(holes.radius) + taper_width > largest:
        msg = (
            f'a hole of {np.max(holes.radius):.4g} pixels with a taper of '
            f'{taper_width:.4g} does not fit into a cutout of {CUTOUT_SIZE} pixels: '
            f'hole_radii of the setup can be at most {largest - taper_width:.4g} pixels'
        )
        raise ValueError(msg)


@dataclass(frozen=True, eq=False)
class _MaskedMap:
    """
    A map with holes, from which a network's input is cut.
    """

    data: np.ndarray
    missing: np.ndarray
    holes: Holes
    settings: InpaintSettings
    wings: SourceWings | None
    jy_per_pixel: float

    @classmethod
    def of(cls, data, missing, holes, settings, jy_per_pixel):
        """
        Take a map, with the wings that its sources are expected to have if they are
        needed.
        """
        wings = None
        if settings.needs_wings:
            wings = expected_wings(
                data,
                holes.x,
                holes.y,
                holes.radius,
                profile=settings.profile,
                usable=~(holes.mask | missing),
                missing=missing,
            )
        return cls(data, missing, holes, settings, wings, jy_per_pixel)

    def predict(self, taper_width, *, chosen=None):
        """
        Have the network predict the emission in the holes, or in some of them.
        """
        return predict_cutouts(
            self.cut,
            self.holes,
            model=self.settings.model,
            run=self.settings.run,
            taper_width=taper_width,
            jy_per_pixel=self.jy_per_pixel,
            chosen=chosen,
        )

    def cut(self, batch, origins, size):
        """
        Cut the input of a batch of cutouts, as `predict_cutouts` asks for it.
        """
        images = cut_stack(self.data, origins, size).astype(float)
        absent = cut_stack(self.missing, origins, size, fill_value=True)
        hole = cut_stack(self.holes.mask, origins, size)
        images[absent] = 0.0
        validity = ~(absent | hole)
        profile = self.settings.profile
        scaled, scaling, found = scale_cutouts(
            images * self.jy_per_pixel,
            validity,
            absent,
            self.settings.model.card.normalisation,
            wings=None if self.wings is None else self.cut_wings(origins, size),
            terms=None if self.wings is None else self._terms(batch, origins, size),
            beam=_BEAM if profile is None else profile.beam_fwhm,
            radius=self.holes.radius[batch],
        )
        return CutoutInput(scaled, validity, scaling, wings=found)

    def cut_wings(self, origins, size):
        """
        Cut the expected wings, in Jy/pixel.
        """
        return cut_stack(self.wings.image, origins, size) * self.jy_per_pixel

    def _terms(self, batch, origins, size):
        """
        Find how the wings of each cutout's source may differ from those.
        """
        side = np.arange(size)
        terms = []
        for i, (x0, y0) in zip(batch, origins, strict=True):
            dx, dy = np.meshgrid(
                side + x0 - self.holes.x[i], side + y0 - self.holes.y[i]
            )
            flux = self.wings.flux[i] * self.jy_per_pixel
            error = self.wings.flux_err[i] * self.jy_per_pixel
            profile = self.settings.profile
            terms.append(profile.terms(dx, dy, flux=flux, flux_err=error))
        return terms


def _fade(cutouts):
    """Let cutouts fade out before their edges."""
    half = cutouts.shape[-1] / 2.0
    side = np.arange(cutouts.shape[-1]) + 0.5 - half
    distance = np.hypot(side[:, None], side) / half
    return cutouts * np.clip(4.0 * (1.0 - distance), 0.0, 1.0)

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
A PSF that varies over a map, from images on a grid of positions. Its public home is
`photutils_pconv.psf`.
"""

import numpy as np

from photutils_pconv._psf_models.images import (
    check_image_psf,
    check_kernel,
    read_psf_grid,
    write_psf_file,
)
from photutils_pconv._psf_models.sampled import SampledPSF
from photutils_pconv._utils.checks import to_bool, to_float

__all__ = ['GriddedPSF', 'is_gridded_model']

# The PSF is taken at so many places along each side of the grid, at most (by choice:
# an image of each is kept, 81 together).
_N_PLACES = 9


def is_gridded_model(psf):
    """
    Return whether an object is photutils' ``GriddedPSFModel``, or behaves as one.

    Parameters
    ----------
    psf : object
        The object.

    Returns
    -------
    is_model : bool
        Whether it has images on a grid of positions.
    """
    return all(hasattr(psf, name) for name in ('data', 'oversampling', 'grid_xypos'))


class GriddedPSF(SampledPSF):
    """
    PSF that varies over a map: images on a grid of its pixel positions.

    Wherever one PSF is needed for the whole map it is the mean of the images.

    Parameters
    ----------
    images : 3D array_like
        The images, (N, ny, nx), each of them as that of a
        `~photutils_pconv.psf.SampledPSF`.

    positions : (N, 2) array_like
        Their positions (x, y) on the map, 0-based, pixel centres at integers: a
        complete grid, in any order.

    pixel_scale : float
        The side of a sample, in arcsec.

    effective_pixel : float, optional
        As for `~photutils_pconv.psf.SampledPSF`.

    Raises
    ------
    TypeError, ValueError
        If images or positions are not acceptable.
    """

    # The class is documented and pickled under its public name.
    __module__ = 'photutils_pconv.psf'

    def __init__(self, images, positions, pixel_scale, *, effective_pixel=0.0):
        images = np.array(images, dtype=float)
        positions = np.array(positions, dtype=float)
        if images.ndim != 3 or positions.shape != (len(images), 2):
            msg = (
                'A gridded PSF must have images (N, ny, nx) and positions (N, 2), got '
                f'the shapes {images.shape} and {positions.shape}.'
            )
            raise ValueError(msg)
        self._x, self._y = (np.unique(positions[:, k]) for k in (0, 1))
        order = np.lexsort(positions.T)
        complete = np.stack(np.meshgrid(self._x, self._y), axis=-1).reshape(-1, 2)
        if not np.array_equal(positions[order], complete):
            msg = 'The positions of a gridded PSF must form a complete grid.'
            raise ValueError(msg)
        self._positions = positions
        self._images = images
        self._cube = images[order].reshape(
            len(self._y), len(self._x), *images.shape[1:]
        )
        super().__init__(
            images.mean(axis=0), pixel_scale, effective_pixel=effective_pixel
        )
        self._made = {}

    def __repr__(self):
        ny, nx = self.data.shape
        return (
            f'<GriddedPSF({len(self._images)} positions, {ny} x {nx} samples of '
            f'{self.pixel_scale:g} arcsec)>'
        )

    def __reduce__(self):
        return _rebuild, (
            self._images,
            self._positions,
            self.pixel_scale,
            self.effective_pixel,
        )

    @classmethod
    def from_model(cls, model, *, pixel_scale):
        """
        Build a PSF from photutils' ``GriddedPSFModel``.

        Parameters
        ----------
        model : `~photutils.psf.GriddedPSFModel`
            The model. Its flux and position are not used.

        pixel_scale : float
            The side of the map's pixel (not of the oversampled one), in
            arcsec.

        Returns
        -------
        psf : `GriddedPSF`
            The PSF. Each image is scaled to a flux of 1.
        """
        pixel_scale = to_float(pixel_scale, 'pixel_scale')
        factor = check_image_psf(model)
        images = [
            check_kernel(image, normalize=True, total=factor**2) for image in model.data
        ]
        return cls(
            images,
            model.grid_xypos,
            pixel_scale / factor,
            effective_pixel=pixel_scale,
        )

    @classmethod
    def from_fits(cls, path, *, pixel_scale=None, normalize=True, effective_pixel=None):
        """
        Read a PSF that `to_fits` wrote.

        Parameters
        ----------
        path : str or `~pathlib.Path`
            The file. Its image is the mean, its extensions are ``GRID``, the images,
            and ``POSITIONS``.

        pixel_scale, effective_pixel : float, optional
            As for `~photutils_pconv.psf.SampledPSF`.

        normalize : bool, optional
            Whether each image is scaled to a flux of 1.

        Returns
        -------
        psf : `GriddedPSF`
            The PSF.

        Raises
        ------
        FileNotFoundError, ValueError
            If there is no such file, or it holds a single image.
        """
        normalize = to_bool(normalize, 'normalize')
        mean = SampledPSF.from_fits(
            path,
            pixel_scale=pixel_scale,
            normalize=normalize,
            effective_pixel=effective_pixel,
        )
        grid = read_psf_grid(path)
        if grid is None:
            msg = (
                f'{str(path)!r} holds no PSF that varies over a map: it has no '
                'extensions GRID and POSITIONS. SampledPSF.from_fits reads its image.'
            )
            raise ValueError(msg)
        images = [check_kernel(image, normalize=normalize) for image in grid[0]]
        return cls(
            images, grid[1], mean.pixel_scale, effective_pixel=mean.effective_pixel
        )

    def to_fits(self, path, *, overwrite=False):
        """
        Write the PSF to a FITS file that `from_fits` reads.

        Parameters
        ----------
        path : str or `~pathlib.Path`
            The file. What reads one PSF finds the mean in it.

        overwrite : bool, optional
            Whether to replace a file.
        """
        overwrite = to_bool(overwrite, 'overwrite')
        write_psf_file(
            path,
            self.data,
            pixel_scale=self.pixel_scale,
            effective_pixel=self.effective_pixel,
            grid=self.grid,
            overwrite=overwrite,
        )

    @property
    def grid(self):
        """
        The images, (N, ny, nx), and their positions, (N, 2), as they were given.
        """
        return self._images.copy(), self._positions.copy()

    def at(self, x, y):
        """
        Give the PSF at a position.

        Parameters
        ----------
        x, y : float
            The position on the map. Beyond the grid, the PSF is that of its
            edge.

        Returns
        -------
        psf : `~photutils_pconv.psf.SampledPSF`
            The PSF, interpolated linearly between the positions of the grid,
            at the nearest of 9 x 9 places.
        """
        places = tuple(
            np.linspace(axis[0], axis[-1], _N_PLACES)[
                np.argmin(np.abs(np.linspace(axis[0], axis[-1], _N_PLACES) - value))
            ]
            for axis, value in ((self._x, x), (self._y, y))
        )
        if places not in self._made:
            by_x, by_y = (
                _weights(axis, place)
                for axis, place in zip((self._x, self._y), places, strict=True)
            )
            image = np.einsum('y,x,yxij->ij', by_y, by_x, self._cube)
            self._made[places] = SampledPSF(
                image, self.pixel_scale, effective_pixel=self.effective_pixel
            )
        return self._made[places]


def _weights(axis, place):
    """Give the weight of each position along an axis, for a place between them."""
    return np.array([np.interp(place, axis, row) for row in np.eye(len(axis))])


def _rebuild(images, positions, pixel_scale, effective_pixel):
    """Build a PSF again from what was pickled."""
    return GriddedPSF(images, positions, pixel_scale, effective_pixel=effective_pixel)

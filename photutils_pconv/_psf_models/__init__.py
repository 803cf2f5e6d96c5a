# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Models of the PSF that know of no setup. Users have them from `photutils_pconv.psf`.
"""

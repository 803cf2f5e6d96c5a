# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tools without a topic, for the package itself: nothing here is public.
"""

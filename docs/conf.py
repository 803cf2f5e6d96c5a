# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Sphinx configuration.

The build needs no network: links to other projects' documentation are made
only where ``PCONV_DOCS_INTERSPHINX`` is set, and on Read the Docs.
"""

import os
import socket
from datetime import UTC, datetime
from importlib.metadata import version as get_version

project = 'photutils-pconv'
author = 'photutils-pconv developers'
copyright = f'{datetime.now(tz=UTC).year}, {author}'
release = get_version(project)
version = '.'.join(release.split('.')[:2])

extensions = [
    'matplotlib.sphinxext.plot_directive',
    'sphinx.ext.autodoc',
    'sphinx.ext.mathjax',
    'sphinx.ext.viewcode',
    'numpydoc',
    'pytest_doctestplus.sphinx.doctestplus',
    'sphinx_automodapi.automodapi',
    'sphinx_automodapi.smart_resolver',
    'sphinx_gallery.gen_gallery',
]

if {'PCONV_DOCS_INTERSPHINX', 'READTHEDOCS'} & os.environ.keys():
    extensions.append('sphinx.ext.intersphinx')
    intersphinx_mapping = {
        'python': ('https://docs.python.org/3/', None),
        'numpy': ('https://numpy.org/doc/stable/', None),
        'scipy': ('https://docs.scipy.org/doc/scipy/', None),
        'astropy': ('https://docs.astropy.org/en/stable/', None),
        'photutils': ('https://photutils.readthedocs.io/en/stable/', None),
        'torch': ('https://docs.pytorch.org/docs/stable/', None),
    }

default_role = 'obj'
exclude_patterns = ['_build', 'figures', 'gallery', '**.ipynb_checkpoints']

# -- API reference

# The dot program is not needed to build the documentation.
automodapi_inheritance_diagram = False
automodapi_toctreedirnm = 'api'
autosummary_generate = True
autoclass_content = 'class'
# Types stand in the docstrings, as in photutils'.
autodoc_typehints = 'none'
numpydoc_show_class_members = False

# -- Figures

plot_formats = [('png', 120)]
plot_html_show_formats = False
plot_html_show_source_link = False

# -- Gallery

sphinx_gallery_conf = {
    'examples_dirs': 'gallery',
    'gallery_dirs': 'generated/gallery',
    'filename_pattern': r'[\\/]plot_',
    'subsection_order': [
        f'gallery/{name}'
        for name in (
            'first_steps',
            'methods',
            'photometry',
            'structure',
            'instruments',
            'training',
            'scale',
        )
    ],
    'within_subsection_order': 'FileNameSortKey',
    'abort_on_example_error': True,
    # Not the names of figures and legends.
    'capture_repr': ('_repr_html_',),
    'download_all_examples': False,
    'plot_gallery': 'True',
    'remove_config_comments': True,
    'show_memory': False,
}


def has_connection(host='archives.esac.esa.int', port=80, *, timeout=5):
    """Say whether the archive can be reached."""
    try:
        socket.create_connection((host, port), timeout).close()
    except OSError:
        return False
    return True


# What asks the archive is shown in any case, and executed with a connection.
if has_connection():
    sphinx_gallery_conf['filename_pattern'] += r'|[\\/]shown_from_archive'

# -- HTML

html_theme = 'pydata_sphinx_theme'
html_static_path = ['_static']
html_css_files = ['custom.css']
# Not the release: that of a checkout is too long for the head of a page.
html_title = f'photutils-pconv {version}'
html_last_updated_fmt = '%d %b %Y'
html_show_sourcelink = False
html_theme_options = {
    'navigation_with_keys': False,
    'secondary_sidebar_items': ['page-toc'],
    'use_edit_page_button': False,
}

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The report: one HTML file that holds everything and links to nothing.

Images are inlined, style and script stand in the page, so that the file
can be mailed, archived and read offline. The template ships as
``data/evaluation/report.html``.
"""

import base64
import html
import io
import json
from dataclasses import dataclass, field
from importlib import resources
from string import Template
from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord

from photutils_pconv._utils.checks import to_bool
from photutils_pconv._utils.writing import write_bytes_atomically

__all__ = ['Report', 'Section', 'encode_image', 'format_table']

MAX_ROWS = 400
"""
The number of rows that a table in the report shows (by choice).
"""

# The quality of JPEG images, in percent (by choice).
_QUALITY = 90

_VERDICT_CLASSES = {'met': 'met', 'not met': 'missed'}


def encode_image(image, *, kind='png'):
    """
    Make a data URL of an image.

    Parameters
    ----------
    image : bytes or 3D uint8 `~numpy.ndarray`
        The content of a file, or an RGB(A) image, which becomes a JPEG.

    kind : str, optional
        The kind of a file's content.

    Returns
    -------
    url : str
        The data URL.
    """
    if not isinstance(image, bytes):
        from matplotlib.image import imsave

        buffer = io.BytesIO()
        options = {'quality': _QUALITY, 'optimize': True}
        imsave(buffer, image[..., :3], format='jpeg', pil_kwargs=options)
        image, kind = buffer.getvalue(), 'jpeg'
    return f'data:image/{kind};base64,{base64.b64encode(image).decode("ascii")}'


def _cell(value):
    if isinstance(value, SkyCoord):
        return html.escape(value.to_string('hmsdms', precision=1))
    value = getattr(value, 'value', value)
    if isinstance(value, float | np.floating):
        if not np.isfinite(value):
            return '-'
        return f'{value:.4g}'
    return html.escape(str(value))


def format_table(table, *, verdicts=False, whole=False, limit=MAX_ROWS):
    """
    Make an HTML table.

    Parameters
    ----------
    table : `~astropy.table.Table`
        The table.

    verdicts : bool, optional
        Whether to colour the column ``verdict``.

    whole : bool, optional
        Whether to show the table at its full height, without a scroll
        bar.

    limit : int, optional
        The largest number of rows to show.

    Returns
    -------
    text : str
        The HTML.
    """
    verdicts = to_bool(verdicts, 'verdicts')
    kind = 'scroll whole' if to_bool(whole, 'whole') else 'scroll'
    lines = [f'<div class="{kind}"><table><thead><tr>']
    for name in table.colnames:
        unit = getattr(table[name], 'unit', None)
        label = f'{name} ({unit})' if unit else name
        lines.append(f'<th>{html.escape(label)}</th>')
    lines.append('</tr></thead><tbody>')
    for row in table[:limit]:
        lines.append('<tr>')
        for name in table.colnames:
            kind = ''
            if verdicts and name == 'verdict':
                kind = f' class="{_VERDICT_CLASSES.get(row[name], "neutral")}"'
            lines.append(f'<td{kind}>{_cell(row[name])}</td>')
        lines.append('</tr>')
    lines.append('</tbody></table></div>')
    if len(table) > limit:
        lines.append(f'<p class="note">The first {limit} of {len(table)} rows.</p>')
    return '\n'.join(lines)


@dataclass
class Section:
    """
    A section of the report.

    Parameters
    ----------
    title : str
        The title.

    text : str, optional
        A paragraph of plain text.

    parts : list of str, optional
        The HTML of what follows, to which each ``add_`` method appends.
    """

    title: str
    text: str = ''
    parts: list = field(default_factory=list, repr=False)

    def add_table(
        self, table, caption='', *, verdicts=False, whole=False, limit=MAX_ROWS
    ):
        """
        Add a table.

        Parameters
        ----------
        table : `~astropy.table.Table`
            The table.

        caption : str, optional
            What it shows.

        verdicts, whole, limit : optional
            See `format_table`.
        """
        self._add_caption(caption)
        self.parts.append(
            format_table(table, verdicts=verdicts, whole=whole, limit=limit)
        )

    def add_image(self, image, caption=''):
        """
        Add a figure.

        Parameters
        ----------
        image : bytes
            The content of a PNG file.

        caption : str, optional
            What it shows; it is the image's alternative text too.
        """
        text = html.escape(caption)
        self.parts.append(
            f'<figure><img src="{encode_image(image)}" alt="{text}">'
            f'<figcaption>{text}</figcaption></figure>'
        )

    def add_slider(self, before, after, caption=''):
        """
        Add two images of a map with a slider between them.

        Parameters
        ----------
        before, after : 3D uint8 `~numpy.ndarray`
            The images, of one shape.

        caption : str, optional
            What they show.

        Raises
        ------
        ValueError
            If the images differ in shape.
        """
        if before.shape != after.shape:
            msg = (
                'before and after must have one shape, got '
                f'{before.shape} and {after.shape}'
            )
            raise ValueError(msg)
        text = html.escape(caption)
        width = before.shape[1]
        self.parts.append(
            f'<figure class="compare" style="max-width:{width}px">'
            '<div class="frame">'
            f'<img src="{encode_image(after)}" alt="after: {text}">'
            f'<img class="before" src="{encode_image(before)}" alt="before: {text}">'
            '<span class="handle"></span>'
            '<input type="range" min="0" max="100" value="50" step="0.5" '
            f'aria-label="before and after, {text}"></div>'
            f'<figcaption>{text} (left of the line: before; right: after)'
            '</figcaption></figure>'
        )

    def add_json(self, values, caption=''):
        """
        Add a folded block of JSON.

        Parameters
        ----------
        values : object
            What `json` can write.

        caption : str, optional
            The line to unfold it by.
        """
        text = html.escape(json.dumps(values, indent=2, default=str))
        self.parts.append(
            f'<details><summary>{html.escape(caption)}</summary>'
            f'<pre>{text}</pre></details>'
        )

    def _add_caption(self, caption):
        if caption:
            self.parts.append(f'<p class="caption">{html.escape(caption)}</p>')

    def to_html(self, anchor):
        """
        Make the section's HTML.

        Parameters
        ----------
        anchor : str
            Its identifier in the page.

        Returns
        -------
        text : str
            The HTML.
        """
        lines = [f'<section id="{anchor}"><h2>{html.escape(self.title)}</h2>']
        if self.text:
            lines.append(f'<p>{html.escape(self.text)}</p>')
        return '\n'.join([*lines, *self.parts, '</section>'])


@dataclass
class Report:
    """
    A report of several sections.

    Parameters
    ----------
    title : str
        The title.

    lead : str, optional
        What was evaluated, in a sentence or two.

    sections : list of `Section`, optional
        The sections.
    """

    title: str
    lead: str = ''
    sections: list = field(default_factory=list)

    def add(self, title, text=''):
        """
        Add a section.

        Parameters
        ----------
        title, text : str
            See `Section`.

        Returns
        -------
        section : `Section`
            The section, to be filled.
        """
        section = Section(title, text)
        self.sections.append(section)
        return section

    def to_html(self):
        """
        Make the page.

        Returns
        -------
        text : str
            The HTML.
        """
        path: Any = resources.files('photutils_pconv') / 'data/evaluation/report.html'
        template = Template(path.read_text(encoding='utf-8'))
        anchors = [f's{k}' for k, _ in enumerate(self.sections)]
        links = [
            f'<li><a href="#{anchor}">{html.escape(section.title)}</a></li>'
            for anchor, section in zip(anchors, self.sections, strict=True)
        ]
        body = [
            section.to_html(anchor)
            for anchor, section in zip(anchors, self.sections, strict=True)
        ]
        return template.substitute(
            title=html.escape(self.title),
            lead=html.escape(self.lead),
            contents='\n'.join(links),
            body='\n'.join(body),
        )

    def write(self, path):
        """
        Write the page.

        Parameters
        ----------
        path : path-like
            The file; an existing one is replaced.
        """
        write_bytes_atomically(path, self.to_html().encode('utf-8'))

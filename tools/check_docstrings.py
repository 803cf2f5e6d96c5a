# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Validate the docstrings of public names with numpydoc, as they are at run time.

Only there are the parameters of dataclasses known, and what decorators leave of a
function. The checks are those of ``[tool.numpydoc_validation]`` in
``pyproject.toml``, as ``numpydoc lint`` has them, with these conventions:

* A group such as ``data, mask, wcs : optional`` is where its first name belongs.
* A group that is described elsewhere ("As for ...", "See ...") has its types there.
* A context manager that gives nothing has no Yields section.
* A protocol is not called, and has no parameters.

Without arguments it validates this package, and else the given ones::

    python tools/check_docstrings.py [MODULE ...]
"""

import argparse
import ast
import functools
import importlib
import inspect
import pkgutil
import re
import sys
from pathlib import Path

from numpydoc.docscrape import get_doc_object
from numpydoc.hooks.validate_docstrings import parse_config
from numpydoc.validate import Validator, validate

ROOT = Path(__file__).parents[1]
PACKAGE = 'photutils_pconv'
_SECTIONS = ('Parameters', 'Other Parameters')
_ELSEWHERE = re.compile(r'(As|See|Likewise)\b')
_MEMBERS = (property, functools.cached_property)


class RuntimeValidator(Validator):
    """
    Numpydoc's validator of an object, with the conventions of this package.

    Parameters
    ----------
    obj_name : object
        What has the docstring; the name of the parameter is numpydoc's.
    """

    def __init__(self, obj_name):
        super().__init__(get_doc_object(obj_name))

    @property
    def source_file_def_line(self):
        # Numpydoc looks for a definition in a module, too.
        return 1 if self.is_mod else super().source_file_def_line

    @property
    def signature_parameters(self):
        is_protocol = getattr(self.obj, '_is_protocol', False)
        return () if is_protocol else super().signature_parameters

    @property
    def is_generator_function(self):
        return super().is_generator_function and any(
            isinstance(node, ast.Yield | ast.YieldFrom) and node.value is not None
            for node in ast.walk(ast.parse(self.method_source))
        )

    @property
    def method_returns_something(self):
        # What checks its arguments first gives the generator of another function.
        return super().method_returns_something and not self.doc['Yields']

    def _groups(self, sections=_SECTIONS):
        for section in sections:
            for names, kind, text in self.doc[section]:
                # A long group goes on in the next line, behind a backslash.
                group = re.split(r',\s+', names)
                if len(group) > 1 and not kind and text:
                    kind = 'elsewhere' if _ELSEWHERE.match(text[0]) else ''
                yield group, kind, text

    def _doc_parameters(self, sections):
        return {
            name: (kind, text)
            for group, kind, text in self._groups(sections)
            for name in group
        }

    @property
    def parameter_mismatches(self):
        faults = super().parameter_mismatches
        if not any(code == 'PR03' for code, _ in faults):
            return faults
        order = self.signature_parameters
        groups = [
            [name.replace('\\', '') for name in group] for group, _, _ in self._groups()
        ]
        is_ordered = all(
            names == sorted(names, key=order.index)
            for names in (*groups, [group[0] for group in groups])
        )
        return [] if is_ordered else faults


def list_modules(name):
    """
    Import a package and its modules.

    Parameters
    ----------
    name : str
        The name of the package, or of a module.

    Yields
    ------
    module : module
        The modules, but for those that are run as a command.
    """
    package = importlib.import_module(name)
    yield package
    for found in pkgutil.walk_packages(getattr(package, '__path__', ()), f'{name}.'):
        if not found.name.endswith('.__main__'):
            yield importlib.import_module(found.name)


def list_objects(module):
    """
    List what a module shows: itself, its public names, and their members.

    Parameters
    ----------
    module : module
        The module.

    Yields
    ------
    name : str
        The full name.

    shown : object
        A module, a class, a function or a property.
    """
    yield module.__name__, module
    package = module.__name__.partition('.')[0]
    for name in getattr(module, '__all__', ()):
        # Functions that keep their results are wrapped.
        shown = inspect.unwrap(getattr(module, name))
        if not (inspect.isclass(shown) or inspect.isfunction(shown)):
            continue
        yield f'{module.__name__}.{name}', shown
        # Classes of the same package only: those of others are documented there.
        for base in shown.__mro__ if inspect.isclass(shown) else ():
            if base.__module__.partition('.')[0] != package:
                continue
            for key, member in vars(base).items():
                member = inspect.unwrap(getattr(member, '__func__', member))
                if inspect.isfunction(member) or isinstance(member, _MEMBERS):
                    yield f'{module.__name__}.{name}.{key}', member


def check_objects(objects, config):
    """
    Validate docstrings.

    Parameters
    ----------
    objects : iterable of tuple
        Names and objects, as of `list_objects`. What has several names is validated
        once, by the first that is not excluded.

    config : dict
        What numpydoc reads from ``pyproject.toml``: ``checks`` and ``exclude``.

    Returns
    -------
    names : list of str
        What was validated.

    faults : list of str
        What is wrong, and where.
    """
    names, faults, seen = [], [], set()
    for name, shown in objects:
        if id(shown) in seen or config['exclude'].search(name):
            continue
        seen.add(id(shown))
        names.append(name)
        report = validate(shown, RuntimeValidator)
        path = Path(report['file'])
        path = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        faults += [
            f'{path}:{report["file_line"]}: {code} {name}: {message}'
            for code, message in report['errors']
            if code in config['checks']
        ]
    return names, faults


def main(arguments=None):
    """
    Run the script.

    Parameters
    ----------
    arguments : sequence of str, optional
        The arguments; by default those of the process.

    Returns
    -------
    status : int
        1 if there is a fault, and else 0.
    """
    parser = argparse.ArgumentParser(description='Validate docstrings.')
    parser.add_argument('modules', nargs='*', default=[PACKAGE])
    options = parser.parse_args(arguments)
    # The package beside this file, not one that is installed.
    sys.path.insert(0, str(ROOT))
    names, faults = check_objects(
        (
            shown
            for name in options.modules
            for module in list_modules(name)
            for shown in list_objects(module)
        ),
        parse_config(ROOT),
    )
    print(*sorted(faults), f'{len(names)} docstrings, {len(faults)} faults', sep='\n')
    return int(bool(faults) or not names)


if __name__ == '__main__':
    sys.exit(main())

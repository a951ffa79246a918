"""Builds fit.pyx against the installed fastgrad."""
from Cython.Build import cythonize
from setuptools import Extension, setup

setup(name="fit", ext_modules=cythonize([Extension("fit", ["fit.pyx"])], language_level=3))

"""Prognostic-factor studies in rare diseases, from raw data to a paper-ready answer.

>>> import rarefactor
>>> rarefactor.__version__
'0.1.0'
"""

__version__ = "0.1.0"

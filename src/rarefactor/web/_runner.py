"""Long work of the pages, in a process of its own: what :mod:`rarefactor.work` gives, under the names used here."""

from rarefactor.work import LongJob as Job
from rarefactor.work import LongStep as Step
from rarefactor.work import Runner

__all__ = ["Job", "Runner", "Step"]

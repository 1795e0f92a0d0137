"""The study, live, in a browser: pages over the same parts that the command line uses.

Convention: the state is the study folder and nothing else; pages show what the doors of the parts give, and compute
nothing. Importing this part is slow; the command line does it only to serve.
"""

from rarefactor.web._app import create_app
from rarefactor.web._security import Allowed, allow
from rarefactor.web._serve import Address, serve
from rarefactor.web._session import Role, Sessions, User
from rarefactor.web._users import Users, add_user

__all__ = [
    "Address",
    "Allowed",
    "Role",
    "Sessions",
    "User",
    "Users",
    "add_user",
    "allow",
    "create_app",
    "serve",
]

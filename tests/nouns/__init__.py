"""One noun a module: its tests, and what the tests of all nouns together ask of it.

``table``        its table
``crowd_row``    values of row ``n`` of many, all of them of a user or a project
``CREDENTIALS``  who may call which endpoint; see `tests.contract.test_credentials`
``BODIES``       a good request body, by the name of its component in the API's description
``STATEMENTS``   requests, and how many statements they take; see `tests.contract.test_queries`

`tests.conftest` makes these modules' fixtures known to all tests.
"""

import importlib
import pkgutil
import re

from ar_targets.db.base import Base

from ..client import JPEG, JSON
from ..description import default_document


def modules():
    """The modules, parents before children."""
    found = [
        importlib.import_module(module.name)
        for module in pkgutil.iter_modules(__path__, f"{__name__}.")
    ]
    return sorted(found, key=lambda module: Base.metadata.sorted_tables.index(module.table))


def gathered(name):
    """What all modules have under a name, in one dictionary."""
    return {key: value for module in modules() for key, value in getattr(module, name).items()}


def credentials():
    """The tables of credentials of all nouns."""
    return "".join(getattr(module, "CREDENTIALS", "") for module in modules())


def good_body(method, path):
    """A good body for a request; None for one that has none. Whatever stands in braces is an id."""
    documented = {re.sub("{.*?}", "{}", one): of for one, of in default_document()["paths"].items()}
    name = body_name(documented[re.sub("{.*?}", "{}", path)][method.lower()])
    return gathered("BODIES")[name] if name else None


def body_name(operation):
    """The name of the schema of a request's body in the description."""
    if "requestBody" not in operation:
        return None
    content = operation["requestBody"]["content"]
    return content.get(JSON, content.get(JPEG))["schema"]["$ref"].rpartition("/")[2]

"""What the packages take of other libraries: what their documents offer, and nothing else.

Each module in use is listed with the page that documents it. Anything private, an
assignment to what was imported, and switching off what a library has registered fail.
"""

import ast
import sys

import pytest

from .test_imports import FILES, MODULES, OURS, name_of

# Module → the page that offers it to others.
DOCUMENTED = {
    "PIL": "https://pillow.readthedocs.io/en/stable/reference/Image.html",
    "alembic": "https://alembic.sqlalchemy.org/en/latest/api/commands.html",
    "alembic.config": "https://alembic.sqlalchemy.org/en/latest/api/config.html",
    "alembic.migration": "https://alembic.sqlalchemy.org/en/latest/api/runtime.html",
    "apscheduler.schedulers.blocking": "https://apscheduler.readthedocs.io/en/3.x/userguide.html",
    "apscheduler.triggers.base": "https://apscheduler.readthedocs.io/en/3.x/extending.html",
    "argon2": "https://argon2-cffi.readthedocs.io/en/stable/api.html",
    "click": "https://click.palletsprojects.com/en/stable/api/",
    "click.shell_completion": "https://click.palletsprojects.com/en/stable/shell-completion/",
    "colander": "https://docs.pylonsproject.org/projects/colander/en/latest/api.html",
    "cornice": "https://cornice.readthedocs.io/en/latest/services.html",
    "cornice.errors": "https://cornice.readthedocs.io/en/latest/validation.html",
    "cronsim": "https://github.com/cuu508/cronsim#readme",
    "faiss": "https://faiss.ai/index.html",
    # Which classes there are of indexes, and of selectors of ids.
    "faiss.contrib.inspect_tools": "https://github.com/facebookresearch/faiss/wiki/FAQ",
    "filelock": "https://py-filelock.readthedocs.io/en/latest/",
    "cv2": "https://docs.opencv.org/5.x/",
    "cryptography.fernet": "https://cryptography.io/en/latest/fernet/",
    "cryptography.hazmat.primitives.hashes": (
        "https://cryptography.io/en/latest/hazmat/primitives/cryptographic-hashes/"
    ),
    "cryptography.hazmat.primitives.kdf.hkdf": (
        "https://cryptography.io/en/latest/hazmat/primitives/key-derivation-functions/"
    ),
    "flask": "https://flask.palletsprojects.com/en/stable/api/",
    "flask.sessions": "https://flask.palletsprojects.com/en/stable/api/#session-interface",
    "flask_admin": "https://flask-admin.readthedocs.io/en/latest/api/mod_base/",
    "flask_admin.actions": "https://flask-admin.readthedocs.io/en/latest/api/mod_actions/",
    "flask_admin.contrib.sqla": "https://flask-admin.readthedocs.io/en/latest/api/mod_contrib_sqla/",
    # Of each view's column_filters, and of its form_ajax_refs.
    "flask_admin.contrib.sqla.filters": (
        "https://flask-admin.readthedocs.io/en/latest/api/mod_contrib_sqla/"
    ),
    "flask_admin.form": "https://flask-admin.readthedocs.io/en/latest/api/mod_form/",
    "flask_admin.model.ajax": "https://flask-admin.readthedocs.io/en/latest/api/mod_model/",
    "flask_admin.menu": "https://flask-admin.readthedocs.io/en/latest/introduction/",
    "flask_admin.theme": "https://flask-admin.readthedocs.io/en/latest/introduction/",
    "flask_wtf.csrf": "https://flask-wtf.readthedocs.io/en/1.2.x/csrf/",
    "flask_wtf.file": "https://flask-wtf.readthedocs.io/en/1.2.x/form/#module-flask_wtf.file",
    "granian": "https://github.com/emmett-framework/granian#readme",
    "granian.constants": "https://github.com/emmett-framework/granian#readme",
    "jwt": "https://pyjwt.readthedocs.io/en/stable/api.html",
    "limits": "https://limits.readthedocs.io/en/stable/api.html",
    "limits.storage": "https://limits.readthedocs.io/en/stable/custom-storage.html",
    "limits.strategies": "https://limits.readthedocs.io/en/stable/strategies.html",
    "markupsafe": "https://markupsafe.palletsprojects.com/en/stable/escaping/",
    "msgspec": "https://jcristharif.com/msgspec/api.html",
    "multipart": "https://multipart.readthedocs.io/en/latest/api.html",
    "numpy": "https://numpy.org/doc/stable/reference/",
    "numpy.typing": "https://numpy.org/doc/stable/reference/typing.html",
    "orjson": "https://github.com/ijl/orjson#readme",
    "pillow_heif": "https://pillow-heif.readthedocs.io/en/latest/pillow-plugin.html",
    "plaster": "https://docs.pylonsproject.org/projects/plaster/en/latest/api.html",
    "platformdirs": "https://platformdirs.readthedocs.io/en/latest/api.html",
    "prometheus_client": "https://prometheus.github.io/client_python/instrumenting/",
    "prometheus_client.metrics_core": "https://prometheus.github.io/client_python/collector/custom/",
    "prometheus_client.multiprocess": "https://prometheus.github.io/client_python/multiprocess/",
    "pybase64": "https://pybase64.readthedocs.io/en/stable/api.html",
    "pymysql": "https://pymysql.readthedocs.io/en/latest/modules/index.html",
    "pyramid_jwt": "https://github.com/wichert/pyramid_jwt#readme",
    "pyramid_retry": "https://docs.pylonsproject.org/projects/pyramid-retry/en/latest/api.html",
    "requests": "https://requests.readthedocs.io/en/latest/api/",
    "requests.adapters": "https://requests.readthedocs.io/en/latest/user/advanced/",
    "requests.exceptions": "https://requests.readthedocs.io/en/latest/api/#exceptions",
    "rich": "https://rich.readthedocs.io/en/stable/reference.html",
    "rich.console": "https://rich.readthedocs.io/en/stable/reference/console.html",
    "rich.markup": "https://rich.readthedocs.io/en/stable/reference/markup.html",
    "rich.progress": "https://rich.readthedocs.io/en/stable/reference/progress.html",
    "rich.table": "https://rich.readthedocs.io/en/stable/reference/table.html",
    "rich.text": "https://rich.readthedocs.io/en/stable/reference/text.html",
    "sqlalchemy": "https://docs.sqlalchemy.org/en/21/core/",
    "sqlalchemy.dialects": "https://docs.sqlalchemy.org/en/21/dialects/",
    "sqlalchemy.dialects.mysql": "https://docs.sqlalchemy.org/en/21/dialects/mysql.html",
    "sqlalchemy.engine": "https://docs.sqlalchemy.org/en/21/core/connections.html",
    "sqlalchemy.exc": "https://docs.sqlalchemy.org/en/21/core/exceptions.html",
    "sqlalchemy.orm": "https://docs.sqlalchemy.org/en/21/orm/",
    "urllib3": "https://urllib3.readthedocs.io/en/stable/reference/urllib3.fields.html",
    "urllib3.exceptions": "https://urllib3.readthedocs.io/en/stable/reference/urllib3.exceptions.html",
    "urllib3.fields": "https://urllib3.readthedocs.io/en/stable/reference/urllib3.fields.html",
    "urllib3.util": "https://urllib3.readthedocs.io/en/stable/reference/urllib3.util.html",
    "waitress": "https://docs.pylonsproject.org/projects/waitress/en/stable/api.html",
    "werkzeug.datastructures": "https://werkzeug.palletsprojects.com/en/stable/datastructures/",
    "werkzeug.exceptions": "https://werkzeug.palletsprojects.com/en/stable/exceptions/",
    "werkzeug.middleware.proxy_fix": (
        "https://werkzeug.palletsprojects.com/en/stable/middleware/proxy_fix/"
    ),
    "wtforms": "https://wtforms.readthedocs.io/en/stable/forms/",
    "wtforms.fields": "https://wtforms.readthedocs.io/en/stable/fields/",
    "yaml": "https://pyyaml.org/wiki/PyYAMLDocumentation",
    "zope.sqlalchemy": "https://github.com/zopefoundation/zope.sqlalchemy#readme",
}
PYRAMID = "https://docs.pylonsproject.org/projects/pyramid/en/latest/api/"
DOCUMENTED |= {
    f"pyramid.{name}": f"{PYRAMID}{name}.html"
    for name in (
        *("authorization", "config", "decorator", "exceptions", "httpexceptions", "interfaces"),
        *("paster", "renderers", "request", "response", "router", "security", "tweens"),
    )
}

# Where a document says that attributes are to be set.
SET = {
    "admin.authentication: flask.session.permanent": "https://flask.palletsprojects.com/en/stable/api/#sessions",
}
APPCONTEXT = "https://flask.palletsprojects.com/en/stable/appcontext/"
SET |= {
    f"admin.{place}": APPCONTEXT
    for place in (
        *("audit: flask.g.names", "authentication: g.nonce", "authentication: g.viewer"),
        *("list_filter: flask.g.ordered", "noun_view: flask.g.first_ids"),
        *("page: g.messages_size", "page: g.more_messages"),
    )
}

# Underscored names that their documents offer: those of NamedTuple, and of SQLAlchemy's rows.
OFFERED = {"_asdict", "_fields", "_make", "_mapping", "_replace"}

TREES = {
    name_of(path).removeprefix("ar_targets."): ast.parse(path.read_text(encoding="utf-8"))
    for path in FILES
}


def is_foreign(name):
    return name.split(".")[0] not in {*OURS, *sys.stdlib_module_names}


def foreign_modules():
    """Each module of another library that is imported, with who imports it."""
    for importer, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from ((alias.name, importer) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                yield node.module, importer


def names_imported(tree):
    """Names in a module that stand for something of another library's."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found = [(alias.name, alias.asname or alias.name.split(".")[0]) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found = [(node.module, alias.asname or alias.name) for alias in node.names]
        else:
            continue
        yield from (name for module, name in found if is_foreign(module))


def own_names(tree):
    """Underscored names that a module, or another of ours, gives to something itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
                yield node.attr
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


OWN = {name for tree in TREES.values() for name in own_names(tree)}


def private_names(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            names = [node.attr]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [*node.module.split("."), *(alias.name for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [part for alias in node.names for part in alias.name.split(".")]
        else:
            continue
        for name in names:
            if name.startswith("_") and not name.startswith("__") and name not in OFFERED | OWN:
                yield ast.unparse(node)


def assignments_to_others(tree):
    """Attributes of imported objects that are set or deleted, by whatever way."""
    imported = set(names_imported(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            root = node.value
            while isinstance(root, ast.Attribute):
                root = root.value
            if isinstance(root, ast.Name) and root.id in imported:
                yield ast.unparse(node)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("setattr", "delattr"):
            target = node.args[0]
            if isinstance(target, ast.Name) and target.id in imported:
                yield ast.unparse(node)


def calls_that_switch_off(tree):
    for node in ast.walk(tree):
        name = getattr(node.func, "attr", "") if isinstance(node, ast.Call) else ""
        if name.startswith("unregister"):
            yield ast.unparse(node.func)


def everywhere(find):
    return {f"{module}: {found}" for module, tree in TREES.items() for found in find(tree)}


def test_each_module_in_use_has_the_page_that_documents_it():
    used = {name for name, _ in foreign_modules() if is_foreign(name)}
    assert used - DOCUMENTED.keys() == set()
    assert len(TREES) == len(MODULES)


def test_nothing_private_is_used():
    assert everywhere(private_names) == set()


def test_nothing_that_was_imported_is_changed():
    assert everywhere(assignments_to_others) == SET.keys()


def test_nothing_is_switched_off():
    assert everywhere(calls_that_switch_off) == set()


@pytest.mark.parametrize(
    ("find", "code"),
    [
        (private_names, "import pymysql\ncursor._do_get_result()"),
        (private_names, "from sqlalchemy.pool import _ConnectionFairy"),
        (private_names, "import granian._granian"),
        (assignments_to_others, "import waitress\nwaitress.task.Task.execute = None"),
        (assignments_to_others, "from pymysql import connections as c\nc.DEBUG = True"),
        (assignments_to_others, "import waitress\nsetattr(waitress, 'serve', None)"),
        (calls_that_switch_off, "registry.unregisterHandler(handler)"),
    ],
)
def test_what_must_not_be_is_seen(find, code):
    assert list(find(ast.parse(code)))

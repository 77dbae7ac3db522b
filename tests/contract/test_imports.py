"""Imports go one way: views → http → resources → auth → models → db → settings."""

import ast
import graphlib
from pathlib import Path

import pytest

import ar_targets
import ar_targets_client

PACKAGES = [Path(package.__file__).parent for package in (ar_targets, ar_targets_client)]
OURS = ("ar_targets", "ar_targets_client")
ENTRY_POINTS = ("ar_targets.admin", "ar_targets.scripts", "ar_targets.development")


def name_of(path):
    """``ar_targets/views/user.py`` → ``ar_targets.views.user``."""
    (root,) = (package.parent for package in PACKAGES if path.is_relative_to(package))
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path):
    """The full names of all that a module imports, wherever in it."""
    package = name_of(path) if path.name == "__init__.py" else name_of(path).rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(above if node.level else []), *filter(None, [node.module])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


FILES = [path for package in PACKAGES for path in package.rglob("*.py")]
MODULES = {name_of(path): sorted(set(imports_of(path))) for path in FILES}


def within(name, *packages):
    return any(f"{name}.".startswith(f"{package}.") for package in packages)


def offenders(importers, *forbidden):
    """``module: import`` for each import that must not be."""
    return [
        f"{module}: {name}"
        for module in importers
        for name in MODULES[module]
        if within(name, *forbidden)
    ]


def below(*packages):
    """The modules of packages."""
    return [module for module in MODULES if within(module, *packages)]


def outside(*packages):
    """All other modules."""
    return [module for module in MODULES if not within(module, *packages)]


def module_of(name):
    """The module in which an imported name is."""
    while name not in MODULES:
        name = name.rpartition(".")[0]
    return name


def room_of(module):
    """``ar_targets.views.user`` → ``ar_targets.views``; a module at the top is by itself."""
    return ".".join(module.split(".")[:2])


def graph(label=lambda module: module):
    """What each module imports of ours, wherever in it; or each room."""
    found = {label(module): set() for module in MODULES}
    for importer, names in MODULES.items():
        imported = {module_of(name) for name in names if within(name, *OURS)}
        # Of a package, its modules import each other, and not it.
        imported -= {package for package in imported if within(importer, package)}
        found[label(importer)] |= {label(module) for module in imported} - {label(importer)}
    return found


def floors(imports):
    """The floor of each, above all that it imports. Raises graphlib.CycleError."""
    height = {}
    for one in graphlib.TopologicalSorter(imports).static_order():
        height[one] = 1 + max((height[below] for below in imports[one]), default=0)
    return height


def test_no_two_modules_and_no_two_rooms_need_each_other():
    assert max(floors(graph()).values()) > 8
    assert max(floors(graph(room_of)).values()) <= 9
    with pytest.raises(graphlib.CycleError):
        floors({"a": {"b"}, "b": {"c"}, "c": {"a"}})


def test_the_walk_finds_modules_and_relative_imports():
    assert len(MODULES) > 30
    assert "ar_targets.schemas.body.Body" in MODULES["ar_targets.schemas.user"]
    assert "ar_targets.settings" in MODULES["ar_targets.application"]
    assert "ar_targets.http.conditional.not_modified" in MODULES["ar_targets.views.user"]
    assert "ar_targets_client.upload.Upload" in MODULES["ar_targets_client.cli.target_add"]


def test_nothing_imports_views():
    assert offenders(outside("ar_targets.views"), "ar_targets.views") == []


LAYERS = ["admin", "development", "scripts", "views", "resources", "schemas", "auth", "http"]


@pytest.mark.parametrize(
    ("importer", "forbidden"),
    [
        ("ar_targets.models", [f"ar_targets.{layer}" for layer in LAYERS]),
        ("ar_targets.models", ["pyramid", "cornice", "colander", "webob"]),
        ("ar_targets.db.base", ["ar_targets.models.user", "ar_targets.models.project"]),
        ("ar_targets.schemas", ["pyramid", "cornice", "webob", "sqlalchemy"]),
        (
            "ar_targets.schemas",
            ["ar_targets.views", "ar_targets.resources", "ar_targets.db.session"],
        ),
        ("ar_targets.resources", ["ar_targets.schemas", "cornice", "colander", "sqlalchemy"]),
        ("ar_targets.views", [*ENTRY_POINTS]),
        ("ar_targets.settings", ["ar_targets", "pyramid"]),
        ("ar_targets.images.jpeg", ["ar_targets", "pyramid", "sqlalchemy"]),
        ("ar_targets.images.base64_jpeg", ["ar_targets.models", "pyramid", "sqlalchemy"]),
        ("ar_targets.images.worker", ["ar_targets"]),
        ("ar_targets.images.drawing", ["ar_targets"]),
        ("ar_targets.auth.passwords", ["ar_targets"]),
        ("ar_targets.clock", ["ar_targets"]),
    ],
)
def test_layers(importer, forbidden):
    assert offenders(below(importer), *forbidden) == []


def test_schemas_take_no_more_than_limits_from_models():
    found = [
        name
        for module in below("ar_targets.schemas")
        for name in MODULES[module]
        if within(name, "ar_targets.models") and not name.rpartition(".")[2].isupper()
    ]
    assert found == []


def test_the_server_needs_neither_scripts_nor_development():
    assert offenders(outside(*ENTRY_POINTS), "ar_targets.scripts", "ar_targets.development") == []


def test_the_packages_need_no_tests():
    assert offenders(MODULES, "tests", "pytest", "webtest", "playwright", "sklearn") == []


def test_images_are_decoded_in_processes_of_their_own_alone():
    """By the server; the client decodes what its user converts, and nothing else."""
    drawn = ("ar_targets.images.drawing", "ar_targets.images.heatmap_drawing")
    assert offenders(outside(*drawn, "ar_targets_client.convert"), "PIL", "pillow_heif") == []
    assert offenders(MODULES, *drawn) == []
    confined = "ar_targets.vision.child"
    assert offenders(outside(confined), "ar_targets.images.worker") == []


def test_only_who_works_on_pictures_imports_what_does():
    """`test_api_imports` tries what a start of the API really loads."""
    vision = ("ar_targets.vision", "ar_targets.vision_server", "ar_targets.jobs")
    assert offenders(outside("ar_targets.vision"), "cv2", "faiss", "numpy") == []
    light = ("ar_targets.vision.assessment", "ar_targets.vision.version")
    found = offenders(outside(*vision, "ar_targets.scripts"), "ar_targets.vision")
    assert [line for line in found if not within(line.partition(": ")[2], *light)] == []


def test_flask_is_the_admin_panels():
    flask = ["flask", "flask_admin", "flask_wtf", "werkzeug", "jinja2", "markupsafe"]
    assert offenders(outside("ar_targets.admin", "ar_targets.http.trusted_proxy"), *flask) == []


def test_the_admin_panel_goes_through_the_models():
    """Flask-Admin's views read with a session, and all changes are the models' functions."""
    assert offenders(below("ar_targets.admin"), "pymysql") == []
    panel = {name: MODULES[name] for name in below("ar_targets.admin")}
    written = [
        f"{module}: {name}"
        for module, names in panel.items()
        for name in names
        if name in {f"sqlalchemy.{verb}" for verb in ("insert", "update", "delete", "text")}
    ]
    assert written == []
    with_sessions = {module for module, names in panel.items() if "sqlalchemy.orm.Session" in names}
    assert with_sessions == {"ar_targets.admin.context"}
    writers = {
        path.stem
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if within(name_of(path), "ar_targets.admin")
        and isinstance(node, ast.Attribute)
        and ast.unparse(node.value) in ("sessions", "self.session")
        and node.attr in ("add", "commit", "delete", "flush", "merge")
    }
    assert writers == {"context"}

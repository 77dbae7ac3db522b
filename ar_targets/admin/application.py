"""Factory of the panel's Flask application."""

import hashlib
import hmac
import importlib
from collections.abc import Iterator
from pathlib import Path

from flask import Flask
from flask_admin import Admin
from flask_admin.theme import Theme
from flask_wtf.csrf import CSRFProtect

from ..models.audit import Audit
from ..models.noun import Revisioned, SoftDeletable, nouns
from ..settings import Settings
from . import authentication, context, page, template_filters
from .account import AccountPage
from .audit import AuditView
from .check import CheckPage
from .dashboard import DashboardPage
from .login import LoginPage
from .noun_view import NounView
from .password_link import PasswordLinkPage
from .trash import DeletedView, TrashPage

# Nouns without an entry in the menu: a project's page has its members.
WITHOUT_MENU = ("member",)

HERE = Path(__file__).parent
# max-age of static files, a year: their URLs contain a checksum.
ASSET_SECONDS = 31_536_000


def make_application(settings: Settings) -> Flask:
    """Create the Flask application with all its pages; called once per process by `wsgi`."""
    app = Flask(
        "ar_targets.admin",
        root_path=str(HERE),
        static_folder="static",
        static_url_path="/admin/assets",
        template_folder="templates",
    )
    keys = [cookie_key(key) for key in settings.jwt_keys]
    app.config.update(
        SECRET_KEY=keys[0],
        SECRET_KEY_FALLBACKS=keys[1:],
        SESSION_COOKIE_NAME="ar_targets_admin",
        SESSION_COOKIE_PATH=authentication.HOME,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=settings.admin_session_ttl,
        SEND_FILE_MAX_AGE_DEFAULT=ASSET_SECONDS,
        PROPAGATE_EXCEPTIONS=True,
        # CSRF tokens are valid as long as the session.
        WTF_CSRF_TIME_LIMIT=None,
        # Behind a proxy the Referer may differ from the host that Flask sees; the token is checked.
        WTF_CSRF_SSL_STRICT=False,
    )
    app.session_interface = authentication.Cookies()
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    context.install(app)
    authentication.install(app)
    # After `authentication.check`: the session is checked before the body is read.
    CSRFProtect(app)
    template_filters.install(app)
    page.install(app, checksums())
    add_pages(app)
    return app


def add_pages(app: Flask) -> None:
    """Register the pages with Flask-Admin, in the order of the menu."""
    admin = Admin(
        app,
        name="ar_targets",
        index_view=DashboardPage(name="Dashboard", menu_icon_value="dashboard"),
        theme=Theme(folder="bootstrap4", base_template="layout.html"),
        csp_nonce_generator=authentication.nonce,
    )
    deleted = deleted_views()
    admin.add_views(
        *noun_views(),
        TrashPage(deleted, name="Trash", endpoint="trash", menu_icon_value="trash"),
        *deleted,
        AuditView(Audit, name="Audit", endpoint="audit", menu_icon_value="audit"),
        CheckPage(name="Check a picture", endpoint="check"),
        AccountPage(name="Account", endpoint="account"),
        LoginPage(name="Log in", endpoint="login"),
        PasswordLinkPage(name="New password", endpoint="password_link", url="password"),
    )


def noun_views() -> Iterator[NounView]:
    """The views of all nouns: ``<Noun>View`` in the module that is named after the noun's table."""
    for noun in nouns(Revisioned):
        name = noun.__tablename__
        module = importlib.import_module(f".{name}", __package__)
        icon = None if name in WITHOUT_MENU else name
        made: NounView = getattr(module, f"{noun.__name__}View")(
            noun, name=noun.plural.title(), endpoint=name, menu_icon_value=icon
        )
        yield made


def deleted_views() -> list[DeletedView]:
    """The lists of the trash, those that everybody has first."""
    lists: list[DeletedView] = []
    for noun in reversed(nouns(SoftDeletable)):
        name = noun.__tablename__
        lists.append(
            DeletedView(
                noun,
                lists,
                name=noun.plural.title(),
                endpoint=f"deleted_{name}",
                url=f"trash/{name}",
            )
        )
    return lists


def cookie_key(jwt_key: str) -> bytes:
    """Derive the key that signs session cookies from a JWT key; it cannot sign JWTs."""
    return hmac.digest(jwt_key.encode(), b"ar_targets admin panel cookies", "sha256")


def checksums() -> dict[str, str]:
    """The version in each static file's URL: the beginning of its SHA-256."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        for path in (HERE / "static").iterdir()
    }

"""Packaging of the server: what it needs, and the commands it installs.

The client is packaged by itself, in ``clients/python``.

Exact versions are pinned in ``requirements.lock`` (to run),
``requirements-production.lock`` (with the driver in C) and ``requirements-dev.lock`` (to
work on it); ``make lock`` renews all of them.
"""

from pathlib import Path

from setuptools import find_packages, setup

REQUIRES = [
    # The web application.
    "pyramid>=2.1,<3",  # routing, traversal, ACLs
    "cornice>=6.1,<7",  # REST services and their error shape
    "colander>=2,<3",  # what a request body may hold
    "pyramid-jwt>=1.6,<2",  # encodes and verifies the tokens
    "pyramid-tm>=2.6,<3",  # one transaction a request
    "pyramid-retry>=2.1,<3",  # runs a request again after a deadlock
    "plaster-pastedeploy>=1,<2",  # reads the ini files
    "granian>=2.8,<3",  # the HTTP server in production
    "waitress>=3,<4",  # the one for development, in Python alone
    "setuptools<80.9",  # cornice imports pkg_resources, which newer ones warn of and then lack
    # The database.
    "sqlalchemy>=2.1,<3",
    "pymysql>=1.2,<2",  # the driver, in Python alone
    "cryptography>=45",  # seals kept answers; PyMySQL needs it for MySQL's default authentication
    "zope.sqlalchemy>=4.1,<5",  # ties the session to the transaction
    "transaction>=5,<6",
    "alembic>=1.20,<2",  # migrations
    # The admin panel.
    # Lists, filters, forms, exports, bulk actions; mounted in Pyramid. Its model views import
    # Flask-SQLAlchemy, which is not used otherwise.
    "flask-admin[sqlalchemy]>=2.2,<3",
    "wtforms>=3.2,<4",  # the forms of its views
    "flask>=3.1,<4",
    "flask-wtf>=1.3,<2",  # CSRF tokens
    "werkzeug>=3.1,<4",  # what the proxy in front says of its clients
    "pillow>=12",  # thumbnails
    # The API's description.
    "pyyaml>=6.0.3,<7",  # reads it
    # Carries Swagger UI. What plugins of the page may rely on changes with its minor versions.
    "flask-swagger-ui>=5.34,<5.35",
    # What is known about pictures; only the worker and the vision server import OpenCV and faiss.
    "opencv-python-headless>=5,<6",  # decoding, features, geometry
    "numpy>=2.2,<3",
    "faiss-cpu>=1.15,<2",  # nearest neighbours among a project's features
    "urllib3>=2.5,<3",  # the way to the vision server: a pool of connections, and timeouts
    # Tools for one job each.
    "argon2-cffi>=25.1",  # password hashing (Argon2id)
    "limits>=5.8,<6",  # counts failed logins
    "APScheduler>=3.11,<4",  # runs the purge on schedule; cron itself needs root, and hides output
    "cronsim>=2.8,<3",  # reads crontab times as cron does, which APScheduler does not
    "orjson>=3.11,<4",  # JSON, many times the speed of the standard library's
    "prometheus-client>=0.26,<1",  # metrics that several processes share
    "pybase64>=1.4,<2",  # base64, likewise
    "msgspec>=0.22,<1",  # checks JSON without decoding it: metadata is kept as its text
    "multipart>=2,<3",  # reads forms with files, within limits
]

# The driver for production, `mysql+mariadbconnector://`: values go beside the SQL, which
# carries images several times as fast. Built with a C compiler and libmariadb-dev.
MARIADB_REQUIRES = ["mariadb>=1.1.14,<2"]

setup(
    name="ar_targets",
    version="0.2.0",
    description="A self-hosted server for the projects and image targets of AR applications",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.11",
    packages=find_packages(include=["ar_targets", "ar_targets.*"]),
    package_data={
        "ar_targets": [
            "py.typed",
            # Links to the top of the repository; copies in a wheel and an sdist.
            *("development.ini", "production.ini"),
            *("alembic/env.py", "alembic/script.py.mako", "alembic/versions/*.py"),
        ],
        "ar_targets.admin": ["static/*", "templates/*.html", "templates/*/*.html"],
        "ar_targets.openapi": ["description.yaml", "*.css", "*.html", "docs*.js"],
    },
    install_requires=REQUIRES,
    extras_require={"mariadb": MARIADB_REQUIRES},
    entry_points={
        "paste.app_factory": ["main = ar_targets.application:main"],
        "paste.server_runner": [
            "development = ar_targets.development.server:serve",
            "granian = ar_targets.server:serve",
            # As ini files of version 0.1.0 say.
            "waitress = ar_targets.server:serve_as_before",
        ],
        "console_scripts": [
            "ar_targets_init = ar_targets.scripts.init:main",
            "ar_targets_initdb = ar_targets.scripts.initdb:main",
            "ar_targets_admin = ar_targets.scripts.admin:main",
            "ar_targets_backup = ar_targets.scripts.backup:main",
            "ar_targets_purge = ar_targets.scripts.purge:main",
            "ar_targets_schedule = ar_targets.scripts.schedule:main",
            "ar_targets_secrets = ar_targets.scripts.secret:main",
            "ar_targets_restore = ar_targets.scripts.restore:main",
            "ar_targets_worker = ar_targets.scripts.worker:main",
            "ar_targets_vision = ar_targets.scripts.vision:main",
            "ar_targets_serve = ar_targets.development.serve:main",
        ],
    },
)

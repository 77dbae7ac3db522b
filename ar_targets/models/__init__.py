"""The models (nouns), one per file: the mapped class, its record, and its queries.

Statements are built once, when a module is loaded, and select columns rather than entities: a row
costs a fraction of an ORM object, and the image BLOB is read only where it is selected.
"""

from ..db.base import Base
from .admin_session import AdminSession
from .analysis import Analysis
from .audit import Audit
from .backup_result import BackupResult
from .feature_set import FeatureRevision, FeatureSetRow
from .idempotency_key import IdempotencyKey
from .login_attempt import LoginAttempt
from .member import Member
from .password_link import PasswordLink
from .project import Project
from .purge_result import PurgeResult
from .request_count import RequestCount
from .similarity import Similarity
from .target import Target
from .thumbnail import Thumbnail
from .token import Token
from .user import User

# The migration that these classes belong to: ``/health/ready`` compares it with the database's,
# and a test with alembic's head.
SCHEMA_REVISION = "0026"

__all__ = [
    "SCHEMA_REVISION",
    "AdminSession",
    "Analysis",
    "Audit",
    "BackupResult",
    "Base",
    "FeatureRevision",
    "FeatureSetRow",
    "IdempotencyKey",
    "LoginAttempt",
    "Member",
    "PasswordLink",
    "Project",
    "PurgeResult",
    "RequestCount",
    "Similarity",
    "Target",
    "Thumbnail",
    "Token",
    "User",
]

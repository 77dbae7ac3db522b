"""The tables behind the mapped classes, for what tests ask of the database themselves."""

from ar_targets.models import (
    AdminSession,
    Analysis,
    Audit,
    BackupResult,
    FeatureRevision,
    FeatureSetRow,
    IdempotencyKey,
    LoginAttempt,
    Member,
    PasswordLink,
    Project,
    PurgeResult,
    RequestCount,
    Similarity,
    Target,
    Thumbnail,
    Token,
    User,
)

admin_session = AdminSession.__table__
analysis = Analysis.__table__
attempt = LoginAttempt.__table__
audit = Audit.__table__
backup_result = BackupResult.__table__
feature_revision = FeatureRevision.__table__
feature_set = FeatureSetRow.__table__
idempotency_key = IdempotencyKey.__table__
member = Member.__table__
password_link = PasswordLink.__table__
project = Project.__table__
purge_result = PurgeResult.__table__
request_count = RequestCount.__table__
similarity = Similarity.__table__
target = Target.__table__
thumbnail = Thumbnail.__table__
token = Token.__table__
user = User.__table__

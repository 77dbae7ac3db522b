"""Put many image targets into a project at once, for measuring lists: ``seed.py PROJECT_ID ROWS``.

The database is the one that ``AR_TARGETS_DATABASE_URL`` names. Every row has the
same tiny image; a million take about a minute.
"""

import argparse
import os

from sqlalchemy import create_engine, text

AT_ONCE = 10_000
INSERT = text(
    "INSERT INTO target (project_id, description, width, height, size, sha256, image, "
    "created_at, updated_at) VALUES (:project, :description, 1, 1, 1, :sha256, 'x', "
    "UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))"
)


def main() -> None:
    """Insert in batches."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", type=int)
    parser.add_argument("rows", type=int)
    arguments = parser.parse_args()
    engine = create_engine(os.environ["AR_TARGETS_DATABASE_URL"])
    for start in range(0, arguments.rows, AT_ONCE):
        rows = [
            {"project": arguments.project, "description": f"target {n}", "sha256": f"{n:064x}"}
            for n in range(start, min(start + AT_ONCE, arguments.rows))
        ]
        with engine.begin() as connection:
            connection.execute(INSERT, rows)


if __name__ == "__main__":
    main()

"""How many of our files a request runs through."""

import sys
from pathlib import Path

import ar_targets

from ..pictures import CHINA, base64_of

PACKAGE = Path(ar_targets.__file__).parent
MOST_FILES = 30


def files_of(call):
    """The files of ours that run during a call."""
    files = set()

    def note(frame, event, argument):
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(PACKAGE):
            files.add(str(path.relative_to(PACKAGE)))

    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(None)
    return files


def test_a_new_target_runs_through_few_files(make_app, project, write_token):
    app = make_app(trusted_proxy="127.0.0.1")
    body = {"image": base64_of(CHINA), "description": "a gate"}

    def call():
        app.call("POST", project.targets, body, who=write_token, status=201)

    # What is done once, by the first request, is not done by each; nor is what the garbage
    # collector ends meanwhile.
    call()
    files = min((files_of(call) for _ in range(3)), key=len)
    assert len(files) <= MOST_FILES, "\n".join(sorted(files))

"""``ar-targets target check``, and what ``target add`` refuses: pictures that are hard to track."""

import base64
import json

import pytest

from ..pictures import CHINA, FLOWER, drawn
from .imposter import CHECK, TARGETS, analysis, as_json, pending, problem, record, similar

REFUSED = as_json(
    {"errors": [{"location": "body", "name": "image", "description": "it is no JPEG"}]}, 400
)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "photos"
    made.mkdir()
    for name in ("a", "b", "c"):
        (made / f"{name}.jpg").write_bytes(CHINA)
    return made


@pytest.fixture
def rated(imposter):
    """Has the server answer so, in the order of the requests."""

    def rated(*answers):
        imposter.answers[CHECK] = [
            each if isinstance(each, tuple) else as_json(each) for each in answers
        ]

    return rated


@pytest.fixture
def check(misled):
    """Checks one picture after the other, so that the answers are theirs in this order."""

    def check(*arguments, **rest):
        return misled("target", "check", "--parallel", 1, *arguments, **rest)

    return check


class TestCheck:
    def test_a_table(self, rated, check, folder):
        rated(
            analysis(5), analysis(2, "blurred", "low_contrast"), analysis(0, similar=[similar(7)])
        )
        done = check(folder)
        assert (done.code, done.err) == (0, "3 images: 3 checked.\n")
        head, _, *rows = (line.rstrip() for line in done.out.splitlines())
        assert head.split() == ["file", "rating", "trackability", "features", "problems", "similar"]
        assert [row.split() for row in rows] == [
            ["a.jpg", "★★★★★", "5", "100", "1000"],
            ["b.jpg", "★★☆☆☆", "2", "40", "1000", "blurred,", "low_contrast"],
            ["c.jpg", "☆☆☆☆☆", "0", "0", "1000", "target", "7", "'gate'", "(0.88)"],
        ]

    def test_one_that_falls_below(self, rated, check, folder):
        rated(analysis(3), analysis(2, "blurred"), analysis(4))
        done = check(folder, "--min-rating", 3)
        assert done.code == 1
        assert done.err == (
            "b.jpg: its rating is 2, below 3: blurred\n3 images: 3 checked, 1 below 3.\n"
        )
        assert len(done.out.splitlines()) == 5

    @pytest.mark.parametrize(("rating", "code"), [(0, 0), (2, 0), (3, 1), (5, 1)])
    def test_where_the_line_is(self, rated, check, folder, rating, code):
        rated(analysis(2))
        assert check(folder / "a.jpg", "--min-rating", rating).code == code

    def test_what_cannot_be_checked(self, rated, check, folder):
        (folder / "a.jpg").write_bytes(drawn("PNG"))
        rated(REFUSED, analysis(4))
        done = check(folder, "--json")
        assert done.code == 3
        assert done.err == (
            "a.jpg: not a JPEG but a PNG file; --convert takes it\n"
            "b.jpg: image: it is no JPEG (400)\n"
            "3 images: 1 checked, 2 failed.\n"
        )
        assert [each["analysis"] is None for each in done.json] == [True, True, False]
        rated(REFUSED, analysis(1))
        assert check(folder, "--min-rating", 2).code == 1

    def test_one_whose_analysis_failed(self, rated, check, folder):
        rated(pending(status="failed", problems=[problem("failed", area=None)]))
        done = check(folder / "a.jpg", "--min-rating", 1)
        assert done.code == 1
        assert "it has no rating, below 1: failed\n" in done.err

    def test_many_that_are_similar(self, rated, check, folder):
        rated(analysis(3, similar=[similar(n) for n in range(1, 9)]))
        done = check(folder / "a.jpg")
        assert done.out.rstrip().endswith("target 5 'gate' (0.88), 3 more")

    def test_json(self, rated, check, folder):
        found = analysis(3, "blurred", similar=[similar(7)])
        rated(found)
        done = check(folder / "a.jpg", "--json")
        file = str(folder / "a.jpg")
        wanted = {"file": file, "analysis": found, "reason": None, "converted": None}
        assert done.json == [wanted]

    def test_problems_in_sentences(self, rated, check, folder):
        rated(analysis(3, "blurred"), analysis(4), analysis(1, "low_contrast"))
        done = check(folder, "--problems")
        below = done.out.partition("\n\n")[2].splitlines()
        assert below[0].split()[:3] == ["file", "severity", "problem"]
        assert [line.split()[0] for line in below[2:]] == ["a.jpg", "c.jpg"]
        assert "it is blurred" in below[2]
        assert "take another" in below[2]
        rated(analysis(4))
        assert "\n\n" not in check(folder, "--problems").out

    def test_converted_and_in_folders(self, imposter, rated, check, folder):
        (folder / "below").mkdir()
        (folder / "below" / "d.png").write_bytes(drawn("PNG"))
        rated(analysis(3))
        assert len(check(folder, "--json").json) == 3
        done = check(folder, "-r", "--convert", "--json")
        assert [(each["file"], each["converted"]) for each in done.json] == [
            ("a.jpg", None),
            ("b.jpg", None),
            ("below/d.png", "PNG"),
            ("c.jpg", None),
        ]
        assert sum(body.startswith(b"\xff\xd8") for body in imposter.bodies) == 7

    def test_a_manifest(self, rated, check, folder):
        rated(analysis(3))
        (folder / "manifest.csv").write_text("file,name\nb.jpg,Gate\n")
        assert [each["file"] for each in check(folder, "--json").json] == ["b.jpg"]

    def test_what_ends_it_is_told_after_what_is_known(self, rated, check, folder):
        rated(analysis(3), as_json({"errors": []}, 403))
        done = check(folder)
        assert done.code == 4
        assert len(done.out.splitlines()) == 3
        assert done.err == "Error: the server answered 403 (403)\n"
        rated(as_json({"errors": []}, 401))
        assert check(folder).is_refusal("401", code=4)

    def test_a_project_by_its_token_alone(self, imposter, rated, check, folder):
        def part(claims):
            return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")

        token = f"{part({})}.{part({'sub': '1', 'kind': 'project'})}.x"
        rated(analysis(3))
        done = check(folder / "a.jpg", AR_TARGETS_TOKEN=token, AR_TARGETS_PROJECT="")
        assert (done.code, imposter.heard[0][0]) == (0, CHECK)
        assert done.err.startswith("Project 1, whose token this is.\n")

    def test_what_a_server_says_does_not_steer_the_terminal(self, rated, check, folder):
        nasty = "\x1b]0;title\x07\n[red]x"
        found = analysis(3, similar=[similar(1, name=nasty)])
        found["problems"] = [problem("blurred", description=nasty, remedy=nasty)]
        rated(found)
        done = check(folder / "a.jpg", "--problems")
        assert "\x1b" not in done.out
        assert "[red]x" in done.out


class TestAdd:
    @pytest.fixture
    def add(self, misled, imposter):
        """Adds, at a server that stores each."""
        listed = as_json({"items": [], "next": None})
        imposter.answers[TARGETS] = [listed, as_json(record(1), 201)]

        def add(*arguments):
            return misled("target", "add", "--parallel", 1, *arguments)

        return add

    def posted(self, imposter):
        """What was sent to be stored."""
        return [path for path, headers in imposter.heard if "Idempotency-Key" in headers]

    def test_what_is_below_is_not_stored(self, imposter, rated, add, folder):
        rated(analysis(2, "blurred"), analysis(3), analysis(5))
        done = add(folder, "--min-rating", 3, "--json")
        assert done.code == 1
        assert [each["outcome"] for each in done.json] == ["low rating", "added", "added"]
        assert done.json[0]["reason"] == "its rating is 2, below 3: blurred"
        assert done.err == (
            "a.jpg: its rating is 2, below 3: blurred\n3 images: 2 added, 1 low rating.\n"
        )
        assert self.posted(imposter) == [TARGETS] * 2
        # What is done is not checked again, and what was refused is.
        rated(analysis(3))
        imposter.answers[TARGETS] = [imposter.answers[TARGETS][-1]]
        imposter.answers[TARGETS].insert(0, as_json({"items": [], "next": None}))
        done = add(folder, "--min-rating", 3, "--json")
        assert [each["outcome"] for each in done.json] == ["added", "done before", "done before"]
        assert len([path for path, _ in imposter.heard if path == CHECK]) == 4

    def test_nothing_is_checked_unasked(self, imposter, add, folder):
        assert add(folder).code == 0
        assert self.posted(imposter) == [TARGETS] * 3
        assert CHECK not in [path for path, _ in imposter.heard]

    def test_what_cannot_be_checked_is_not_stored(self, imposter, rated, add, folder):
        rated(REFUSED, analysis(5))
        done = add(folder, "--min-rating", 3)
        assert (done.code, len(self.posted(imposter))) == (3, 2)

    def test_what_is_replaced_is_checked(self, imposter, rated, misled, folder):
        old = record(5, FLOWER, name="a")
        imposter.answers = {
            TARGETS: [as_json({"items": [], "next": None}), as_json({"items": [old], "next": None})]
        }
        rated(analysis(1))
        done = misled("target", "add", folder / "a.jpg", "--replace", "--min-rating", 2, "--json")
        assert (done.code, done.json[0]["outcome"]) == (1, "low rating")
        assert f"{TARGETS}/5/image" not in [path for path, _ in imposter.heard]

    def test_what_resembles_others(self, imposter, add, folder):
        fault = {"location": "body", "name": "image", "description": "it resembles others"}
        alike = [similar(7), similar(8, name=None, similarity=0.5)]
        imposter.answers[TARGETS].insert(1, as_json({"errors": [fault], "similar": alike}, 409))
        done = add(folder, "--no-similar", "--json")
        assert done.code == 1
        assert [each["outcome"] for each in done.json] == ["similar", "added", "added"]
        assert [each["similar"] for each in done.json] == [alike, [], []]
        reason = "it may be taken for target 7 'gate' (0.88), target 8 (0.50)"
        assert done.err == f"a.jpg: {reason}\n3 images: 2 added, 1 similar.\n"
        assert self.posted(imposter) == [f"{TARGETS}?allow_similar=false"] * 3

    def test_after_a_cut_it_is_a_refusal_too(self, imposter, add, folder):
        fault = {"location": "body", "name": "image", "description": "it resembles others"}
        imposter.answers[TARGETS][1:1] = [
            (502, {}, b""),
            as_json({"errors": [fault], "similar": [similar(7)]}, 409),
        ]
        done = add(folder, "--no-similar", "--json")
        assert (done.code, done.json[0]["outcome"]) == (1, "similar")
        # The journal knows that it is not there: the next run begins anew.
        lines = (folder / ".ar-targets.journal").read_text().splitlines()
        states = [json.loads(line)["state"] for line in lines]
        assert states[:2] == ["sending", "refused"]

    def test_no_similar_is_not_for_replacements(self, add, folder):
        done = add(folder, "--no-similar", "--replace")
        assert done.code == 2
        assert "--no-similar is for what is added" in done.err

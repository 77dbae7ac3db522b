"""What is known about pictures, in the typed client."""

import time

import pytest

from ar_targets_client import (
    Analysis,
    Client,
    ClientError,
    ConflictError,
    Similar,
    SimilarTargetError,
    UnavailableError,
)

from ..pictures import CHINA, drawn
from .conftest import FAST
from .imposter import (
    CHECK,
    PROJECT,
    TARGETS,
    TOKEN,
    analysis,
    as_json,
    pending,
    problem,
    record,
    similar,
)

OF_ONE = f"{TARGETS}/1/analysis"
RETRY = f"{OF_ONE}/retry"
HEATMAP = f"{OF_ONE}/heatmap"
BUSY = as_json({"status": "error", "errors": []}, 503, **{"Retry-After": "0"})
PNG = drawn("PNG")


@pytest.fixture
def targets(imposter):
    with Client(imposter.url, TOKEN, retry=FAST) as client:
        yield client.targets(PROJECT)


def asked(imposter):
    return [path for path, _ in imposter.heard]


class TestAnalysis:
    def test_a_record_with_types(self, imposter, targets):
        sent = analysis(4, "blurred", similar=[similar(2)], heatmap_url="http://127.0.0.1/h")
        imposter.answers = {OF_ONE: [as_json(sent)]}
        found = targets.analysis(1)
        assert (found.status, found.rating, found.trackability, found.features) == (
            "done", 4, 80, 1000,
        )  # fmt: skip
        assert found.analysed_at.year == 2026
        assert [(p.code, p.severity, p.area) for p in found.problems] == [
            ("blurred", "warning", (0, 10, 200, 100))
        ]
        assert found.similar == (Similar(id=2, name="gate", similarity=0.875),)
        assert found.as_json() == sent

    def test_one_that_failed(self, imposter, targets):
        failed = pending(status="failed", problems=[problem("failed", area=None)])
        imposter.answers = {OF_ONE: [as_json(failed)]}
        found = targets.analysis(1, wait=60)
        assert (found.status, found.rating, found.codes) == ("failed", None, "failed")
        assert len(imposter.heard) == 1

    def test_it_is_not_waited_for_unasked(self, imposter, targets):
        imposter.answers = {OF_ONE: [as_json(pending(), **{"Retry-After": "60"})]}
        assert targets.analysis(1).status == "pending"
        assert len(imposter.heard) == 1

    def test_waiting_asks_as_often_as_the_server_says(self, imposter, targets):
        imposter.answers = {
            OF_ONE: [
                as_json(pending(), **{"Retry-After": "2"}),
                as_json(pending()),
                as_json(analysis()),
            ]
        }
        before = time.monotonic()
        assert targets.analysis(1, wait=60).status == "done"
        assert time.monotonic() - before >= 3
        assert asked(imposter) == [OF_ONE] * 3

    @pytest.mark.parametrize("asks_for", ["0", "900", "soon"])
    def test_waiting_has_an_end(self, imposter, targets, asks_for):
        """Nor is a server asked in a tight loop that asks for no pause."""
        imposter.answers = {OF_ONE: [as_json(pending(), **{"Retry-After": asks_for})]}
        assert targets.analysis(1, wait=0.5).status == "pending"
        assert asked(imposter) == [OF_ONE] * 2

    def test_stopping_ends_the_wait(self, imposter, targets):
        imposter.answers = {OF_ONE: [as_json(pending())]}
        targets.transport.stopping.set()
        assert targets.analysis(1, wait=10**6).status == "pending"

    def test_again(self, imposter, targets):
        imposter.answers = {RETRY: [as_json(pending(), 202)]}
        assert targets.retry_analysis(1).status == "pending"

    @pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"status": "done"}'])
    def test_what_is_no_analysis(self, imposter, targets, body):
        imposter.answers = {path: [(200, {}, body)] for path in (OF_ONE, RETRY, CHECK)}
        for ask in (targets.analysis, targets.retry_analysis):
            with pytest.raises(ClientError, match="check the server's URL"):
                ask(1)
        with pytest.raises(ClientError, match="check the server's URL"):
            targets.check(CHINA)


class TestHeatmap:
    def test_the_png(self, imposter, targets):
        imposter.answers = {HEATMAP: [(200, {"Content-Type": "image/png"}, PNG)]}
        assert targets.heatmap(1) == targets.heatmap(1, overlay=True) == PNG
        assert asked(imposter) == [HEATMAP, f"{HEATMAP}?overlay=true"]
        assert "image/png" in imposter.heard[0][1]["Accept"]

    @pytest.mark.parametrize("body", [b"", b"<html>", CHINA])
    def test_what_is_none(self, imposter, targets, body):
        imposter.answers = {HEATMAP: [(200, {}, body)]}
        with pytest.raises(ClientError, match="check the server's URL"):
            targets.heatmap(1)


class TestCheck:
    def test_the_picture_as_it_is(self, imposter, targets):
        imposter.answers = {CHECK: [as_json(analysis(2))]}
        assert targets.check(CHINA).rating == 2
        assert imposter.heard[0][1]["Content-Type"] == "image/jpeg"
        assert imposter.bodies == [CHINA]

    def test_a_server_that_is_busy_is_asked_again(self, imposter, targets):
        imposter.answers = {CHECK: [BUSY, BUSY, as_json(analysis(2))]}
        assert targets.check(CHINA).rating == 2
        assert imposter.bodies == [CHINA] * 3

    def test_but_not_for_ever(self, imposter, targets):
        imposter.answers = {CHECK: [BUSY]}
        with pytest.raises(UnavailableError):
            targets.check(CHINA)
        assert len(imposter.heard) == FAST.attempts


def conflict(name="image", **beside):
    fault = {"location": "body", "name": name, "description": "it resembles others"}
    return as_json({"status": "error", "errors": [fault], **beside}, 409)


class TestSimilar:
    def test_a_refusal_names_them(self, imposter, targets):
        imposter.answers = {TARGETS: [conflict(similar=[similar(2), similar(3, name=None)])]}
        with pytest.raises(SimilarTargetError) as caught:
            targets.create(CHINA, allow_similar=False)
        assert isinstance(caught.value, ConflictError)
        assert [(each.id, each.name) for each in caught.value.similar] == [(2, "gate"), (3, None)]
        assert caught.value.fields == {"image": "it resembles others"}
        assert asked(imposter) == [f"{TARGETS}?allow_similar=false"]

    def test_many_that_are_named(self, imposter, targets):
        many = [similar(n, name="ü" * 255) for n in range(1, 101)]
        imposter.answers = {TARGETS: [conflict(similar=many)]}
        with pytest.raises(SimilarTargetError, match="it resembles others") as caught:
            targets.create(CHINA, allow_similar=False)
        assert len(caught.value.similar) == 100

    def test_they_are_allowed_if_nothing_is_said(self, imposter, targets):
        imposter.answers = {TARGETS: [as_json(record(1), 201)]}
        targets.create(CHINA)
        assert asked(imposter) == [TARGETS]

    @pytest.mark.parametrize("beside", [{}, {"similar": None}, {"similar": [{"id": "../x"}]}])
    def test_another_conflict(self, imposter, targets, beside):
        imposter.answers = {TARGETS: [conflict("name", **beside)]}
        with pytest.raises(ConflictError, match="it resembles others") as caught:
            targets.create(CHINA, allow_similar=False)
        assert type(caught.value) is ConflictError


class TestLists:
    def test_with_the_analysis(self, imposter, targets):
        imposter.records = [record(1, analysis=analysis(4)), record(2, analysis=pending())]
        found = list(targets.list(with_analysis=True, metadata=True, analysis="done"))
        assert [each.analysis.rating for each in found] == [4, None]
        assert found[0].analysis == Analysis.read(analysis(4))
        assert asked(imposter) == [f"{TARGETS}?limit=200&analysis=done&fields=analysis%2Cmetadata"]

    def test_the_best_first(self, imposter, targets):
        imposter.records = [record(2), record(1)]
        assert [each.id for each in targets.list(rating_min=0)] == [2, 1]
        assert asked(imposter) == [f"{TARGETS}?limit=200&rating_min=0"]

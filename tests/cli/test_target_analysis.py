"""``ar-targets target analysis``, ``heatmap`` and ``list``: what is known about pictures."""

import pytest
from click.testing import CliRunner

from ar_targets_client.cli.main import cli

from .imposter import PROJECT, TARGETS, TOKEN, analysis, as_json, pending, record, similar
from .test_analysis import HEATMAP, OF_ONE, PNG, RETRY, asked


def test_one(imposter, misled):
    sent = analysis(4, "blurred", similar=[similar(2)])
    imposter.answers = {OF_ONE: [as_json(sent)]}
    done = misled("target", "analysis", 1)
    assert (done.code, done.err) == (0, "")
    assert "★★★★☆ 4" in done.out
    assert "target 2 'gate' (0.88)" in done.out
    said = done.out.splitlines()[-1]
    for word in ("warning", "blurred", "200×100 at 0, 10", "it is blurred", "take another"):
        assert word in said
    assert misled("target", "analysis", 1, "--json").json == sent


def test_waiting(imposter, misled):
    imposter.answers = {OF_ONE: [as_json(pending()), as_json(analysis())]}
    done = misled("target", "analysis", 1, "--wait", "--json")
    assert (done.code, done.json["status"]) == (0, "done")


def test_waiting_in_vain(imposter, misled):
    imposter.answers = {OF_ONE: [as_json(pending(), **{"Retry-After": "60"})]}
    done = misled("target", "analysis", 1, "--wait", "--timeout", 1, "--json")
    assert (done.code, done.json["status"]) == (5, "pending")
    assert done.err == "Still pending after 1 s.\n"


def test_again(imposter, misled):
    imposter.answers = {RETRY: [as_json(pending(), 202)], OF_ONE: [as_json(analysis())]}
    done = misled("target", "analysis", 1, "--again", "--json")
    assert (done.code, done.json["status"]) == (0, "pending")
    done = misled("target", "analysis", 1, "--again", "--wait", "--json")
    assert (done.code, done.json["status"]) == (0, "done")
    assert asked(imposter) == [RETRY, RETRY, OF_ONE]


def test_a_heat_map(imposter, misled, tmp_path):
    imposter.answers = {HEATMAP: [(200, {}, PNG)]}
    file = tmp_path / "h.png"
    done = misled("target", "heatmap", 1, "-o", file, "--overlay")
    assert (done.code, done.out, done.err) == (0, "", f"{file}: {len(PNG)} bytes\n")
    assert file.read_bytes() == PNG
    assert asked(imposter) == [f"{HEATMAP}?overlay=true"]
    assert misled("target", "heatmap", 1).code == 2
    missing = tmp_path / "nowhere" / "h.png"
    assert misled("target", "heatmap", 1, "-o", missing).is_refusal("cannot be written")


@pytest.mark.usefixtures("config")
def test_a_heat_map_to_standard_output(imposter):
    imposter.answers = {HEATMAP: [(200, {}, PNG)]}
    arguments = ["target", "heatmap", "-p", str(PROJECT), "1", "-o", "-"]
    environment = {"AR_TARGETS_SERVER": imposter.url, "AR_TARGETS_TOKEN": TOKEN}
    done = CliRunner().invoke(cli, arguments, env=environment)
    assert (done.exit_code, done.stdout_bytes, done.stderr) == (0, PNG, "")


def test_lists(imposter, misled):
    imposter.records = [record(2, analysis=analysis(5)), record(1, analysis=pending())]
    done = misled("target", "list", "--min-rating", 0)
    head, _, first, second = done.out.splitlines()
    assert {"analysis", "rating"} < set(head.split())
    assert "★★★★★ 5" in first
    assert "pending" in second
    assert asked(imposter) == [f"{TARGETS}?limit=200&rating_min=0&fields=analysis"]
    shown = misled("target", "list", "--analysis", "pending", "--min-rating", 0, "--json").json
    assert [each["analysis"]["rating"] for each in shown] == [5, None]
    imposter.records = [record(1)]
    assert "rating" not in misled("target", "list").out
    assert misled("target", "list", "--analysis", "soon").code == 2
    assert misled("target", "list", "--min-rating", 6).code == 2

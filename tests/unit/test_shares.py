"""Who of several workers leaves a new connection to another."""

from ar_targets.server.shares import Share


def test_whoever_has_more_than_another(tmp_path):
    Share.prepare(str(tmp_path), 3)
    shares = [Share(str(tmp_path), place) for place in range(3)]
    assert [share.is_larger() for share in shares] == [False, False, False]
    for share, connections in zip(shares, (2, 1, 300), strict=True):
        share.note(connections)
    assert [share.is_larger() for share in shares] == [True, False, True]


def test_the_next_in_a_place_begins_with_nothing(tmp_path):
    Share.prepare(str(tmp_path), 2)
    first, other = (Share(str(tmp_path), place) for place in range(2))
    first.note(5)
    other.note(1)
    Share(str(tmp_path), 0)
    assert other.is_larger()

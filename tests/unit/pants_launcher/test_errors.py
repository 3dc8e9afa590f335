"""How the launcher quotes programs."""

from pants_launcher.errors import last_lines


def test_the_last_lines_are_quoted_indented_and_without_empty_ones() -> None:
    assert last_lines("one\n\ntwo  \n   \nthree\n", count=2) == "  two\n  three"


def test_a_very_long_line_is_cut_in_the_middle() -> None:
    assert last_lines(f"{'a' * 500}{'z' * 500}") == f"  {'a' * 100} ... {'z' * 100}"


def test_silence_is_quoted_as_such() -> None:
    assert last_lines("\n") == "  (no output)"

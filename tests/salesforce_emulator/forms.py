"""Texts that have the form of a date, a time or a number, whether there is such a one or not."""

from hypothesis import strategies as st

_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"

_days = st.from_regex(_DAY, fullmatch=True)
_times = st.from_regex(
    rf"{_DAY}T[0-9]{{2}}(:[0-9]{{2}}){{2}}(\.[0-9]{{1,3}})?(Z|[+-][0-9]{{2}}:?[0-9]{{2}})", fullmatch=True
)
_numbers = st.from_regex(r"[+-]?[0-9]{1,20}(\.[0-9]{0,20})?([eE][+-]?[0-9]{1,4})?", fullmatch=True)
forms = _days | _times | _numbers

IMPOSSIBLE = [
    "2023-02-29",
    "2024-02-30",
    "2024-13-01",
    "2024-01-00",
    "0000-01-01",
    "99999-01-01",
    "2024-02-30T00:00:00Z",
    "2024-01-01T24:00:00Z",
    "2024-01-01T25:00:00Z",
    "2024-01-01T12:60:00Z",
    "2016-12-31T23:59:60Z",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "99999-01-01T00:00:00Z",
    "2024-01-01T00:00:00+99:99",
    "2024-01-01T00:00:00-24:00",
    "25:00:00Z",
    "1e999",
    "-1e9999",
    "1e-9999",
    "9999999999",
    "9" * 18,
    "9" * 400,
]
"""Days, times and numbers that there are not, or that no field can hold."""

"""Results for tests: texts that are awkward in CSV, and pages of a few of them."""

from hypothesis import strategies as st

from salesforce_bulk_ingest.results.page_size import PageSize

small = st.text(st.sampled_from('ab,"\r\n\u2028é😀'), max_size=8)
rows_of_two = st.lists(st.tuples(small, small), max_size=30)
budgets = st.builds(
    PageSize,
    rows=st.integers(1, 7),
    half_chars=st.integers(60, 200),
    wire_bytes=st.integers(450, 900),
    header_chars=st.just(100),
    name_chars=st.just(100),
)

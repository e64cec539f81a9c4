"""Text that is awkward in CSV."""

from hypothesis import strategies as st

AWKWARD = "\r\n\x0b\x0c\x1c\x85\u2028\u2029\x00\"'`^,|;\t #N/A é字😀"
text = st.text(st.one_of(st.sampled_from(AWKWARD), st.characters(exclude_categories=["Cs"])), max_size=12)
cells = st.lists(text, min_size=1, max_size=5)

"""Rows that are totals because their figures are made of the rows above, and rows that are not."""

import pytest

from salesforce_bulk_ingest.validation.totals import MOST_CELLS
from tests.loading.making import findings_of
from tests.validation.test_not_rows import rows_left

TWO = "Name,Amount\n"
FOUR = "Name,City,Count,Amount\n"


@pytest.mark.parametrize(
    ("rows", "totals"),
    [
        pytest.param("Acme,10\nAcme,20\n", "Acme Total,30", id="Excel's subtotal"),
        pytest.param("Acme,10\n", "Acme Total,10\nGrand Total,10", id="a group of one row, and all groups"),
        pytest.param("Acme,10\nAcme,20\n", "Total Acme,30\nTotal général,30", id="French"),
        pytest.param("Acme,10\nAcme,20\n", "Total for Acme,30", id="with a word between"),
        pytest.param("Acme,10\nAcme,20\n", "Sum of Acme: ,30", id="with a word after the figure's name"),
        pytest.param("Acme,10\nAcme,20\n", "ACME - TOTAL,30", id="in capitals"),
        pytest.param("Acme,10\nAcme,20\n", "Acme Count,2\nGrand Count,2", id="Excel's count"),
        pytest.param("Acme,10\nAcme,25\nAcme,25\n", "Acme Average,20\nAcme Max,25\nAcme Min,10", id="other figures"),
        pytest.param("Acme,10\nAcme,20.5\n", "Acme Average,15.3", id="a rounded mean"),
        pytest.param('Acme,"1.234,50"\nAcme,2\n', 'Acme Ergebnis,"1.236,50 €"\nGesamtergebnis,"1.236,5"', id="German"),
        pytest.param('Acme,"1,234.50"\nAcme,$2\n', 'Acme Total,"$1,236.50"', id="with thousands"),
        pytest.param("Acme,10\nAcme,(20)\n", "Acme Total,-10", id="negative"),
        pytest.param("Acme,10\nBob,20\n", "Total,30", id="of all rows"),
        pytest.param("Acme,10\nBob,20\n", "Итого,30", id="Russian"),
        pytest.param("Acme,10\nBob,20\n", "Total Result,30", id="LibreOffice's pivot"),
        pytest.param("Acme,10\nBob,20\n", "Total (2 records),30", id="with a number of records"),
        pytest.param("Acme,\nBob,20\n\n", "Subtotal,20", id="with blank cells above"),
    ],
)
def test_a_row_whose_figures_are_made_of_the_rows_above_is_a_total(rows: str, totals: str) -> None:
    assert rows_left(f"{TWO}{rows}{totals}\nCid,1\n") == f"{TWO}{rows}Cid,1\n".replace("\n\n", "\n").splitlines()


@pytest.mark.parametrize(
    ("rows", "total"),
    [
        pytest.param("Acme,Berlin,10\nAcme,Berlin,20\n", "Acme Total,,30", id="Excel's subtotal"),
        pytest.param("Acme,Berlin,10\nAcme,Berlin,20\n", ",Berlin Total,30", id="of an inner group"),
        pytest.param("Acme,Berlin,10\nAcme,Berlin,20\n", ",Berlin Total,30\nAcme Total,,30", id="of both"),
        pytest.param(
            'Acme GmbH,,"1.000,00"\nAcme GmbH,,"234,50"\n', '"Acme GmbH Ergebnis","","1.234,50"', id="German Excel's"
        ),
    ],
)
def test_a_total_of_a_group_is_an_error_unless_it_is_left_out_or_sent(rows: str, total: str) -> None:
    header = "Name,City,Amount\n"
    assert any("Totals stand among the rows" in each for each in findings_of(f"{header}{rows}{total}\n".encode()))
    assert rows_left(f"{header}{rows}{total}\n") == f"{header}{rows}".splitlines()


@pytest.mark.parametrize("above", ["", "X,1,2,3\n", "Acme,,,99\nTotal,,,99\n"])
def test_a_name_that_ends_in_a_word_for_totals_is_a_row_where_it_is_that_of_no_group_above(above: str) -> None:
    assert "Care Total,,,99" in rows_left(f"Name,A,B,C\n{above}Care Total,,,99\nX,1,2,3\n")


def test_totals_of_a_pivot_are_known_though_most_of_their_cells_are_filled() -> None:
    groups = [
        "Acme,Berlin,1,10", ",Bonn,2,20", "Acme Total,,3,30", "Cid,Berlin,4,40", ",Berlin Total,4,40", "Cid Total,,4,40",
        "Total Result,,7,70",
    ]  # fmt: skip
    left = rows_left("\n".join([FOUR.strip(), *groups]) + "\n")
    assert left == [FOUR.strip(), "Acme,Berlin,1,10", ",Bonn,2,20", "Cid,Berlin,4,40"]


def test_the_name_of_a_group_may_stand_in_another_column_than_its_total() -> None:
    left = rows_left("Group,Name,Amount,Fee\n,Acme,10,1\n,Acme,20,2\nAcme Count,,2,2\n")
    assert left == ["Group,Name,Amount,Fee", ",Acme,10,1", ",Acme,20,2"]


@pytest.mark.parametrize(
    ("rows", "like"),
    [
        pytest.param("Acme,10\nBob,20\n", "Total SA,30", id="a company, by chance with the sum"),
        pytest.param("Acme,10\nBob,20\n", "Total,31", id="not the sum"),
        pytest.param("Acme,10\nBob,20\n", "Total,20", id="the greatest alone"),
        pytest.param("Acme,10\n", "Total,10", id="one row alone"),
        pytest.param("Acme,10\nBob,20\n", "Count Basie Inc,2", id="another company, by chance with the number"),
        pytest.param("Galaxy,799\nGalaxy,899\n", "Galaxy Max,1199", id="a product"),
        pytest.param("Acme,10\nAcme,20\n", "Acme Total,50", id="a name with the name above in it"),
        pytest.param("Acme,10\nAcme,20\n", "Acmetotal,30", id="one word"),
        pytest.param("Acme,10\nAcme,20\n", "Acme Total Care,30", id="words behind"),
        pytest.param("Acme,10\nAcme,20\n", "Acme Total,thirty", id="no figure"),
        pytest.param("Acme,10\nAcme,x\n", "Acme Total,10", id="a column with words"),
        pytest.param("Acme,+49 10\nAcme,20\n", "Acme Total,20", id="a column of phones"),
        pytest.param("", "Total,0", id="the first row"),
        pytest.param("Acme,10\nBob,20\nTotal,30\n", "Total Energies,7", id="a company below a total"),
    ],
)
def test_a_row_whose_figures_or_names_are_not_above_is_a_row(rows: str, like: str) -> None:
    assert like in rows_left(f"{TWO}{rows}{like}\nCid,1\n")


def test_a_total_counts_from_the_last_total_on() -> None:
    left = rows_left(f"{TWO}Acme,10\nBob,20\nTotal,30\nCid,5\nDan,6\nTotal,11\nEva,1\nFay,2\nTotal,41\n")
    assert left == [TWO.strip(), "Acme,10", "Bob,20", "Cid,5", "Dan,6", "Eva,1", "Fay,2", "Total,41"]


def test_more_rows_than_are_added_up_show_no_total_but_the_next_group_does() -> None:
    many = MOST_CELLS // 2 + 1
    large, next_groups = "Acme,1\n" * many, "Bob,1\nBob,2\n\nSubtotal,3\nCid,1\nCid,2\nCid Total,3\n"
    left = rows_left(f"{TWO}{large}Acme Total,{many}\n{next_groups}")
    assert left[many + 1 :] == [f"Acme Total,{many}", "Bob,1", "Bob,2", "Cid,1", "Cid,2"]

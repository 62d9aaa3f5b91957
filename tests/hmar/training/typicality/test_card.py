from hmar.training.typicality.card import with_typicality
from hmar.training.typicality.summaries import Counted

CARD = "# name\n\n## Measured\nfigures\n\n## Limits\n- many\n"


def test_a_card_says_what_typicality_is_measured_from_before_its_limits():
    card = with_typicality(CARD, {"HU": Counted(9, 2), "presentation:MR": "as in base"})
    assert "| HU | 9 frames of 2 people |\n| presentation:MR | as in base |\n" in card
    assert card.index("figures") < card.index("## Typicality") < card.index("## Limits")
    assert card.endswith("## Limits\n- many\n")


def test_an_earlier_section_is_replaced():
    once = with_typicality(CARD, {"HU": Counted(9, 2)})
    assert with_typicality(once, {"HU": Counted(9, 2)}) == once
    assert "9 frames" not in with_typicality(once, {"HU": Counted(7, 2)})


def test_a_card_without_limits_has_it_at_its_end():
    assert with_typicality("# name\n", {"HU": Counted(9, 2)}).endswith("| HU | 9 frames of 2 people |\n")

"""AAMI beat classes, MIT-BIH symbols, and the inter-patient halves of the database.

Sources: ANSI/AAMI EC57:2012, table 3; de Chazal, O'Dwyer & Reilly, IEEE TBME 51(7), 2004
(the halves DS1 and DS2, and the default map); the WFDB tool `bxb` (the other map).
"""

from typing import Final

CLASSES: Final = ("N", "S", "V", "F", "Q")

# WFDB's symbols of true beats by class, as de Chazal's practice has them; MIT-BIH has no B, n, r
# and ?.
DE_CHAZAL: Final = {"N": "NLRBejn.", "S": "AaJS", "V": "VEr", "F": "F", "Q": "/fQ?"}
# bxb counts atrial (e), nodal (j) and supraventricular (n) escape beats as supraventricular.
BXB: Final = {"N": "NLRB.", "S": "AaJSejn", "V": "VEr", "F": "F", "Q": "/fQ?"}

DS1: Final = tuple(
    "101 106 108 109 112 114 115 116 118 119 122 124 "
    "201 203 205 207 208 209 215 220 223 230".split()
)
DS2: Final = tuple(
    "100 103 105 111 113 117 121 123 200 202 210 212 "
    "213 214 219 221 222 228 231 232 233 234".split()
)
# Paced records are outside both halves; Q would vanish without them. One of the two MLII
# records (107, 217) and one of the two without MLII (102, 104) go to each side.
PACED_TRAIN: Final = ("102", "107")
PACED_TEST: Final = ("104", "217")
RECORDS: Final = tuple(sorted((*DS1, *DS2, *PACED_TRAIN, *PACED_TEST)))

# True beats of the 48 records by the default map: the published totals.
MITBIH_COUNTS: Final = {"N": 90_631, "S": 2_781, "V": 7_236, "F": 803, "Q": 8_043}


def symbol_to_class(classes: dict[str, str] = DE_CHAZAL) -> dict[str, int]:
    """Return the index in `CLASSES` of each beat symbol; symbols that are not beats are absent."""
    return {symbol: CLASSES.index(name) for name, symbols in classes.items() for symbol in symbols}

"""Every file in `tests/bad` is refused, quickly, with the message that stands beside it, to the letter.

After a change of messages, RATEMLX_WRITE_EXPECTED=1 rewrites what is expected; read the difference before it is kept.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ratemlx.errors import RatemlxError
from ratemlx.load import load
from tests.support.timing import seconds_of

BAD = Path(__file__).parent / "bad"
SECONDS = 1.0


@pytest.mark.parametrize("name", sorted(path.name for path in BAD.glob("*.xml")))
def test_a_bad_model_gets_its_message(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)

    def refuse() -> RatemlxError:
        with pytest.raises(RatemlxError) as caught:
            load(Path(name))
        return caught.value

    refused = refuse()
    message = f"{refused}\n"
    expected = (BAD / name).with_suffix(".expected")
    if os.environ.get("RATEMLX_WRITE_EXPECTED"):
        expected.write_text(message, encoding="utf-8")
    assert message == expected.read_text(encoding="utf-8")
    assert refused.exit_code == 2
    assert seconds_of(refuse) < SECONDS


def test_no_message_is_without_its_model() -> None:
    assert {path.stem for path in BAD.glob("*.expected")} == {path.stem for path in BAD.glob("*.xml")}

from __future__ import annotations

from mimir_engine.measuring.flags import FLAG_SENTENCES, flag_sentence


def test_every_flag_has_a_sentence_and_an_unknown_one_is_unchanged() -> None:
    assert all(sentence.endswith(".") for sentence in FLAG_SENTENCES.values())
    assert flag_sentence("STRANGE") == "STRANGE"

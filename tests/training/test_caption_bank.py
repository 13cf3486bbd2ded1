import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from caption_doubles import NumberEncoder, bank_in
from creativeai.text.features import TextFeatures
from creativeai.training.caption_bank import CaptionBank

TEXTS = [f"caption {i} left" for i in range(20)]


def encoded_by(bank: CaptionBank) -> list[str]:
    assert isinstance(bank.encoder, NumberEncoder)
    return bank.encoder.encoded


def assert_right(features: TextFeatures, texts: list[str], *, with_words: bool = False) -> None:
    expected = NumberEncoder().encode(texts)
    np.testing.assert_array_equal(features.sentence, expected.sentence)
    if with_words:
        np.testing.assert_array_equal(features.words, expected.words)
        np.testing.assert_array_equal(features.mask, expected.mask)
    else:
        assert features.words.shape == (len(texts), 0, 3) and features.mask.shape == (len(texts), 0)


def the_file(folder: Path) -> Path:
    [file] = folder.glob("*.bank")
    return file


@pytest.mark.parametrize("with_words", [False, True])
def test_each_text_is_encoded_once(tmp_path: Path, with_words: bool) -> None:
    bank = bank_in(tmp_path, with_words=with_words)
    assert encoded_by(bank) == []
    asked = [TEXTS[3], TEXTS[1], TEXTS[3], TEXTS[7]]
    assert_right(bank.features(asked), asked, with_words=with_words)
    assert sorted(encoded_by(bank)) == sorted({*asked})
    assert_right(bank.features(TEXTS), TEXTS, with_words=with_words)
    assert sorted(encoded_by(bank)) == sorted(TEXTS)

    later = bank_in(tmp_path, with_words=with_words)
    assert_right(later.features(TEXTS[::-1]), TEXTS[::-1], with_words=with_words)
    assert encoded_by(later) == []


def test_another_encoder_has_a_file_of_its_own(tmp_path: Path) -> None:
    bank_in(tmp_path).features(TEXTS)
    other = CaptionBank(NumberEncoder(digest="b" * 64), tmp_path)
    other.features(TEXTS)
    assert len(encoded_by(other)) == len(TEXTS)
    with_words = bank_in(tmp_path, with_words=True)
    with_words.features(TEXTS)
    assert len(encoded_by(with_words)) == len(TEXTS)
    assert len(list(tmp_path.glob("*.bank"))) == 3


def test_what_another_process_adds_is_found(tmp_path: Path) -> None:
    first, second = bank_in(tmp_path), bank_in(tmp_path)
    first.features(TEXTS[:10])
    assert_right(second.features(TEXTS[:10]), TEXTS[:10])
    assert encoded_by(second) == []
    second.features(TEXTS[8:])
    assert_right(first.features(TEXTS), TEXTS)
    assert encoded_by(first) == TEXTS[:10]


@pytest.mark.parametrize("num_bytes", [1, 10, 21, 22, 30, 33])
def test_torn_end_is_written_over(tmp_path: Path, num_bytes: int) -> None:
    bank_in(tmp_path).features(TEXTS[:5])
    file = the_file(tmp_path)
    os.truncate(file, file.stat().st_size - num_bytes)
    bank = bank_in(tmp_path)
    assert_right(bank.features(TEXTS[:6]), TEXTS[:6])
    assert encoded_by(bank) == TEXTS[4:6]
    later = bank_in(tmp_path)
    assert_right(later.features(TEXTS[:6]), TEXTS[:6])
    assert encoded_by(later) == []


@pytest.mark.parametrize("place", [0, 5, 16, 17, 18, 20, 25, 34 * 2 + 3, 34 * 4 + 30])
def test_damage_gives_no_wrong_vector(tmp_path: Path, place: int) -> None:
    bank_in(tmp_path).features(TEXTS[:5])
    file = the_file(tmp_path)
    content = bytearray(file.read_bytes())
    content[place] ^= 0xFF
    file.write_bytes(content)
    assert_right(bank_in(tmp_path).features(TEXTS[:5]), TEXTS[:5])
    assert_right(bank_in(tmp_path).features(TEXTS), TEXTS)


@pytest.mark.parametrize("content", [b"", b"hello", bytes(200), b"\xff" * 300])
def test_any_file_in_its_place_does_no_harm(tmp_path: Path, content: bytes) -> None:
    bank_in(tmp_path).features(TEXTS[:1])
    the_file(tmp_path).write_bytes(content)
    bank = bank_in(tmp_path)
    assert_right(bank.features(TEXTS), TEXTS)
    assert_right(bank.features(TEXTS), TEXTS)


def test_file_replaced_while_open_does_no_harm(tmp_path: Path) -> None:
    bank = bank_in(tmp_path)
    bank.features(TEXTS[:5])
    the_file(tmp_path).unlink()
    assert_right(bank.features(TEXTS[:5]), TEXTS[:5])
    bank.features(TEXTS[:9])
    the_file(tmp_path).write_bytes(b"")
    assert_right(bank.features(TEXTS), TEXTS)
    assert_right(bank_in(tmp_path).features(TEXTS), TEXTS)


def test_folder_that_can_not_be_written_to_is_no_obstacle(tmp_path: Path) -> None:
    bank_in(tmp_path).features(TEXTS[:1])
    file = the_file(tmp_path)
    file.unlink()
    file.mkdir()  # stands in the way, for root too
    bank = bank_in(tmp_path)
    assert_right(bank.features(TEXTS), TEXTS)
    assert_right(bank.features(TEXTS), TEXTS)
    assert len(encoded_by(bank)) == len(TEXTS)


def test_full_disk_leaves_whole_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bank = bank_in(tmp_path)
    bank.features(TEXTS[:3])
    size = the_file(tmp_path).stat().st_size
    write = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, place: write(fd, data[: len(data) // 2], place))
    assert_right(bank.features(TEXTS), TEXTS)
    assert the_file(tmp_path).stat().st_size == size
    assert_right(bank.features(TEXTS), TEXTS)
    assert len(encoded_by(bank)) == len(TEXTS)


def test_many_at_a_time_lose_nothing(tmp_path: Path) -> None:
    banks = [bank_in(tmp_path) for _ in range(4)]
    threads = [
        threading.Thread(target=lambda bank=bank: [bank.features([text]) for text in TEXTS]) for bank in banks
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    later = bank_in(tmp_path)
    assert_right(later.features(TEXTS), TEXTS)
    assert encoded_by(later) == []


def test_killed_process_leaves_whole_records(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from pathlib import Path\n"
        "from caption_doubles import bank_in\n"
        f"bank = bank_in(Path({str(tmp_path)!r}))\n"
        "print('begun', flush=True)\n"
        "for i in range(10**9): bank.features([f'caption {i} left'])\n"
    )
    root = Path(__file__).parent.parent.parent
    process = subprocess.Popen([sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"begun\n"
    for _ in range(2000):
        if any(file.stat().st_size > 3000 for file in tmp_path.glob("*.bank")):
            break
        threading.Event().wait(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    bank = bank_in(tmp_path)
    assert_right(bank.features(TEXTS), TEXTS)
    assert encoded_by(bank) == []


def test_knows_what_the_encoder_can_read(tmp_path: Path) -> None:
    bank = bank_in(tmp_path)
    assert bank.knows("??? bird") and not bank.knows("??? ???") and not bank.knows("")

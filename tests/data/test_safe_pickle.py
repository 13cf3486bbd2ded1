"""Pickles of lists and arrays are read as they are, and run nothing, whatever is in them."""

import pickle  # noqa: TID251  -- writes what is read back
import pickletools  # only names opcodes
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from creativeai.data.safe_pickle import (
    parse_array_pickle,
    parse_plain_pickle,
    read_array_pickle,
    read_plain_pickle,
)
from creativeai.errors import DataError
from data.official import array_pickle, names_pickle, pickle_2, scalars_pickle

PLAIN = [["a b", "é", 3], {"words": {0: "<end>", 1: "bird"}}, None, 2.5, (1, True), [[4, 300, 70_000]]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "x.pickle"


def errors_of(content: bytes, path: Path) -> str:
    path.write_bytes(content)
    messages = []
    for read in (read_plain_pickle, read_array_pickle):
        with pytest.raises(DataError) as caught:
            read(path)
        assert "\n" not in str(caught.value) and str(path) in str(caught.value)
        messages.append(str(caught.value))
    return " ".join(messages)


@pytest.mark.parametrize("protocol", range(6))
def test_plain_values_of_every_protocol(file: Path, protocol: int) -> None:
    file.write_bytes(pickle.dumps(PLAIN, protocol))

    assert read_plain_pickle(file) == read_array_pickle(file) == PLAIN
    assert parse_plain_pickle(file.read_bytes(), "x") == PLAIN


def test_python_2_texts(file: Path) -> None:
    file.write_bytes(b"\x80\x02]q\x01(U\x03abcq\x02S'd\\xe9f'\np3\nh\x02e.")

    assert read_plain_pickle(file) == ["abc", "d\xe9f", "abc"]


@pytest.mark.parametrize("protocol", range(5))
def test_arrays_of_every_protocol(file: Path, protocol: int) -> None:
    large = np.random.default_rng(0).integers(0, 256, (200, 150, 3), dtype=np.uint8)
    arrays = [
        large,
        np.arange(6, dtype=">f4").reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    ]
    file.write_bytes(pickle.dumps([arrays, {"a": (arrays[1], "text")}], protocol))
    found, others = read_array_pickle(file)

    for array, expected in zip([*found, others["a"][0]], [*arrays, arrays[1]], strict=True):
        assert np.array_equal(array, expected) and array.dtype == expected.dtype
    assert others["a"][1] == "text"
    with pytest.raises(DataError, match="which a list of captions or pictures has no need for"):
        read_plain_pickle(file)
    assert np.array_equal(parse_array_pickle(file.read_bytes(), "x")[0][0], large)


def test_numbers_of_numpy_as_python_2_wrote_them(file: Path) -> None:
    """AttnGAN's train/class_info.pickle begins with these bytes, and has 8,855 numbers."""
    numbers = [n % 200 + 1 for n in range(8855)]
    content = scalars_pickle(numbers)
    assert content.startswith(
        b"(lp0\ncnumpy.core.multiarray\nscalar\np1\n(cnumpy\ndtype\np2\n(S'i8'\np3\nI0\nI1\ntp4\nRp5\n"
        b"(I3\nS'<'\np6\nNNNI-1\nI-1\nI0\ntp7\nbS'\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00'\np8\ntp9\nRp10\na"
        b"g1\n(g5\nS'\\x02\\x00\\x00\\x00\\x00\\x00\\x00\\x00'\np11\ntp12\nRp13\na"
    )
    file.write_bytes(content)

    for found in (read_plain_pickle(file), read_array_pickle(file), parse_plain_pickle(content, "x")):
        assert found == numbers and {type(number) for number in found} == {int}
    # What is written by hand is what NumPy itself reads.
    assert pickle.loads(content, encoding="latin1") == numbers  # noqa: S301


@pytest.mark.parametrize("protocol", range(6))
def test_numbers_and_texts_of_todays_numpy(file: Path, protocol: int) -> None:
    values = [np.int64(1)] * 3 + [
        np.int32(-2),
        np.uint8(3),
        np.float32(1.5),
        np.bool_(True),
        np.dtype(">i4").type(9),
    ]
    texts = [np.str_("a \u7ea2 bird"), np.bytes_(b"abc"), {"a": (np.float64(2.5),)}]
    file.write_bytes(pickle.dumps(values + texts, protocol))

    expected = [1, 1, 1, -2, 3, 1.5, True, 9, "a \u7ea2 bird", "abc", {"a": (2.5,)}]
    for found in (read_plain_pickle(file), read_array_pickle(file)):
        assert found == expected and [type(value) for value in found] == [type(value) for value in expected]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"S'i8'", b"S'O8'", "kind 'O8': only numbers and texts"),
        (b"S'i8'", b"S'U99999'", "only numbers and texts"),
        (b"S'i8'", b"S'i4'", "kind i4 with 8 bytes"),
        (b"S'<'", b"S'?'", "unknown byte order"),
        (rb"S'\x02", rb"S'\x02\x00", "kind i8 with 9 bytes"),
        (b"(g5", b"(g6", "neither a number nor a text"),
        (b"scalar", b"fromstring", "asks for numpy.core.multiarray.fromstring"),
        (b"scalar", b"_reconstruct", "asks for numpy.core.multiarray._reconstruct"),
    ],
)
def test_numbers_of_numpy_that_are_not_what_they_say(
    file: Path, old: bytes, new: bytes, message: str
) -> None:
    content = scalars_pickle([1, 2])
    assert old in content
    file.write_bytes(content.replace(old, new, 1))

    with pytest.raises(DataError, match=message):
        read_plain_pickle(file)


def test_one_text_made_into_many_numpy_texts_is_refused(file: Path) -> None:
    raw = b"U\xfa" + b"a" * 250
    content = (
        b"\x80\x02cnumpy\ndtype\nU\x04S250K\x00K\x01\x87Rq\x01" + raw + b"q\x02(cnumpy.core.multiarray\n"
    )
    content += b"scalar\nq\x03h\x01h\x02\x86R" + b"h\x03h\x01h\x02\x86R" * 5000 + b"l."
    file.write_bytes(content)

    with pytest.raises(DataError, match="made to fill memory"):
        read_plain_pickle(file)


@pytest.mark.parametrize(
    "content",
    [
        scalars_pickle([1, 2, 3]),
        names_pickle(["a/b", "c/d"]),
        pickle_2(PLAIN[0]),
        pickle.dumps([np.int64(7)], 0),
    ],
)
def test_pickle_with_changed_line_endings_says_so(file: Path, content: bytes) -> None:
    message = errors_of(content.replace(b"\n", b"\r\n"), file)

    assert (
        "its line endings were changed (every LF is CRLF)" in message and "not a whole pickle" not in message
    )


def test_binary_pickle_with_changed_line_endings_says_so(file: Path) -> None:
    content = pickle.dumps([[10] * 20, {10: "a\nb"}], 2)
    file.write_bytes(content)
    assert read_plain_pickle(file) == [[10] * 20, {10: "a\nb"}]

    assert "its line endings were changed" in errors_of(content.replace(b"\n", b"\r\n"), file)
    numbers = [2573] * 8  # CR and LF as bytes of a number: nothing was changed
    for protocol in (1, 2):
        file.write_bytes(pickle.dumps(numbers, protocol))
        assert read_plain_pickle(file) == numbers


@pytest.mark.parametrize("as_key", [True, False])
def test_numbers_chosen_to_be_told_apart_slowly_are_refused(file: Path, as_key: bool) -> None:
    """Whole numbers that are equal modulo 2 to the 61, minus 1, all hash to one value."""
    numbers = [n * (2**61 - 1) for n in range(1, 60_000)]
    if as_key:
        content = b"(" + b"".join(b"I%d\nN" % number for number in numbers) + b"d."
    else:
        content = b"(lp0\n" + b"".join(b"I1\np%d\n0" % number for number in numbers) + b"."
    start = time.process_time()
    errors_of(content, file)
    assert time.process_time() - start < 5

    errors_of(pickle.dumps({(1, 2): 3}, 2), file)
    for protocol in range(6):
        file.write_bytes(pickle.dumps({2**59: 1, "a": {-7: 2}, True: 3}, protocol))
        assert read_plain_pickle(file) == {2**59: 1, "a": {-7: 2}, True: 3}


def test_a_mass_of_sets_is_refused(file: Path) -> None:
    assert "not a whole pickle" in errors_of(b"\x80\x04(" + b"\x8f" * 1000 + b"l.", file)


def test_arrays_as_python_2_wrote_them(file: Path) -> None:
    pictures = [np.random.default_rng(n).integers(0, 256, (90, 80 + n, 3), dtype=np.uint8) for n in range(5)]
    file.write_bytes(array_pickle(pictures))

    assert all(
        np.array_equal(found, picture)
        for found, picture in zip(read_array_pickle(file), pictures, strict=True)
    )


class Evil:
    def __reduce__(self) -> tuple:
        return (Path.touch, (Path("evil was here"),))


@pytest.mark.parametrize("protocol", range(6))
def test_code_is_not_run(file: Path, protocol: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    message = errors_of(pickle.dumps(["bird", Evil()], protocol), file)

    assert "has no need for" in message and not (file.parent / "evil was here").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"cos\nsystem\n(S'touch evil'\ntR.",
        b"(S'touch evil'\nios\nsystem\n.",
        b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85R.",
        b"\x80\x02\x82\x01.",
        b"\x80\x02Ppersistent\n.",
        b"cnumpy\nsave\n.",
        b"cnumpy.core.multiarray\nscalar\n.",
        b"c__main__\n__dict__\n.",
        b"(cnumpy\ndtype\nc_codecs\nencode\nl.",
        b"cnumpy\ndtype\n(S'i8'\nI0\nI1\ntR.",
    ],
)
def test_names_of_code_are_refused(file: Path, content: bytes) -> None:
    errors_of(content, file)


def test_stand_ins_can_not_be_defaced(file: Path) -> None:
    content = b"\x80\x02c_codecs\nencode\nN}U\x0c__defaults__U\x06latin1\x85s\x86b0]."
    file.write_bytes(content)
    read_array_pickle(file)
    good = pickle.dumps([np.arange(3, dtype=np.uint8)], 2)
    file.write_bytes(good)

    assert read_array_pickle(file)[0].tolist() == [0, 1, 2]
    file.write_bytes(b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00a\x85R.")
    with pytest.raises(DataError, match="missing 1 required"):
        read_array_pickle(file)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a whole pickle"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n", "is a git-LFS pointer"),
        (b"<html></html>", "is a web page saved under this name"),
        (b"\x80\x02X\xff\xff\xff\x7fabc.", "cut off"),
        (b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x00abc.", "not a whole pickle"),
        (b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x00abc.", "not a whole pickle"),
        (b"\x80\x05\x96\xff\xff\xff\xff\x00\x00\x00\x00abc.", "not a whole pickle"),
        (b"\x80\x02\x8b\xff\xff\xff\x7fabc.", "not a whole pickle"),
    ],
)
def test_damage_and_impossible_lengths(file: Path, content: bytes, message: str) -> None:
    assert message in errors_of(content, file)


def test_no_file(file: Path) -> None:
    for read in (read_plain_pickle, read_array_pickle):
        with pytest.raises(DataError, match="no such file"):
            read(file)
        with pytest.raises(DataError, match="can't be read"):
            read(file.parent)


def test_large_memo_numbers_take_no_memory(file: Path) -> None:
    file.write_bytes(b"\x80\x02]r\xff\xff\xff\x7f.")

    assert read_plain_pickle(file) == []


def test_lists_that_hold_each_other_many_times_or_themselves(file: Path) -> None:
    # Sixty lists, each of the one before it twice: 2 to the 60 parts if each were walked by itself.
    nested = b"\x80\x02]q\x00" + b"".join(b"0]q%c(h%ch%ce" % (n, n - 1, n - 1) for n in range(1, 60))
    file.write_bytes(nested + b".")
    start = time.process_time()
    read_array_pickle(file)
    assert time.process_time() - start < 5

    file.write_bytes(b"\x80\x02]q\x00h\x00a.")
    found = read_array_pickle(file)
    assert found[0] is found


def test_one_text_made_into_many_arrays_is_refused(file: Path) -> None:
    text = b"X" + (10_000).to_bytes(4, "little") + b"a" * 10_000 + b"q\x01U\x06latin1q\x020"
    content = b"\x80\x02" + text + b"0(" + b"c_codecs\nencode\nh\x01h\x02\x86R" * 5000 + b"l."
    file.write_bytes(content)

    with pytest.raises(DataError, match="made to fill memory"):
        read_array_pickle(file)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"U\x02u1", b"U\x02O8", "only numbers"),
        (b"U\x01|", b"U\x01?", "byte order"),
        (b"J\x02\x00\x00\x00", b"J\x03\x00\x00\x00", r"shape \(3, 2\) with 4 bytes"),
        (b"J\x02\x00\x00\x00", b"J\xff\xff\xff\xff", "shape"),
    ],
)
def test_arrays_that_are_not_what_they_say(file: Path, old: bytes, new: bytes, message: str) -> None:
    content = array_pickle([np.ones((2, 2), np.uint8)])
    assert old in content
    file.write_bytes(content.replace(old, new, 1))

    with pytest.raises(DataError, match=message):
        read_array_pickle(file)


@pytest.mark.parametrize("plain", [True, False])
def test_random_damage_raises_data_errors_only(file: Path, plain: bool) -> None:
    good = pickle_2(PLAIN[:2]) if plain else array_pickle([np.ones((3, 4), np.uint8)] * 2)
    good = good[:-1] + scalars_pickle([1, 2])[:-1] + b"\x86."
    content = np.frombuffer(good, np.uint8)
    random = np.random.default_rng(3)
    for _ in range(400):
        changed = content.copy()
        changed[random.integers(0, len(content), 3)] = random.integers(0, 256, 3)
        file.write_bytes(
            changed[: None if random.random() < 0.7 else random.integers(len(content))].tobytes()
        )
        for read in (read_plain_pickle, read_array_pickle):
            try:
                read(file)
            except DataError as error:
                assert "\n" not in str(error)


OPCODES = [opcode.code.encode("latin1") for opcode in pickletools.opcodes]


@given(st.lists(st.one_of(st.sampled_from(OPCODES), st.binary(max_size=6)), max_size=40).map(b"".join))
def test_any_opcodes_raise_data_errors_only(content: bytes) -> None:
    try:
        parse_plain_pickle(content + b".", "x")
    except DataError as error:
        assert "\n" not in str(error)


@given(
    st.recursive(
        st.one_of(st.none(), st.integers(), st.text(), st.floats(allow_nan=False)),
        lambda s: st.lists(s) | st.dictionaries(st.text(), s),
    ),
    st.integers(0, 5),
)
def test_plain_values_come_back(value: object, protocol: int) -> None:
    assert parse_plain_pickle(pickle.dumps(value, protocol), "x") == value

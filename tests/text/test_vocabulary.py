import pytest
from hypothesis import given
from hypothesis import strategies as st

from creativeai.text.vocabulary import Vocabulary, build_vocabulary, tokens_of

CAPTIONS = ["A red bird, red-crested", "the bird's beak", "a père david finch"]


def test_words_are_sorted_behind_the_end() -> None:
    vocabulary = build_vocabulary(CAPTIONS)
    assert vocabulary.words[0] == "<end>"
    assert list(vocabulary.words[1:]) == sorted(
        {"a", "red", "bird", "crested", "the", "s", "beak", "pere", "david", "finch"}
    )
    assert vocabulary.ids("bird") == [vocabulary.words.index("bird")]


def test_rare_words_are_left_out() -> None:
    assert build_vocabulary(CAPTIONS, min_count=2).words == ("<end>", "a", "bird", "red")


def test_the_end_is_no_word_that_can_be_typed() -> None:
    vocabulary = build_vocabulary(["bird"])
    assert vocabulary.ids("<end> bird") == [1]
    assert not vocabulary.knows("<end>")


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("A Bird's  2 wings!", ["a", "bird", "s", "2", "wings"]),
        ("red_winged", ["red", "winged"]),
        ("Père", ["pere"]),
        ("🐦 ...", []),
        ("красная", ["красная"]),
    ],
)
def test_tokens(text: str, tokens: list[str]) -> None:
    assert tokens_of(text) == tokens


@given(st.text(max_size=60))
def test_a_vocabulary_of_a_text_knows_all_of_it(text: str) -> None:
    vocabulary = build_vocabulary([text])
    assert vocabulary.known_tokens(text) == tokens_of(text)
    assert len(vocabulary.ids(text)) == len(tokens_of(text))
    assert all(id > 0 for id in vocabulary.ids(text))


@given(st.text(max_size=60))
def test_a_vocabulary_survives_its_file(text: str) -> None:
    words = build_vocabulary([text]).words
    content = "".join(f"{word}\n" for word in words)
    assert Vocabulary(content.rstrip("\n").split("\n")).words == words


@pytest.mark.parametrize("words", [[], ["bird"], ["<end>", "bird", "bird"]])
def test_other_lists_are_refused(words: list[str]) -> None:
    with pytest.raises(ValueError, match="begins with <end>"):
        Vocabulary(words)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("A Bird's  2 wings!", ["a", "bird", "s", "2", "wings"]),
        ("red_winged", ["red_winged"]),
        ("Père, naïve", ["pre", "nave"]),
        ("🐦 ... é", []),
        ("wings\ufffd\ufffdtail", ["wings", "tail"]),
    ],
)
def test_tokens_as_attngan_takes_them(text: str, tokens: list[str]) -> None:
    assert tokens_of(text, "attngan") == tokens


def test_words_as_typed_follow_the_tokeniser() -> None:
    text = "Père's red_bird"
    assert Vocabulary(["<end>"]).words_as_typed(text) == ["Père", "s", "red", "bird"]
    assert Vocabulary(["<end>"], "attngan").words_as_typed(text) == ["Père", "s", "red_bird"]


@given(st.text(max_size=60))
def test_attngan_vocabulary_of_a_text_knows_all_of_it(text: str) -> None:
    vocabulary = Vocabulary(["<end>", *dict.fromkeys(tokens_of(text, "attngan"))], "attngan")
    assert vocabulary.known_tokens(text) == tokens_of(text, "attngan")
    assert all(token.isascii() for token in vocabulary.words)
    typed = vocabulary.words_as_typed(text)
    assert all(vocabulary.knows(word) for word in typed if tokens_of(word, "attngan"))


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("A Bird's  2 wings!", ["a", "bird", "s", "2", "wings"]),
        ("un PÈRE, naïf", ["un", "père", "naïf"]),
        ("e\u0301le\u0300ve", ["élève"]),  # accents typed apart, as macOS has them in file names
        ("синий й 한국 が 红 花", ["синий", "й", "한국", "が", "红", "花"]),
        ("🐦 ...", []),
    ],
)
def test_tokens_that_keep_every_letter(text: str, tokens: list[str]) -> None:
    assert tokens_of(text, "unicode") == tokens
    assert all(Vocabulary(["<end>", *dict.fromkeys(tokens)], "unicode").knows(token) for token in tokens)


@given(st.text(max_size=60))
def test_unicode_vocabulary_of_a_text_knows_all_of_it(text: str) -> None:
    vocabulary = Vocabulary(["<end>", *dict.fromkeys(tokens_of(text, "unicode"))], "unicode")
    assert vocabulary.known_tokens(text) == tokens_of(text, "unicode")
    assert all(vocabulary.knows(word) for word in vocabulary.words_as_typed(text))

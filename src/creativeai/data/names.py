"""Captions from the name of a picture's class: "a bald eagle", "a photo of a bald eagle", "an eagle".

People type names, and those who write captions from looking describe instead. Names are kept apart from the
written captions, and agree with them: a photo captioned "two pink roses" is "two roses" and not "a rose".
"""

import re
from collections.abc import Sequence

__all__ = ["BIRD_KINDS", "captions_of_name", "kind_of", "name_of", "named_form", "plural_of"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MAX_WORDS = 6
"""Labels of more words are no names."""
BIRD_KINDS = _words(
    "albatross auklet avocet barbet bittern blackbird bluebird bulbul bunting bushtit bustard buzzard "
    "canary cardinal catbird chickadee cockatoo condor coot cormorant cowbird crane creeper crossbill "
    "crow cuckoo curassow dipper dove duck eagle egret falcon finch firefinch flamingo flowerpecker "
    "flycatcher frigatebird frogmouth gannet gnatcatcher godwit goldfinch goose goshawk grackle grebe "
    "grosbeak grouse guineafowl gull hawk hawfinch heron honeycreeper hornbill hummingbird ibis jacana "
    "jay junco kestrel kingbird kingfisher kinglet kookaburra lapwing lark loon lorikeet lory lovebird "
    "macaw magpie manakin meadowlark merganser mockingbird motmot myna nightjar nutcracker nuthatch "
    "oriole osprey ostrich owl oystercatcher parakeet parrot partridge peacock pelican penguin petrel "
    "pheasant pigeon pipit pitta plover ptarmigan puffin quail quetzal raven redstart robin sandpiper "
    "shag shearwater shelduck shoebill shrike siskin sparrow spoonbill starling stork sunbird swallow "
    "swan swift tanager tern thrasher thrush titmouse toucan toucanet towhee treepie trogon tropicbird "
    "turaco turkey vulture wagtail warbler waxwing woodpecker wren yellowthroat "
)
_FLOWER_KINDS = _words(
    "anemone aster buttercup camellia carnation clematis columbine coneflower crocus daffodil dahlia "
    "daisy gentian geranium hibiscus iris lily magnolia mallow marigold orchid pansy petunia phlox poppy "
    "primrose rose sunflower thistle tulip "
)
_OTHER_FLOWERS = _words(
    "anthurium artichoke azalea bougainvillea bromelia cattleya cyclamen dandelion foxglove frangipani "
    "fritillary gaura gazania gladiolus globeflower hippeastrum lotus masterwort monkshood osteospermum "
    "pelargonium poinsettia primula protea silverbush snapdragon susan wallflower watercress windflower"
)
"""Last words of further names of flowers."""
_KINDS = BIRD_KINDS | _FLOWER_KINDS
"""Last words of names that people type alone; those that mean something else alone (bishop) are left out."""
_LONG_KINDS = ("bee eater", "bee-eater", "bird of paradise", "water lily", "passion flower", "morning glory")
_KIND_OF = {
    "blue heron": "heron",
    "desert rose": None,
    "lenten rose": None,
    "canna lily": None,
    "sword lily": "gladiolus",
    "toad lily": None,
    "trumpet creeper": None,
    "siam tulip": None,
    "mexican petunia": None,
    "water lily": None,
    "bishop of llandaff dahlia": "dahlia",
    "hippeastrum": "amaryllis",
    "osteospermum": "daisy",
    "pelargonium": "geranium",
    "primula": "primrose",
    "ruby-lipped cattleya": "orchid",
    "windflower": "anemone",
    "mallard duck": "duck",
}
"""Names whose last word says what they are not (a lenten rose is none), or whose kind has another word."""
_NAMES = {
    "pink-yellow dahlia": "dahlia",
    "orange dahlia": "dahlia",
    "bolero deep blue": "lisianthus",
    "desert-rose": "desert rose",
}
"""Labels that are a colour or a seller's name and contradict what their photos show, or odd spelling."""
_UNCOUNTED = {
    "ball moss",
    "bee balm",
    "bougainvillea",
    "canterbury bells",
    "cautleya spicata",
    "colts foot",
    "garden phlox",
    "gaura",
    "love in the mist",
    "prince of wales feathers",
    "red ginger",
    "watercress",
}
"""Names that take no article, and no plural."""
_IRREGULAR = {
    "crocus": "crocuses",
    "gladiolus": "gladioli",
    "goose": "geese",
    "hibiscus": "hibiscus",
    "ibis": "ibises",
    "iris": "irises",
    "titmouse": "titmice",
}
_COUNTS = ("two", "three", "four", "five", "six")
_GENERIC = {"bird": "birds", "flower": "flowers", "bloom": "blooms", "blossom": "blossoms"}
"""What written captions call the things that have names, and their plurals."""
_COLOURS = _words(
    "red orange yellow green blue purple violet pink brown black white grey gray golden scarlet crimson "
    "azure indigo turquoise silver cream rose rosy rufous chestnut cinnamon lilac emerald ruby vermilion "
    "hyacinth "
)
_BEFORE_FLOWERS = _COLOURS | _words(
    "a an the this these single two three four five six large small open pale bright dark big little tiny "
    "delicate round ruffled striped spotted many several magenta apricot peach coral salmon lavender maroon"
)
"""Words before "flower" after which it stands for itself; "canna flower" and "tree flower" are names."""
_BEFORE_OTHER_BIRDS = _words("game sea water shore song cage toy mother painted wooden")
_FOLLOWING = _words(
    "a against among and at behind below beneath beside between by facing floats flies from glides grips "
    "half has have hangs holds in inside is are lies lifts looks near next on over perched perches rests "
    "seen sits stands spreads swims that turns under walks watches wades which while with above along "
    "around before shows standing sitting looking walking flying resting clinging gripping points stretches "
    "bends raises fans leans opens clings trails carries lowers bows puffs sings tilts preens tucks takes "
    "whose perching swimming wading "
)
"""Words after "bird" that show that it stands for itself, not in "bird feeder" or "flower bud"."""


def name_of(label: str | None) -> str | None:
    """The name that a label is, in small letters; None where it is a number, a code or too long.

    >>> name_of("001.Black_footed_Albatross")
    'black footed albatross'
    """
    if label is None:
        return None
    name = " ".join(re.sub(r"^\d+[._ ]+", "", label).replace("_", " ").split()).lower()
    if not re.fullmatch(r"[^\W\d_]+(?:[ '’-]+[^\W\d_]+)*", name) or len(name.split()) > MAX_WORDS:
        return None
    return _NAMES.get(name, name)


def kind_of(name: str) -> str | None:
    """What a name's last words say that it is: "eagle" for "bald eagle", None for "osprey" or "kakapo".

    The result is never the name itself.
    """
    if name in _KIND_OF:
        return _KIND_OF[name]
    kind = next((kind for kind in _LONG_KINDS if name.endswith(f" {kind}")), None)
    if kind is None:
        last = re.split(r"[ -]", name)[-1]
        kind = last if last in _KINDS else None
    return kind if kind != name else None


def captions_of_name(label: str | None, written: Sequence[str] = ()) -> tuple[str, ...]:
    """Captions made of a label: the name, "a photo of" it, and its kind where it has one.

    Where a written caption counts ("two white roses") they count too; where it says several, they do. There
    are none where the written captions see another kind of flower.

    Args:
        label: The picture's class.
        written: Its written captions, short ones too.
    """
    name = name_of(label)
    if name is None:
        return ()
    kind = kind_of(name)
    if _contradicted(name, kind, written):
        return ()
    told = _number_told(name, kind, written)
    first = _noun_phrase(name, told)
    captions = [first, f"a photo of {first}"]
    if kind is not None:
        captions.append(_noun_phrase(kind, told))
    return tuple(captions)


def named_form(caption: str, label: str | None) -> str | None:
    """The caption with the name in the place of "bird" or "flower": "this cardinal has a red head".

    It says the kind where the name has one ("cardinal" for "northern cardinal"). What the caption says of
    colours and parts stays, so a name that is a colour itself ("purple swamphen") takes no place.

    Returns:
        None where there is no name, or no single place for it.
    """
    name = name_of(label)
    if name is None or _contradicted(name, kind_of(name), (caption,)):
        return None
    named = kind_of(name) or name
    words = re.split(r"[ -]", named)
    if named in _UNCOUNTED or _COLOURS & set(words) or re.search(rf"\b{re.escape(words[-1])}", caption):
        return None
    generics = [*_GENERIC, *_GENERIC.values()]
    places = list(re.finditer(rf"(?<![\w-])({'|'.join(generics)})(?![\w-])", caption, re.IGNORECASE))
    if len(places) != 1:
        return None
    place = places[0]
    following = re.match(r"\s*(,|[\w'-]+)?", caption[place.end() :])
    if following and following[1] and following[1] != "," and following[1].lower() not in _FOLLOWING:
        return None
    previous = re.findall(r"[\w'-]+", caption[: place.start()].lower())[-1:]
    if previous and place[0].lower() not in ("bird", "birds") and previous[0] not in _BEFORE_FLOWERS:
        return None
    if previous and previous[0] in _BEFORE_OTHER_BIRDS:
        return None
    noun = named if place[0].lower() in _GENERIC else plural_of(named)
    before = re.sub(r"\b([Aa])n?(?= $)", lambda match: match[1] + article(noun)[1:], caption[: place.start()])
    return before + noun + caption[place.end() :]


def article(noun: str) -> str:
    """`a` or `an`, as it sounds before the noun."""
    return "an" if re.match(r"(?!eu|uni|one)[aeiou]", noun) else "a"


def plural_of(name: str) -> str:
    """The name's plural: "bald eagles", "daisies", "birds of paradise"."""
    if " of " in name:
        head, _, rest = name.partition(" of ")
        return f"{plural_of(head)} of {rest}"
    start, last = re.fullmatch(r"(.*?)([^ -]*)", name).groups()  # type: ignore[union-attr]
    if last in _IRREGULAR:
        return start + _IRREGULAR[last]
    if re.search(r"[^aeiou]y$", last):
        return f"{start}{last[:-1]}ies"
    return start + last + ("es" if re.search(r"(s|x|z|sh|ch)$", last) else "s")


def _noun_phrase(name: str, number: str) -> str:
    """The name after "two", in the plural after "several", else after its article."""
    if name in _UNCOUNTED:
        return name
    if number == "one":
        return f"{article(name)} {name}"
    return plural_of(name) if number == "several" else f"{number} {plural_of(name)}"


def _last_word(name: str) -> str:
    return re.split(r"[ -]", name)[-1]


def _is_flower(name: str, kind: str | None) -> bool:
    return bool({_last_word(name), kind} & (_FLOWER_KINDS | _OTHER_FLOWERS))


def _contradicted(name: str, kind: str | None, written: Sequence[str]) -> bool:
    """Whether the written captions of a flower name another kind and not this one."""
    if not _is_flower(name, kind):
        return False
    words = set(re.findall(r"[a-z]+", re.sub(r"\w+-like", "", " ".join(written).lower())))
    seen = {flower for flower in _FLOWER_KINDS if {flower, plural_of(flower)} & words}
    own = {noun for noun in (_last_word(name), kind) if noun is not None}
    return bool(seen) and not any({noun, plural_of(noun)} & words for noun in own)


def _number_told(name: str, kind: str | None, written: Sequence[str]) -> str:
    """How many the written captions say there are: a word such as "two", "several", or "one"."""
    is_flower = _is_flower(name, kind)
    nouns = [noun for noun in (kind, name, _last_word(name), None if is_flower else "bird") if noun]
    plurals = {plural_of(noun) for noun in nouns} | (
        {"flowers", "blooms", "blossoms"} if is_flower else set()
    )
    several = rf"(?:{'|'.join(map(re.escape, sorted(plurals, key=len, reverse=True)))})\b"
    counted = re.compile(rf"\b({'|'.join(_COUNTS)}) (?:[\w'-]+ ){{0,4}}?{several}")
    for caption in written:
        if found := counted.search(caption.lower()):
            return found[1]
    singular = re.compile(rf"\b(?:{'|'.join(map(re.escape, nouns))})\b")
    for caption in written:
        text = caption.lower()
        if re.search(rf"\b{several}", text) and not singular.search(text):
            return "several"
    return "one"

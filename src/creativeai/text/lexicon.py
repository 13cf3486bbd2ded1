"""The words of pictures: colours and their shades, sizes, parts of birds and of flowers, places.

Written for captions of birds and flowers, from reading them. Whoever reads a caption (short captions, colours
of parts, augmentation) takes the words from here, so that all agree what "crimson" or "bill" means.
"""


def words(text: str) -> frozenset[str]:
    """Split a line of the lexicon into its words."""
    return frozenset(text.split())


def _by_word(groups: dict[str, str]) -> dict[str, str]:
    return {word: name for name, line in groups.items() for word in line.split()}


COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "grey")
"""The canonical colours: as few as people tell apart at a glance."""

SHADES = _by_word(
    {
        "red": "red reddish scarlet crimson ruby maroon carmine vermilion vermillion burgundy wine cherry",
        "orange": "orange tangerine apricot amber orangey orangish",
        "yellow": "yellow yellowish lemon mustard",
        "golden": "golden gold",
        "green": "green greenish emerald lime",
        "olive": "olive",
        "turquoise": "turquoise teal aqua aquamarine cyan",
        "blue": "blue bluish navy cobalt indigo azure sapphire ultramarine",
        "purple": "purple purplish violet lilac mauve lavender plum",
        "pink": "pink pinkish rosy rose salmon magenta peach peachy coral fuchsia cerise",
        "brown": "brown brownish chocolate bronze",
        "reddish brown": "rust rusty rufous chestnut cinnamon copper coppery",
        "tan": "tan sandy beige buff buffy straw tawny fawn ochre",
        "black": "black blackish jet ebony",
        "white": "white whitish snowy ivory",
        "cream": "cream creamy",
        "grey": "grey gray greyish grayish silver silvery charcoal slate",
    }
)
"""Each word for a colour, and the shade it names."""

COLOUR_OF_SHADE = {
    **{name: name for name in COLOURS},
    "golden": "yellow",
    "olive": "green",
    "turquoise": "blue",
    "reddish brown": "brown",
    "tan": "brown",
    "cream": "white",
}
"""The canonical colour that each shade counts as."""

SHADE_NOUNS = words(
    "sky grass leaf forest royal lemon fiery brick blood wine ice moss snow coal jet rose powder slate "
    "ash steel navy cherry neon midnight pitch lime ruby olive ink mint burnt electric baby butter "
    "bubblegum candy"
)
"""Nouns that only shade the colour after them: "grass green"."""

SIZES = _by_word(
    {
        "small": "small tiny little",
        "medium": "medium",
        "large": "large big huge giant massive enormous",
    }
)
"""Each word for a size, and the plain size it counts as."""

BIRDS = words(
    "bird birds songbird seabird shorebird waterbird gamebird nightbird duck ducks duckling drake goose "
    "owl eagle hawk falcon raptor parrot hummingbird penguin pigeon dove gull tern crow raven heron crane "
    "stork pheasant turkey hen rooster chick chicks finch woodpecker swan pelican flamingo flamingos "
    "ostrich parakeet macaw toucan hornbill kingfisher wader albatross anhinga aracari auklet avocet "
    "bananaquit bishop bittern blackbird bluebird bobolink bulbul bunting buzzard caracara cardinal "
    "cassowary catbird chickadee cockatoo condor coot cormorant egret emu fairywren flicker flycatcher "
    "francolin frigatebird gallinule godwit goldfinch goshawk grackle grebe grosbeak guineafowl hoopoe "
    "ibis jabiru jacana jay junco kestrel kingbird kinglet lapwing loon lorikeet lovebird mallard "
    "meadowlark merganser mockingbird motmot myna oriole osprey partridge peacock plover poorwill puffin "
    "quail quetzal redstart roadrunner robin roller rosella sandpiper skimmer sparrow spoonbill starling "
    "sunbird swallow swamphen tanager teal thrasher thrush titmouse towhee trogon troupial vulture "
    "warbler waterhen waxwing wren nightjar fowl cock cockerel chicken nuthatch lark grouse wagtail "
    "weaver vireo"
)
"""Words for a whole bird."""

FLOWERS = words(
    "flower flowers blossom blossoms bloom blooms floret florets inflorescence wildflower wildflowers "
    "anemone anemones anthurium anthuriums aster asters azalea azaleas bellflower bellflowers bluebell "
    "bluebells bougainvillea bromeliad bromeliads buttercup buttercups calendula camellia camellias canna "
    "cannas carnation carnations cattleya celosia chrysanthemum clematis columbine columbines coltsfoot "
    "coneflower coneflowers cosmos crocus crocuses cyclamen cyclamens daffodil daffodils dahlia dahlias "
    "daisy daisies dandelion dandelions datura dianthus foxglove foxgloves frangipani frangipanis "
    "fritillary fritillaries gaura gazania gazanias gentian gentians geranium geraniums gerbera gerberas "
    "gladiolus globeflower hellebore hellebores hibiscus hyacinth hyacinths iris irises lilies lily "
    "lisianthus lotus magnolia magnolias mallow mallows marigold marigolds masterwort monkshood "
    "moonflower nasturtium nasturtiums nerine nerines orchid orchids osteospermum pansies pansy "
    "pelargonium peony petunia petunias phlox plumeria plumerias poinsettia poinsettias poppies poppy "
    "primrose primroses primula protea proteas pincushion rhododendron rose roses rosebud rosebuds "
    "scabious snapdragon snapdragons sunflower sunflowers susan susans thistle thistles tulip tulips "
    "viola violas wallflower wallflowers windflower alstroemeria amaryllis astrantia lilac lavender "
    "violet violets corydalis ruellia abutilon curcuma bindweed balm holly hollies gladioli love glory "
    "glories rosette"
)
"""Words for a whole flower."""

BIRD_PARTS = _by_word(
    {
        "body": "body feathers plumage coat",
        "head": "head heads hood",
        "face": "face faces cheek cheeks",
        "crown": "crown cap crest forehead topknot",
        "neck": "neck necks nape",
        "throat": "throat throats chin bib",
        "breast": "breast breasts chest chests front",
        "belly": "belly bellies underparts underside stomach abdomen",
        "back": "back backs upperparts mantle",
        "wings": "wings wing",
        "tail": "tail tails",
        "beak": "beak beaks bill bills",
        "legs": "legs leg feet foot",
        "eyes": "eyes eye",
    }
)
"""Each word for a part of a bird, and the part's canonical name; "body" is the whole bird."""

BIRD_PART_ADJECTIVES = _by_word(
    {
        "body": "bodied",
        "head": "headed hooded",
        "face": "faced cheeked",
        "crown": "crowned capped crested",
        "neck": "necked naped",
        "throat": "throated",
        "breast": "breasted chested fronted",
        "belly": "bellied",
        "back": "backed",
        "wings": "winged",
        "tail": "tailed",
        "beak": "beaked billed",
        "legs": "legged footed",
        "eyes": "eyed",
    }
)
"""The same as adjectives: "red-headed"."""

FLOWER_PARTS = _by_word(
    {
        "petals": "petals petal spathe spathes rays spike spikes head heads bells",
        "centre": "centre centres center centers heart hearts eye eyes throat throats disc disk discs core "
        "stamens stamen anthers pistil pistils spadix pollen middle middles",
    }
)
"""Each word for a part of a flower; "petals" stands for the whole flower too."""

FLOWER_PART_ADJECTIVES = _by_word(
    {"petals": "petaled petalled", "centre": "centred centered eyed throated hearted"}
)

MARKING_NOUNS = words(
    "patch patches spot spots stripe stripes streak streaks bar bars band bands mark marks markings line "
    "lines tip tips edge edges rim rims eyebrow brow brows moustache whisker whiskers ring rings collar "
    "mask masks dots speckles specks flecks fringe fringes scales shine sheen tuft tufts plume plumes ear "
    "shoulder shoulders rump flank flanks side sides wattle wattles comb pouch casque horn ruff beard "
    "vent cape lores necklace mottling barring streaking veins margins border borders freckles tinge tint "
    "blotches blotch hackles crescent helmet knob skin flippers flipper chevron eyespots eyespot "
    "undertail underwing underwings wingtips coverts shafts scallops spangles panels panel bract bracts "
    "sepal sepals tag tags"
)
"""Marks and lesser parts: the colours before them are theirs, not those of the part they are on."""

MARKINGS = words("spotted speckled striped streaked barred flecked dotted mottled scaled patterned")
"""Adjectives of markings: in "white spotted" the white may be the spots."""

EDGES = words(
    "edged tipped rimmed banded ringed fringed lined trimmed tinged tinted washed flushed marked splashed "
    "stained veined topped blotched freckled dusted bordered stippled patched laced scalloped based"
)
"""Adjectives that leave only an edge or a trace for the colour before them: "white tipped"."""

PLACES = words(
    "sky skies cloud clouds water waters pond lake sea ocean river stream grass grasses lawn meadow field "
    "fields garden park branch branches twig twigs bough stick sticks stump trunk log logs tree trees "
    "leaf leaves foliage stem stems stalk stalks bud buds bush bushes shrub reed reeds weed weeds moss "
    "lichen rock rocks stone stones ground soil earth mud sand gravel snow ice wall fence post pole rail "
    "railing wire cable perch feeder bed pot vase background backdrop berry berries seed seeds fruit "
    "fruits cherry ivy fern ferns pine bark hedge pad pads bee bees butterfly bumblebee insect "
    "beetle thorn thorns rope board boards frame window house brick roof path pavement road fish light "
    "sunlight shadow shed deck cloth plank cone cones flag plants plant vine wood nest cage stand bowl "
    "dish bench metal concrete night"
)
"""Where things are, and what stands around them: the colours before these are not the subject's."""

ADJECTIVES = words(
    "dark darker pale paler bright brighter light lighter deep deeper soft dull rich warm vivid pure "
    "solid glossy shiny iridescent shining glittering glowing metallic sparkling dusky drab mixed long "
    "short thin thick plain round plump slim slender fluffy fluffed puffy puffed ruffled shaggy smooth "
    "tall stocky chunky chubby fat upright young wild fine finely streaky scaly checkered colored "
    "coloured colorful colourful wading water ground sea shore game perching pointed curved hooked heavy "
    "stout broad wide narrow bare bald flightless sleek sturdy bulky spiky elegant handsome fierce bushy "
    "downy fuzzy velvety very mostly all almost nearly entirely slightly two one sized shaped tufted "
    "folded spread raised lower upper outer inner strong clean bold flat wet patchy ragged scruffy smoky "
    "stubby rounded tropical single adult male brilliant flaming shimmering silky pastel female"
)
"""Plain words that change nothing about whose a colour is."""

FURTHER_ADJECTIVES = words(
    "dusty creased strikingly intensely faintly softly mainly largely partly completely wholly mossy hot "
    "dim faded frilly wavy layered double notched crinkled curly curled drooping nodding open closed half "
    "full trumpet bell star cup star-shaped feathery papery waxy delicate showy sunny bearded tight loose "
    "dense crumpled lacy frilled pleated overlapping wrinkled withered fresh ripe sharp straight pointy "
    "conical massive extremely forked fanned barbed bristly hairy woolly shallow webbed bowed dagger "
    "needle spoon racket spear flame earth peacock proud odd ornate fancy exotic tiny-eyed tubular cactus "
    "tiger calla water passion pompom button beautiful pretty lovely stunning gorgeous cute simple "
    "slightly overall clear crimped dainty huge mature juvenile baby old tame common typical various "
    "several three four five six many few some medium"
)
"""More of them, met in captions of other sets."""

SYNONYMS = tuple(
    tuple(line.split(", "))
    for line in (
        "red, scarlet, crimson, ruby",
        "orange, tangerine",
        "yellow, golden, lemon yellow",
        "green, emerald, emerald green",
        "blue, azure, cobalt blue, sapphire blue",
        "purple, violet",
        "pink, rosy, rose pink",
        "brown, chocolate brown",
        "rusty, rufous, chestnut, cinnamon",
        "black, jet black, ebony, pitch black",
        "white, snow-white, snowy white",
        "cream, ivory",
        "grey, gray, ash grey",
        "turquoise, teal",
        "magenta, fuchsia",
        "lilac, mauve, lavender",
        "maroon, burgundy, wine red",
        "buff, tan, beige, sandy",
        "pale, light",
        "bright, vivid, brilliant",
        "small, little, tiny",
        "large, big",
        "huge, enormous, giant",
        "plump, chubby, round",
        "slim, slender",
        "shiny, glossy",
        "beak, bill",
        "breast, chest",
        "belly, stomach",
        "crown, cap",
        "feathers, plumage",
        "centre, center, middle",
        "flower, blossom, bloom",
        "flowers, blossoms, blooms",
        "twig, branch, bough",
        "twigs, branches",
        "pond, pool",
        "sea, ocean",
        "meadow, field",
        "rock, stone",
        "leaves, foliage",
        "bush, shrub",
        "background, backdrop",
        "perched, sitting, resting",
        "sits, rests, perches",
        "looking, gazing",
        "looks, gazes",
    )
)
"""Groups of words that can stand for each other in a caption without asking for another picture."""

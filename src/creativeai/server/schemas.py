"""Requests and answers of the API: what `/openapi.json` is made from.

Fields OpenAI's client may send are here with the values that change nothing; anything else is refused by
name. Limits are documented here but checked by `creativeai.engine.validation`, whose messages the CLI shows
too.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from creativeai.bundles.manifest import DatasetSummary
from creativeai.engine.validation import MAX_SEED
from creativeai.request_limits import MAX_NUM_PICTURES, MAX_TEXT_LENGTH
from creativeai.server.encoding import OutputFormat
from creativeai.server.limits import MAX_WITH_ATTENTION

Prompt = Annotated[
    str,
    Field(
        description=f"What the picture shows, 1 to {MAX_TEXT_LENGTH} characters.",
        json_schema_extra={"minLength": 1, "example": "a small red bird with black wings"},
    ),
]


def _whole(value: object) -> object:
    """JSON knows no integers: 7.0 is one too."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_whole)]


def _limits(minimum: float, maximum: float) -> dict[str, Any]:
    return {"minimum": minimum, "maximum": maximum}


class GenerationRequest(BaseModel):
    """OpenAI's image request, plus seed, truncation, stages and attention."""

    model_config = ConfigDict(strict=True, extra="forbid")

    prompt: Prompt
    model: str | None = Field(
        default=None, description="A model's id from /v1/models; the first one when left out."
    )
    n: Whole | None = Field(
        default=None,
        description="Number of pictures, 1 when left out.",
        json_schema_extra=_limits(1, MAX_NUM_PICTURES),
    )
    size: str | None = Field(
        default=None,
        description="'WIDTHxHEIGHT' of one of the model's stages, such as '128x128'; 'auto' is its largest.",
    )
    response_format: Literal["b64_json", "url"] | None = Field(
        default=None,
        description="The pictures themselves (b64_json, when left out) or addresses to load them from.",
    )
    output_format: OutputFormat | None = Field(default=None, description="png when left out.")
    seed: Whole | None = Field(
        default=None,
        description="Picture i has the seed (seed + i) mod 2**32; the same text and seed give the same "
        "picture. Random when left out.",
        json_schema_extra=_limits(0, MAX_SEED),
    )
    truncation: float | None = Field(
        default=None,
        description="From 0, the most typical picture, to 1, full variety; left out, the model's own.",
        json_schema_extra=_limits(0, 1),
    )
    stages: bool | None = Field(
        default=None, description="Also answer each picture's stages, coarse to fine."
    )
    attention: bool | None = Field(
        default=None,
        description="Also answer where each picture's model looked for each word: only of a model whose "
        f"`attention` in /v1/models is not empty, as b64_json, and of at most {MAX_WITH_ATTENTION} pictures.",
    )
    user: str | None = Field(default=None, description="Not used.")
    safety_identifier: str | None = Field(default=None, description="Not used.")
    quality: Literal["auto", "standard"] | None = Field(default=None, description="Changes nothing.")
    style: Literal["vivid"] | None = Field(default=None, description="Changes nothing.")
    background: Literal["auto", "opaque"] | None = Field(default=None, description="Changes nothing.")
    moderation: Literal["auto"] | None = Field(default=None, description="Changes nothing.")
    output_compression: Literal[100] | None = Field(default=None, description="Changes nothing.")
    stream: Literal[False] | None = Field(default=None, description="Pictures are not streamed.")
    partial_images: Literal[0] | None = Field(default=None, description="Pictures are not streamed.")


class RenderQuery(BaseModel):
    """Everything one picture is made from."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(description="A model's id from /v1/models.")
    prompt: Prompt
    seed: int = Field(description="The picture's own seed.", json_schema_extra=_limits(0, MAX_SEED))
    truncation: float | None = Field(
        default=None, description="The model's default when left out.", json_schema_extra=_limits(0, 1)
    )
    size: str = Field(default="auto", description="As in /v1/images/generations.")
    output_format: OutputFormat = "png"
    token: str | None = Field(
        default=None,
        description="Part of the addresses that a server with API keys gives out: a signature that takes the "
        "place of a key for an hour.",
    )


class ModelPath(BaseModel):
    """The model an address names."""

    model: str = Field(description="A model's id from /v1/models.")


class StagePicture(BaseModel):
    """A picture as one stage of the model left it."""

    size: str
    b64_json: str | None = None
    url: str | None = None


class WordAttention(BaseModel):
    """Where one stage of the model looked for one word."""

    word: str = Field(description="The word, or the piece of one, as the model's text encoder reads it.")
    resolution: int = Field(description="Side of the map, in pixels.")
    map: str = Field(
        description="PNG in base64, grey of 8 bits: at each place the share of its attention that went to "
        "the word, as a part of `max_weight` (255 is all of it). Over all words of a resolution the shares "
        "of a place add up to 1."
    )
    max_weight: float = Field(description="The word's largest share of a place's attention, 0 to 1.")


class GeneratedPicture(BaseModel):
    """One picture and the seed to make it again."""

    b64_json: str | None = None
    url: str | None = None
    seed: int
    revised_prompt: str | None = Field(
        default=None, description="The text as the model read it, where that differs."
    )
    stages: list[StagePicture] | None = None
    attention: list[WordAttention] | None = Field(
        default=None,
        description="Stage by stage, coarse to fine; of each stage every word in its order in the text.",
    )


class GenerationResponse(BaseModel):
    """OpenAI's images answer, plus model, unknown words and time taken."""

    created: int = Field(description="Unix time.")
    data: list[GeneratedPicture]
    model: str
    size: str
    output_format: OutputFormat
    unknown_words: list[str] = Field(description="Words of the prompt the model can't use.")
    duration_ms: float


class ModelInfo(BaseModel):
    """OpenAI's model object, plus what the bundle says of the model."""

    id: str
    object: Literal["model"] = "model"
    created: int = Field(description="Unix time.")
    owned_by: str = "creativeai"
    title: str
    description: str
    dataset: DatasetSummary
    licence: str = Field(description="Of the pictures it was trained on.")
    recipe: str
    preset: str
    resolution: int = Field(description="Side of the largest pictures, in pixels.")
    stages: list[int] = Field(description="Side of each stage's pictures, coarse to fine.")
    attention: list[int] = Field(
        description="Side of each stage's attention maps, coarse to fine; empty if the model has none."
    )
    metrics: dict[str, Any]
    examples: list[str]
    default_truncation: float
    version: int | None = Field(
        default=None, description="Its number in the model store that the server follows; null without one."
    )


class ModelList(BaseModel):
    """The models this server has; the first is the default."""

    object: Literal["list"] = "list"
    data: list[ModelInfo]


class Health(BaseModel):
    """The process is alive."""

    status: Literal["ok"] = "ok"


class StoreReadiness(BaseModel):
    """How it stands with the model store that the server follows."""

    alias: str = Field(description="What is served of each model: its version of this alias.")
    reachable: bool = Field(description="If not, the server goes on with what it has.")
    seconds_since_reached: float | None = Field(description="null if it never was.")
    refused: dict[str, int | None] = Field(
        description="Versions that could not be served, by model, so that the one before them goes on (or, "
        "in `models`, has failed): the server's log says why. null if not even the version is known."
    )


class Readiness(BaseModel):
    """The models are loaded."""

    status: Literal["ready"] = "ready"
    models: dict[str, Literal["ready", "failed"]]
    store: StoreReadiness | None = Field(default=None, description="Left out without a model store.")


ErrorType = Literal["invalid_request_error", "rate_limit_error", "server_error"]


class Error(BaseModel):
    """What went wrong, for people (message) and programs (code, param)."""

    message: str
    type: ErrorType
    param: str | None = None
    code: str | None = None


class ErrorResponse(BaseModel):
    """OpenAI's error object."""

    error: Error

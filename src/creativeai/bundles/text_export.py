"""From a trained text encoder to the folder that the run-time encoder reads."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from onnx import helper

from creativeai.bundles.onnx_export import network_to_onnx, store_weights_in_half
from creativeai.errors import BundleError
from creativeai.recipes.encoders.contract import EncoderAddition, EncoderGraph
from creativeai.text.char_cnn_rnn import CharCnnRnnText
from creativeai.text.damsm import Damsm
from creativeai.text.encoder import TextEncoder, load_text_encoder
from creativeai.text.encoder_files import DESCRIPTION_NAME, GRAPH_NAME
from creativeai.whole_files import whole_folder, write_synced

__all__ = ["encoder_to_onnx", "export_text_encoder"]

_RUN_TIME: dict[str, Callable[[Path], TextEncoder]] = {
    Damsm.name: Damsm,
    CharCnnRnnText.name: CharCnnRnnText,
    "minilm": lambda _: load_text_encoder("minilm"),
}


def export_text_encoder(
    graph: EncoderGraph | EncoderAddition, out: Path, title: str, licence: str, provenance: Mapping[str, Any]
) -> TextEncoder:
    """Write a text encoder whole or not at all: aside, opened by its reader, synced to disk, and renamed.

    Args:
        graph: The encoder, or what goes with a shipped one, as the recipe gives it.
        out: Folder to make; must not exist.
        title: One line for people.
        licence: Licence of the weights, as their captions and pictures allow.
        provenance: What it was made of, in JSON's types: dataset and its digest, preset, steps, metrics.

    Returns:
        The exported encoder.

    Raises:
        BundleError: `out` exists or can't be written, or a weight is too large for half precision.
    """
    if os.path.lexists(out):
        raise BundleError(f"{out} exists already: remove it or choose another folder")
    files = dict(graph.files)
    if isinstance(graph, EncoderGraph):
        files[GRAPH_NAME] = encoder_to_onnx(graph)
    description = {
        "name": graph.name,
        "title": title,
        "licence": licence,
        "files": {
            name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
            for name, data in files.items()
        },
        "provenance": dict(provenance),
    }
    files[DESCRIPTION_NAME] = (json.dumps(description, indent=2, ensure_ascii=False) + "\n").encode()
    try:
        with whole_folder(out) as folder:
            for name, data in files.items():
                write_synced(folder / name, data)
            _RUN_TIME[graph.name](folder)
    except OSError as error:
        raise BundleError(f"can't write the text encoder {out}: {error.strerror or error}") from None
    return _RUN_TIME[graph.name](out)


def encoder_to_onnx(graph: EncoderGraph) -> bytes:
    """The encoder in evaluation mode as a serialised graph with weights in half precision.

    The network is left as it was, but on the CPU.

    Raises:
        BundleError: A weight is not finite or too large for half precision.
    """
    network = graph.network.cpu()
    training = {module: module.training for module in network.modules()}
    network.eval()
    # One name for a dimension of the first input is the batch of all of them.
    sizes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("words")}
    shapes = tuple({place: sizes[place] for place in graph.varying[name]} for name in graph.inputs)
    try:
        model = network_to_onnx(network, graph.inputs, graph.outputs, shapes, optimize=True)
    finally:
        for module, was_training in training.items():
            module.training = was_training
    helper.set_model_props(model, dict(graph.settings))
    return store_weights_in_half(model).SerializeToString()

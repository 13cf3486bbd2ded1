"""An encoder's folder: files whose SHA-256 its `encoder.json` states, one of them an ONNX graph."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import onnxruntime as ort

from creativeai.errors import TextError

__all__ = ["DESCRIPTION_NAME", "GRAPH_NAME", "checked_digest", "combined_digest", "open_graph", "unusable"]

DESCRIPTION_NAME = "encoder.json"
GRAPH_NAME = "model.onnx"


def checked_digest(folder: Path, names: Sequence[str], remedy: str) -> str:
    """One SHA-256 for the encoder from those of its files, which must be the ones `encoder.json` states.

    Args:
        folder: The encoder's folder.
        names: Its files that count.
        remedy: How to mend a damaged one, for the message.

    Raises:
        TextError: A file is missing, can't be read or isn't the stated one.
    """
    try:
        stated = json.loads((folder / DESCRIPTION_NAME).read_bytes())["files"]
        digests = []
        for name in names:
            with (folder / name).open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            if sha256 != stated[name]["sha256"]:
                raise TextError(f"{folder / name} is damaged (its SHA-256 is not the stated one): {remedy}")
            digests.append(sha256)
    except OSError as error:
        raise TextError(f"can't read the text encoder's {error.filename}: {remedy}") from None
    except (ValueError, KeyError, TypeError):
        raise TextError(f"{folder / DESCRIPTION_NAME} is damaged: {remedy}") from None
    return combined_digest(names, digests)


def combined_digest(names: Sequence[str], digests: Sequence[str]) -> str:
    """SHA-256 of the lines that `sha256sum` would print for these files."""
    lines = "".join(f"{digest}  {name}\n" for name, digest in zip(names, digests, strict=True))
    return hashlib.sha256(lines.encode()).hexdigest()


def open_graph(file: Path) -> ort.InferenceSession:
    """An ONNX graph, ready to run on one thread of the CPU; safe to run from several threads.

    Raises:
        Exception: Some exception of ONNX Runtime's, which have no base of their own: the file holds no graph.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = False
    # Without this, int8 products overflow on x86 processors that lack VNNI.
    options.add_session_config_entry("session.x64quantprecision", "1")
    return ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def unusable(folder: Path, error: Exception, remedy: str) -> TextError:
    """What to raise where a folder's files are whole but hold no encoder."""
    reason = " ".join(str(error).split())[:200]
    return TextError(f"{folder} has no usable text encoder ({reason}): {remedy}")

"""Tiny copies of published data sets, in the layouts that their authors publish."""

import gzip
import io
import json
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

BIRDS = {"001.Black_footed_Albatross": 3, "002.Laysan_Albatross": 2, "003.Sooty_Albatross": 2}
"""Pictures of each class; the last class is the one held out."""


def jpeg(seed: int, size: tuple[int, int] = (40, 30)) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC).save(content, "JPEG", quality=95)
    return content.getvalue()


def write_files(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tar_bytes(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return content.getvalue()


def write_tar(path: Path, files: dict[str, bytes]) -> Path:
    """A tar, compressed where its name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = tar_bytes(files)
    path.write_bytes(content if path.suffix == ".tar" else gzip.compress(content))
    return path


def bird_keys() -> list[str]:
    return [f"{folder}/{folder[4:]}_{n:04}_{n}" for folder, num in BIRDS.items() for n in range(num)]


def cub_files() -> dict[str, bytes]:
    """What CUB_200_2011.tgz holds."""
    keys = bird_keys()
    lines = {
        "images.txt": [f"{i} {key}.jpg" for i, key in enumerate(keys, 1)],
        "image_class_labels.txt": [f"{i} {int(key[:3])}" for i, key in enumerate(keys, 1)],
        "bounding_boxes.txt": [f"{i} 8.0 6.0 16.0 12.0" for i in range(1, len(keys) + 1)],
    }
    files = {f"CUB_200_2011/{name}": "\n".join(text).encode() + b"\n" for name, text in lines.items()}
    return files | {f"CUB_200_2011/images/{key}.jpg": jpeg(i) for i, key in enumerate(keys)}


def reed_files() -> dict[str, bytes]:
    """What cvpr2016_cub holds."""
    train, val = list(BIRDS)[:-1], list(BIRDS)[-1:]
    files = {
        "cvpr2016_cub/trainvalclasses.txt": "\n".join(train).encode(),
        "cvpr2016_cub/testclasses.txt": "\n".join(val).encode(),
    }
    for key in bird_keys():
        captions = [f"{key[-1]} a bird said {n} times" for n in range(10)]
        files[f"cvpr2016_cub/text_c10/{key}.txt"] = "\n".join(captions).encode() + b"\n"
    return files


def pickle_2(value: object) -> bytes:
    """A pickle as Python 2 writes it: lists and dictionaries of texts and numbers, protocol 0."""
    if isinstance(value, str):
        body = b"V" + value.encode("raw-unicode-escape") + b"\n"
    elif isinstance(value, int):
        body = b"I%d\n" % value
    elif isinstance(value, list):
        body = b"(l" + b"".join(pickle_2(item)[:-1] + b"a" for item in value)
    elif isinstance(value, dict):
        body = b"(d" + b"".join(pickle_2(k)[:-1] + pickle_2(v)[:-1] + b"s" for k, v in value.items())
    else:
        raise TypeError(type(value))
    return body + b"."


def names_pickle(names: list[str]) -> bytes:
    """A list of plain texts as Python 2 writes it at protocol 0: AttnGAN's `filenames.pickle`."""
    return (
        b"(lp0\n" + b"".join(b"S'%s'\np%d\na" % (name.encode(), n) for n, name in enumerate(names, 1)) + b"."
    )


def scalars_pickle(numbers: list[int]) -> bytes:
    """A list of `numpy.int64` as Python 2 writes it at protocol 0: AttnGAN's `class_info.pickle`."""
    body, memo = b"(lp0\n", 8
    for index, number in enumerate(numbers):
        raw = repr(struct.pack("<q", number))[1:].encode()  # quotes and escapes are those of Python 2
        if index == 0:
            body += b"cnumpy.core.multiarray\nscalar\np1\n(cnumpy\ndtype\np2\n(S'i8'\np3\nI0\nI1\ntp4\nRp5\n"
            body += b"(I3\nS'<'\np6\nNNNI-1\nI-1\nI0\ntp7\nb"
        else:
            body += b"g1\n(g5\n"
        body += b"S%s\np%d\ntp%d\nRp%d\na" % (raw, memo, memo + 1, memo + 2)
        memo += 3
    return body + b"."


def array_pickle(arrays: list[np.ndarray]) -> bytes:
    """A list of uint8 arrays as NumPy writes them from Python 2 at protocol 2."""
    body = b"\x80\x02]("
    for array in arrays:
        body += b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        body += b"(K\x01(" + b"".join(b"J" + side.to_bytes(4, "little") for side in array.shape) + b"t"
        body += (
            b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        )
        body += b"\x89T" + array.nbytes.to_bytes(4, "little") + array.tobytes() + b"tb"
    return body + b"e."


def split_pickles(prefix: str = "") -> dict[str, bytes]:
    """AttnGAN's and StackGAN's lists of the birds."""
    held_out = list(BIRDS)[-1]
    files = {}
    for folder in ("train", "test"):
        keys = [key for key in bird_keys() if key.startswith(held_out) == (folder == "test")]
        files[f"{prefix}{folder}/filenames.pickle"] = names_pickle(keys)
        files[f"{prefix}{folder}/class_info.pickle"] = scalars_pickle([int(key[:3]) for key in keys])
    return files


def text_files(prefix: str = "text/") -> dict[str, bytes]:
    """AttnGAN's captions of the birds."""
    return {
        f"{prefix}{key}.txt": f"{key[-1]} a bird\r\n\r\nits second caption\r\n".encode()
        for key in bird_keys()
    }


def captions_pickle() -> bytes:
    """AttnGAN's captions as numbers of words: two a picture, of which the first ends in its class."""
    words = {0: "<end>", 1: "a", 2: "bird", 3: "third"}
    held_out = list(BIRDS)[-1]
    train = [
        caption for key in bird_keys() if not key.startswith(held_out) for caption in ([1, 2], [2, 1, 0])
    ]
    val = [caption for key in bird_keys() if key.startswith(held_out) for caption in ([1, 3, 2], [3])]
    return pickle_2([train, val, words, {word: number for number, word in words.items()}])


def coco_captions(split: str, num: int) -> bytes:
    images = [{"id": i, "file_name": f"{split}_{i}.jpg"} for i in range(num)]
    annotations = [
        {"image_id": i, "id": 10 * i + n, "caption": f"scene {i} told {n}"}
        for i in range(num)
        for n in (0, 1)
    ]
    return json.dumps({"images": images, "annotations": annotations}).encode()


def mat_bytes(
    name: str, matrix: np.ndarray, matrix_class: int = 9, kind: int = 2, packed: bool = True
) -> bytes:
    """A MATLAB file of version 7 (or 6, not `packed`) with one matrix of bytes."""

    def element(kind: int, content: bytes) -> bytes:
        if len(content) <= 4:
            return struct.pack("<HH4s", kind, len(content), content)
        return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)

    flags = struct.pack("<II", matrix_class, 0)
    sides = struct.pack(f"<{matrix.ndim}i", *matrix.shape)
    parts = element(6, flags) + element(5, sides) + element(1, name.encode())
    parts += element(kind, matrix.tobytes(order="F"))
    whole = struct.pack("<II", 14, len(parts)) + parts
    if packed:
        compressed = zlib.compress(whole)
        whole = struct.pack("<II", 15, len(compressed)) + compressed
    return b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + whole

"""Every kind of picture file becomes 8-bit RGB squares, or is refused with the reason."""

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from creativeai.data import pictures, prepare
from creativeai.data.pictures import open_picture, open_picture_bytes, to_squares
from creativeai.errors import DataError
from data.conftest import MakeFolder, noise_picture


def square(path: Path, resolution: int = 8) -> np.ndarray:
    with open_picture(path) as picture:
        return to_squares(picture, (resolution,))[0]


def test_middle_square_is_cut_out(tmp_path: Path) -> None:
    picture = Image.new("RGB", (48, 16), "blue")
    picture.paste("red", (16, 0, 32, 16))
    picture.save(tmp_path / "wide.png")

    pixels = square(tmp_path / "wide.png").astype(int)
    assert (abs(pixels[:, 1:-1] - (255, 0, 0)) < 20).all()  # the outermost are smoothed with what lies beyond


def test_all_resolutions_come_from_one_decoding(tmp_path: Path) -> None:
    noise_picture(1, 100).save(tmp_path / "noise.png")
    with open_picture(tmp_path / "noise.png") as picture:
        squares = to_squares(picture, (8, 16, 128))

    assert [one.shape for one in squares] == [(8, 8, 3), (16, 16, 3), (128, 128, 3)]
    assert all(one.dtype == np.uint8 for one in squares)


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    picture = Image.new("RGB", (32, 32), "blue")
    picture.paste("red", (0, 0, 32, 16))  # red above, and to be turned a quarter to the right
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    pixels = square(tmp_path / "turned.jpg").astype(int)

    assert (pixels[:, 6:, 0] > 200).all() and (pixels[:, :2, 2] > 200).all()


def test_transparency_lies_over_white(tmp_path: Path) -> None:
    Image.new("RGBA", (16, 16), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    Image.new("RGBA", (16, 16), (255, 0, 0, 128)).save(tmp_path / "half.png")

    assert (square(tmp_path / "clear.png") == 255).all()
    assert np.abs(square(tmp_path / "half.png").astype(int) - (255, 127, 127)).max() <= 1


def test_transparent_palette_lies_over_white(tmp_path: Path) -> None:
    Image.new("P", (16, 16), 3).save(tmp_path / "palette.gif", transparency=3)

    assert (square(tmp_path / "palette.gif") == 255).all()


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_16_bit_grey_is_scaled(tmp_path: Path, suffix: str) -> None:
    ramp = np.linspace(0, 65535, 16).astype(np.uint16)
    Image.fromarray(np.repeat(ramp[:, None], 16, axis=1)).save(tmp_path / f"deep{suffix}")
    column = square(tmp_path / f"deep{suffix}", 16)[:, 8, 0].astype(int)

    assert np.abs(column - ramp / 257).max() <= 1


def test_32_bit_grey_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.full((16, 16), 70_000, np.int32)).save(tmp_path / "deeper.tif")
    Image.fromarray(np.full((16, 16), 0.5, np.float32)).save(tmp_path / "float.tif")

    with pytest.raises(DataError, match="more than 16 bits"):
        square(tmp_path / "deeper.tif")
    with pytest.raises(DataError, match="floating-point"):
        square(tmp_path / "float.tif")


@pytest.mark.parametrize("mode", ["L", "1", "LA", "P"])
def test_other_modes_become_rgb(tmp_path: Path, mode: str) -> None:
    Image.new("RGB", (16, 16), "white").convert(mode).save(tmp_path / "picture.png")

    assert (square(tmp_path / "picture.png") == 255).all()


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_cmyk_is_converted(tmp_path: Path, suffix: str) -> None:
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / f"print{suffix}")

    red, green, blue = square(tmp_path / f"print{suffix}")[4, 4].astype(int)
    assert red > 240 and green < 15 and blue < 15


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_first_frame_of_an_animation_is_taken(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / f"moving{suffix}", save_all=True, append_images=frames[1:], duration=50)

    red, _, blue = square(tmp_path / f"moving{suffix}")[4, 4].astype(int)
    assert red > 240 and blue < 15


def test_large_jpeg_is_decoded_reduced_and_looks_the_same(tmp_path: Path) -> None:
    smooth = noise_picture(2, 16).resize((1024, 1024), Image.Resampling.BICUBIC)
    smooth.save(tmp_path / "large.jpg", quality=95)
    smooth.save(tmp_path / "large.png")

    difference = square(tmp_path / "large.jpg", 32).astype(int) - square(tmp_path / "large.png", 32)
    assert np.abs(difference).mean() < 3


def test_odd_exif_does_no_harm(tmp_path: Path) -> None:
    Image.new("RGB", (16, 16), "red").save(
        tmp_path / "odd.jpg", exif=b"Exif\0\0XX*\0\x08\0\0\0\xff\xffgarbage"
    )

    assert square(tmp_path / "odd.jpg")[4, 4, 0] > 240


@pytest.mark.parametrize("size", [(1, 1), (7, 100), (100, 7)])
def test_too_small(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.new("RGB", size).save(tmp_path / "small.png")

    with pytest.raises(DataError, match=rf"too small: {size[0]} x {size[1]} pixels, at least 8 x 8"):
        open_picture(tmp_path / "small.png")


def test_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noise_picture(0, 32).save(tmp_path / "large.png")
    monkeypatch.setattr(pictures, "MAX_PIXELS", 1000)

    with pytest.raises(DataError, match="too large: 32 x 32 pixels"):
        open_picture(tmp_path / "large.png")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_decompression_bomb_is_not_decoded(tmp_path: Path) -> None:
    for name, side in (("bomb.png", 15_000), ("big.png", 10_000)):
        header = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
        chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
        (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\0IDAT\x35\xaf\x06\x1e")

    with pytest.raises(DataError, match="more than 178,956,970 pixels"):
        open_picture(tmp_path / "bomb.png")
    with pytest.raises(DataError, match="too large: 10000 x 10000"):
        open_picture(tmp_path / "big.png")


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the picture is missing"):
        open_picture(tmp_path / "nowhere.png")
    with pytest.raises(DataError, match="can't be read"):
        open_picture(tmp_path / ("long" * 100))
    with pytest.raises(DataError, match="not a file"):
        open_picture(tmp_path)


def test_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")

    with pytest.raises(DataError, match="not a file"):
        open_picture(tmp_path / "pipe.png")


def test_lfs_pointer(tmp_path: Path) -> None:
    file = tmp_path / "pointer.jpg"
    file.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")

    with pytest.raises(DataError, match="git-LFS pointer instead of a picture: run git lfs pull"):
        open_picture(file)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"just some text", "not a picture"),
        (
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n",
            "not a picture",
        ),  # would start Ghostscript
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        (b"\x89PNG\r\n\x1a\n", "not a picture"),
        (b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        (b"\r\n<!DOCTYPE html>\n<html><title>404</title>", "is a web page saved under the picture's name"),
        (b"<?xml version='1.0'?>\n<Error><Code>AccessDenied</Code></Error>", "is a web page"),
    ],
)
def test_not_a_picture(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "file.png").write_bytes(content)

    with pytest.raises(DataError, match=message):
        open_picture(tmp_path / "file.png")
    with pytest.raises(DataError, match=message):
        open_picture_bytes(content)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".gif", ".bmp", ".tif"])
@pytest.mark.parametrize("part", [0.4, 0.9])
def test_truncated(tmp_path: Path, suffix: str, part: float) -> None:
    file = tmp_path / f"cut{suffix}"
    noise_picture(3, 64).save(file)
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * part)])

    with pytest.raises(DataError, match=r"truncated|damaged|not a picture|can't be read") as caught:
        square(file)
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore:::PIL")
def test_random_damage_is_an_error_or_a_picture(tmp_path: Path) -> None:
    file = tmp_path / "damaged"
    random = np.random.default_rng(5)
    for suffix in ("PNG", "JPEG", "WEBP", "GIF", "TIFF"):
        noise_picture(4, 24).save(file, suffix)
        content = np.frombuffer(file.read_bytes(), np.uint8)
        for _ in range(40):
            changed = content.copy()
            changed[random.integers(0, len(content), 6)] = random.integers(0, 256, 6)
            file.write_bytes(changed.tobytes())
            try:
                assert square(file).shape == (8, 8, 3)
            except DataError as error:
                assert "\n" not in str(error)


def test_picture_from_memory_is_that_of_the_file(tmp_path: Path) -> None:
    noise_picture(1, 40).save(tmp_path / "1.png")
    with open_picture_bytes((tmp_path / "1.png").read_bytes()) as picture:
        assert np.array_equal(to_squares(picture, (8,))[0], square(tmp_path / "1.png"))
    for content in (b"", b"version https://git-lfs.github.com/spec/v1\n", b"text"):
        with pytest.raises(DataError, match=r"empty|pointer|not a picture"):
            open_picture_bytes(content)


def test_crop_comes_before_the_square_and_is_cut_at_the_edges(tmp_path: Path) -> None:
    noise = noise_picture(1, 60)
    noise.save(tmp_path / "1.png")
    for crop, within in (((10, 20, 50, 40), (10, 20, 50, 40)), ((-9, 30, 25, 99), (0, 30, 25, 60))):
        with open_picture(tmp_path / "1.png") as picture:
            assert np.array_equal(
                to_squares(picture, (16,), crop)[0], to_squares(noise.crop(within), (16,))[0]
            )


@pytest.mark.parametrize("crop", [(70, 0, 90, 20), (0, 0, 7, 60), (30, 30, 20, 20)])
def test_crop_without_pixels(tmp_path: Path, crop: tuple[int, int, int, int]) -> None:
    noise_picture(1, 60).save(tmp_path / "1.png")
    with open_picture(tmp_path / "1.png") as picture, pytest.raises(DataError, match="fewer than 8 x 8"):
        to_squares(picture, (16,), crop)


def test_crop_of_a_large_jpeg_is_that_of_the_whole_one(tmp_path: Path) -> None:
    smooth = noise_picture(2, 16).resize((2048, 2048), Image.Resampling.BICUBIC)
    smooth.save(tmp_path / "large.jpg", quality=95)
    with open_picture(tmp_path / "large.jpg") as picture:
        found = to_squares(picture, (16,), (512, 256, 1024, 768))[0].astype(int)

    assert picture.size != (2048, 2048)  # decoded reduced
    assert np.abs(found - to_squares(smooth.crop((512, 256, 1024, 768)), (16,))[0]).mean() < 2


def test_crop_is_in_pixels_of_the_stored_picture_and_turned_afterwards(tmp_path: Path) -> None:
    picture = Image.new("RGB", (64, 32), "blue")
    picture.paste("red", (0, 0, 16, 32))
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(tmp_path / "turned.jpg", exif=exif, quality=95, subsampling=0)
    with open_picture(tmp_path / "turned.jpg") as opened:
        pixels = to_squares(opened, (16,), (0, 0, 32, 32))[0].astype(int)

    assert (pixels[:7, :, 0] > 200).all() and (pixels[9:, :, 2] > 200).all()


def photo_like(seed: int) -> Image.Image:
    """Broad forms with fine ones on them, as photographs have."""
    random = np.random.default_rng(seed)
    parts = [
        np.asarray(
            Image.fromarray(random.integers(0, 256, (side, side, 3), dtype=np.uint8)).resize((400, 400))
        )
        for side in (5, 20, 80, 400)
    ]
    weights = (0.5, 0.3, 0.15, 0.05)
    mixed = sum(weight * part for weight, part in zip(weights, parts, strict=True))
    return Image.fromarray(np.asarray(mixed).astype(np.uint8))


def test_small_squares_made_of_a_large_one_are_those_made_of_the_picture() -> None:
    for seed in range(3):
        picture = photo_like(seed)
        for resolution, square_of_large in zip((64, 128), to_squares(picture, (64, 128, 256)), strict=False):
            direct = picture.resize((resolution, resolution), Image.Resampling.LANCZOS)
            difference = np.abs(square_of_large.astype(int) - np.asarray(direct))
            assert 0 < difference.mean() < 1.2 and difference.max() <= 16


def test_squares_below_256_are_made_of_the_picture_itself() -> None:
    picture = photo_like(0)
    for resolution, made in zip((64, 128), to_squares(picture, (64, 128)), strict=True):
        direct = picture.resize((resolution, resolution), Image.Resampling.LANCZOS, reducing_gap=3.0)
        assert np.array_equal(made, np.asarray(direct))


def test_squares_of_a_picture_that_is_enlarged_are_made_of_itself() -> None:
    picture = photo_like(0).resize((224, 224), Image.Resampling.LANCZOS)
    squares = dict(zip((32, 64, 128, 256), to_squares(picture, (32, 64, 128, 256)), strict=True))

    for resolution in (64, 128):
        direct = picture.resize((resolution, resolution), Image.Resampling.LANCZOS)
        assert np.array_equal(squares[resolution], np.asarray(direct))
    large = picture.resize((256, 256), Image.Resampling.BICUBIC)
    assert np.array_equal(squares[256], np.asarray(large))
    small = np.asarray(picture.resize((32, 32), Image.Resampling.LANCZOS)).astype(int)
    assert np.abs(squares[32].astype(int) - small).mean() < 2


def avif(seed: int = 0) -> bytes:
    file = io.BytesIO()
    photo_like(seed).resize((64, 64)).save(file, "AVIF")
    return file.getvalue()


def with_much_text() -> bytes:
    """A PNG whose compressed text unpacks to more than Pillow takes."""
    info = PngInfo()
    info.add_text("comment", "a" * 2**21, zip=True)
    file = io.BytesIO()
    noise_picture(1).save(file, "PNG", pnginfo=info)
    return file.getvalue()


def damaged_avif() -> bytes:
    """An AVIF whose index of items says that a picture lies where there is none."""
    content = avif()
    place = content.index(b"iloc")
    return content[: place + 4] + b"\xff" * 16 + content[place + 20 :]


ODD = {
    "text.png": with_much_text,
    "cut.ppm": lambda: b"P6 6",
    "numbers.ppm": lambda: b"P6 6 x 255\n" + bytes(300),
    "index.avif": damaged_avif,
    "cut.avif": lambda: avif()[:200],
    "page.jpg": lambda: b"<!DOCTYPE html><html><body>please log in</body></html>",
}


@pytest.mark.parametrize("name", ODD)
def test_odd_pictures_are_named_and_can_be_left_out(
    make_folder: MakeFolder, tmp_path: Path, name: str
) -> None:
    root = make_folder(*({"file_name": other, "text": "a bird"} for other in ("a.png", "b.png", name)))
    (root / name).write_bytes(ODD[name]())

    with pytest.raises(DataError, match=rf"metadata\.jsonl line 3: {name}: [^\n]+ \(run with --skip-bad"):
        prepare("folder", tmp_path / "out", root=root, resolutions=(8,))
    prepared = prepare("folder", tmp_path / "out", root=root, resolutions=(8,), skip_bad=True)

    assert [problem.where.rpartition(": ")[2] for problem in prepared.left_out] == [name]
    assert prepared.info.num_pictures == 2 and sum(prepared.info.left_out.values()) == 1


def test_a_web_page_is_named_for_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(ODD["page.jpg"]())

    with pytest.raises(
        DataError, match="web page saved under the picture's name: download the picture again"
    ):
        open_picture(tmp_path / "1.jpg")


@pytest.mark.filterwarnings("ignore:::PIL")
@pytest.mark.parametrize("suffix", ["PPM", "AVIF", "PNG", "TIFF", "GIF", "BMP", "WEBP", "JPEG"])
def test_damaged_headers_are_errors_or_pictures(suffix: str) -> None:
    file = io.BytesIO()
    photo_like(1).resize((40, 40)).save(file, suffix)
    random = np.random.default_rng(3)
    for _ in range(60):
        content = bytearray(file.getvalue())
        for place in random.integers(0, min(len(content), 300), 6):
            content[place] = random.integers(256)
        try:
            with open_picture_bytes(bytes(content)) as picture:
                assert to_squares(picture, (8,))[0].shape == (8, 8, 3)
        except DataError as error:
            assert "\n" not in str(error)


def test_small_pictures_are_enlarged_with_a_note(make_folder: MakeFolder, tmp_path: Path) -> None:
    root = make_folder(*({"file_name": name, "text": "a bird"} for name in ("a.png", "b.png", "c.png")))
    Image.new("RGB", (900, 9), "red").save(root / "b.png")
    Image.new("RGB", (900, 90), "blue").save(root / "c.png")
    prepared = prepare("folder", tmp_path / "out", root=root, resolutions=(8, 16, 64))

    assert prepared.info.enlarged == {"16": 1, "64": 2}
    assert (
        "enlarged: 1 to 16 px, 2 to 64 px, since they have fewer pixels a side (the smallest 9: b.png)"
        in prepared.report()
    )

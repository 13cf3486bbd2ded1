"""Files of torch's, old and new, and what is passed off as one."""

import os
import pickle  # noqa: TID251  -- writes the file that must not be obeyed
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from creativeai.errors import DataError
from creativeai.importers import attngan, damsm, df_gan, stackgan, stackgan_v2
from creativeai.importers.checkpoint_file import read_weights
from creativeai.importers.recognise import kind_of
from importers.official_files import PUBLISHED, save, small_weights

WEIGHTS = {"fc.weight": torch.arange(6.0).view(2, 3), "fc.bias": torch.ones(2)}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "netG.pth"


@pytest.mark.parametrize("old_format", [False, True])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda weights: weights,
        lambda weights: {f"module.{name}": value for name, value in weights.items()},
        lambda weights: {"netG": weights, "netD": {"x": torch.zeros(1)}},
        lambda weights: {"model": {"netG": weights, "netC": {}}, "optimizers": {"lr": 0.1}, "epoch": 1},
        lambda weights: {"state_dict": weights, "epoch": 3},
        lambda weights: {"model": {"netG": {f"module.{name}": value for name, value in weights.items()}}},
    ],
)
def test_every_way_to_save_is_read(file: Path, wrap: Any, old_format: bool) -> None:
    read = read_weights(save(wrap(WEIGHTS), file, old_format=old_format), "netG")
    assert read.keys() == WEIGHTS.keys()
    assert all(torch.equal(read[name], value) for name, value in WEIGHTS.items())


def test_one_prefixed_name_among_others_is_a_name(file: Path) -> None:
    save(WEIGHTS | {"module.x": torch.ones(1)}, file)
    assert "module.x" in read_weights(file, "netG")


HTML = b"\n<!DOCTYPE html><html><body>Google Drive can't scan this file for viruses</body></html>"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 130\n"


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (b"", "is empty: fetch it again"),
        (POINTER, "is a git-LFS pointer instead of the file itself: run git lfs pull"),
        (HTML, "is a web page saved under the file's name"),
        (b"\xef\xbb\xbf<html>", "is a web page"),
        (b"Quota exceeded", "is no file of PyTorch's"),
        (b"PK\x03\x04 and then nothing", "is cut off or damaged"),
        (pickle.dumps([1, 2, 3], protocol=2), "is a pickle, but no file of PyTorch's"),
    ],
)
def test_what_is_no_file_of_weights_is_named(file: Path, content: bytes, wrong: str) -> None:
    file.write_bytes(content)
    with pytest.raises(DataError, match=f"netG.pth {wrong}") as caught:
        read_weights(file, "netG")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("old_format", [False, True])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_truncated_file_is_named(file: Path, old_format: bool, share: float) -> None:
    whole = save({"fc.weight": torch.randn(64, 64)}, file, old_format=old_format).read_bytes()
    file.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DataError, match=r"netG\.pth is cut off or damaged: fetch it again"):
        read_weights(file, "netG")


class Obeyed:
    """What would be run by pickle."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


@pytest.mark.parametrize("way", ["torch", "old torch", "pickle"])
def test_code_in_a_file_is_named_and_not_run(file: Path, tmp_path: Path, way: str) -> None:
    harm = tmp_path / "harm"
    content = {"fc.weight": Obeyed(f"touch {harm}")}
    if way == "pickle":
        file.write_bytes(pickle.dumps(content, protocol=2))
    else:
        save(content, file, old_format=way == "old torch")
    with pytest.raises(
        DataError, match=r"asks for the code \w+\.system instead of holding tensors"
    ) as caught:
        read_weights(file, "netG")
    assert not harm.exists() and "\n" not in str(caught.value)


def test_whole_network_instead_of_its_weights_is_named(file: Path) -> None:
    save(torch.nn.Linear(2, 2), file)
    with pytest.raises(DataError, match=r"asks for the code torch\.nn\.modules\.linear\.Linear"):
        read_weights(file, "netG")


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ({"netD": WEIGHTS, "epoch": 3}, "holds no network netG, but netD, epoch"),
        ([1, 2], "holds no tensors by name"),
        ({}, "holds no tensors by name"),
        (torch.ones(3), "holds no tensors by name"),
        ({"model": {"model": {"model": {"model": {"model": WEIGHTS}}}}}, "holds no tensors by name"),
        ({"fc.weight": torch.eye(2).to_sparse()}, "fc.weight is not made of plain numbers"),
        ({"fc.weight": torch.ones(1).expand(10**9)}, "claims to be larger than what the file holds"),
    ],
)
def test_other_contents_are_refused(file: Path, content: Any, wrong: str) -> None:
    save(content, file)
    with pytest.raises(DataError, match=rf"netG\.pth.*{wrong}"):
        read_weights(file, "netG")


def test_archive_that_unpacks_to_more_than_itself_is_refused(file: Path) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("netG/data.pkl", b"\x80\x02}.")
        archive.writestr("netG/data/0", bytes(1_000_000))
    with pytest.raises(DataError, match="would unpack to 1,000,004 bytes"):
        read_weights(file, "netG")


def test_missing_file_and_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"netG\.pth: no such file"):
        read_weights(tmp_path / "netG.pth", "netG")
    with pytest.raises(DataError, match="is a folder: give the file"):
        read_weights(tmp_path, "netG")


KINDS = {
    "attngan_bird generator": "AttnGAN's generator",
    "attndcgan_bird generator": "AttnGAN's generator",
    "attngan_bird discriminator 64": "AttnGAN's discriminator",
    "attngan_bird text_encoder": "AttnGAN's text encoder",
    "attngan image_encoder": "AttnGAN's image encoder",
    "stackgan_v2 generator": "StackGAN-v2's generator",
    "stackgan_v2 discriminator 256": "StackGAN-v2's discriminator",
    "stackgan_stage1 generator": "StackGAN's generator of stage I",
    "stackgan_stage1 discriminator 64": "StackGAN's discriminator",
    "stackgan_stage2 generator": "StackGAN's generator of stage II",
    "df_gan generator": "DF-GAN's generator",
}


@pytest.mark.parametrize("name", KINDS)
def test_checkpoint_of_another_model_is_recognised(name: str, file: Path) -> None:
    assert kind_of(PUBLISHED[name]) == KINDS[name]
    weights = {key: torch.empty(shape, device="meta") for key, shape in PUBLISHED[name].items()}
    for read in (
        attngan.generator,
        attngan.discriminator,
        stackgan_v2.generator,
        stackgan_v2.discriminator,
        stackgan.stage1_generator,
        stackgan.stage2_generator,
        stackgan.discriminator,
        df_gan.generator,
        damsm.text_encoder,
        damsm.image_encoder,
    ):
        try:
            read(weights, file)
        except DataError as error:
            message = str(error)
            if "looks like" in message:
                assert f"netG.pth looks like {KINDS[name]}: give a file of " in message
                continue
            assert "holds torch.float32, not torch.int64" in message  # its own reader, which reads on


def test_network_that_is_none_of_them_is_shown_by_its_tensors(file: Path) -> None:
    weights = {"layer1.0.conv1.weight": torch.zeros(1), "fc.bias": torch.zeros(1)}
    with pytest.raises(DataError, match=r"is not DF-GAN's generator, but an unknown .* fc\.bias, layer1"):
        df_gan.generator(weights, file)


def test_weights_go_through_a_file_of_old_torch(file: Path) -> None:
    weights = small_weights("attngan_bird text_encoder")
    save({f"module.{name}": value for name, value in weights.items()}, file, old_format=True)
    network = damsm.text_encoder(read_weights(file, "text_encoder"), file)
    assert torch.equal(network.encoder.weight, weights["encoder.weight"])

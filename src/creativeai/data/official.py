"""What `creativeai data download` fetches: the official files of published datasets, and what they lack."""

from pathlib import Path

from creativeai.data.download import RemoteFile, RemoteSet
from creativeai.errors import DataError

__all__ = ["OFFICIAL", "after_download", "find_official"]

_FLOWERS = "https://www.robots.ox.ac.uk/~vgg/data/flowers/102"

OFFICIAL: dict[str, RemoteSet] = {
    "cub200": RemoteSet(
        title="Caltech-UCSD Birds-200-2011",
        page="https://www.vision.caltech.edu/datasets/cub_200_2011/",
        licence="for non-commercial research and education only; the photos belong to their photographers",
        files=(
            RemoteFile(
                "CUB_200_2011.tgz",
                "https://data.caltech.edu/records/65de6-vp158/files/CUB_200_2011.tgz",
                md5="97eceeb196236b17998738112f37df78",
                num_bytes=1_150_585_339,
            ),
        ),
        by_hand=(
            "the captions and the split into classes (cvpr2016_cub.tar.gz), which their authors give only by "
            "Google Drive: see https://github.com/reedscot/cvpr2016"
        ),
    ),
    "oxford102": RemoteSet(
        title="Oxford 102 Flowers",
        page="https://www.robots.ox.ac.uk/~vgg/data/flowers/102/",
        licence="not stated by the authors; the photos are from the web",
        files=(
            RemoteFile(
                "102flowers.tgz",
                f"{_FLOWERS}/102flowers.tgz",
                md5="52808999861908f626f3c1f4e79d11fa",
                num_bytes=344_862_509,
            ),
            RemoteFile(
                "imagelabels.mat", f"{_FLOWERS}/imagelabels.mat", md5="e0620be6f572b9609742df49c70aed4d"
            ),
        ),
        by_hand=(
            "the captions and the split into classes (cvpr2016_flowers.tar.gz), which their authors give "
            "only by Google Drive: see https://github.com/reedscot/cvpr2016"
        ),
    ),
}
"""By the name of the source that `creativeai data prepare` reads them with."""


def find_official(name: str) -> RemoteSet:
    """The dataset of that name.

    Raises:
        DataError: There is none.
    """
    if name not in OFFICIAL:
        raise DataError(f"unknown dataset '{name}': {' and '.join(OFFICIAL)} can be downloaded")
    return OFFICIAL[name]


def after_download(name: str, folder: Path) -> list[str]:
    """Lines for the terminal: the licence, what is missing still, and the next command."""
    offered = OFFICIAL[name]
    return [
        f"licence: {offered.licence} ({offered.page})",
        f"still needed, into the same folder: {offered.by_hand}",
        f"then: creativeai data prepare {name} DATASET --from {folder}",
    ]

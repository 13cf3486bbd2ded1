"""The trained model as a folder."""

from creativeai.bundles.catalog import find_bundle, find_bundles
from creativeai.bundles.manifest import BundleManifest
from creativeai.bundles.reader import Bundle, read_bundle
from creativeai.bundles.writer import write_bundle

__all__ = ["Bundle", "BundleManifest", "find_bundle", "find_bundles", "read_bundle", "write_bundle"]

"""Captioned pictures: preparing them from any source, and reading what was prepared."""

from creativeai.data.captioned_images import CaptionedImages, CaptionRecord, DatasetInfo, credits_of
from creativeai.data.prepare import Prepared, prepare

__all__ = ["CaptionRecord", "CaptionedImages", "DatasetInfo", "Prepared", "credits_of", "prepare"]

"""Published checkpoints of the original authors, brought into our networks, text encoders and bundles."""

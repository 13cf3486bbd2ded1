"""How the trainable text encoders learn: captions against pictures, without a generator."""

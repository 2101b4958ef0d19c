"""Pickles without running them: a reader that builds known kinds of objects only, and a writer in PyTorch's format."""

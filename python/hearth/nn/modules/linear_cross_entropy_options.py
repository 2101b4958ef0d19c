"""LinearCrossEntropyOptions: how F.linear_cross_entropy cuts the batch into pieces."""

__all__ = ["LinearCrossEntropyOptions"]


class LinearCrossEntropyOptions:
    """Asks for the chunked form of linear_cross_entropy, which never stores all logits at once.

    `batch_chunk_size` rows a piece (None: chosen), `chunking_method` "auto", "batch" or None, `acc_policy` how the
    gradient of the weight is summed: "accurate", "compact" or "auto", `acc_dtype` its dtype.
    """

    def __init__(
        self, allow_retain_graph: bool = False, batch_chunk_size=None, chunking_method="auto",
        acc_policy: str = "auto", acc_dtype=None,
    ) -> None:  # fmt: skip
        fields = dict(
            allow_retain_graph=allow_retain_graph,
            batch_chunk_size=batch_chunk_size,
            chunking_method=chunking_method,
            acc_policy=acc_policy,
            acc_dtype=acc_dtype,
        )
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name, value):
        raise AttributeError(f"cannot assign to field '{name}'")

    def __eq__(self, other):
        return type(other) is type(self) and other.__dict__ == self.__dict__

    def __hash__(self):
        return hash(tuple(self.__dict__.values()))

    def __repr__(self):
        inside = ", ".join(f"{name}={value!r}" for name, value in self.__dict__.items())
        return f"LinearCrossEntropyOptions({inside})"

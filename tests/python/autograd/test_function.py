"""Custom functions, hooks and graph inspection."""
import gc
import weakref

import pytest

import hearth
from hearth.autograd import Function


class Square(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        return dy * x * 2


class Exp(Function):
    @staticmethod
    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, dy):
        return dy * ctx.saved_tensors[0]


def test_first_and_second_derivative():
    x = hearth.tensor([1.0, 2.0, 3.0], requires_grad=True)
    (g,) = hearth.autograd.grad(Square.apply(x).sum(), x, create_graph=True)
    assert g.tolist() == [2, 4, 6]
    (h,) = hearth.autograd.grad(g.sum(), x)
    assert h.tolist() == [2, 2, 2]


def test_saved_output_gives_second_derivative_and_no_cycle():
    x = hearth.tensor([0.5], requires_grad=True)
    y = Exp.apply(x)
    (g,) = hearth.autograd.grad(y, x, create_graph=True)
    (h,) = hearth.autograd.grad(g, x)
    assert h.item() == pytest.approx(y.item())
    alive = weakref.ref(y)
    gc.disable()
    try:
        del y, g, h
        assert alive() is None
    finally:
        gc.enable()


def test_second_backward_needs_retain_graph():
    x = hearth.ones(2, requires_grad=True)
    y = Square.apply(x).sum()
    y.backward()
    with pytest.raises(RuntimeError):
        y.backward()


def test_write_to_saved_tensor_is_refused():
    x = hearth.ones(2, requires_grad=True)
    a = x * 1
    y = Square.apply(a)
    a.add_(1)
    with pytest.raises(RuntimeError, match="in place"):
        y.sum().backward()


def test_wrong_number_and_shape_of_gradients():
    class Two(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, dy):
            return dy, dy

    class Shape(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, dy):
            return hearth.ones(7)

    x = hearth.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="incorrect number of gradients"):
        Two.apply(x).sum().backward()
    with pytest.raises(RuntimeError, match="invalid gradient"):
        Shape.apply(x).sum().backward()


def test_error_in_backward_reaches_the_caller():
    class Fails(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, dy):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        Fails.apply(hearth.ones(1, requires_grad=True)).backward()


def test_tensor_hook_changes_gradient_and_can_be_removed():
    x = hearth.ones(2, requires_grad=True)
    y = x * 3
    handle = y.register_hook(lambda g: g * 10)
    y.sum().backward()
    assert x.grad.tolist() == [30, 30]
    handle.remove()
    x.grad = None
    (x * 3).sum().backward()
    assert x.grad.tolist() == [3, 3]


def test_accumulate_hook_sees_the_sum():
    x = hearth.ones(2, requires_grad=True)
    seen = []
    x.register_post_accumulate_grad_hook(lambda p: seen.append(p.grad.tolist()))
    (x * 2).sum().backward()
    (x * 2).sum().backward()
    assert seen == [[2, 2], [4, 4]]


def test_saved_tensor_hooks_pack_and_unpack():
    packed = []

    def pack(t):
        packed.append(t.shape)
        return t.tolist()

    x = hearth.tensor([2.0, 3.0], requires_grad=True)
    with hearth.autograd.graph.saved_tensors_hooks(pack, lambda v: hearth.tensor(v)):
        y = (x * x).sum()
    assert packed
    y.backward()
    assert x.grad.tolist() == [4, 6]


def test_anomaly_mode_names_the_op():
    with pytest.warns(UserWarning), hearth.autograd.detect_anomaly():
        x = hearth.zeros(1, requires_grad=True)
        y = (x * 0) / x
        with pytest.raises(RuntimeError, match="nan"):
            y.backward()


def test_backward_with_inputs_leaves_others_alone():
    a, b = hearth.ones(1, requires_grad=True), hearth.ones(1, requires_grad=True)
    (a * b).sum().backward(inputs=[a])
    assert a.grad is not None and b.grad is None

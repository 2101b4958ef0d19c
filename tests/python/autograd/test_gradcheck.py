"""gradcheck and gradgradcheck: right derivatives pass, wrong ones are found."""
import pytest

import hearth as torch
from hearth.autograd import gradcheck, gradgradcheck
from hearth.autograd.gradcheck import GradcheckError


def wide(*shape, dtype=torch.float64):
    torch.manual_seed(0)
    return torch.randn(*shape, dtype=dtype, requires_grad=True)


class Wrong(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, gradient):
        x, = ctx.saved_tensors
        return gradient * (3 * x.detach()**2 + 0.01)


class WrongTwice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, gradient):
        x, = ctx.saved_tensors
        return gradient * 3 * x.detach()**2


@pytest.mark.parametrize("function, inputs", [
    (torch.sin, wide(3)),
    (torch.matmul, (wide(2, 3), wide(3, 4))),
    (lambda x: (x.exp(), x.sum(0)), wide(2, 2)),
    (lambda x: x * x.conj(), wide(3, dtype=torch.complex128)),
    (lambda x: x.sum() * torch.ones(2, dtype=torch.float64), wide(2).t()),
])
def test_right_derivatives_pass(function, inputs):
    assert gradcheck(function, inputs)
    assert gradgradcheck(function, inputs)


def test_wrong_derivatives_are_found():
    with pytest.raises(GradcheckError, match="Jacobian mismatch for output 0 with respect to input 0"):
        gradcheck(Wrong.apply, (wide(3),))
    assert gradcheck(Wrong.apply, (wide(3),), raise_exception=False) is False
    assert gradcheck(WrongTwice.apply, (wide(3),))
    assert gradgradcheck(WrongTwice.apply, (wide(3),), raise_exception=False) is False


def test_an_input_must_want_gradients():
    with pytest.raises(ValueError, match="at least one input tensor"):
        gradcheck(torch.sin, (torch.ones(2, dtype=torch.float64),))


def test_the_module_is_callable():
    assert torch.autograd.gradcheck(torch.cos, (wide(2),))

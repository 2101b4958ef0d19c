"""torch.special: values computed with 40 digits elsewhere, gradients against finite differences, edges, errors."""
import math

import pytest

import hearth as torch
from differences import check_gradients

# name, arguments, values
UNARY = [
    ("i0", [-30.0, -9.25, -3.5, -0.5, 0.125, 1.0, 2.5, 7.75, 19.5, 25.0, 100.0],
     [781672297823.9775, 1384.499867020362, 7.3782034322254795, 1.0634833707413236, 1.0039100663533544,
      1.2660658777520084, 3.289839144050123, 338.5137537472759, 26760525.339838766, 5774560606.4663105,
      1.0737517071310738e+42]),
    ("i0e", [-30.0, -9.25, -3.5, -0.5, 0.125, 1.0, 2.5, 7.75, 19.5, 25.0, 100.0],
     [0.0731459464822373, 0.13306656949810827, 0.22280243801077917, 0.6450352704491501, 0.885947524030331,
      0.46575960759364043, 0.27004644161220276, 0.1458122743089143, 0.09093943209515648, 0.0801967735474367,
      0.03994437929909668]),
    ("i1", [-30.0, -9.25, -3.5, -0.5, 0.125, 1.0, 2.5, 7.75, 19.5, 25.0, 100.0],
     [-768532038938.957, -1307.371808634242, -6.205834922258365, -0.2578943053908963, 0.06262214981123483,
      0.565159103992485, 2.5167162452886984, 315.85248092400343, 26065069.264457166, 5657865129.878701,
      1.0683693903381625e+42]),
    ("i1e", [-30.0, -9.25, -3.5, -0.5, 0.125, 1.0, 2.5, 7.75, 19.5, 25.0, 100.0],
     [-0.07191633059864755, -0.12565366438633055, -0.18739997660305, -0.1564208031848717, 0.05526385324160324,
      0.20791041534970844, 0.20658464953126657, 0.1360511000803391, 0.08857608609431485, 0.07857611331929278,
      0.03974415302513025]),
    ("bessel_j0", [-30.0, -9.25, -3.5, -0.5, 0.125, 1.0, 2.5, 7.75, 19.5, 25.0, 100.0],
     [-0.08636798358104021, -0.14741426284123627, -0.3801277399872634, 0.9384698072408129, 0.9960975630419852,
      0.7651976865579666, -0.048383776468198, 0.22523406912010668, 0.17885382704017289, 0.09626678327595811,
      0.019985850304223122]),
    ("bessel_j1", [-30.0, -9.25, -3.5, -0.5, 0.125, 1.0, 2.5, 7.75, 19.5, 25.0, 100.0],
     [0.11875106261662294, -0.20914665047012113, -0.1373775273623272, -0.2422684576748739, 0.062378009134494684,
      0.4400505857449335, 0.49709410246427405, 0.1916025921891178, -0.02087707014809752, -0.1253502495802899,
      -0.07714535201411216]),
    ("bessel_y0", [0.01, 0.5, 1.75, 2.25, 5.0, 19.0, 60.0, 300.0],
     [-3.005455637083646, -0.44451873350670656, 0.46549262864690605, 0.5200647624572783, -0.30851762524903376,
      -0.10951969138534148, 0.0473589522094494, -0.0318318897300034]),
    ("bessel_y1", [0.01, 0.5, 1.75, 2.25, 5.0, 19.0, 60.0, 300.0],
     [-63.67859628206065, -1.471472392670243, -0.2539729859462457, 0.02719205773801714, 0.14786314339122683,
      -0.1495601138626533, 0.09186960936986689, 0.03324554812131022]),
    ("modified_bessel_k0", [0.01, 0.5, 1.75, 2.25, 5.0, 19.0, 60.0, 300.0],
     [4.721244730161095, 0.9244190712276659, 0.1553798123866036, 0.08404311197465811, 0.0036910983340425942,
      1.6006712869293614e-09, 1.4138978405591078e-27, 3.7236948548891435e-132]),
    ("modified_bessel_k1", [0.01, 0.5, 1.75, 2.25, 5.0, 19.0, 60.0, 300.0],
     [99.97389411829624, 1.656441120003301, 0.19547745347439302, 0.10121630256832526, 0.004044613445452165,
      1.642266970382279e-09, 1.4256320265171043e-27, 3.7298958583323724e-132]),
    ("scaled_modified_bessel_k0", [0.01, 0.5, 1.75, 2.25, 5.0, 19.0, 60.0, 300.0],
     [4.768694028544462, 1.5241093857739094, 0.8941490841572174, 0.7973788452810561, 0.547807564313519,
      0.28569149437685853, 0.16146817823629392, 0.0723300317396073]),
    ("scaled_modified_bessel_k1", [0.01, 0.5, 1.75, 2.25, 5.0, 19.0, 60.0, 300.0],
     [100.97864845824004, 2.731009708211786, 1.1248950768625277, 0.960313541101207, 0.6002738587883126,
      0.29311558766967166, 0.16280823094404426, 0.07245048166725841]),
    ("spherical_bessel_j0", [-9.0, 0.001, 0.25, 0.75, 4.0],
     [0.04579094280463962, 0.9999998333333416, 0.9896158370180917, 0.9088516800311123, -0.18920062382698205]),
    ("airy_ai", [-20.0, -9.25, -8.75, -5.5, -2.25, -0.75, 0.25, 0.9, 1.25, 4.0, 10.0],
     [-0.1764061270779847, 0.2052398087603554, -0.2382300384596355, 0.017781541276574976, 0.06159865877700528,
      0.5177725751515836, 0.2911639543485452, 0.15188680364054435, 0.09964454475691667, 0.0009515638512048018,
      1.1047532552898686e-10]),
    ("erfcx", [-2.0, -0.5, 0.25, 1.5, 6.0, 20.0, 26.0, 1000.0],
     [108.94090438997797, 1.952360489182557, 0.7703465477309968, 0.3215854164543175, 0.09277656780053835,
      0.02817434874105132, 0.021683584850562907, 0.0005641893014533876]),
    ("ndtr", [-20.0, -1.5, 0.25, 3.0],
     [2.7536241186062337e-89, 0.06680720126885807, 0.5987063256829237, 0.9986501019683699]),
    ("log_ndtr", [-30.0, -5.5, -1.0, -0.5, 0.25, 3.0, 8.0],
     [-454.3212439563432, -17.77937635262526, -1.8410216450092636, -1.1759117615936185, -0.5129840754094305,
      -0.0013508099647481938, -6.220960574271786e-16]),
    ("ndtri", [1e-12, 0.001, 0.25, 0.6, 0.999],
     [-7.034483825301132, -3.0902323061678136, -0.6744897501960817, 0.2533471031357997, 3.090232306167813]),
    ("digamma", [-3.5, -0.25, 0.125, 2.0, 30.0],
     [1.388870926359529, 2.9141391202135276, -8.388492663295855, 0.42278433509846713, 3.384438132685525]),
    ("gammaln", [-3.5, 0.125, 2.5, 30.0],
     [-1.309006684993042, 2.0194183575537963, 0.2846828704729192, 71.25703896716801]),
    ("erfinv", [-0.999, -0.25, 0.5, 0.9999],
     [-2.3267537655135246, -0.2253120550121781, 0.4769362762044699, 2.75106390571208]),
    ("entr", [0.25, 1.0, 3.0],
     [0.34657359027997264, 0.0, -3.295836866004329]),
]
BINARY = [
    ("gammainc", [(0.01, 0.5), (0.5, 3.0), (2.0, 0.1), (30.0, 29.0), (400.0, 420.0), (5000.0, 4900.0)],
     [0.9943732438060329, 0.9856941215645704, 0.00467884016044447, 0.4508291147181239, 0.8414421105999932,
      0.07794495622651391]),
    ("gammaincc", [(0.01, 0.5), (0.5, 3.0), (2.0, 0.1), (30.0, 29.0), (400.0, 420.0), (5000.0, 4900.0), (0.001, 0.01)],
     [0.0056267561939671844, 0.01430587843542964, 0.9953211598395555, 0.5491708852818761, 0.15855788940000687,
      0.9220550437734861, 0.0040305969664868446]),
    ("zeta", [(1.1, 1.0), (2.0, 0.25), (3.5, 20.0), (30.0, 1.5)],
     [10.584448464950801, 17.19732915450711, 0.00023798942002684447, 5.215096203815732e-06]),
    ("xlog1py", [(2.0, 1e-12), (3.0, -0.5)],
     [1.999999999999e-12, -2.0794415416798357]),
    ("chebyshev_polynomial_t", [(0.3, 5.0), (-0.8, 20.0), (1.5, 4.0)],
     [0.99888, 0.954251012138473, 23.5]),
    ("chebyshev_polynomial_u", [(0.3, 5.0), (-0.8, 20.0), (1.5, 4.0)],
     [1.01376, 1.3529266103276103, 55.0]),
    ("hermite_polynomial_h", [(0.3, 5.0), (-0.8, 9.0), (1.5, 4.0)],
     [31.757759999999998, 3105.226686464002, -15.0]),
    ("hermite_polynomial_he", [(0.3, 5.0), (-0.8, 9.0)],
     [4.23243, -227.32751052799998]),
    ("laguerre_polynomial_l", [(0.3, 5.0), (2.8, 9.0)],
     [-0.09333274999999998, -1.025577970093827]),
    ("legendre_polynomial_p", [(0.3, 5.0), (-0.8, 30.0), (1.5, 4.0)],
     [0.34538625, 0.1864633352309079, 14.0859375]),
    ("shifted_chebyshev_polynomial_t", [(0.3, 5.0), (0.8, 20.0)],
     [-0.88384, 0.9542510121384719]),
]
POLYGAMMA = [
    (1, [0.25, 1.5, 12.0], [17.19732915450711, 0.9348022005446793, 0.08690187287176838]),
    (2, [0.25, 1.5, 12.0], [-129.32773993753693, -0.82879664423432, -0.007547205368998912]),
    (3, [0.25, 1.5, 12.0], [1538.7821440091884, 1.4090910340024372, 0.001310093231070826]),
    (5, [0.25, 1.5, 12.0], [491552.5137676813, 11.113548602435497, 0.00011820829051081491]),
]

DIFFERENTIABLE = {"i0", "i0e", "i1", "i1e", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "modified_bessel_k0",
                  "modified_bessel_k1", "erfcx", "ndtr", "log_ndtr", "ndtri", "digamma", "gammaln", "entr",
                  "scaled_modified_bessel_k0", "scaled_modified_bessel_k1"}


@pytest.mark.parametrize("name, points, wanted", UNARY, ids=[case[0] for case in UNARY])
def test_of_one_argument(name, points, wanted):
    op = getattr(torch.special, name)
    x = torch.tensor(points, dtype=torch.float64)
    assert op(x).tolist() == pytest.approx(wanted, rel=2e-13, abs=1e-15)
    near = [v if abs(v) < 3e38 else math.copysign(math.inf, v) for v in wanted]
    assert op(x.float()).tolist() == pytest.approx(near, rel=1e-4, abs=1e-6)
    assert op(torch.ones(2, dtype=torch.int64)).dtype == torch.float32
    assert op(torch.empty(0)).shape == (0,)
    pairs = torch.stack([x, x], 1)
    assert op(pairs[:, 1]).equal(op(x)) and op(x, out=torch.empty_like(x)).equal(op(x))
    if name in DIFFERENTIABLE:
        check_gradients(op, [v for v in points if 1e-3 < abs(v) < 10], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name, points, wanted", BINARY, ids=[case[0] for case in BINARY])
def test_of_two_arguments(name, points, wanted):
    op = getattr(torch.special, name)
    x, y = (torch.tensor(part, dtype=torch.float64) for part in zip(*points))
    assert op(x, y).tolist() == pytest.approx(wanted, rel=1e-11, abs=1e-15)
    assert op(x[0], y).shape == y.shape


@pytest.mark.parametrize("n, points, wanted", POLYGAMMA)
def test_polygamma(n, points, wanted):
    x = torch.tensor(points, dtype=torch.float64)
    assert torch.polygamma(n, x).tolist() == pytest.approx(wanted, rel=1e-13)
    assert x.polygamma(n).equal(torch.special.polygamma(n, x))
    check_gradients(lambda v: torch.polygamma(n, v), points, rtol=1e-4)
    with pytest.raises(RuntimeError):
        torch.polygamma(-1, x)


def test_second_arguments_are_differentiable():
    a = torch.tensor([0.5, 2.0], dtype=torch.float64)
    check_gradients(lambda x: torch.igamma(a, x), [0.75, 3.0])
    check_gradients(lambda x: torch.igammac(a, x), [0.75, 3.0])
    check_gradients(lambda q: torch.special.zeta(a + 1.5, q), [0.75, 3.0])
    check_gradients(torch.special.xlog1py, [0.75, 3.0], [0.5, 2.0])
    x = torch.tensor([1.0], requires_grad=True)
    with pytest.raises(NotImplementedError):
        torch.igamma(x, torch.ones(1)).backward()
    with pytest.raises(NotImplementedError):
        torch.special.airy_ai(x).backward()


def test_edges():
    special, inf, nan = torch.special, math.inf, math.nan

    def of(op, *values):
        return op(*[torch.tensor(v, dtype=torch.float64) for v in values]).item()

    assert of(special.bessel_y0, 0.0) == -inf and math.isnan(of(special.bessel_y0, -1.0))
    assert of(special.modified_bessel_k0, 0.0) == inf and math.isnan(of(special.modified_bessel_k1, -1.0))
    assert of(special.ndtri, 0.0) == -inf and of(special.ndtri, 1.0) == inf and math.isnan(of(special.ndtri, 1.5))
    assert of(special.entr, 0.0) == 0 and of(special.entr, -1.0) == -inf and math.isnan(of(special.entr, nan))
    assert of(special.gammainc, 0.0, 2.0) == 1 and of(special.gammaincc, 2.0, inf) == 0
    assert math.isnan(of(special.gammainc, -1.0, 2.0))
    assert of(special.zeta, 1.0, 2.0) == inf and of(special.zeta, 2.0, -1.0) == inf
    assert of(special.xlog1py, 0.0, inf) == 0 and math.isnan(of(special.xlog1py, 0.0, nan))
    assert of(special.chebyshev_polynomial_t, 0.5, -1.0) == 0 and of(special.legendre_polynomial_p, -1.0, 3.0) == -1
    assert math.isnan(of(special.i0, nan)) and math.isnan(of(special.airy_ai, nan))


def test_multivariate_gamma():
    x = torch.tensor([3.5, 5.0], dtype=torch.float64)
    wanted = [math.log(PI_QUARTER) * 2 + math.lgamma(v) + math.lgamma(v - 0.5) for v in (3.5, 5.0)]
    assert torch.mvlgamma(x, 2).tolist() == pytest.approx(wanted)
    with pytest.raises(RuntimeError):
        torch.mvlgamma(x, 0)


PI_QUARTER = math.pi**0.25


def test_softmax_and_logsumexp():
    x = torch.tensor([[1.0, 2.0, 3.0]])
    assert torch.special.softmax(x, 1).sum().item() == pytest.approx(1)
    assert torch.special.log_softmax(x, 1).exp().sum().item() == pytest.approx(1, rel=1e-6)
    assert torch.special.logsumexp(x, 1).item() == pytest.approx(math.log(sum(math.exp(v) for v in (1, 2, 3))))


def test_neighbours_and_parts():
    x = torch.tensor([1.0, 0.0, -1.0])
    assert torch.nextafter(x, torch.tensor(2.0)).tolist() == [1 + 2.0**-23, 2.0**-149, -1 + 2.0**-24]
    assert torch.nextafter(x.bfloat16(), torch.tensor(2.0).bfloat16())[0].item() == 1 + 2.0**-7
    mantissa, exponent = torch.frexp(torch.tensor([3.0, -0.25, 0.0]))
    assert mantissa.tolist() == [0.75, -0.5, 0.0] and exponent.tolist() == [2, -1, 0]
    assert exponent.dtype == torch.int32
    assert torch.heaviside(torch.tensor([-1.0, 0.0, 2.0]), torch.tensor(0.5)).tolist() == [0, 0.5, 1]

"""A line search for the strong Wolfe conditions (Nocedal and Wright, algorithms 3.5 and 3.6)."""

import hearth


def cubic_minimum(x1, f1, g1, x2, f2, g2, bounds=None):
    """Where the cubic with these values and slopes at x1 and x2 is least, inside the bounds."""
    low, high = bounds if bounds is not None else (min(x1, x2), max(x1, x2))
    d1 = g1 + g2 - 3 * (f1 - f2) / (x1 - x2)
    square = d1**2 - g1 * g2
    if square < 0:
        return (low + high) / 2.0
    d2 = square**0.5
    if x1 <= x2:
        place = x2 - (x2 - x1) * ((g2 + d2 - d1) / (g2 - g1 + 2 * d2))
    else:
        place = x1 - (x1 - x2) * ((g1 + d2 - d1) / (g1 - g2 + 2 * d2))
    return min(max(place, low), high)


def _copy(grad):
    return grad.clone(memory_format=hearth.contiguous_format)


def _bracket(evaluate, t, f, g, slope, d, c1, c2, limit):
    """Steps outwards until the interval holds a good point; (points, done, evaluations, iterations)."""
    f_new, g_new = evaluate(t)
    calls = 1
    slope_new = g_new.dot(d)
    before = (0, f, g, slope)
    for iteration in range(limit):
        now = (t, f_new, g_new, slope_new)
        if f_new > f + c1 * t * slope or (iteration > 1 and f_new >= before[1]):
            return [_point(before), _point(now)], False, calls, iteration
        if abs(slope_new) <= -c2 * slope:
            return [_point(now)], True, calls, iteration
        if slope_new >= 0:
            return [_point(before), _point(now)], False, calls, iteration
        low, high = t + 0.01 * (t - before[0]), t * 10
        t_next = cubic_minimum(before[0], before[1], before[3], t, f_new, slope_new, (low, high))
        before = (t, f_new, _copy(g_new), slope_new)
        t = t_next
        f_new, g_new = evaluate(t)
        calls += 1
        slope_new = g_new.dot(d)
    return [[0, f, g, slope], [t, f_new, g_new, slope_new]], False, calls, limit


def _point(values):
    t, f, g, slope = values
    return [t, f, _copy(g), slope]


def strong_wolfe(evaluate, t, d, f, g, slope, c1=1e-4, c2=0.9, tolerance_change=1e-9, max_ls=25):
    """(loss, gradient, t, evaluations) where the loss has fallen enough and is flat enough; evaluate(t) -> (f, g)."""
    scale = d.abs().max()
    g = _copy(g)
    points, done, calls, iteration = _bracket(evaluate, t, f, g, slope, d, c1, c2, max_ls)
    slow = False
    low, high = (0, len(points) - 1) if points[0][1] <= points[-1][1] else (len(points) - 1, 0)
    while not done and iteration < max_ls:
        if abs(points[1][0] - points[0][0]) * scale < tolerance_change:
            break
        (t0, f0, _, s0), (t1, f1, _, s1) = points
        t = cubic_minimum(t0, f0, s0, t1, f1, s1)
        # A place too near to an end would bring little: after two such, a tenth inside is taken.
        left, right = min(t0, t1), max(t0, t1)
        margin = 0.1 * (right - left)
        if min(right - t, t - left) < margin:
            if slow or t >= right or t <= left:
                t = right - margin if abs(t - right) < abs(t - left) else left + margin
                slow = False
            else:
                slow = True
        else:
            slow = False
        f_new, g_new = evaluate(t)
        calls += 1
        slope_new = g_new.dot(d)
        iteration += 1
        if f_new > f + c1 * t * slope or f_new >= points[low][1]:
            points[high] = _point((t, f_new, g_new, slope_new))
            low, high = (0, 1) if points[0][1] <= points[1][1] else (1, 0)
        else:
            if abs(slope_new) <= -c2 * slope:
                done = True
            elif slope_new * (points[high][0] - points[low][0]) >= 0:
                points[high] = list(points[low])
            points[low] = _point((t, f_new, g_new, slope_new))
    t, f, g, _ = points[low]
    return f, g, t, calls

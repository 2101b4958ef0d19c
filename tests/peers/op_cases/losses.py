# Cases of loss functions.

import torch
import torch.nn.functional as F

from op_store import integers, numbers, positive

REDUCTIONS = ("mean", "sum", "none")
PAIRWISE = {"mse_loss": {}, "l1_loss": {}, "smooth_l1_loss": dict(beta=0.7), "huber_loss": dict(delta=0.6)}


def cross_entropy(x, y, w=None, **kwargs):
    return F.cross_entropy(x, y, w, **kwargs)


def labelled() -> tuple:
    """Logits, labels, labels of which two are ignored, class weights."""
    logits, labels, weight = numbers("ce", 6, 5, scale=2.0), integers("ce", 0, 5, 6), positive("ce", 5)
    skipped = labels.clone()
    skipped[[1, 4]] = -100
    return logits, labels, skipped, weight


def classes(store) -> None:
    logits, labels, skipped, weight = labelled()
    likely = torch.softmax(numbers("cep", 6, 5), 1)

    def add(name, *inputs, **kwargs):
        store.add("cross_entropy", name, cross_entropy, logits, *inputs, **kwargs)

    for reduction in REDUCTIONS:
        same = dict(reduction=reduction)
        add(reduction, labels, **same)
        add(f"ignored_{reduction}", skipped, ignore_index=-100, **same)
        add(f"weights_{reduction}", skipped, weight, wrt=(0,), **same)
        add(f"smooth_{reduction}", skipped, label_smoothing=0.2, **same)
        add(f"smooth_weights_{reduction}", skipped, weight, wrt=(0,), label_smoothing=0.2, **same)
        add(f"probabilities_{reduction}", likely, **same)
        log_p = torch.log_softmax(logits, 1)
        store.add(
            "nll_loss",
            reduction,
            lambda x, y, w, **k: F.nll_loss(x, y, w, **k),
            log_p,
            skipped,
            weight,
            wrt=(0,),
            **same,
        )
    add("ignore_class", labels, ignore_index=int(labels[0]))
    add("all_ignored", torch.full((6,), -100))


def class_shapes(store) -> None:
    logits, labels, _, _ = labelled()
    wide = numbers("cel", 3, 1037, scale=3.0), integers("cel", 0, 1037, 3)
    store.add("cross_entropy", "images", cross_entropy, numbers("cei", 2, 4, 3, 2), integers("cei", 0, 4, 2, 3, 2))
    store.add("cross_entropy", "one_row", cross_entropy, numbers("cer", 5), torch.tensor(3))
    store.add("cross_entropy", "large_vocabulary", cross_entropy, *wide)
    store.add("cross_entropy", "huge", cross_entropy, logits * 200, labels)
    store.add("multi_margin_loss", "basic", F.multi_margin_loss, logits, labels)


def pairs(store) -> None:
    x, y = numbers("pair_x", 4, 5), numbers("pair_y", 4, 5)
    for op, kwargs in PAIRWISE.items():
        for reduction in REDUCTIONS:
            store.add(op, reduction, getattr(F, op), x, y, reduction=reduction, **kwargs)


def yes_no(store) -> None:
    """Binary cross-entropy of probabilities and of logits."""
    probability, target = positive("bce", 4, 5, low=0.05, high=0.95), integers("bce", 0, 2, 4, 5).float()
    logits, weight, positives = numbers("pair_x", 4, 5) * 4, positive("bw", 5), positive("bp", 5)
    certain, outcome = torch.tensor([0.0, 1.0, 0.0, 1.0, 0.5]), torch.tensor([0.0, 1.0, 1.0, 0.0, 1.0])

    def weighted(a, b, w, p, reduction):
        return F.binary_cross_entropy_with_logits(a, b, w, pos_weight=p, reduction=reduction)

    plain, on_logits = F.binary_cross_entropy, F.binary_cross_entropy_with_logits
    name = "binary_cross_entropy"
    store.add(name, "certain", plain, certain, outcome, grad=False, reduction="none")
    for reduction in REDUCTIONS:
        same = dict(reduction=reduction)
        store.add(name, reduction, plain, probability, target, positive("bcew", 5), wrt=(0,), **same)
        store.add(f"{name}_with_logits", reduction, on_logits, logits, target, **same)
        both = (weight, positives)
        store.add(f"{name}_with_logits", f"weights_{reduction}", weighted, logits, target, *both, wrt=(0,), **same)


def divergences(store) -> None:
    x, y = numbers("pair_x", 4, 5), numbers("pair_y", 4, 5)
    log_q, p = torch.log_softmax(x, 1), torch.softmax(y, 1)
    p[0, 0] = 0.0
    for reduction in REDUCTIONS + ("batchmean",):
        store.add("kl_div", reduction, F.kl_div, log_q, p, wrt=(0,), reduction=reduction)
    store.add("kl_div", "log_target", F.kl_div, log_q, torch.log_softmax(y, 1), reduction="batchmean", log_target=True)


def rarer(store) -> None:
    x, y, z = (numbers(f"rare{i}", 4, 5) for i in range(3))
    sign = torch.tensor([1.0, -1.0, -1.0, 1.0])
    store.add("cosine_embedding_loss", "basic", F.cosine_embedding_loss, x, y, sign, wrt=(0, 1), margin=0.1)
    store.add("margin_ranking_loss", "basic", F.margin_ranking_loss, x[:, 0], y[:, 0], sign, wrt=(0, 1), margin=0.2)
    store.add("hinge_embedding_loss", "basic", F.hinge_embedding_loss, x[:, 0], sign, wrt=(0,), margin=1.0)
    store.add("triplet_margin_loss", "basic", F.triplet_margin_loss, x, y, z, margin=1.0)
    store.add("soft_margin_loss", "basic", F.soft_margin_loss, x[:, 0], sign, wrt=(0,))
    store.add("poisson_nll_loss", "basic", F.poisson_nll_loss, x, integers("poisson", 0, 5, 4, 5).float(), wrt=(0,))
    store.add("gaussian_nll_loss", "basic", F.gaussian_nll_loss, x, y, positive("gauss", 4, 5))


def add_cases(store) -> None:
    classes(store)
    class_shapes(store)
    pairs(store)
    yes_no(store)
    divergences(store)
    rarer(store)

# Cases of loss functions.

import torch
import torch.nn.functional as F

from op_store import integers, numbers, positive

REDUCTIONS = ("mean", "sum", "none")
PAIRWISE = {"mse_loss": {}, "l1_loss": {}, "smooth_l1_loss": dict(beta=0.7), "huber_loss": dict(delta=0.6)}


def classes(store) -> None:
    logits, labels, weight = numbers("ce", 6, 5, scale=2.0), integers("ce", 0, 5, 6), positive("ce", 5)
    skipped = labels.clone()
    skipped[[1, 4]] = -100

    def cross_entropy(x, y, w=None, **kwargs):
        return F.cross_entropy(x, y, w, **kwargs)

    for reduction in REDUCTIONS:
        store.add("cross_entropy", reduction, cross_entropy, logits, labels, reduction=reduction)
        store.add(
            "cross_entropy",
            f"ignored_{reduction}",
            cross_entropy,
            logits,
            skipped,
            reduction=reduction,
            ignore_index=-100,
        )
        store.add(
            "cross_entropy",
            f"weights_{reduction}",
            cross_entropy,
            logits,
            skipped,
            weight,
            wrt=(0,),
            reduction=reduction,
        )
        store.add(
            "cross_entropy",
            f"smooth_{reduction}",
            cross_entropy,
            logits,
            skipped,
            reduction=reduction,
            label_smoothing=0.2,
        )
        store.add(
            "cross_entropy",
            f"smooth_weights_{reduction}",
            cross_entropy,
            logits,
            skipped,
            weight,
            wrt=(0,),
            reduction=reduction,
            label_smoothing=0.2,
        )
        store.add(
            "cross_entropy",
            f"probabilities_{reduction}",
            cross_entropy,
            logits,
            torch.softmax(numbers("cep", 6, 5), 1),
            reduction=reduction,
        )
        store.add(
            "nll_loss",
            reduction,
            lambda x, y, w, **k: F.nll_loss(x, y, w, **k),
            torch.log_softmax(logits, 1),
            skipped,
            weight,
            wrt=(0,),
            reduction=reduction,
        )
    store.add("cross_entropy", "ignore_class", cross_entropy, logits, labels, ignore_index=int(labels[0]))
    store.add("cross_entropy", "all_ignored", cross_entropy, logits, torch.full((6,), -100))
    store.add("cross_entropy", "images", cross_entropy, numbers("cei", 2, 4, 3, 2), integers("cei", 0, 4, 2, 3, 2))
    store.add("cross_entropy", "one_row", cross_entropy, numbers("cer", 5), torch.tensor(3))
    store.add(
        "cross_entropy",
        "large_vocabulary",
        cross_entropy,
        numbers("cel", 3, 1037, scale=3.0),
        integers("cel", 0, 1037, 3),
    )
    store.add("cross_entropy", "huge", cross_entropy, logits * 200, labels)
    store.add("multi_margin_loss", "basic", F.multi_margin_loss, logits, labels)


def pairs(store) -> None:
    x, y = numbers("pair_x", 4, 5), numbers("pair_y", 4, 5)
    for op, kwargs in PAIRWISE.items():
        for reduction in REDUCTIONS:
            store.add(op, reduction, getattr(F, op), x, y, reduction=reduction, **kwargs)
    probability, target = positive("bce", 4, 5, low=0.05, high=0.95), integers("bce", 0, 2, 4, 5).float()
    certain = torch.tensor([0.0, 1.0, 0.0, 1.0, 0.5])
    store.add(
        "binary_cross_entropy",
        "certain",
        F.binary_cross_entropy,
        certain,
        torch.tensor([0.0, 1.0, 1.0, 0.0, 1.0]),
        grad=False,
        reduction="none",
    )
    for reduction in REDUCTIONS:
        store.add(
            "binary_cross_entropy",
            reduction,
            F.binary_cross_entropy,
            probability,
            target,
            positive("bcew", 5),
            wrt=(0,),
            reduction=reduction,
        )
        store.add(
            "binary_cross_entropy_with_logits",
            reduction,
            F.binary_cross_entropy_with_logits,
            x * 4,
            target,
            reduction=reduction,
        )
        store.add(
            "binary_cross_entropy_with_logits",
            f"weights_{reduction}",
            lambda a, b, w, p, reduction: F.binary_cross_entropy_with_logits(
                a, b, w, pos_weight=p, reduction=reduction
            ),
            x * 4,
            target,
            positive("bw", 5),
            positive("bp", 5),
            wrt=(0,),
            reduction=reduction,
        )
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
    pairs(store)
    rarer(store)

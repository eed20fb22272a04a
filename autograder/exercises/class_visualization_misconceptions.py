"""Known mistakes in regularized class visualization: the wrong implementations and what the student is told.

Three families, one an exercise: a *readout* turns scores into what is climbed, a *direction* into a gradient, a *climb*
repeats a step. `y^c` is the score before softmax, λ is `l2`, η is `lr`, J(I) = y^c(I) - λ‖I‖².
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from autograder.records import Misconception

Readout = Callable[[Tensor, Tensor], Tensor]
Direction = Callable[..., Tensor]


def _score(scores: Tensor, targets: Tensor) -> Tensor:
    return scores.gather(1, targets[:, None]).squeeze(1)


def _probability(scores: Tensor, targets: Tensor) -> Tensor:
    return _score(scores.softmax(1), targets)


def _log_probability(scores: Tensor, targets: Tensor) -> Tensor:
    return _score(scores.log_softmax(1), targets)


def _predicted(scores: Tensor, targets: Tensor) -> Tensor:
    return scores.max(1).values


def _all_scores(scores: Tensor, targets: Tensor) -> Tensor:
    return scores.sum(1)


def _first_target(scores: Tensor, targets: Tensor) -> Tensor:
    return scores[:, targets[0]]


def _squares(images: Tensor) -> Tensor:
    return images.pow(2).flatten(1).sum(1)


def _objective(readout: Readout, penalty: Callable[[Tensor], Tensor] = _squares) -> Callable[..., Tensor]:
    """The objective with another readout or another penalty."""

    def objective(model, images, targets, *, l2):
        with torch.no_grad():
            return readout(model(images), targets) - l2 * penalty(images)

    return objective


def _weights_penalized(model, images, targets, *, l2):
    with torch.no_grad():
        return _score(model(images), targets) - l2 * sum(w.pow(2).sum() for w in model.parameters())


def _of_the_batch(reduce: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    return lambda model, images, targets, *, l2: reduce(_objective(_score)(model, images, targets, l2=l2))


OBJECTIVE = (
    Misconception(
        "penalty_added",
        _objective(_score, lambda i: -_squares(i)),
        "You added λ‖I‖²; J(I) subtracts it: y^c(I) - λ‖I‖². With a plus, a larger image is always better.",
    ),
    Misconception(
        "norm_not_squared",
        _objective(_score, lambda i: _squares(i).sqrt()),
        "You used the norm ‖I‖; the formula has its square ‖I‖² = Σ I². Leave the square root out.",
    ),
    Misconception(
        "mean_for_sum",
        _objective(_score, lambda i: i.pow(2).flatten(1).mean(1)),
        "You took the mean of I²; ‖I‖² is the sum over all C·H·W numbers of the image.",
    ),
    Misconception(
        "absolute_values",
        _objective(_score, lambda i: i.abs().flatten(1).sum(1)),
        "You summed |I|, which is the L1 norm; ‖I‖₂² sums the squares I².",
    ),
    Misconception(
        "half_the_penalty",
        _objective(_score, lambda i: _squares(i) / 2),
        "You subtracted (λ/2)‖I‖², a convention used for weight decay; here the penalty is λ‖I‖², without the half.",
    ),
    Misconception(
        "penalty_over_the_batch",
        _objective(_score, lambda i: i.pow(2).sum()),
        "You summed I² over all N images; each image pays for its own ‖I‖² only: sum over C, H and W, keep N.",
    ),
    Misconception(
        "penalty_missing",
        _objective(_score, lambda i: 0 * _squares(i)),
        "You returned y^c(I) alone; subtract λ‖I‖².",
    ),
    Misconception(
        "weights_penalized",
        _weights_penalized,
        "You penalised the network's weights; the weights are fixed here, and the image I pays: λ‖I‖².",
    ),
    Misconception(
        "probability",
        _objective(_probability),
        "You used the probability of class c; y^c is the score before softmax.",
    ),
    Misconception(
        "cross_entropy",
        _objective(_log_probability),
        "You used the log-probability (minus the cross-entropy loss); y^c is the score before softmax.",
    ),
    Misconception(
        "predicted_class",
        _objective(_predicted),
        "You used the highest score; the caller chooses the class: y^c is scores[n, targets[n]].",
    ),
    Misconception(
        "all_scores",
        _objective(_all_scores),
        "You added up the scores of all classes; y^c is one of them: scores[n, targets[n]].",
    ),
    Misconception(
        "sum_of_the_batch",
        _of_the_batch(Tensor.sum),
        "You added up over the N images; J is one number for each image: sum over C, H and W, keep N.",
    ),
    Misconception(
        "mean_of_the_batch",
        _of_the_batch(Tensor.mean),
        "You averaged over the N images; J is one number for each image: sum over C, H and W, keep N.",
    ),
    Misconception(
        "first_target_for_all",
        _objective(_first_target),
        "You used targets[0] for every image; image n has its own class: scores[n, targets[n]].",
    ),
)


def _gradient(model, images: Tensor, targets: Tensor, readout: Readout = _score) -> Tensor:
    leaf = images.detach().clone().requires_grad_()
    with torch.enable_grad():
        return torch.autograd.grad(readout(model(leaf), targets).sum(), leaf)[0]


def _exact(model, images, targets, l2):
    return _gradient(model, images, targets) - 2 * l2 * images


def _climbs(readout: Readout) -> Direction:
    return lambda model, images, targets, l2: _gradient(model, images, targets, readout) - 2 * l2 * images


def _pulls(pull: Callable[[Tensor], Tensor]) -> Direction:
    """dy/dI minus l2 times another derivative of the penalty."""
    return lambda model, images, targets, l2: _gradient(model, images, targets) - l2 * pull(images)


def _descends(model, images, targets, l2):
    return -_exact(model, images, targets, l2)


def _signs(model, images, targets, l2):
    return _exact(model, images, targets, l2).sign()


def _over(size: Callable[[Tensor], Tensor]) -> Direction:
    """∂J/∂I of each image over a size of its own."""

    def direction(model, images, targets, l2):
        g = _exact(model, images, targets, l2)
        return g / size(g.flatten(1))[:, None, None, None]

    return direction


def _score_of_unit_length(model, images, targets, l2):
    dy = _gradient(model, images, targets)
    return dy / _squares(dy).sqrt()[:, None, None, None] - 2 * l2 * images


def _clipped(model, images, targets, l2):
    return _exact(model, images, targets, l2).clamp(-1, 1)


def _batch_mean(model, images, targets, l2):
    return _exact(model, images, targets, l2) / len(images)


def _norm_pull(images: Tensor) -> Tensor:
    return images / _squares(images).sqrt().clamp_min(1e-12)[:, None, None, None]


def _step(direction: Direction) -> Callable[..., Tensor]:
    return lambda model, images, targets, *, lr, l2: images + lr * direction(model, images, targets, l2)


def _rate_forgotten(model, images, targets, *, lr, l2):
    return images + _exact(model, images, targets, l2)


def _rate_on_score_only(model, images, targets, *, lr, l2):
    return images + lr * _gradient(model, images, targets) - 2 * l2 * images


def _gradient_only(model, images, targets, *, lr, l2):
    return _exact(model, images, targets, l2)


def _shrunk_first(model, images, targets, *, lr, l2):
    small = (1 - 2 * lr * l2) * images
    return small + lr * _gradient(model, small, targets)


def _clipped_image(model, images, targets, *, lr, l2):
    return _step(_exact)(model, images, targets, lr=lr, l2=l2).clamp(-1, 1)


def _shared(kind: str) -> tuple[Misconception, ...]:
    """The mistakes that one step and the whole loop have in common; `kind` makes the function from a direction."""
    make = {"step": _step, "loop": _loop}[kind]
    return (
        Misconception(
            "descends",
            make(_descends),
            "You went down: I - η ∂J/∂I. We look for a maximum of J, so the step is I + η ∂J/∂I.",
        ),
        Misconception(
            "penalty_sign",
            make(_pulls(lambda i: -2 * i)),
            "You added 2λI to ∂y^c/∂I; the penalty is subtracted in J, so its derivative is -2λI: it pulls I to zero.",
        ),
        Misconception(
            "factor_two_missing",
            make(_pulls(lambda i: i)),
            "You pulled with λI; the derivative of λI² is 2λI. (An optimizer's weight_decay adds weight_decay·I, "
            "so λ‖I‖² needs weight_decay = 2λ.)",
        ),
        Misconception(
            "norm_not_squared",
            make(_pulls(_norm_pull)),
            "You differentiated λ‖I‖, which gives λ I/‖I‖; the penalty is λ‖I‖², whose derivative is 2λI.",
        ),
        Misconception(
            "mean_for_sum",
            make(_pulls(lambda i: 2 * i / i[0].numel())),
            "You differentiated the mean of I²; ‖I‖² is the sum over C·H·W, whose derivative is 2λI, not 2λI/(C·H·W).",
        ),
        Misconception(
            "penalty_missing",
            make(_pulls(lambda i: 0 * i)),
            "You climbed y^c alone; ∂J/∂I = ∂y^c/∂I - 2λI.",
        ),
        Misconception(
            "probability",
            make(_climbs(_probability)),
            "You climbed the probability of class c; J(I) has the score y^c before softmax.",
        ),
        Misconception(
            "cross_entropy",
            make(_climbs(_log_probability)),
            "You climbed the log-probability (minus the cross-entropy loss), which also pushes the other scores down; "
            "J(I) has the score y^c alone.",
        ),
        Misconception(
            "predicted_class",
            make(_climbs(_predicted)),
            "You climbed the highest score; the caller chooses the class c, whatever the network would answer.",
        ),
        Misconception(
            "sign_of_the_gradient",
            make(_signs),
            "You moved every pixel by η·sign(∂J/∂I). Plain gradient ascent moves it by η·∂J/∂I. (The first step of a "
            "new Adam is such a sign; an Adam made anew in every step has no state and always takes that first step.)",
        ),
        Misconception(
            "unit_length_gradient",
            make(_over(lambda g: g.norm(dim=1))),
            "You divided ∂J/∂I by its length; plain gradient ascent takes it as it is: I + η ∂J/∂I.",
        ),
        Misconception(
            "unit_length_of_the_score_s_gradient",
            make(_score_of_unit_length),
            "You divided ∂y^c/∂I by its length; plain gradient ascent takes it as it is: η (∂y^c/∂I - 2λI).",
        ),
        Misconception(
            "over_root_mean_square",
            make(_over(lambda g: g.square().mean(1).sqrt())),
            "You divided ∂J/∂I by its root mean square; plain gradient ascent takes it as it is: I + η ∂J/∂I.",
        ),
        Misconception(
            "over_mean_size",
            make(_over(lambda g: g.abs().mean(1))),
            "You divided ∂J/∂I by the mean of |∂J/∂I|; plain gradient ascent takes it as it is: I + η ∂J/∂I.",
        ),
    )


def _loop(direction: Direction) -> Callable[..., Tensor]:
    return lambda model, start, target, *, steps, lr, l2: _run(direction, model, start, target, steps, lr, l2)


def _run(direction, model, start, target, steps, lr, l2, batch_size=1):
    images, targets = start[None], torch.tensor([target], device=start.device)
    for _ in range(steps):
        images = images + lr * direction(model, images, targets, l2) / batch_size
    return images[0]


def _few(change: int) -> Callable[..., Tensor]:
    return lambda model, start, target, *, steps, lr, l2: _run(_exact, model, start, target, steps + change, lr, l2)


def _while(goes_on: Callable[..., bool]) -> Callable[..., Tensor]:
    """A climb that ends early: `goes_on` is asked of the image before a step, the one after it, scores and J."""

    def climb(model, start, target, *, steps, lr, l2):
        image, c = start[None], torch.tensor([target], device=start.device)
        for _ in range(steps):
            higher = image + lr * _exact(model, image, c, l2)
            if not goes_on(lambda I, readout=_score, pull=l2: _objective(readout)(model, I, c, l2=pull), image, higher):
                break
            image = higher
        return image[0]

    return climb


def _score_rises(J, image, higher):
    return bool(J(higher, pull=0.0) > J(image, pull=0.0))


def _objective_rises(J, image, higher):
    return bool(J(higher) > J(image))


def _not_recognized(J, image, higher):
    return bool(J(image, pull=0.0) < J(image, _predicted, 0.0))


def _from_zero(model, start, target, *, steps, lr, l2):
    return _run(_exact, model, torch.zeros_like(start), target, steps, lr, l2)


def _anchored(model, start, target, *, steps, lr, l2):
    return _run(_pulls(lambda i: 2 * (i - start)), model, start, target, steps, lr, l2)


def _frozen_gradient(model, start, target, *, steps, lr, l2):
    return start + steps * (_run(_exact, model, start, target, 1, lr, l2) - start)


def _gathering(keep: float) -> Callable[..., Tensor]:
    """The direction is keep * (all before) + the gradient: 1 never clears `.grad`, 0.9 is momentum."""

    def climb(model, start, target, *, steps, lr, l2):
        images, targets, total = start[None], torch.tensor([target], device=start.device), 0.0
        for _ in range(steps):
            total = keep * total + _exact(model, images, targets, l2)
            images = images + lr * total
        return images[0]

    return climb


def _adam(pull: float, decay: float) -> Callable[..., Tensor]:
    """One Adam for all steps, on y^c - pull*l2*I²/2, with weight_decay = decay*l2."""

    def climb(model, start, target, *, steps, lr, l2):
        image = start.detach().clone()[None].requires_grad_()
        optimizer = torch.optim.Adam([image], lr=lr, weight_decay=decay * l2, maximize=True)
        for _ in range(steps):
            targets = torch.tensor([target], device=start.device)
            image.grad = _gradient(model, image, targets) - pull * l2 * image.detach()
            optimizer.step()
        return image.detach()[0]

    return climb


def _path_average(model, start, target, *, steps, lr, l2):
    """The mean of all the images on the way, as in iterate averaging."""
    return torch.stack([_run(_exact, model, start, target, k, lr, l2) for k in range(1, steps + 1)]).mean(0)


CLIPPED = (
    Misconception(
        "clipped_gradient",
        _step(_clipped),
        "You clipped ∂J/∂I to [-1, 1]; plain gradient ascent takes it as it is, however steep: I + η ∂J/∂I.",
    ),
    Misconception(
        "clipped_image",
        _clipped_image,
        "You clipped the new image to [-1, 1]; the result is I + η ∂J/∂I as it is.",
    ),
)

STEP = (
    *_shared("step"),
    *CLIPPED,
    Misconception(
        "averaged_over_the_batch",
        _step(_batch_mean),
        "You took the mean of J over the N images before the gradient, so each step is N times too small; "
        "sum over the batch: image n then gets its own ∂J/∂I.",
    ),
    Misconception(
        "first_target_for_all",
        _step(_climbs(_first_target)),
        "You climbed the score of targets[0] for every image; image n climbs scores[n, targets[n]].",
    ),
    Misconception(
        "learning_rate_forgotten",
        _rate_forgotten,
        "You added ∂J/∂I whole; the step is η ∂J/∂I.",
    ),
    Misconception(
        "learning_rate_on_score_only",
        _rate_on_score_only,
        "You multiplied only ∂y^c/∂I by η; the pull -2λI is part of ∂J/∂I and is multiplied too: "
        "(1 - 2ηλ) I + η ∂y^c/∂I.",
    ),
    Misconception(
        "gradient_returned",
        _gradient_only,
        "You returned ∂J/∂I; the result is the new image I + η ∂J/∂I.",
    ),
    Misconception(
        "shrunk_first",
        _shrunk_first,
        "You shrank I to (1 - 2ηλ) I first and took ∂y^c/∂I there; both parts of ∂J/∂I are taken at the same image I.",
    ),
)

STOPS = (
    Misconception(
        "stops_when_the_score_falls",
        _while(_score_rises),
        "You stopped where y^c would fall. A climb is T steps; one that overshoots is taken like the others.",
    ),
    Misconception(
        "stops_when_j_falls",
        _while(_objective_rises),
        "You stopped where J would fall. A climb is T steps; one that overshoots is taken like the others.",
    ),
    Misconception(
        "stops_when_recognized",
        _while(_not_recognized),
        "You stopped when class c had the highest score. A climb is T steps, whatever the network says of the image.",
    ),
)

LOOP = (
    *_shared("loop"),
    *STOPS,
    Misconception(
        "one_step_short",
        _few(-1),
        "You took steps - 1 steps; `range(steps)` runs `steps` times.",
    ),
    Misconception(
        "one_step_too_many",
        _few(1),
        "You took steps + 1 steps; `range(steps)` runs `steps` times.",
    ),
    Misconception(
        "start_ignored",
        _from_zero,
        "You started from an image of zeros; I₀ is the `start` you are given.",
    ),
    Misconception(
        "pulled_to_the_start",
        _anchored,
        "You penalised the distance ‖I - I₀‖²; the penalty is λ‖I‖², the distance to the zero image.",
    ),
    Misconception(
        "gradient_never_renewed",
        _frozen_gradient,
        "You took ∂J/∂I once, at the start, and used it in every step; it changes with I: take it anew in each step.",
    ),
    Misconception(
        "gradient_accumulates",
        _gathering(1.0),
        "Your gradients add up from step to step: `.grad` is never cleared. A step uses ∂J/∂I of the present image.",
    ),
    Misconception(
        "momentum",
        _gathering(0.9),
        "You kept 0.9 of the step before (momentum); plain gradient ascent has no memory: I + η ∂J/∂I.",
    ),
    Misconception(
        "adam",
        _adam(2.0, 0.0),
        "You used Adam, which rescales the gradient of each pixel; plain gradient ascent moves by η ∂J/∂I "
        "(torch.optim.SGD with maximize=True).",
    ),
    Misconception(
        "adam_weight_decay",
        _adam(0.0, 1.0),
        "You used Adam and took its weight_decay for the L2 term: it adds λI before the rescaling. "
        "The formula's step is I + η (∂y^c/∂I - 2λI).",
    ),
    Misconception(
        "average_of_the_path",
        _path_average,
        "You averaged the images on the way; the result is the last one, I_T.",
    ),
)


def _effect(one=None, score=_score, norm=None) -> Callable[..., tuple[Tensor, Tensor, Tensor]]:
    """All of exercise 4, with another way of climbing, of scoring, or of measuring."""
    climb, length = one or _loop(_exact), norm or (lambda images: _squares(images).sqrt())

    def effect(model, start, target, *, steps, lr, l2s):
        images = torch.stack([climb(model, start, target, steps=steps, lr=lr, l2=l2) for l2 in l2s])
        with torch.no_grad():
            return images, score(model(images), torch.full((len(l2s),), target)), length(images)

    return effect


def _objective_scores(model, start, target, *, steps, lr, l2s):
    images, scores, norms = _effect()(model, start, target, steps=steps, lr=lr, l2s=l2s)
    return images, scores - torch.tensor(l2s, dtype=images.dtype) * norms**2, norms


def _scores_before_the_step(model, start, target, *, steps, lr, l2s):
    images, _, norms = _effect()(model, start, target, steps=steps, lr=lr, l2s=l2s)
    return images, _effect()(model, start, target, steps=steps - 1, lr=lr, l2s=l2s)[1], norms


def _chained(model, start, target, *, steps, lr, l2s):
    here = [start]

    def go_on(model, start, target, **options):
        here[0] = _loop(_exact)(model, here[0], target, **options)
        return here[0]

    return _effect(go_on)(model, start, target, steps=steps, lr=lr, l2s=l2s)


def _one_lambda(model, start, target, *, steps, lr, l2s):
    return _effect()(model, start, target, steps=steps, lr=lr, l2s=[l2s[0]] * len(l2s))


def _averaged(model, start, target, *, steps, lr, l2s):
    def climb(model, start, target, *, steps, lr, l2):
        return _run(_exact, model, start, target, steps, lr, l2, batch_size=len(l2s))

    return _effect(climb)(model, start, target, steps=steps, lr=lr, l2s=l2s)


def _once_each(model, start, target, *, steps, lr, l2s):
    return _effect()(model, start, target, steps=steps, lr=lr, l2s=list(dict.fromkeys(l2s)))


def _moved(model, start, target, *, steps, lr, l2s):
    images, scores, _ = _effect()(model, start, target, steps=steps, lr=lr, l2s=l2s)
    return images, scores, _squares(images - start).sqrt()


EFFECT = (
    Misconception(
        "scores_with_penalty",
        _objective_scores,
        "Your scores are y^c - λ‖I‖²; report y^c alone, so that scores of different λ can be compared.",
    ),
    Misconception(
        "probability_scores",
        _effect(score=_probability),
        "You reported probabilities; report y^c, the score before softmax.",
    ),
    Misconception(
        "predicted_class_scores",
        _effect(score=_predicted),
        "You reported the highest score of each image; report the score of the class c that was climbed.",
    ),
    Misconception(
        "scores_before_the_last_step",
        _scores_before_the_step,
        "Your scores belong to the images before the last step; score the images that you return.",
    ),
    Misconception(
        "norms_squared",
        _effect(norm=_squares),
        "You reported ‖I‖²; the norm ‖I‖ is its square root.",
    ),
    Misconception(
        "norms_averaged",
        _effect(norm=lambda i: i.pow(2).flatten(1).mean(1).sqrt()),
        "You averaged I² before the square root; ‖I‖ is the square root of the sum.",
    ),
    Misconception(
        "absolute_norms",
        _effect(norm=lambda i: i.abs().flatten(1).sum(1)),
        "You summed |I| (the L1 norm); ‖I‖₂ is the square root of Σ I².",
    ),
    Misconception(
        "distance_from_start",
        _moved,
        "You measured ‖I - I₀‖, the way from the start; the penalty knows ‖I‖ only, so report that.",
    ),
    Misconception(
        "equal_lambdas_once",
        _once_each,
        "You climbed equal values of λ only once and lost an image: image l belongs to l2s[l], L images in all.",
    ),
    Misconception(
        "chained_starts",
        _chained,
        "Each λ went on from the image of the λ before; every ascent begins at the same start I₀.",
    ),
    Misconception(
        "first_lambda_for_all",
        _one_lambda,
        "You used l2s[0] for every image; image l is climbed with its own λ = l2s[l].",
    ),
    Misconception(
        "averaged_over_the_batch",
        _averaged,
        "You took the mean of J over the L images before the gradient, so each step is L times too small; use the sum.",
    ),
    Misconception(
        "factor_two_missing",
        _effect(_loop(_pulls(lambda i: i))),
        "You pulled with λI; the derivative of λ‖I‖² is 2λI.",
    ),
    Misconception(
        "descends",
        _effect(_loop(_descends)),
        "You went down: the step is I + η ∂J/∂I.",
    ),
)

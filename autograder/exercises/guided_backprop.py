"""Lesson 09, guided backpropagation: what a ReLU sends back, and what the pictures are worth."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

import cnnviz
from autograder.exercises import guided_backprop_fixtures as fixtures
from autograder.exercises import guided_backprop_misconceptions as mistakes
from autograder.exercises import guided_backprop_part_misconceptions as part_mistakes
from autograder.exercises.telling import telling
from autograder.records import Call, Case, Exercise, Law, Lesson, Option, Question
from cnnviz_ref import guided_backprop as method

# References: the parts of the method, under the names that the student's functions have.


def backward_rules(x: Tensor, R: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """[x > 0] R, [R > 0] R and [x > 0] [R > 0] R."""
    return part_mistakes.rules(x, R)


def guided_perceptron(inputs: Tensor, weights: Sequence[Tensor], targets: Tensor) -> Tensor:
    """What arrives at the inputs [N D] of linear layers with guided ReLUs between them."""
    return mistakes.perceptron_map(inputs, weights, targets)


def guided_backprop(model: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
    """What arrives at the images [N C H W] when every ReLU is guided."""
    return method(model, images, targets)


def class_insensitivity(maps: Tensor, others: Tensor) -> Tensor:
    """Cosine of the two maps of each image [N]; 0 where a map is 0 everywhere."""
    return part_mistakes.cosine(maps, others)


# Showcase


def _photo_call() -> Call:
    images = cnnviz.preprocess(cnnviz.photo("camera"))
    targets = torch.tensor([cnnviz.class_index("tripod")])
    model = cnnviz.efficientnet_lite0().requires_grad_(False)
    return Call({"model": model, "images": images, "targets": targets})


EXERCISES = (
    Exercise(
        id="guided_backprop.backward_rules",
        title="Three rules for one ReLU",
        reference=backward_rules,
        formula=r"\text{gradient} = [x > 0]\, R \qquad \text{deconvnet} = [R > 0]\, R \qquad "
        r"\text{guided} = [x > 0]\,[R > 0]\, R",
        outputs=("gradient", "deconvnet", "guided"),
        cases=(
            Case(
                "two images, three channels, a 3 x 4 grid",
                telling(fixtures.feature_maps, backward_rules, part_mistakes.RULES),
            ),
            Case(
                "other shapes",
                telling(fixtures.other_arrays, backward_rules, part_mistakes.RULES),
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "both_signs_together",
                "R and -R share out what passes: guided(x, R) - guided(x, -R) = [x > 0] R, and deconvnet(R) - "
                "deconvnet(-R) = R.",
                fixtures.both_signs_calls,
                fixtures.both_signs,
            ),
        ),
        misconceptions=part_mistakes.RULES,
        hints=(
            "Three rules, two questions: is x > 0, and is R > 0? Which rule asks which question?",
            "A comparison gives a tensor of True and False, and True counts as 1 when you multiply. Both at once is "
            "(x > 0) & (R > 0), with the brackets.",
            "1. gradient = R * (x > 0)\n2. deconvnet = R * (R > 0)\n3. guided = R * both questions\n"
            "4. return gradient, deconvnet, guided",
        ),
        minutes=8,
        difficulty=1,
        lines=4,
    ),
    Exercise(
        id="guided_backprop.guided_perceptron",
        title="Your own derivative",
        reference=guided_perceptron,
        formula=r"x_l = W_l\, a_{l-1}, \quad a_l = \mathrm{ReLU}(x_l), \quad y = W_L\, a_{L-1}; "
        r"\qquad R \leftarrow [x_l > 0]\,[R > 0]\, R \text{ at every ReLU}",
        outputs=("R",),
        cases=(
            Case(
                "two hidden layers; an input of zeros, and one alone with weights that need gradients",
                telling(fixtures.two_hidden_layers, guided_perceptron, mistakes.PERCEPTRON),
            ),
            Case(
                "other sizes, one and three hidden layers",
                telling(fixtures.other_depths, guided_perceptron, mistakes.PERCEPTRON),
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "gradient_where_nothing_is_negative",
                "Where all weights after the first layer are positive, no R is ever negative, and the map is the plain "
                "gradient.",
                fixtures.positive_layers_calls,
                fixtures.perceptron_gradient,
            ),
            Law(
                "three_times_the_score",
                "3·y^c has a map 3 times as large.",
                fixtures.scaled_layers_calls,
                fixtures.scaled_three_times,
            ),
        ),
        misconceptions=mistakes.PERCEPTRON,
        hints=(
            "autograd knows the derivative of a matrix product. For which step alone do you have to tell it another "
            "one?",
            "A torch.autograd.Function has two static methods. forward(ctx, x) returns ReLU(x) and keeps x with "
            "ctx.save_for_backward(x). backward(ctx, R) returns what goes back. You use it as GuidedReLU.apply(x). "
            "There "
            "is no ReLU after the last layer.",
            "1. class GuidedReLU(torch.autograd.Function): forward: ctx.save_for_backward(x); return x.clamp(min=0)\n"
            "2. backward: (x,) = ctx.saved_tensors; return R * ((x > 0) & (R > 0))\n"
            "3. start = inputs.detach().clone().requires_grad_(); a = start\n"
            "4. for W in weights[:-1]: a = GuidedReLU.apply(a @ W.T)\n"
            "5. scores = a @ weights[-1].T; y = scores[torch.arange(N), targets]\n"
            "6. return torch.autograd.grad(y.sum(), start)[0]",
        ),
        minutes=20,
        difficulty=2,
        lines=15,
    ),
    Exercise(
        id="guided_backprop.guided_backprop",
        title="Through a whole network",
        reference=guided_backprop,
        formula=r"R = 1 \text{ at } y^c; \qquad R \leftarrow [x > 0]\,[R > 0]\, R \text{ at every ReLU}; \qquad "
        r"\text{result} = R \text{ at the pixels}",
        outputs=("R",),
        cases=(
            Case(
                "a ReLU in the classifier, in place, ReLU6, one module used twice, a network in use",
                telling(fixtures.classifier_and_relu6, guided_backprop, mistakes.METHOD),
            ),
            Case(
                "one ReLU module used three times, BatchNorm, frozen weights, a network in use",
                telling(fixtures.shared_and_normalised, guided_backprop, mistakes.METHOD),
                hidden=True,
                points=2,
            ),
        ),
        laws=(
            Law(
                "gradient_where_nothing_is_negative",
                "Where all weights after the first layer are positive, no R is ever negative, and the map is the plain "
                "gradient.",
                fixtures.nothing_negative,
                fixtures.network_gradient,
            ),
            Law(
                "alone_as_in_the_batch",
                "An image's map is the same alone as in a batch.",
                fixtures.batch_and_singles,
                fixtures.as_in_the_batch,
            ),
        ),
        special={"where it raises no hook of yours does": ""},
        misconceptions=mistakes.METHOD,
        hints=(
            "The ReLU's own derivative already gives [x > 0]. What is left to do to R, and at which moment of the "
            "backward "
            "pass do you need to get hold of it?",
            "tensor.register_hook(f) calls f(R) when the gradient R of that tensor is known, and goes on with what f "
            "returns. You reach the tensors by a forward hook on every nn.ReLU and nn.ReLU6 of model.modules().",
            "1. def keep_positive(module, inputs, output): output.register_hook(lambda R: R.clamp(min=0))\n"
            "2. handles = [m.register_forward_hook(keep_positive) for m in model.modules() if isinstance(m, (nn.ReLU, "
            "nn.ReLU6))]\n"
            "3. start = images.detach().clone().requires_grad_()\n"
            "4. try: scores = model(start); finally: remove every handle\n"
            "5. y = scores[torch.arange(N), targets]\n"
            "6. return torch.autograd.grad(y.sum(), start)[0]",
        ),
        minutes=20,
        difficulty=3,
        lines=12,
        showcase=_photo_call,
    ),
    Exercise(
        id="guided_backprop.class_insensitivity",
        title="Does the class matter?",
        reference=class_insensitivity,
        formula=r"\cos_n = \frac{\sum u_n v_n}{\sqrt{\sum u_n^2}\,\sqrt{\sum v_n^2}}\,, \quad "
        r"\cos_n = 0 \text{ where } u_n = 0 \text{ or } v_n = 0",
        outputs=("cos",),
        cases=(
            Case(
                "four pairs of maps, one map all zero, one pair faint",
                telling(fixtures.three_pairs, class_insensitivity, part_mistakes.COSINE),
            ),
            Case(
                "other sizes, grey and in colours",
                telling(fixtures.other_pairs, class_insensitivity, part_mistakes.COSINE),
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "known_cosines",
                "A map and 5 times itself give 1, a map and -2 times itself give -1, two maps without a common place "
                "0.",
                fixtures.known_cosines_calls,
                fixtures.known_cosines,
            ),
        ),
        special={"0 where one of the two is 0 everywhere": "nan_for_empty"},
        misconceptions=part_mistakes.COSINE,
        hints=(
            "Take a map as one long list of C·H·W numbers. What is the cosine of the angle between two such lists, and "
            "what happens if one of them is all zeros?",
            "maps.flatten(1) makes one row an image. The sum of products and the two lengths are sums over that row. "
            "Put a "
            "1 in place of a product of lengths that is 0 before you divide.",
            "1. u, v = maps.flatten(1), others.flatten(1)\n"
            "2. above = (u * v).sum(1)\n"
            "3. below = u.norm(dim=1) * v.norm(dim=1)\n"
            "4. return above / torch.where(below > 0, below, 1.0)",
        ),
        minutes=8,
        difficulty=1,
        lines=4,
    ),
)

QUESTIONS = (
    Question(
        id="guided_backprop.silent_pixel",
        text="A network with one input x and two hidden places that both compute ReLU(x). Its score is y = ReLU(x) - "
        "ReLU(x), so y is 0 whatever x is. Take x = 2. What does guided backpropagation return at x?",
        options={
            "a": Option(
                "0: changing x does not change y.",
                "That is the gradient, 1 - 1 = 0. The guided rule stops the second signal, R = -1, before the two can "
                "cancel.",
            ),
            "b": Option(
                "1",
                "Yes: R = 1 and R = -1 arrive at the two ReLUs, and only the 1 passes. The map says that x matters, "
                "and "
                "it does not. What the rule returns is no derivative of anything.",
            ),
            "c": Option(
                "2",
                "That would be R = 1 twice, as if -1 were turned round to |R|. A negative R becomes 0.",
            ),
            "d": Option(
                "-1",
                "That keeps the negative R and drops the positive one. The guided rule lets R pass where R > 0.",
            ),
        },
        answer="b",
    ),
    Question(
        id="guided_backprop.opposite_score",
        text="We explain -y^c in place of y^c: the last step of the network changes its sign, so that R begins at -1. "
        "What happens to the guided map of the camera photo?",
        options={
            "a": Option(
                "Every value changes its sign.",
                "So it is with the gradient, which is linear: the gradient of -y is minus that of y. Clamping is not "
                "linear: clamp(-R) is not -clamp(R).",
            ),
            "b": Option(
                "It is 0 everywhere, because nothing positive starts at the top.",
                "No ReLU stands between the score and the linear layer. R = -1 is first multiplied by the weights "
                "w_k^c, "
                "and the negative ones give positive signals.",
            ),
            "c": Option(
                "It keeps its direction almost exactly: the same picture again.",
                "Yes. Now the channels with negative weights send the signal, and all of the way down only positive "
                "signals pass, through the same open ReLUs. So a bright outline says neither for nor against.",
            ),
        },
        answer="c",
    ),
    Question(
        id="guided_backprop.two_photos",
        text="efficientnet_lite0 has no max-pooling: only convolutions, sums, ReLU6, one mean and a linear layer. We "
        "run the deconvnet, R ← [R > 0] R, for the class espresso, once on the coffee photo and once on the cat photo. "
        "What are the two maps?",
        options={
            "a": Option(
                "Outlines of the cup, and outlines of the cat.",
                "Outlines need the image. Which step of the backward pass knows x? For the gradient and the guided "
                "rule it "
                "is [x > 0], and the deconvnet leaves that out.",
            ),
            "b": Option(
                "Exactly the same map, number by number.",
                "Yes: without [x > 0] and without max-pooling, no step of the backward pass knows the image. Any photo "
                "gives these numbers.",
            ),
            "c": Option(
                "A map for the coffee, and zeros for the cat.",
                "Zeros would need something that stops the signal where there is no coffee. [R > 0] looks at the "
                "signal "
                "alone.",
            ),
            "d": Option(
                "The same map, but weaker for the cat.",
                "A weaker signal would need the score's size. R begins at 1 at y^c, however large y^c is.",
            ),
        },
        answer="b",
    ),
)

LESSON = Lesson(
    id="09_guided_backprop",
    title="Guided backpropagation",
    summary="Let only positive signals back through every ReLU: sharp outlines, and a test of what they mean.",
    exercises=EXERCISES,
    questions=QUESTIONS,
)

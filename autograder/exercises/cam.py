"""The lesson on class activation maps (Zhou et al. 2016): exercises, cases, laws and questions."""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from skimage.measure import label, regionprops
from torch import nn

from autograder.exercises import cam_box_misconceptions as wrong_box
from autograder.exercises import cam_fixtures as fixtures
from autograder.exercises import cam_laws as laws
from autograder.exercises import cam_misconceptions as wrong
from autograder.records import Call, Case, Exercise, Law, Lesson, Option, Question
from cnnviz_ref.cam import class_map


def class_weights(head: nn.Linear, targets: torch.Tensor) -> torch.Tensor:
    """The rows of W that belong to the targets: [N K]."""
    return head.weight.detach()[targets]


def class_activation_map(activations: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """M_c = Σ_k w_k^c f_k: [N h w]."""
    return class_map(weights, activations).detach()


def convert_to_cam(features: nn.Module, head: nn.Linear) -> nn.Module:
    """features, mean over the positions, head."""
    return nn.Sequential(features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)


def train_head(features, head, images, labels, *, steps: int, lr: float) -> tuple[torch.Tensor, torch.Tensor]:
    """W and b after plain gradient descent on the cross-entropy, the backbone standing still."""
    with torch.no_grad():
        pooled = copy.deepcopy(features).eval()(images).mean((2, 3))
    weight, bias = (p.detach().clone().requires_grad_() for p in (head.weight, head.bias))
    for _ in range(steps):
        loss = F.cross_entropy(pooled @ weight.T + bias, labels)
        slopes = torch.autograd.grad(loss, (weight, bias))
        weight, bias = (
            (p - lr * slope).detach().requires_grad_() for p, slope in zip((weight, bias), slopes, strict=True)
        )
    return weight.detach(), bias.detach()


def box_from_map(heatmap: torch.Tensor, *, size: tuple[int, int], fraction: float) -> torch.Tensor:
    """Box (top, left, bottom, right) of the largest connected part above fraction * max."""
    large = F.interpolate(heatmap[None, None], size=size, mode="bilinear", align_corners=False)[0, 0]
    if large.max() <= 0:
        return torch.zeros(4, dtype=torch.int64, device=heatmap.device)
    mask = large > fraction * large.max()
    parts = regionprops(label(mask.cpu().numpy(), connectivity=1))
    return torch.tensor(max(parts, key=lambda part: part.area).bbox, device=heatmap.device)


def _photo_call() -> Call:
    """The Egyptian cat through EfficientNet-Lite0."""
    import cnnviz

    model, target = cnnviz.efficientnet_lite0(), torch.tensor([cnnviz.class_index("Egyptian cat")])
    features, head = model.get_submodule("features"), model.get_submodule("classifier")
    assert isinstance(head, nn.Linear)
    with torch.no_grad():
        activations = features(cnnviz.preprocess(cnnviz.photo("chelsea"))).contiguous()
    return Call({"activations": activations, "weights": class_weights(head, target)})


CLASS_WEIGHTS = Exercise(
    id="cam.class_weights",
    title="The weights of a class",
    reference=class_weights,
    formula=r"w^c = W_{c,:}",
    cases=(
        Case(
            "four targets, two of them equal, then class 0; seven channels, five classes",
            lambda g: fixtures.head_calls(g, 7, 5),
        ),
        Case("another head", lambda g: fixtures.head_calls(g, 9, 6), hidden=True),
    ),
    laws=(
        Law(
            "row_gives_score",
            "Σ_k w_k^c a_k + b_c = y^c for any a",
            lambda g: fixtures.head_calls(g, 7, 5),
            laws.row_gives_score,
        ),
    ),
    misconceptions=wrong.CLASS_WEIGHTS,
    outputs=("w",),
    hints=(
        "y = W a + b gives one score a class. Which numbers of W meet a when you compute the score of class c alone?",
        "`head.weight` has shape [classes K]. A tensor can be indexed with a tensor of row numbers: one row comes "
        "back for each.",
        "1. take `head.weight` without its graph: `.detach()`\n2. index its first dimension with `targets`\n3. the "
        "result is [N K]",
    ),
    minutes=5,
    difficulty=1,
    lines=1,
)

CLASS_ACTIVATION_MAP = Exercise(
    id="cam.class_activation_map",
    title="The class activation map",
    reference=class_activation_map,
    formula=r"M_c(x, y) = \sum_k w_k^c \, f_k(x, y)",
    cases=(
        Case("three images, one of them all dark; then one whose features have both signs",
             lambda g: fixtures.map_calls(g, 4, (5, 7))),
        Case("other images and channels", lambda g: fixtures.map_calls(g, 6, (4, 3)), hidden=True),
    ),
    laws=(
        Law("mean_is_score", "(1/Z) Σ_xy M_c(x, y) = Σ_k w_k^c a_k = y^c - b_c",
            lambda g: fixtures.map_calls(g, 4, (5, 7)), laws.mean_gives_score),
        Law("linear_in_weights", "the map for weights 2u - 3v is 2 M_u - 3 M_v", laws.combined_calls, laws.is_linear),
    ),
    misconceptions=wrong.MAP,
    outputs=("M",),
    hints=(
        "At one place (x, y) there are K numbers f_k(x, y) and K weights w_k^c. How do they become one number?",
        "Give the weights two more dimensions of size 1, so that they line up with [N K h w]; or name the "
        "dimensions in `torch.einsum`.",
        "1. `weights[:, :, None, None]` is [N K 1 1]\n2. multiply with `activations`\n3. sum over dimension 1, the "
        "channels\n"
        "4. nothing else: no ReLU, no bias, no scaling",
    ),
    minutes=10,
    difficulty=1,
    lines=1,
    showcase=_photo_call,
)  # fmt: skip

CONVERT_TO_CAM = Exercise(
    id="cam.convert_to_cam",
    title="A network that CAM can read",
    reference=convert_to_cam,
    formula=r"a_k = \frac{1}{Z} \sum_{x,y} f_k(x, y), \qquad y^c = \sum_k w_k^c \, a_k + b_c",
    cases=(
        Case("scores for three images; for one of another size, with features of both signs",
             lambda g: fixtures.convert_calls(g, (2, 3, 5), 4)),
        Case("another network", lambda g: fixtures.convert_calls(g, (1, 4, 6), 3), hidden=True),
    ),
    laws=(
        Law("score_is_mean_of_map", "the mean of M_c plus b_c is the score y^c that your network gives",
            lambda g: fixtures.convert_calls(g, (2, 3, 5), 4), laws.score_is_mean_of_map),
    ),
    misconceptions=wrong.CONVERT,
    outputs=("y",),
    hints=(
        "`features` gives [N K h w] and `head` wants [N K]. What must happen to the h · w positions in between?",
        "`nn.Sequential` chains modules. Which module averages each channel over its whole grid, and which one then "
        "drops the two dimensions of size 1?",
        "1. `features`\n2. `nn.AdaptiveAvgPool2d(1)`: [N K h w] -> [N K 1 1]\n3. `nn.Flatten()`: -> [N K]\n4. `head`\n"
        "Return them in this order in one `nn.Sequential`; no softmax.",
    ),
    minutes=10,
    difficulty=2,
    lines=1,
)  # fmt: skip

TRAIN_HEAD = Exercise(
    id="cam.train_head",
    title="Retrain the head, and nothing else",
    reference=train_head,
    formula=r"W \leftarrow W - \eta \, \frac{\partial L}{\partial W}, \quad "
    r"b \leftarrow b - \eta \, \frac{\partial L}{\partial b}, \qquad "
    r"L = -\frac{1}{N} \sum_n \log \mathrm{softmax}(y_n)_{\mathrm{label}_n}",
    cases=(
        Case("a few steps; one backbone arrives in training mode, another has features of both signs",
             lambda g: fixtures.train_calls(g, (2, 3, 5), 4)),
        Case("another network and other labels", lambda g: fixtures.train_calls(g, (1, 4, 6), 3), hidden=True),
    ),
    laws=(
        Law("class_sums_stay", "Σ_c W[c, k] and Σ_c b_c are the same before and after: Σ_c ∂L/∂y^c = 0",
            lambda g: fixtures.train_calls(g, (2, 3, 5), 4), laws.class_sums_stay),
    ),
    special={"where W [classes K] and b [classes] start": "head_from_zero"},
    misconceptions=wrong.TRAIN,
    outputs=("W", "b"),
    hints=(
        "The backbone stands still. So how often do you have to compute a_k: once, or at every step?",
        "Work on copies: `copy.deepcopy(features).eval()` under `torch.no_grad()` for a, `copy.deepcopy(head)` for "
        "what is trained. "
        "`torch.optim.SGD` without further options is plain gradient descent.",
        "1. `with torch.no_grad():` a = copy of features, in eval mode, on `images`, mean over dimensions 2 and 3\n"
        "2. head = a copy of `head`; optimizer = SGD over its parameters with `lr`\n"
        "3. `steps` times: clear the gradients, cross-entropy of head(a) and `labels`, backward, step\n"
        "4. return head.weight.detach(), head.bias.detach()",
    ),
    minutes=20,
    difficulty=3,
    lines=9,
    seconds=20.0,
)  # fmt: skip

BOX_FROM_MAP = Exercise(
    id="cam.box_from_map",
    title="A box from a map",
    reference=box_from_map,
    formula=r"\{(x, y) : M_c(x, y) > \tau \max M_c\}, \qquad \tau = 0.2",
    cases=(
        Case("hills high, broad and long; maps without a positive value; a rectified map with fraction 0",
             lambda g: fixtures.box_calls(g, (11, 14), (62, 95))),
        Case("other hills and sizes", lambda g: fixtures.box_calls(g, (11, 13), (73, 84)), hidden=True),
    ),
    laws=(
        Law("scale_does_not_matter", "the box of 7 · M_c is the box of M_c",
            lambda g: fixtures.hill_calls(g, (6, 9), (44, 63)), laws.same_box_when_scaled),
        Law("box_of_one_hill", "if M_c is a single hill, its highest pixel lies in the box; a larger fraction gives a "
            "box inside the first",
            lambda g: fixtures.hill_calls(g, (6, 9), (44, 63)), laws.holds_the_maximum),
    ),
    special={
        "pixels of the enlarged map that hang together": "all_components",
        "share of the maximum of the enlarged map": "threshold_of_the_small_map",
        "bottom and right exclusive": "last_pixel_included",
        "Four zeros if no value": "absolute_values",
    },
    misconceptions=wrong_box.BOX,
    outputs=("box",),
    hints=(
        "Three things happen one after the other: enlarge, cut, choose. Which of them needs the maximum, and the "
        "maximum of what?",
        "`F.interpolate` enlarges tensors of shape [1 1 h w]. `skimage.measure.label` numbers the connected parts "
        "of a mask; "
        "`regionprops` of that gives each part's `area` and `bbox` (its last two are exclusive).",
        "1. large = bilinear enlargement of `heatmap[None, None]` to `size`, align_corners=False\n"
        "2. nothing positive? return four zeros (int64)\n3. mask = large > fraction * large.max()\n"
        "4. parts = regionprops(label(mask.cpu().numpy(), connectivity=1)); keep the one with the largest `area`\n"
        "5. return torch.tensor(part.bbox, device=heatmap.device)",
    ),
    minutes=20,
    difficulty=2,
    lines=7,
)  # fmt: skip

QUESTIONS = (
    Question(
        id="cam.one_place_dark",
        text="The map of tripod on the camera photo has its largest value, 37.9, at one of its Z = 49 places. We set "
        "all 1280 feature maps to zero at that one place and change nothing else. How much does the score y^c fall?",
        options={
            "a": Option(
                "By 37.9: the whole value of that place.",
                "M_c(x, y) enters the score through a mean over all places, so only its share 1/Z is lost.",
            ),
            "b": Option(
                "By 37.9 / 49, about 0.77.",
                "Yes: y^c is the mean of the map plus b_c. One of 49 places goes from 37.9 to 0, so the mean falls by "
                "37.9 / 49.",
            ),
            "c": Option(
                "To zero: the network decided by that place.",
                "GAP averages all places. The map has positive values at other places too, and they still count.",
            ),
            "d": Option(
                "Not at all: the other channels take over.",
                "Nothing takes over: the score is a plain sum over places and channels, and one part of it is gone.",
            ),
        },
        answer="b",
    ),
    Question(
        id="cam.running_averages",
        text="A network with BatchNorm is put into training mode. Then 20 batches pass through it under "
        "torch.no_grad(), without an optimizer. We switch back to eval mode and give it the same image as before. "
        "Are its scores the same?",
        options={
            "a": Option(
                "Yes: without gradients and without an optimizer nothing can change.",
                "No weight moves, but BatchNorm updates its running mean and variance at every forward pass in "
                "training mode, and eval mode uses them.",
            ),
            "b": Option(
                "No: the scores differ.",
                "Yes, they differ: the running mean and variance of BatchNorm have moved. This is the drifting "
                "backbone, and it is why features belong in eval mode while the head trains.",
            ),
            "c": Option(
                "Yes: torch.no_grad() freezes the running averages as well.",
                "torch.no_grad() only stops autograd from recording. Running averages are no gradients; only eval mode "
                "stops them.",
            ),
        },
        answer="b",
    ),
    Question(
        id="cam.same_for_all_classes",
        text="We draw one random row v of K numbers and add it to every row of W: w_k^c + v_k for all classes c. What "
        "happens to the network's probabilities, softmax(y), and to its maps?",
        options={
            "a": Option(
                "Both stay the same.",
                "The probabilities do. But M_c = Σ_k w_k^c f_k gains Σ_k v_k f_k at every place.",
            ),
            "b": Option(
                "The probabilities stay the same; the maps change.",
                "Yes: all scores rise by the same Σ_k v_k a_k, and the softmax sees only differences of scores. The "
                "maps see w^c itself. So two networks that always say the same can have different maps.",
            ),
            "c": Option(
                "Both change.",
                "The maps do. But all scores of an image rise by the same number, and the softmax does not notice.",
            ),
            "d": Option(
                "The probabilities change; the maps stay the same.",
                "It is the other way round: the softmax sees only differences between classes, the map sees w^c.",
            ),
        },
        answer="b",
    ),
)

LESSON = Lesson(
    id="10_cam",
    title="Class activation maps",
    summary="Read from the last layer's weights where a network found its class, and draw a box around it.",
    exercises=(CLASS_WEIGHTS, CLASS_ACTIVATION_MAP, CONVERT_TO_CAM, TRAIN_HEAD, BOX_FROM_MAP),
    questions=QUESTIONS,
)

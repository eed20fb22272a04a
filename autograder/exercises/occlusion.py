"""Lesson 7, occlusion: hide one window after another and see how much the score of a class drops."""

from __future__ import annotations

import torch
from torch import Tensor, nn

import cnnviz
from autograder.exercises import occlusion_average_misconceptions as average_mistakes
from autograder.exercises import occlusion_fixtures as fixtures
from autograder.exercises import occlusion_laws as laws
from autograder.exercises import occlusion_misconceptions as mistakes
from autograder.exercises import occlusion_window_misconceptions as window_mistakes
from autograder.records import Call, Case, Exercise, Law, Lesson, Option, Question
from cnnviz_ref.occlusion import occlusion as cnnviz_occlusion
from cnnviz_ref.occlusion import spans

# References: the parts of the method, under the names that the student's functions have.


def hide(images: Tensor, box: Tensor, fill: float | Tensor) -> Tensor:
    """I^(p) [N C H W]: the images with fill inside the box."""
    top, left, bottom, right = box.tolist()
    result = images.clone()
    filling = torch.as_tensor(fill, dtype=images.dtype).expand(images.shape[1:])
    result[:, :, top:bottom, left:right] = filling[:, top:bottom, left:right]
    return result


def window_boxes(H: int, W: int, window: int, stride: int) -> Tensor:
    """(top, left, bottom, right) of every window, the last of a row or column cropped: int64 [P 4]."""
    rows, columns = spans(H, window, stride), spans(W, window, stride)
    return torch.tensor([[top, left, bottom, right] for top, bottom in rows for left, right in columns])


@torch.no_grad()
def score_drops(model: nn.Module, images: Tensor, targets: Tensor, boxes: Tensor, fill: float | Tensor) -> Tensor:
    """d [N P]: y^c(I) - y^c(I^(p))."""
    n = torch.arange(len(images))
    y = model(images)[n, targets]
    return torch.stack([y - model(hide(images, box, fill))[n, targets] for box in boxes], dim=1)


def coverage_average(drops: Tensor, boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """M [N H W]: at each pixel the mean drop of the windows that cover it."""
    total, count = drops.new_zeros(len(drops), *size), drops.new_zeros(size)
    for d, (top, left, bottom, right) in zip(drops.T, boxes.tolist(), strict=True):
        total[:, top:bottom, left:right] += d[:, None, None]
        count[top:bottom, left:right] += 1
    return total / count


def occlusion(
    model: nn.Module, images: Tensor, targets: Tensor, *, window: int = 32, stride: int = 16, fill: float | Tensor = 0.0
) -> Tensor:
    """M [N H W], by the course's own reference."""
    return cnnviz_occlusion(model, images, targets, window=window, stride=stride, fill=fill)


# Showcases


def _digit_call() -> Call:
    canvases = cnnviz.cluttered_digits(1, seed=4, split="test")
    model = cnnviz.digit_net().requires_grad_(False)
    boxes = window_boxes(64, 64, 12, 6)
    drops = score_drops(model, canvases.images, canvases.labels, boxes, 0.0)
    return Call({"drops": drops, "boxes": boxes, "size": (64, 64)})


def _photo_call() -> Call:
    return Call(
        {
            "model": cnnviz.efficientnet_lite0().requires_grad_(False),
            "images": cnnviz.preprocess(cnnviz.photo("camera")),
            "targets": torch.tensor([cnnviz.class_index("tripod")]),
            "window": 64,
            "stride": 40,
            "fill": 0.0,
        }
    )


EXERCISES = (
    Exercise(
        id="occlusion.hide",
        title="Hide a window",
        reference=hide,
        formula=r"I^{(p)}_{ij} = \begin{cases} \text{fill}_{ij} & \text{inside window } p \\ I_{ij} & \text{elsewhere}"
        r"\end{cases}",
        outputs=("I^(p)",),
        cases=(
            Case(
                "a colour, a number and a picture as fill; a window at the border, a grey picture and 0",
                fixtures.number_and_colour,
            ),
            Case("a picture as fill, and another colour", fixtures.picture_and_colour, hidden=True),
        ),
        laws=(
            Law(
                "what_was_there_is_gone",
                "Two pictures that differ only inside window p are the same once window p is hidden.",
                fixtures.same_outside,
                laws.equal,
            ),
        ),
        special={"I elsewhere": "mask_inverted", "bottom and right are exclusive": "last_included"},
        misconceptions=window_mistakes.HIDE,
        hints=(
            "Which pixels of the result come from the picture, and which from fill? And which tensor may you write "
            "into?",
            "Make a copy with images.clone() and write into a slice of the copy. fill can be a number, a colour "
            "[C 1 1] or a picture [C H W]: torch.where(mask, fill, images) broadcasts all three, with a mask [H W] "
            "that is True inside the window.",
            "1. top, left, bottom, right = box.tolist()\n"
            "2. mask = torch.zeros(H, W, dtype=torch.bool)\n"
            "3. mask[top:bottom, left:right] = True\n"
            "4. return torch.where(mask, fill, images)",
        ),
        minutes=8,
        difficulty=1,
        lines=4,
    ),
    Exercise(
        id="occlusion.window_boxes",
        title="Where the windows lie",
        reference=window_boxes,
        formula=r"\text{rows } i s \,\ldots\, \min(i s + w, H), \quad i = 0, \ldots, \left\lceil \frac{H - w}{s} "
        r"\right\rceil \qquad \text{columns } j s \,\ldots\, \min(j s + w, W), \quad j = 0, \ldots, \left\lceil "
        r"\frac{W - w}{s} \right\rceil",
        outputs=("boxes",),
        cases=(
            Case(
                "a wide picture with a rest at the border, one without a rest, and a rest in one direction alone",
                fixtures.wide_pictures,
            ),
            Case("high pictures, windows side by side, a single row", fixtures.other_pictures, hidden=True),
        ),
        laws=(
            Law(
                "every_pixel_is_covered",
                "Every pixel lies in at least one window, and no window is empty or sticks out.",
                fixtures.wide_pictures,
                laws.covered,
            ),
            Law(
                "number_of_windows",
                "P = (⌈(H-w)/s⌉ + 1)·(⌈(W-w)/s⌉ + 1).",
                fixtures.other_pictures,
                laws.counted,
            ),
        ),
        misconceptions=window_mistakes.BOXES,
        hints=(
            "Think of one row of pixels first. Where do the windows begin, and which is the first one that reaches the "
            "end of the row?",
            "Along one axis of length L there are ⌈(L-w)/s⌉ + 1 windows: math.ceil. The i-th begins at i·s and ends "
            "at i·s + w, or at L where that is less. Two loops, rows outside and columns inside, give the windows in "
            "reading order.",
            "1. for i in range(math.ceil((H - window) / stride) + 1):\n"
            "2.     for j in range(math.ceil((W - window) / stride) + 1):\n"
            "3.         top, left = i * stride, j * stride\n"
            "4.         boxes.append([top, left, min(top + window, H), min(left + window, W)])\n"
            "5. return torch.tensor(boxes)",
        ),
        minutes=12,
        difficulty=2,
        lines=6,
    ),
    Exercise(
        id="occlusion.score_drops",
        title="What each window is worth",
        reference=score_drops,
        formula=r"d_p = y^c(I) - y^c(I^{(p)})",
        outputs=("d",),
        cases=(
            Case(
                "three images, a network in use; one image, a picture as fill; windows of unlike sizes",
                fixtures.any_boxes(fixtures.three_and_one),
            ),
            Case(
                "BatchNorm and dropout, in-place ReLUs and frozen weights",
                fixtures.any_boxes(fixtures.other_networks),
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "linear_network",
                "Where y^c is linear, y^c = Σ w·x + b, a window is worth d_p = Σ w·(x - fill) over its pixels.",
                fixtures.linear_scene,
                laws.window_sums,
                points=2,
            ),
            Law(
                "hiding_nothing_costs_nothing",
                "A window that has the colour of fill already is worth d_p = 0.",
                fixtures.nothing_to_hide,
                laws.first_is_zero,
            ),
        ),
        special={"bottom and right are exclusive": "last_included"},
        misconceptions=mistakes.DROPS,
        hints=(
            "What stays the same for all windows, so that you compute it once? And from which picture does each window "
            "start?",
            "scores[torch.arange(N), targets] picks one score an image. Compute it once for the images as they are, "
            "then once for each box with hide(images, box, fill). Stack the differences to [N P]. No gradient is "
            "needed anywhere: torch.no_grad().",
            "1. y = model(images)[arange(N), targets]\n"
            "2. for box in boxes: covered = hide(images, box, fill)\n"
            "3. drops.append(y - model(covered)[arange(N), targets])\n"
            "4. return torch.stack(drops, dim=1), all inside `with torch.no_grad():`",
        ),
        minutes=15,
        difficulty=2,
        lines=8,
        builds_on=("occlusion.hide",),
    ),
    Exercise(
        id="occlusion.coverage_average",
        title="From windows to pixels",
        reference=coverage_average,
        formula=r"M_{ij} = \frac{1}{|P_{ij}|} \sum_{p \in P_{ij}} d_p",
        outputs=("M",),
        cases=(
            Case("overlapping windows on a high and on a wide grid; windows of unlike sizes", fixtures.overlapping),
            Case("other overlaps, and windows side by side", fixtures.other_overlaps, hidden=True),
        ),
        laws=(
            Law(
                "equal_drops",
                "Where every window has the same drop d, M_ij = d at every pixel, near the border too.",
                fixtures.equal_drops,
                laws.constant,
            ),
            Law(
                "linear",
                "A mean is linear: M of d - 2·d' is M of d minus twice M of d'.",
                fixtures.combined_drops,
                laws.additive,
            ),
        ),
        misconceptions=average_mistakes.AVERAGE,
        hints=(
            "A mean needs a sum and a count. How many windows cover a pixel in the corner, and how many one in the "
            "middle?",
            "Keep two tensors of zeros: total [N H W] and count [H W]. Each window adds its drop to its slice of "
            "total and 1 to its slice of count.",
            "1. total = drops.new_zeros(N, H, W); count = drops.new_zeros(H, W)\n"
            "2. for p, (top, left, bottom, right) in enumerate(boxes.tolist()):\n"
            "3.     total[:, top:bottom, left:right] += drops[:, p, None, None]\n"
            "4.     count[top:bottom, left:right] += 1\n"
            "5. return total / count",
        ),
        minutes=12,
        difficulty=2,
        lines=6,
        showcase=_digit_call,
    ),
    Exercise(
        id="occlusion.occlusion",
        title="The whole method",
        reference=occlusion,
        formula=r"M_{ij} = \frac{1}{|P_{ij}|} \sum_{p \in P_{ij}} \left( y^c(I) - y^c(I^{(p)}) \right)",
        outputs=("M",),
        cases=(
            Case(
                "three images, a network in use; one image, a picture as fill; windows side by side, and 0 as fill",
                fixtures.whole_and_side_by_side(fixtures.three_and_one),
            ),
            Case(
                "BatchNorm and dropout, in-place ReLUs and frozen weights",
                fixtures.whole_and_side_by_side(fixtures.other_networks),
                hidden=True,
                points=2,
            ),
        ),
        laws=(
            Law(
                "linear_network",
                "Where y^c is linear, M_ij is the mean over the windows on pixel i, j of Σ w·(x - fill) inside them.",
                fixtures.whole(fixtures.linear_scene),
                laws.averaged_window_sums,
            ),
            Law(
                "one_window",
                "A window as large as the picture gives one number everywhere: y^c(I) - y^c(fill).",
                fixtures.one_window,
                laws.constant_drop,
            ),
            Law(
                "alone_as_in_the_batch",
                "An image's map is the same alone as in a batch.",
                fixtures.whole(fixtures.batch_and_singles),
                laws.as_in_the_batch,
            ),
        ),
        special={"positive where a region helps": "opposite_sign"},
        misconceptions=mistakes.METHOD,
        hints=(
            "You have all the parts. Which of them needs the network, and what does it need from the others?",
            "window_boxes places the windows on the images' H and W, score_drops gives one number a window, "
            "coverage_average spreads them over the pixels.",
            "1. size = images.shape[2:]\n2. boxes = window_boxes(*size, window, stride)\n"
            "3. drops = score_drops(model, images, targets, boxes, fill)\n"
            "4. return coverage_average(drops, boxes, size)",
        ),
        minutes=5,
        difficulty=1,
        lines=4,
        builds_on=(
            "occlusion.window_boxes",
            "occlusion.score_drops",
            "occlusion.coverage_average",
        ),
        showcase=_photo_call,
    ),
)

QUESTIONS = (
    Question(
        id="occlusion.whole_picture",
        text="We make the window as large as the camera photo itself, 224 x 224 pixels, so that there is one window. "
        "What does the map of tripod look like?",
        options={
            "a": Option(
                "Zero everywhere: with nothing left to see there is nothing to compare.",
                "There is something to compare: the score of the photo and the score of a grey picture. They are not "
                "the same.",
            ),
            "b": Option(
                "One value everywhere: y^c(photo) - y^c(grey picture).",
                "Yes. There is one drop, and it covers every pixel. The larger the window, the less the map says about "
                "where.",
            ),
            "c": Option(
                "It is brightest on the tripod, as with smaller windows.",
                "A pixel's value is the mean over the windows that cover it. Here all pixels are covered by the same "
                "window, so they all get the same number.",
            ),
        },
        answer="b",
    ),
    Question(
        id="occlusion.cup_hidden",
        text="The mosaic of four photos shows a cat, a cup of espresso, a man with a camera on a tripod, and a rocket. "
        "We ask for tripod and hide the whole quarter with the cup. What happens to y^c, the score of tripod?",
        options={
            "a": Option(
                "It stays the same: there is no tripod in that quarter.",
                "A score is not made of evidence for the class alone. What shows another class may speak against it.",
            ),
            "b": Option(
                "It falls: whatever is hidden, the network knows less, so every score falls.",
                "Hiding removes evidence against a class as well as evidence for it. Drops have both signs.",
            ),
            "c": Option(
                "It rises: the drop is negative.",
                "Yes: the cup speaks against tripod. That is why the map keeps its negative values, and why |d_p| "
                "would be misleading: it would light up the cup for tripod.",
            ),
        },
        answer="c",
    ),
    Question(
        id="occlusion.half_the_stride",
        text="With windows of 32 pixels and a stride of 16 a picture of 224 x 224 pixels has 13 x 13 = 169 windows. We "
        "halve the stride to 8. How many times must the network run for one map?",
        options={
            "a": Option(
                "About as often: the windows have not become smaller.",
                "Every window is a picture of its own for the network. More windows are more runs, whatever their "
                "size.",
            ),
            "b": Option(
                "About twice as often.",
                "Half the stride doubles the windows along each of the two axes.",
            ),
            "c": Option(
                "About four times as often.",
                "Yes: 25 x 25 = 625 windows, and the untouched picture once. Occlusion is simple and slow: a gradient "
                "needs one pass forward and one back.",
            ),
            "d": Option(
                "About 16 times as often.",
                "It would be 16 if the stride were a quarter. There are two axes, and 2 x 2 = 4.",
            ),
        },
        answer="c",
    ),
    Question(
        id="occlusion.empty_paper",
        text="On a canvas of digits the empty paper is black, exactly 0. A window lies on empty paper alone, with no "
        "ink in it, and the fill is 0. What is its drop d_p?",
        options={
            "a": Option(
                "Exactly 0, whatever the network.",
                "Yes: I^(p) is the same picture as I, so both scores are the same. With another fill this need not be "
                "so: what hides is then something new to see.",
            ),
            "b": Option(
                "A small positive number: some information is always lost.",
                "Nothing is lost where the pixels keep their values. I^(p) = I, so y^c(I^(p)) = y^c(I).",
            ),
            "c": Option(
                "A negative number: empty paper speaks against the digit.",
                "It may do so, but this fill cannot tell: it replaces empty paper by empty paper.",
            ),
            "d": Option(
                "It depends on the network.",
                "Every network gives the same score to the same picture.",
            ),
        },
        answer="a",
    ),
)

LESSON = Lesson(
    id="07_occlusion",
    title="Occlusion",
    summary="Hide one window of the picture after another and write down how much the score of a class drops.",
    exercises=EXERCISES,
    questions=QUESTIONS,
)

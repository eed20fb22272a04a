"""Lesson 05, maximum patches: which parts of real images excite a channel the most, cut out to the pixel."""

from __future__ import annotations

from autograder.exercises import max_patches_data_misconceptions as data_mistakes
from autograder.exercises import max_patches_fixtures as fixtures
from autograder.exercises import max_patches_geometry_misconceptions as geometry_mistakes
from autograder.exercises import max_patches_laws as laws
from autograder.exercises import max_patches_misconceptions as mistakes
from autograder.exercises.max_patches_parts import cut_patches, receptive_field, top_images, unit_box
from autograder.exercises.max_patches_questions import QUESTIONS
from autograder.records import Case, Exercise, Law, Lesson

EXERCISES = (
    Exercise(
        id="max_patches.receptive_field",
        title="Size, jump and start",
        reference=receptive_field,
        formula=r"r \leftarrow r + (f - 1)\, d\, J, \qquad t \leftarrow t + \Big(\frac{(f - 1)\, d}{2} - p\Big) J, "
        r"\qquad J \leftarrow J s",
        outputs=("r", "J", "t"),
        cases=(
            Case("three layers, one layer alone, and none", fixtures.visible_chains),
            Case("other chains, one of them empty", fixtures.hidden_chains, hidden=True, points=2),
        ),
        laws=(
            Law(
                "chains_compose",
                "A chain of A and then B has r = r_A + (r_B − 1)·J_A, J = J_A·J_B and t = t_A + t_B·J_A.",
                laws.split_calls,
                laws.composes,
            ),
            Law(
                "same_padding_stays",
                "With odd kernels and p = (f − 1)·d/2 in every layer, unit 0 looks at pixel 0: t = 0.",
                laws.same_padding_calls,
                laws.stays_in_place,
            ),
        ),
        special={"it may be empty": "begins_at_zero"},
        misconceptions=geometry_mistakes.FIELD,
        hints=(
            "What does a unit see before any layer, when it is a pixel? And if you know what the units of one layer "
            "see, what does a kernel of 3 see that steps over these units?",
            "Walk through the chain from the image upwards and keep three numbers. The f taps of a kernel are "
            "(f − 1)·d steps long from the first to the last, and every step on the grid below is J pixels. Update J "
            "last.",
            "1. size, jump, start = 1, 1, 0.0\n"
            "2. for kernel, stride, padding, dilation in chain:\n"
            "3.     reach = (kernel - 1) * dilation\n"
            "4.     size += reach * jump; start += (reach / 2 - padding) * jump; then jump *= stride\n"
            "5. return size, jump, start",
        ),
        minutes=15,
        difficulty=2,
        lines=7,
    ),
    Exercise(
        id="max_patches.unit_box",
        title="What one unit sees",
        reference=unit_box,
        formula=r"\text{top} = t + i J - \frac{r - 1}{2}, \qquad \text{bottom} = \text{top} + r, "
        r"\qquad \text{left and right alike from } j",
        outputs=("top", "left", "bottom", "right"),
        cases=(
            Case("odd and even sizes, first pixels above, on and below 0", fixtures.visible_boxes),
            Case("other fields and places, first pixels above, on and below 0", fixtures.hidden_boxes, hidden=True),
        ),
        laws=(
            Law(
                "moves_by_the_jump",
                "One unit further down, the box lies J rows further down; one to the right, J columns.",
                laws.neighbour_calls,
                laws.moves_by_the_jump,
            ),
            Law(
                "holds_what_is_seen",
                "The pixels that have a gradient with respect to the unit are the pixels of the box that lie in the "
                "image.",
                laws.seen_calls,
                laws.holds_what_is_seen,
            ),
        ),
        special={"bottom and right are exclusive": "last_included"},
        misconceptions=geometry_mistakes.BOX,
        hints=(
            "Where is the middle of what unit 0 sees? Where is it for unit i? How far is it from there to the first "
            "of r pixels?",
            "The middle is t + i·J, and the first pixel lies (r − 1)/2 before it. That is a whole number: make it an "
            "int. The end is exclusive, so it is the beginning plus r.",
            "1. top = int(start + i * jump - (size - 1) / 2)\n"
            "2. left = the same with j\n"
            "3. return top, left, top + size, left + size",
        ),
        minutes=8,
        difficulty=1,
        lines=3,
    ),
    Exercise(
        id="max_patches.top_images",
        title="The images that excite a channel most",
        reference=top_images,
        formula=r"s_n = \max_{i, j} A^k_{ij}(I_n), \qquad (i, j)_n = \arg\max_{i, j} A^k_{ij}(I_n), "
        r"\qquad \text{the } M \text{ images of largest } s_n",
        outputs=("s", "n", "(i, j)"),
        cases=(
            Case("six images, two of them equally strong; all images of a channel below zero", fixtures.visible_maps),
            Case(
                "other sizes, equal maxima at the cut; all images of a channel below zero",
                fixtures.hidden_maps,
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "stands_at_its_place",
                "A^k of image n at its place (i, j) is its score s_n, the largest there is, and no image comes twice.",
                laws.standing_calls,
                laws.stands_at_its_place,
            ),
            Law(
                "follows_the_scale",
                "With 3·A − 1 for A the scores become 3·s − 1; images and places stay.",
                laws.reordered_calls,
                laws.follows_the_scale,
            ),
        ),
        special={
            "and where": "column_first",
            "ties by the lowest": "later_image_first",
            "where several places share it": "last_of_equal",
        },
        misconceptions=data_mistakes.TOP,
        hints=(
            "Three questions, one after the other: how strong is each image, where in its map, and which images are "
            "the strongest?",
            "Take the one channel and flatten its map to [N h·w]: amax and argmax along the last axis, and argmax "
            "gives the first of equal values. torch.sort(descending=True, stable=True) keeps equal scores in the "
            "order of the images; topk does not promise that. A flat place is i·w + j.",
            "1. flat = activations[:, channel].flatten(1)\n"
            "2. scores, order = flat.amax(1).sort(descending=True, stable=True)\n"
            "3. images = order[:count]\n"
            "4. at = flat.argmax(1)[images]; w = activations.shape[3]\n"
            "5. return scores[:count], images, torch.stack([at // w, at % w], dim=1)",
        ),
        minutes=15,
        difficulty=2,
        lines=6,
    ),
    Exercise(
        id="max_patches.cut_patches",
        title="Cut the boxes out",
        reference=cut_patches,
        formula=r"P_m(c, a, b) = I_n(c,\ \text{top} + a,\ \text{left} + b) "
        r"\ \text{inside the image}, \quad 0 \text{ beyond its border}",
        outputs=("P",),
        cases=(
            Case("boxes inside, over each border, around the whole image and about a corner", fixtures.visible_patches),
            Case(
                "other sizes, boxes that are not square, around the whole image and about a corner",
                fixtures.hidden_patches,
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "counts_the_pixels",
                "Cut out of an image of ones, a patch sums to the number of its pixels that lie in the image.",
                laws.blank_calls,
                laws.counts_pixels,
            ),
            Law(
                "laid_side_by_side",
                "Boxes that cover the image and a frame around it, laid side by side again, are the image in a frame "
                "of zeros.",
                laws.tiling_calls,
                laws.puts_together,
            ),
        ),
        misconceptions=data_mistakes.CUT,
        hints=(
            "What does images[n, :, -2:3] give in Python, and why is that not rows −2 to 2? How can you make room "
            "for what lies beyond the border?",
            "Either start from a patch of zeros and copy the part that lies in the image to its place in the patch, "
            "or put a frame of zeros around all images (torch.nn.functional.pad) that is wide enough, and add its "
            "width to every index.",
            "1. frame = the largest of: -top, -left, bottom - H, right - W, and 0\n"
            "2. padded = F.pad(images, (frame, frame, frame, frame))\n"
            "3. patch = padded[n, :, top + frame : bottom + frame, left + frame : right + frame] for each box\n"
            "4. return torch.stack(patches)",
        ),
        minutes=15,
        difficulty=2,
        lines=7,
    ),
    Exercise(
        id="max_patches.max_patches",
        title="The whole method",
        reference=mistakes.max_patches,
        formula=r"s_n = \max_{i, j} A^k_{ij}(I_n); \quad \text{each of the } M \text{ best images cut to the field of "
        r"its } \arg\max_{i, j}",
        outputs=("P", "s", "boxes"),
        cases=(
            Case(
                "a layer with stride 2, one below zero before an in-place ReLU, a network in use",
                fixtures.visible_networks,
            ),
            Case("other networks, with a max-pool, and one in use", fixtures.hidden_networks, hidden=True, points=2),
        ),
        laws=(
            Law(
                "blind_outside",
                "Other pixels outside the box leave the winning unit's activation as it is.",
                laws.outside_calls,
                laws.blind_outside,
                points=2,
            ),
            Law(
                "follows_the_images",
                "With the images in another order, patches and scores stay, and the boxes name the images anew.",
                laws.renumbered_calls,
                laws.follows_the_images,
            ),
        ),
        special={"not even if the forward pass fails": ""},
        misconceptions=mistakes.METHOD,
        hints=(
            "You have all the parts. What does each of them need, and which one gives it?",
            "A forward hook keeps a clone of what the layer puts out (an in-place ReLU may overwrite the original), "
            "under torch.no_grad(). top_images finds the units, receptive_field and unit_box their boxes, cut_patches "
            "the pixels.",
            "1. handle = model.get_submodule(layer).register_forward_hook(a hook that keeps output.clone())\n"
            "2. try: with torch.no_grad(): model(images); finally: handle.remove()\n"
            "3. scores, chosen, places = top_images(kept[0], channel, count)\n"
            "4. field = receptive_field(chain)\n"
            "5. boxes = torch.tensor([(n, *unit_box(i, j, *field)) for each n and its (i, j)])\n"
            "6. return cut_patches(images, boxes), scores, boxes",
        ),
        minutes=15,
        difficulty=2,
        lines=12,
        builds_on=(
            "max_patches.receptive_field",
            "max_patches.unit_box",
            "max_patches.top_images",
            "max_patches.cut_patches",
        ),
    ),
)

LESSON = Lesson(
    id="05_max_patches",
    title="Maximum patches",
    summary="Find the images that excite a channel the most, and cut out exactly what the winning unit sees.",
    exercises=EXERCISES,
    questions=QUESTIONS,
)

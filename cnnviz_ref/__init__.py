"""The answer key: every method of the course, one file per method, with the conventions of the lessons' formulas.

Arguments that methods share:
    model: Any network that returns scores `[N classes]`; it runs in eval mode and is left as found.
    images: `[N C H W]`, floats of the model's dtype on its device.
    targets: The class to explain: one number for all images, or int64 `[N]`, one for each.
    layer: A module inside the model, or its dotted name ("features.3"); if it runs several times, its last output.
        Where a method has a default, it is the last convolutional layer, with what follows it on the same grid.

Every method: score before softmax; the caller chooses the target; raw maps in the images' float dtype on their device;
detached; the model (in eval mode while it runs) and the images left as found, also after an exception; the second call
equals the first; sample n does not depend on its batch.
"""

from cnnviz_ref.activation_masks import activation_masks as activation_masks
from cnnviz_ref.activations import activations as activations
from cnnviz_ref.cam import cam as cam
from cnnviz_ref.class_visualization import class_visualization as class_visualization
from cnnviz_ref.convert_to_cam import convert_to_cam as convert_to_cam
from cnnviz_ref.deeplift import deeplift as deeplift
from cnnviz_ref.embed import embed as embed
from cnnviz_ref.filters import filters as filters
from cnnviz_ref.grad_cam import grad_cam as grad_cam
from cnnviz_ref.guided_backprop import guided_backprop as guided_backprop
from cnnviz_ref.guided_grad_cam import guided_grad_cam as guided_grad_cam
from cnnviz_ref.lrp import lrp as lrp
from cnnviz_ref.max_patches import max_patches as max_patches
from cnnviz_ref.methods import METHODS as METHODS
from cnnviz_ref.methods import Method as Method
from cnnviz_ref.nearest_neighbors import nearest_neighbors as nearest_neighbors
from cnnviz_ref.occlusion import occlusion as occlusion
from cnnviz_ref.saliency import saliency as saliency
from cnnviz_ref.tsne import tsne as tsne

__all__ = [
    "METHODS",
    "Method",
    "activation_masks",
    "activations",
    "cam",
    "class_visualization",
    "convert_to_cam",
    "deeplift",
    "embed",
    "filters",
    "grad_cam",
    "guided_backprop",
    "guided_grad_cam",
    "lrp",
    "max_patches",
    "nearest_neighbors",
    "occlusion",
    "saliency",
    "tsne",
]

"""Right values, and a model that is not as it was: the promise is broken whatever way it was changed in.

Each way is the end of an otherwise right `capture` of Grad-CAM, graded as any hand-in; the same code without that end
has all points.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import autograder
from autograder.core.grade import grade_item
from autograder.core.oracle import Setting
from autograder.core.verdict import FAILED, PASSED
from autograder.course import registry
from autograder.reading.submission import from_code
from autograder.report.sentences import sentence

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="one warm process for all, by forking")

RIGHT = (Path(autograder.__file__).parent / "demo" / "right" / "11_grad_cam" / "grad_cam.py").read_text("utf-8")
CAPTURE = registry.item("grad_cam.capture")

WAYS = {
    "another forward of the instance": "model.forward = model.forward",
    "a method hidden on a submodule": "m = model.get_submodule(layer); m.forward = type(m).forward.__get__(m)",
    "the call of an instance": "model._call_impl = model._call_impl",
    "an instance's own helper of its class": """
for m in model.modules():
    if hasattr(type(m), "_conv_forward"):
        m._conv_forward = m._conv_forward""",
    "a method of the class": "f = nn.ReLU.forward; nn.ReLU.forward = lambda self, x: f(self, x)",
    "a method of the base class": "f = nn.Module.__call__; nn.Module.__call__ = lambda self, *a, **k: f(self, *a, **k)",
    "an attribute that the class computes": "nn.Conv2d.stride = property(lambda self: self.__dict__['stride'])",
    "another class": "m = model.get_submodule(layer); m.__class__ = type('Like', (type(m),), {})",
    "a hook before": "model.register_forward_pre_hook(lambda m, x: None)",
    "a hook that is given arguments by name": "model.register_forward_hook(lambda m, a, k, y: None, with_kwargs=True)",
    "a hook of the backward pass": "model.register_full_backward_hook(lambda m, i, o: None)",
    "a hook before the backward pass": "model.register_full_backward_pre_hook(lambda m, g: None)",
    "a hook on the state": "model.register_state_dict_pre_hook(lambda *a: None)",
    "a hook of loading": "model.register_load_state_dict_post_hook(lambda *a: None)",
    "a hook for all modules": "nn.modules.module.register_module_forward_hook(lambda m, x, y: None)",
    "a hook on a weight": "next(model.parameters()).requires_grad_(True).register_hook(lambda g: None)",
    "a hook after accumulation": """
p = next(model.parameters()).requires_grad_(True)
p.register_post_accumulate_grad_hook(lambda p: None)""",
    "one layer that trains": "model.get_submodule(layer).train()",
    "a flag of one weight": "p = next(model.parameters()); p.requires_grad_(not p.requires_grad)",
    "a gradient of zeros": "p = next(model.parameters()); p.requires_grad_(True); p.grad = torch.zeros_like(p)",
    "a smallest step of one weight": """
w = next(model.parameters()).data.view(-1)
w[0] = torch.nextafter(w[0], w.new_tensor(9.0))""",
    "one more in a weight": """
with torch.no_grad():
    p = list(model.parameters())[-1]; p.view(-1)[0] += 1""",
    "another weight with the same values": """
for name, p in list(model.get_submodule(layer).named_parameters(recurse=False)) or [(None, None)]:
    if name is None:
        name, p = next(iter(model.named_parameters()))
        *path, name = name.split("."); owner = model.get_submodule(".".join(path))
    else:
        owner = model.get_submodule(layer)
    setattr(owner, name, nn.Parameter(p.detach().clone() + 1e-3, p.requires_grad)); break""",
    "a new buffer": "model.register_buffer('tap', torch.zeros(1))",
    "a new weight": "model.register_parameter('extra', nn.Parameter(torch.zeros(1)))",
    "a new submodule": "model.add_module('tap', nn.Identity())",
    "a layer in another's place": """
*path, last = layer.split("."); owner = model.get_submodule(".".join(path))
setattr(owner, last, nn.Sequential(model.get_submodule(layer)))""",
    "layers in another order": "model._modules.move_to_end(next(iter(model._modules)))",
    "the images changed": "images.view(-1)[0] += 1 if not images.requires_grad else 0",
    "the images' own gradient": "images.grad = torch.zeros_like(images)",
    "images that ask for a gradient": "images.requires_grad_(True)",
    "the targets changed": "targets.copy_(targets.flip(0) * 0)",
    "the images resized": "images.resize_(images.numel())",
}


def code(way: str) -> str:
    """The right module, whose `capture` ends in this way."""
    end = "\n".join(f"    {line}" for line in way.strip().splitlines())
    return RIGHT.replace(
        "    return tap.output.detach(), gradients.detach()\n",
        f"{end}\n    return tap.output.detach(), gradients.detach()\n",
        1,
    )


def verdicts(runner, text: str) -> dict[str, str]:
    graded = grade_item(
        from_code(text.encode(), "grad_cam.py"), CAPTURE, Setting(secret="a secret of this test"), runner
    )
    return {row.check: (row.verdict, sentence(row.diagnosis.message) if row.diagnosis else "") for row in graded.rows}


def test_the_same_code_that_leaves_all_as_it_was_has_every_point(runner):
    assert {verdict for verdict, _ in verdicts(runner, code("pass")).values()} == {PASSED}


@pytest.mark.parametrize("way", WAYS)
def test_a_model_or_input_that_is_not_as_it_was_costs_the_promise(runner, way):
    rows = verdicts(runner, code(WAYS[way]))
    verdict, told = rows.pop("promises")
    assert verdict == FAILED, rows
    assert told

"""Side effects that are hidden: each way is either seen through or told as tampering."""

import textwrap

import pytest
import torch

from cnnviz import small_nets

from .conftest import planned

HEAD = """
import builtins, collections, copy, ctypes, gc, sys
import numpy, torch
from torch import nn

LEAVE = {
    "hooks": lambda m, x: m.features[0].register_forward_hook(lambda *a: None),
    "grad": lambda m, x: (x.requires_grad_(False), m(x).sum().backward()),
    "training_flag": lambda m, x: m.train(),
}
"""

PLAIN = "def f(model, x):\n    LEAVE[KIND](model, x)\n    return 1.0"

HIDING = {
    "nothing hidden": PLAIN,
    "methods of modules and tensors": """
        none = lambda self, *a, **k: iter(())
        for name in ("named_parameters", "parameters", "named_modules", "modules", "buffers", "children", "state_dict"):
            setattr(nn.Module, name, none)
        real = object.__getattribute__
        nn.Module.__getattribute__ = lambda self, name: False if name == "training" else real(self, name)
        for name in ("detach", "cpu", "contiguous", "numpy", "equal", "__eq__", "view", "as_strided", "clone"):
            setattr(torch.Tensor, name, lambda self, *a, **k: 0)
        """
    + PLAIN,
    "torch.equal and friends": """
        for name in ("equal", "allclose", "no_grad", "is_tensor", "is_grad_enabled"):
            setattr(torch, name, lambda *a, **k: True)
        numpy.array_equal = numpy.frombuffer = lambda *a, **k: True
        """
    + PLAIN,
    "builtins": """
        truth, honest = isinstance, dict(builtins.__dict__)
        def f(model, x):
            builtins.__dict__.update(honest)
            LEAVE[KIND](model, x)
            builtins.isinstance = lambda a, b: False if truth(a, (nn.Module, torch.Tensor)) else truth(a, b)
            builtins.vars = lambda *a: {}
            builtins.any = lambda *a: False
            return 1.0
        """,
    "dictionaries that lie": """
        class Lying(collections.OrderedDict):
            def items(self): return ()
            keys = values = items
            def __iter__(self): return iter(())
            def __len__(self): return 0
            def __eq__(self, other): return True
        def f(model, x):
            LEAVE[KIND](model, x)
            for m in model.modules():
                for name, value in list(vars(m).items()):
                    if isinstance(value, dict):
                        vars(m)[name] = Lying(value)
            return 1.0
        """,
    "the instance's dictionary is replaced": """
        class Shown(dict):
            def __getitem__(self, name): return False if name == "training" else super().__getitem__(name)
            def get(self, name, default=None): return None if "hook" in name else super().get(name, default)
        def f(model, x):
            LEAVE[KIND](model, x)
            for m in list(model.modules()):
                m.__dict__ = Shown(m.__dict__)
            return 1.0
        """,
    "the class is swapped": """
        class Meta(type):
            def __eq__(self, other): return True
            __hash__ = type.__hash__
        def f(model, x):
            LEAVE[KIND](model, x)
            for m in list(model.modules()):
                m.__class__ = Meta("Other", (type(m),), {"__dict__": property(lambda self: {}), "training": False})
            return 1.0
        """,
    "the property grad": """
        torch.Tensor.grad = property(lambda self: None, lambda self, value: None)
        torch.Tensor.is_leaf = torch.Tensor.retains_grad = property(lambda self: False)
        torch.Tensor._backward_hooks = property(lambda self: None, lambda self, value: None)
        """
    + PLAIN,
    "a mode that answers for torch": """
        from torch.overrides import TorchFunctionMode
        class Mode(TorchFunctionMode):
            def __torch_function__(self, function, types, args=(), kwargs=None):
                name = getattr(function, "__name__", "")
                return None if name in ("__get__", "detach") else function(*args, **(kwargs or {}))
        def f(model, x):
            LEAVE[KIND](model, x)
            Mode().__enter__()
            return 1.0
        """,
    "frames up to the observer": """
        def f(model, x):
            LEAVE[KIND](model, x)
            frame = sys._getframe()
            while frame:
                for name in ("changes", "fingerprint"):
                    if name in frame.f_globals:
                        frame.f_globals[name] = lambda *a: set() if len(a) == 2 else {}
                frame = frame.f_back
            return 1.0
        """,
    "the collector's list of functions": """
        def f(model, x):
            LEAVE[KIND](model, x)
            gc.unfreeze()
            for found in gc.get_objects():
                if type(found).__name__ == "function" and found.__name__ == "changes":
                    found.__code__ = (lambda *a: set()).__code__
            return 1.0
        """,
    "sys.modules and the observer's own names": """
        def f(model, x):
            LEAVE[KIND](model, x)
            frame = sys._getframe()
            while frame:
                space = frame.f_globals.get("fingerprint") and frame.f_globals["fingerprint"].__globals__
                if space:
                    space["_hooks"] = space["_content"] = space["_plain"] = lambda *a: 0
                    space["_of"] = {name: (lambda t: None) for name in space["_of"]}
                frame = frame.f_back
            return 1.0
        """,
}


def model_and_images():
    net = small_nets.BatchNormNet(generator=torch.Generator().manual_seed(0)).eval()
    return planned(net, torch.rand(2, 3, 8, 8))


@pytest.mark.parametrize("kind", ["hooks", "grad", "training_flag"])
@pytest.mark.parametrize("way", HIDING)
def test_a_hidden_side_effect_is_seen_or_the_hiding_is(run, way, kind):
    source = f"{HEAD}\nKIND = {kind!r}\n{textwrap.dedent(HIDING[way].removesuffix(PLAIN))}\n"
    source += PLAIN if HIDING[way].endswith(PLAIN) else ""
    outcome = run(source, calls=[model_and_images(), model_and_images()])
    assert outcome.status == "ran", outcome
    for seen in outcome.observations:
        assert {kind, "observer", "parameters"} & {*seen.effects}, seen


def test_honest_code_never_trips_the_wire(run):
    source = """
    import torch, warnings
    torch.manual_seed(3)
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    def f(model, x):
        torch.use_deterministic_algorithms(True, warn_only=True)
        warnings.simplefilter("error")
        print("here")
        return model(x).detach()
    """
    for _ in range(5):
        outcome = run(source, calls=[model_and_images()] * 3)
        left = [f"state torch.get_deterministic_algorithms{more}" for more in ("", "_warn_only")]
        assert [[*seen.effects] for seen in outcome.observations] == [left, [], []], outcome

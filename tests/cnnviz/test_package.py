import importlib
import subprocess
import sys

import pytest

import cnnviz

HEAVY = ("matplotlib", "sklearn", "skimage", "torchvision", "PIL", "safetensors", "scipy")


def python(code):
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_importing_the_package_and_the_small_nets_loads_nothing_heavy():
    code = f"import sys, cnnviz, cnnviz.small_nets, cnnviz.shapes; print(*[m for m in {HEAVY} if m in sys.modules])"
    assert python(code) == []
    assert python("import sys, cnnviz; print('torch' in sys.modules)") == ["False"]


def test_networks_load_without_figures_and_data_sets():
    code = "import sys, cnnviz; cnnviz.digit_net(); cnnviz.efficientnet_lite0(); cnnviz.device(); "
    heavy = tuple(set(HEAVY) - {"safetensors"})
    assert python(code + f"print(*[m for m in {heavy} if m in sys.modules])") == []


@pytest.mark.parametrize("name", cnnviz.__all__)
def test_every_public_name_is_there(name):
    assert getattr(cnnviz, name) is not None
    assert name in dir(cnnviz)


def test_the_functions_win_over_modules_whatever_is_imported_first():
    code = "import cnnviz.pictures, cnnviz.devices, cnnviz.models, cnnviz.figures, cnnviz.digits; import cnnviz; "
    assert python(code + "print(len(cnnviz.photos()), cnnviz.device.__name__)") == ["7", "device"]
    names = set(cnnviz.__all__) - {"shapes", "small_nets"}
    assert not [name for name in names if importlib.util.find_spec(f"cnnviz.{name}")]


def test_an_unknown_name_says_what_there_is():
    with pytest.raises(AttributeError, match=r"cnnviz has no 'gradcam'; it has LAST_LAYER, "):
        cnnviz.gradcam  # noqa: B018


def test_shapes_import_without_jaxtyping():
    code = "import sys; sys.modules['jaxtyping'] = None; import torch; from cnnviz import shapes; "
    assert python(code + "print(shapes.Images is torch.Tensor, shapes.Map is torch.Tensor)") == ["True", "True"]


def test_shapes_hold_a_function_to_its_dimensions_where_jaxtyping_is():
    jaxtyping, beartype = pytest.importorskip("jaxtyping"), pytest.importorskip("beartype")
    import torch

    from cnnviz.shapes import Images, Targets

    @jaxtyping.jaxtyped(typechecker=beartype.beartype)
    def pair(images: Images, targets: Targets) -> None: ...

    pair(torch.rand(2, 3, 4, 5), torch.tensor([1, 2]))
    with pytest.raises(jaxtyping.TypeCheckError):
        pair(torch.rand(2, 3, 4, 5), torch.tensor([1, 2, 3]))

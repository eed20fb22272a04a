"""`compare` finds the first thing to repair, and nothing where there is nothing."""

from types import SimpleNamespace

import numpy as np
import pytest

from autograder.core.compare import TOLERANCE, compare, distance, scales, tolerance
from autograder.report.sentences import sentence


def result(*arrays, kind="value", types=None, dtypes=None, device="cpu", type_name="Tensor", error=None):
    arrays = tuple(np.asarray(a) for a in arrays)
    return SimpleNamespace(
        kind=kind,
        arrays=arrays,
        types=tuple(types or ["tensor"] * len(arrays)),
        dtypes=tuple(dtypes or [str(a.dtype) for a in arrays]),
        devices=(device,) * len(arrays),
        type_name=type_name,
        error=error,
        again=None,
    )


A = np.array([[1.0, -2.0, 0.5], [0.0, 4.0, -1.0]])


def found(want, have, symbols=("L",)):
    return compare([want], [have], symbols)


def test_equal_arrays_are_right():
    assert found(result(A), result(A.copy())) is None


@pytest.mark.parametrize(("dtype", "allowed"), TOLERANCE.items())
def test_the_tolerance_follows_the_precision_that_was_asked_for(dtype, allowed):
    asked = result(A.astype(dtype))
    for share, right in ((0.5, True), (2.0, False)):
        wrong = A + share * allowed * np.abs(A).max()
        for returned in TOLERANCE:
            assert (found(asked, result(wrong.astype(returned))) is None) is right, returned


def test_float32_in_place_of_float64_is_right_where_only_its_rounding_shows():
    assert found(result(A), result((A / 3 * 3).astype(np.float32))) is None


def test_float32_buys_no_tolerance_and_is_told():
    finding = found(result(A), result((A * (1 + 1e-5)).astype(np.float32)))
    assert (finding.kind, sentence(finding.message)) == (
        "dtype",
        "L: got dtype float32, asked for the dtype of the input (float64), and the values are right to 0.0001 only, "
        "where float64 gives 1e-06.",
    )


@pytest.mark.parametrize("returned", [np.float16, bool, np.int64])
def test_other_types_in_place_of_floats_are_told(returned):
    whole = np.array([0.0, 1.0, 1.0])
    assert found(result(whole), result(whole.astype(returned))).kind == "dtype"


def test_errors_are_relative_to_the_largest_value_of_all_calls():
    small, large = result(A * 1e-9), result(A)
    assert compare([small, large], [result(A * 2e-9), large], ("L",)) is None
    assert compare([small], [result(A * 2e-9)], ("L",)).kind == "values"


def test_zero_maps_are_compared_absolutely():
    zero = result(np.zeros((2, 3)))
    assert found(zero, result(np.zeros((2, 3)))) is None
    assert found(zero, result(np.full((2, 3), 1e-3))).kind == "values"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_not_right(bad):
    wrong = A.copy()
    wrong[1, 1] = bad
    assert found(result(A), result(wrong)).kind == "finite"
    assert distance([result(A)], [result(wrong)]) == np.inf


def test_nan_everywhere_is_not_right():
    assert found(result(A), result(np.full_like(A, np.nan))).kind == "finite"


def test_a_missing_return_is_asked_for():
    finding = found(result(A), result(kind="unsupported", type_name="NoneType"))
    assert sentence(finding.message) == "returned None; asked for one tensor L [2, 3]; is a `return` missing?"


def test_a_numpy_array_is_not_a_tensor():
    finding = found(result(A), result(A, types=["array"]))
    assert sentence(finding.message) == "L: got a numpy array, asked for a torch.Tensor."


def test_a_number_may_be_a_python_number_or_a_tensor_of_no_axes():
    assert found(result(2.0), result(2.0, types=["float"])) is None
    assert found(result(2.0, types=["float"]), result(2.0)) is None


def test_another_number_of_outputs_is_a_type():
    finding = compare([result(A, A)], [result(A)], ("A", "dA"))
    assert sentence(finding.message) == "returned a torch.Tensor; asked for (A [2, 3], dA [2, 3])."


def test_numbers_that_are_asked_for_are_told_without_a_shape():
    number, nothing = np.array(1.0), result(kind="unsupported", type_name="NoneType")
    want = result(number, number, types=["int", "float"])
    assert (
        sentence(found(want, nothing, ("r", "t")).message) == "returned None; asked for (r, t); is a `return` missing?"
    )
    want = result(number, types=["float"])
    assert (
        sentence(found(want, nothing, ("C",)).message) == "returned None; asked for C, a number; is a `return` missing?"
    )


ONE = np.array(1.0)


@pytest.mark.parametrize(
    ("have", "message"),
    [
        (
            result(*[np.array(n) for n in (1, 2, 8, 9)], types=["int"] * 4, type_name="tuple"),
            "returned a tuple of 4 values; asked for one tensor box [4]: torch.tensor makes one of several numbers.",
        ),
        (
            result(A, A, type_name="list"),
            "returned a list of 2 values; asked for one tensor box [4]: torch.stack makes one of several tensors.",
        ),
        (
            result(kind="unsupported", type_name="tuple"),
            "returned a tuple of other things than tensors and numbers; asked for one tensor box [4]: "
            "torch.tensor makes one of nested lists of numbers.",
        ),
        (
            result(kind="unsupported", type_name="Tensor"),
            "returned a tensor that cannot be compared (complex or sparse); asked for one tensor box [4].",
        ),
        (result(kind="unsupported", type_name="dict"), "returned dict; asked for one tensor box [4]."),
        (
            result(kind="unsupported", type_name="x0_1234"),
            "returned an object of another kind; asked for one tensor box [4].",
        ),
        (result(ONE, types=["float"], type_name="float"), "box: got a number, asked for a torch.Tensor."),
    ],
)
def test_what_came_in_place_of_a_tensor_is_told(have, message):
    assert sentence(found(result(np.arange(4)), have, ("box",)).message) == message


@pytest.mark.parametrize(
    ("kind", "message", "told"),
    [
        ("EOFError", "EOF when reading a line", "Nobody can answer `input()` here: write the value into the code."),
        (
            "TypeError",
            "conv2d(): argument 'input' (position 1) must be Tensor, not tuple",
            "A tuple stands where a tensor",
        ),
        ("AttributeError", "'tuple' object has no attribute 'shape'", "does a function that you call return"),
        ("ModuleNotFoundError", "No module named 'my_utils.maps'", "There is no package `my_utils.maps` here"),
    ],
)
def test_an_exception_that_is_known_comes_with_advice(kind, message, told):
    error = {"type": kind, "message": message, "line": None, "source_line": None}
    finding = found(result(A), result(kind="raised", error=error))
    assert sentence(finding.message).startswith(f"your function raised {kind}: {message}. ")
    assert told in sentence(finding.message)


def test_shapes_are_told_both():
    finding = found(result(A), result(A.T))
    assert (finding.kind, sentence(finding.message)) == ("shape", "L: got shape [3, 2], asked for [2, 3].")


def test_half_precision_is_refused():
    finding = found(result(A), result(A.astype(np.float16)))
    assert sentence(finding.message) == "L: got dtype float16, asked for the dtype of the input (float64)."


def test_floats_where_integers_are_asked_for_are_refused():
    boxes = np.array([1, 2, 3, 4])
    assert found(result(boxes), result(boxes.astype(float))).kind == "dtype"
    assert found(result(boxes), result(boxes.astype(np.int32))) is None


def test_a_truth_value_where_a_number_is_asked_for_is_refused():
    assert found(result(1.0, types=["float"]), result(np.array(True), types=["bool"])).kind == "dtype"
    assert found(result(1.0, types=["float"]), result(np.array(1), types=["int"])) is None


def test_truth_values_where_integers_are_asked_for_are_refused():
    """A law may subtract or slice with them, which numpy refuses: that would be the grader's own fault."""
    boxes = np.array([0, 1, 1, 0])
    assert found(result(boxes), result(boxes.astype(bool))).kind == "dtype"
    assert found(result(boxes.astype(bool)), result(boxes)) is None


def test_integers_are_exact():
    boxes = np.array([1, 2, 3, 400_000_000])
    assert found(result(boxes), result([*boxes[:3], 400_000_001])).kind == "values"


def test_a_result_on_another_device_is_named():
    assert found(result(A, device="cuda"), result(A)).kind == "device"
    assert found(result(A, device="cuda"), result(A, device="cuda:0")) is None


def test_an_exception_is_told_with_its_line():
    error = {"type": "IndexError", "message": "index 4 is out of bounds", "line": 12, "source_line": "  w[4]"}
    finding = found(result(A), result(kind="raised", error=error))
    assert sentence(finding.message) == "your function raised IndexError (line 12: `w[4]`): index 4 is out of bounds"


def test_the_second_output_is_named_when_the_first_is_right():
    finding = compare([result(A, A)], [result(A, 2 * A)], ("A", "dA"))
    assert (finding.kind, finding.output) == ("values", 1)


def test_earlier_stages_win_over_later_ones_on_any_call():
    finding = compare([result(A), result(A)], [result(2 * A), result(A.T)], ("L",))
    assert (finding.kind, finding.call) == ("shape", 1)


def test_a_scale_is_the_largest_finite_value():
    assert scales([result(np.array([np.nan, -4.0, np.inf])), result(np.array([2.0]))], 0) == 4
    assert scales([result(np.array([np.nan]))], 0) == 1


def test_float32_anywhere_widens_the_tolerance():
    assert tolerance([result(A), result(A.astype(np.float32))]) == TOLERANCE["float32"]

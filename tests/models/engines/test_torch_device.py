"""Devices by name, and the many ways in which a full memory is reported."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from costeer.exceptions import ModelError, ParameterError

torch = pytest.importorskip("torch", reason="torch is not installed")

from costeer.models.engines.torch_device import (  # noqa: E402
    avoid_plans,
    check_device,
    is_out_of_memory,
    memory_error,
)

MORE_THAN_THERE_IS = 2**62  # bytes


@pytest.mark.parametrize("name", ["nowhere", "", "cuda:99", "meta", "cpu,cuda", "\u00e9"])
def test_a_device_that_torch_cannot_use(name: Any) -> None:
    with pytest.raises(ParameterError) as caught:
        check_device(torch, name)
    assert repr(name) in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(("name", "kind"), [("cpu", "cpu"), ("cpu:0", "cpu")])
def test_a_device_by_its_name(name: Any, kind: Any) -> None:
    assert check_device(torch, name).type == kind


def test_the_device_of_these_tests(device: Any) -> None:
    assert str(check_device(torch, device)) == device


def test_attention_makes_no_plans_for_new_lengths(gpu: Any) -> None:
    avoid_plans(torch, torch.device(gpu))
    assert not torch.backends.cuda.cudnn_sdp_enabled()


def test_torch_and_numpy_say_that_memory_is_full(device: Any) -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(MORE_THAN_THERE_IS, dtype=torch.uint8, device=device)
    assert is_out_of_memory(caught.value)
    with pytest.raises(MemoryError) as failed:
        np.empty(MORE_THAN_THERE_IS, np.uint8)
    assert is_out_of_memory(failed.value)


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 18.00 GB)"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
        (KeyboardInterrupt(), False),
    ],
)
def test_what_a_full_memory_is(error: Any, full: Any) -> None:
    assert is_out_of_memory(error) == full


def test_a_full_memory_is_an_error_with_a_way_out() -> None:
    error = memory_error(torch.device("cuda", 1))
    assert isinstance(error, ModelError)
    assert "'cuda:1'" in error.message
    assert error.hint

"""Runs one neural model on the processor: OpenVINO in bfloat16 where it can, onnxruntime elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from ocr.engines import quiet  # noqa: F401  # before the libraries below are imported

Tensor = npt.NDArray[np.float32]
Backend = Literal["openvino", "onnxruntime"]
PROCESSOR = Path("/proc/cpuinfo")
BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})


class Session(Protocol):
    """A loaded model: a tensor in, a tensor out, one thread."""

    precision: str

    def run(self, tensor: Tensor) -> Tensor:
        """Return the model's first output. It may live in the session's memory until the next call."""
        ...

    def characters(self) -> list[str]:
        """Return the alphabet that the model carries, in the order of its classes."""
        ...


def best_backend(processor: Path = PROCESSOR) -> Backend:
    """Choose by what the processor can do: OpenVINO is the faster one only where it may count in bfloat16."""
    try:
        description = processor.read_text()
    except OSError:
        return "onnxruntime"
    flags = {flag for line in description.splitlines() if line.startswith("flags") for flag in line.split()}
    return "openvino" if flags & BFLOAT16_FLAGS else "onnxruntime"


def open_session(model: Path, backend: Backend, precision: str | None = None) -> Session:
    """Load a model file with the chosen library; `precision` is OpenVINO's, None for its best on this processor."""
    return OpenVinoSession(model, precision) if backend == "openvino" else OnnxSession(model)


class OpenVinoSession:
    """A model under OpenVINO, in bfloat16 where the processor has it."""

    def __init__(self, model: Path, precision: str | None = None) -> None:
        import openvino  # noqa: PLC0415  # a machine that uses onnxruntime should not pay for it

        core = openvino.Core()
        able = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        wanted = precision or ("bf16" if "BF16" in able else "f32")
        self._model = core.read_model(model)
        compiled = core.compile_model(
            self._model,
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": wanted,
                "INFERENCE_NUM_THREADS": 1,
                "NUM_STREAMS": 1,
                # It would bind the one thread to a core, and every process to the same one.
                "ENABLE_CPU_PINNING": False,
            },
        )
        self.precision = str(compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name())
        self._request = compiled.create_infer_request()

    def run(self, tensor: Tensor) -> Tensor:
        self._request.infer([tensor], share_inputs=True)
        output: Tensor = self._request.get_output_tensor().data
        return output

    def characters(self) -> list[str]:
        framework: Any = self._model.get_rt_info()["framework"]
        return str(framework["character"].value).splitlines()


class OnnxSession:
    """A model under onnxruntime, in float32."""

    precision = "f32"

    def __init__(self, model: Path) -> None:
        import onnxruntime  # noqa: PLC0415  # a machine that uses OpenVINO should not pay for it

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.enable_cpu_mem_arena = False  # the arena keeps the widest line's memory for ever
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def run(self, tensor: Tensor) -> Tensor:
        output: Tensor = self._session.run(None, {self._input: tensor})[0]
        return output

    def characters(self) -> list[str]:
        return str(self._session.get_modelmeta().custom_metadata_map["character"]).splitlines()

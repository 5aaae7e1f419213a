"""First run of untrusted ONNX graphs; `onnx_check.run_once` runs this file in a process of its own.

Standard input is one line of JSON and the graphs. The exit code is 0 if they run correctly; otherwise the problem is
printed.
"""

import json
import resource
import sys
from pathlib import Path

import numpy as np
import onnxruntime

#: Bytes of memory that a network may use: constant, and additional bytes per pixel and per byte of the graph.
_MEMORY, _MEMORY_PER_PIXEL, _MEMORY_PER_BYTE = 256 * 2**20, 32 * 2**10, 6
_CPU_SECONDS = 50
_STATM = Path("/proc/self/statm")


def main() -> str:
    """Run the graphs; return their problem, or an empty text."""
    header = json.loads(sys.stdin.buffer.readline())
    side, channels = header["resolution"], header["channels"]
    graphs = [(name, styled, sys.stdin.buffer.read(size)) for name, styled, size in header["graphs"]]
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    if _STATM.exists():
        used = int(_STATM.read_text().split()[0]) * resource.getpagesize()
        size = sum(len(graph) for _, _, graph in graphs)
        limit = used + _MEMORY + _MEMORY_PER_PIXEL * side**2 + _MEMORY_PER_BYTE * size
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    for name, styled, graph in graphs:
        pixels = np.linspace(-1, 1, channels * side**2, dtype=np.float32)
        inputs: dict[str, np.ndarray] = {"images": pixels.reshape(1, channels, side, side)}
        if styled:
            inputs["style"] = np.zeros(1, np.int64)
        if problem := _run(graph, inputs, (1, 3, side, side)):
            return f"{name}.onnx {problem}"
    return ""


def _run(graph: bytes, inputs: dict[str, np.ndarray], shape: tuple[int, ...]) -> str:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # it reserves more than is needed
    try:
        session = onnxruntime.InferenceSession(graph, options, ["CPUExecutionProvider"])
        names = sorted(one.name for one in session.get_inputs())
        if names != sorted(inputs):
            return f"has the inputs {', '.join(names)} instead of {', '.join(sorted(inputs))}"
        if len(session.get_outputs()) != 1:
            return "does not have exactly one output"
        (result,) = session.run(None, inputs)
    except Exception as error:  # the classes of onnxruntime derive from Exception alone
        return f"does not run: {error}"
    if not isinstance(result, np.ndarray) or result.shape != shape or result.dtype != np.float32:
        return f"does not return float32 {list(shape)}"
    if not np.isfinite(result).all():
        return "returns values that are not finite"
    return "" if np.abs(result).max() <= 1.01 else "returns values outside of [-1, 1]"


if __name__ == "__main__":
    problem = main()
    print(problem)
    sys.exit(1 if problem else 0)

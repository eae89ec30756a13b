# Two commands: `make demo` shows what netc does, `make test` checks everything.
# Each makes its own virtual environment first; PYTHON chooses the interpreter (3.11 or newer).
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: demo test bench docs tables clean

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	$(BIN)/python -m compileall -q grammar compiler runtime netdefs netc
	touch $@

demo: $(VENV)/installed
	@mkdir -p demo
	@echo "── GoogLeNet: checked, compiled to ONNX, and run on a photograph"
	$(BIN)/netc check googlenet
	$(BIN)/netc compile googlenet -o demo/googlenet.onnx
	$(BIN)/netc run demo/googlenet.onnx --image docs/photograph.jpg
	@echo "   (the weights are seeded initial ones, so the classes mean nothing yet:"
	@echo "    give trained ones with --weights)"
	@echo "── The sharpening kernel of the lecture on the same photograph"
	$(BIN)/netc run sharpen --image docs/photograph.jpg --out demo/sharpened.png
	@echo "── NumPy and ONNX Runtime compared at every layer"
	$(BIN)/netc verify lenet5 --net lenet5
	@echo "── Files: demo/googlenet.onnx (the model), demo/sharpened.png (compare docs/photograph.jpg)"

test: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2

# The yardsticks that need torch are skipped unless TORCH names a Python that has it.
bench: $(VENV)/installed
	$(BIN)/python -m benchmarks $(if $(TORCH),--torch $(TORCH))

docs: $(VENV)/installed
	$(BIN)/python -m netc.reference docs/ops.md

tables: $(VENV)/installed
	$(BIN)/python -m grammar.tables

clean:
	rm -rf $(VENV) demo build dist *.egg-info

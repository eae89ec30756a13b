# Two commands: `make demo` shows what netc does, `make test` checks everything.
# Each makes its own virtual environment first; PYTHON chooses the interpreter (3.11 or newer),
# PINS the versions of what is installed (`PINS=` takes the newest that pyproject.toml allows).
PYTHON ?= python3
VENV   ?= .venv
PINS   ?= constraints.txt
BIN    := $(VENV)/bin

# Modules are compiled when they are first imported, far fewer than are installed: the processes
# that the tests start must find what others have compiled.
export PYTHONDONTWRITEBYTECODE =

.PHONY: demo test quick coverage bench docs tables constraints clean

$(VENV)/installed: pyproject.toml $(PINS)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile \
		$(if $(PINS),--constraint $(PINS)) --editable ".[dev]"
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
	$(BIN)/ruff format --check .
	$(BIN)/mypy & types=$$!; \
	$(BIN)/python -m pytest -n 2 --dist loadgroup; tests=$$?; \
	wait $$types && exit $$tests

# Half a minute, before every commit: lint, types, one case of each test of the language, the graph
# and the layers.
quick: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 --dist loadgroup --quick

# Which lines of the packages the tests run; the report is htmlcov/index.html.
coverage: $(VENV)/installed
	$(BIN)/python -m pytest -n 2 --dist loadgroup --cov --cov-report=term:skip-covered --cov-report=html

# The yardsticks that need torch are skipped unless TORCH names a Python that has it.
bench: $(VENV)/installed
	$(BIN)/python -m benchmarks $(if $(TORCH),--torch $(TORCH))

docs: $(VENV)/installed
	$(BIN)/python -m netc.reference docs/ops.md

tables: $(VENV)/installed
	$(BIN)/python -m grammar.tables

constraints: $(VENV)/installed
	$(PYTHON) -m venv build/newest
	build/newest/bin/python -m pip install --quiet ".[dev]"
	sed -n 1p constraints.txt > build/constraints.txt
	build/newest/bin/python -m pip freeze --exclude netc >> build/constraints.txt
	mv build/constraints.txt constraints.txt

clean:
	rm -rf $(VENV) demo build dist htmlcov *.egg-info

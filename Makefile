PYTHON ?= $(shell command -v python3.11 || command -v python3.12)
VENV := .venv
BIN := $(VENV)/bin
ASSETS := $(wildcard ../shared/assets)
export FACIALPALSY_ASSETS ?= $(abspath $(ASSETS))

.PHONY: demo test lint bench clean

$(BIN)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev]"
	touch $@

demo: $(BIN)/.installed ## Analyse a public-domain portrait and a palsy simulated on it, side by side, and open the page.
	mkdir -p demo/photos
	$(BIN)/python -c "import skimage.data, skimage.io; skimage.io.imsave('demo/photos/astronaut.png', skimage.data.astronaut())"
	$(BIN)/facialpalsy simulate demo/photos/astronaut.png --side right --severity 1 --regions brow,eye,mouth --out demo/photos
	$(BIN)/facialpalsy analyze demo/photos --out demo/results --mirrored no --expression smile_open
	-@$(BIN)/python -m webbrowser -t "file://$(abspath demo/results/index.html)" >/dev/null 2>&1
	@echo "Open demo/results/index.html"

test: $(BIN)/.installed lint ## Everything that continuous integration checks.
	$(BIN)/python -m pytest --numprocesses 2

lint: $(BIN)/.installed
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	-$(BIN)/pip-audit --strict --skip-editable --progress-spinner off

bench: $(BIN)/.installed ## Every figure of docs/reference/benchmarks.md.
	$(BIN)/python benchmarks/run_all.py

clean:
	rm -rf $(VENV) demo dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis

#!/usr/bin/env bash
# Collects into .carry/ (which git ignores) all that tests/gpu/run.sh needs on a GPU machine without internet: wheels that
# such a machine lacks, the sources of PyCUDA, RateML's kernels, connectomes, and reference data. Run it where there is
# internet, then take the checkout with .carry/ to the machine.
#
#   tests/gpu/collect.sh [REFERENCE]        REFERENCE: folder of the reference data, by default ../shared/reference
#
# PYTHON_VERSION (3.12) is that of the GPU machine. WITHOUT_CUBNM=1 leaves cuBNM out, which needs NumPy 1.26 beside it.
set -euo pipefail
cd "$(dirname "$0")/../.."

REFERENCE=${1:-${RATEMLX_REFERENCE:-../shared/reference}}
VERSION=${PYTHON_VERSION:-3.12}
CARRY=${CARRY:-.carry}
PYTHON=${PYTHON:-python3}
LARGEST_MIB=60

platforms=()
for tag in manylinux_2_28 manylinux_2_27 manylinux_2_17; do platforms+=(--platform "${tag}_x86_64"); done
platforms+=(--platform manylinux2014_x86_64)

wheels() { # FOLDER NAME...: wheels for the GPU machine, none of their requirements
    local folder=$1
    shift
    "$PYTHON" -m pip download --quiet --no-deps --only-binary=:all: --python-version "$VERSION" \
        --implementation cp "${platforms[@]}" --dest "$folder" "$@"
}

sources() { # FOLDER NAME: a source distribution
    "$PYTHON" -m pip download --quiet --no-deps --no-binary "${2%%=*}" --dest "$1" "$2"
}

mkdir -p "$CARRY/wheels" "$CARRY/site/tvb_data/connectivity" "$CARRY/reference/adex"
wheels "$CARRY/wheels" mako h5netcdf platformdirs pytools siphash24 tvb-contrib
sources "$CARRY/wheels" pycuda

# tvb-data is 50 MB, of which runs need two archives.
whole=$(mktemp -d)
trap 'rm -rf "$whole"' EXIT
wheels "$whole" tvb-data
"$PYTHON" - "$whole" "$CARRY/site" <<'PYTHON_END'
import sys, zipfile
from pathlib import Path

(wheel,) = Path(sys.argv[1]).glob("tvb_data-*.whl")
wanted = {"tvb_data/__init__.py", *(f"tvb_data/connectivity/connectivity_{size}.zip" for size in (68, 76))}
with zipfile.ZipFile(wheel) as archive:
    found = [name for name in archive.namelist() if name in wanted]
    assert set(found) == wanted, f"{wheel.name} lacks {wanted - set(found)}"
    archive.extractall(sys.argv[2], found)
PYTHON_END

for name in network_first_order network_second_order transfer_function; do
    cp "$REFERENCE/adex/$name.npz" "$CARRY/reference/adex/"
done

if [ -z "${WITHOUT_CUBNM:-}" ]; then
    mkdir -p "$CARRY/cubnm"
    wheels "$CARRY/cubnm" cubnm numpy==1.26.4 autograd cma alive-progress about-time dill deprecated
    sources "$CARRY/cubnm" pymoo==0.6.0
    sources "$CARRY/cubnm" grapheme
fi

size=$(du -sm "$CARRY" | cut -f1)
echo "$CARRY: $size MiB"
[ "$size" -lt "$LARGEST_MIB" ] || { echo "more than $LARGEST_MIB MiB: WITHOUT_CUBNM=1 makes it smaller" >&2; exit 1; }

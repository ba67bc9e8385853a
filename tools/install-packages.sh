#!/usr/bin/env bash
# Installs the Debian or Ubuntu packages that a group of tasks needs, and says what and why.
# Does nothing, and asks for nothing, where all of them are there.
#
# usage: tools/install-packages.sh GROUP...     groups: build, demo, test, bench
set -euo pipefail

# One line a package: name, need, why. "wanted" ones are left out where the release has none: what
# needs them says that it is skipped.
packages() {
    case "$1" in
    build)
        if ! command -v cc >/dev/null; then
            echo "gcc needed the linker that rustc calls"
            echo "libc6-dev needed the C library to link with"
        fi
        ;;
    demo)
        echo "libvulkan1 needed the Vulkan loader"
        echo "mesa-vulkan-drivers needed Vulkan drivers, among them lavapipe, which needs no GPU"
        echo "vulkan-tools needed vkcube, the program that is watched"
        echo "xvfb needed a display where there is none"
        ;;
    test)
        packages demo
        echo "vulkan-validationlayers wanted the layer to run above and below"
        echo "x11-utils wanted xdpyinfo, to ask a display whether it lives"
        echo "chromium wanted a browser, to look at the HTML reports"
        echo "vkmark wanted one more real program to watch"
        echo "python3-venv wanted DuckDB, Polars and Perfetto's definition, to read our files with"
        echo "cbindgen wanted the header of the C library, to compare it with the one that is kept"
        echo "libvulkan-dev wanted Vulkan's headers, for the examples in C"
        echo "g++ wanted the examples in C as C++"
        echo "pkg-config wanted the examples in C against the installed library"
        ;;
    bench)
        if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
            echo "python3-venv wanted a Python environment for DuckDB, which reads the same traces"
        fi
        echo "alacritty wanted a terminal that draws with OpenGL, to be as fast as"
        echo "kitty wanted another one"
        echo "xterm wanted a terminal that has the X server draw"
        echo "libgl1-mesa-dri wanted OpenGL in software, for these terminals"
        echo "fonts-dejavu-core wanted a font for the terminals"
        ;;
    *)
        echo "install-packages: no group is called $1 (there are build, demo, test, bench)" >&2
        return 1
        ;;
    esac
}

installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null || true)" = installed ]
}

available() {
    local candidate
    candidate=$(LC_ALL=C apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: //p')
    [ -n "$candidate" ] && [ "$candidate" != "(none)" ]
}

wanted=$(for group in "$@"; do packages "$group" || exit 1; done | sort -u)
missing=()
while read -r name need why; do
    [ -n "$name" ] || continue
    installed "$name" || missing+=("$name $need $why")
done <<<"$wanted"
if [ ${#missing[@]} -eq 0 ]; then
    exit 0
fi

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    echo "This is no Debian or Ubuntu; going on with what is there. Packages that may be missing:" >&2
    printf '  %s\n' "${missing[@]}" >&2
    exit 0
fi

as_root=()
root=yes
if [ "$(id -u)" -ne 0 ]; then
    as_root=(sudo)
    command -v sudo >/dev/null || root=no
fi

# A fresh machine has no package lists; without them nothing is available.
fresh=no
if [ $root = yes ] && ! compgen -G "/var/lib/apt/lists/*_Packages*" >/dev/null; then
    echo "Fetching the package lists."
    "${as_root[@]}" apt-get update -qq
    fresh=yes
fi

now=()
for entry in "${missing[@]}"; do
    read -r name need why <<<"$entry"
    if [ $root = yes ] && available "$name"; then
        echo "  installing $name: $why"
        now+=("$name")
    elif [ "$need" = wanted ]; then
        reason="this release has no such package"
        ! available "$name" || reason="there is no sudo to install it with"
        echo "  without $name ($why): $reason"
    elif [ $root = no ]; then
        echo "install-packages: $name ($why) is missing, and there is no sudo to install it with" >&2
        exit 1
    else
        echo "install-packages: $name ($why) is not in the package lists of this machine" >&2
        exit 1
    fi
done
if [ ${#now[@]} -eq 0 ]; then
    exit 0
fi

install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -qq)
if ! "${install[@]}" "${now[@]}" </dev/null; then
    if [ "$fresh" = yes ]; then
        exit 1
    fi
    # Old lists name versions that the mirrors no longer have.
    "${as_root[@]}" apt-get update -qq
    "${install[@]}" "${now[@]}" </dev/null
fi

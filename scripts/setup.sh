# Install what is missing (Debian packages) and build into $build: sourced by quickstart.sh and check.sh, which set
#   top    the source tree        build   the build tree, outside the source if you like (environment: RETC_BUILD)

packages="gcc make autoconf automake libtool pkg-config autoconf-archive libc6-dev libhdf5-dev libgsl-dev libfftw3-dev nettle-dev
libjansson-dev libinih-dev libdeflate-dev libmatio-dev zlib1g-dev libpng-dev libtiff-dev libjpeg-dev check
gnuplot-nox fonts-dejavu-core"

die() {
    echo "$*" >&2
    exit 1
}

install_missing() {
    command -v dpkg-query >/dev/null || {
        echo "This is no Debian system: the build will say what is missing."
        return 0
    }
    missing=
    for package in $packages; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    as_root=
    [ "$(id -u)" = 0 ] || as_root=sudo
    [ -z "$as_root" ] || command -v sudo >/dev/null ||
        die "these packages are missing, and neither root nor sudo can install them:$missing"
    echo "installing:$missing"
    { $as_root apt-get update -qq && $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends $missing; } >"$build/install.log" 2>&1 ||
        die "the installation failed, see $build/install.log"
}

# configure again only when it is new; make does the rest.
build_all() {
    [ -x "$top/configure" ] || (cd "$top" && ./bootstrap) >"$build/bootstrap.log" 2>&1 ||
        die "bootstrap failed, see $build/bootstrap.log"
    [ -f "$build/Makefile" ] || (cd "$build" && "$top/configure" -q "$@") ||
        die "configure failed, see $build/config.log"
    make -C "$build" -s -j"$(nproc)" >"$build/make.log" 2>&1 || {
        tail -n 20 "$build/make.log" >&2
        die "the build failed, see $build/make.log"
    }
}

build=${RETC_BUILD:-$top/build}
mkdir -p "$build" || exit 1
build=$(cd "$build" && pwd)
